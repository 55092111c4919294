"""The one door through which weights come in and go out: safetensors, with their story in the header."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors

from pellucid.core.errors import WeightsError
from pellucid.core.files import write_bytes

FORMAT = "pellucid 1"
HEADER_KEY = "pellucid"
HEADER_LIMIT = 100_000_000  # bytes; safetensors itself refuses longer ones


@dataclass(frozen=True)
class Weights:
    """Tensors by name, and everything that was written beside them."""

    tensors: dict[str, torch.Tensor]
    about: dict[str, Any]


def write_weights(path: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and their story to one file, atomically and with a checksum of the content.

    Args:
        path: the file, usually `model.safetensors`.
        tensors: name -> tensor on any device; stored contiguous, as they are.
        about: JSON-serialisable; comes back from `read_weights` equal.

    Raises:
        WriteError: the file cannot be written; an older one stays as it was.
    """
    plain = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    header = {"format": FORMAT, "checksum": _checksum(plain, dict(about)), "about": dict(about)}
    text = json.dumps(header, ensure_ascii=False, allow_nan=False)
    write_bytes(path, save_safetensors(plain, metadata={HEADER_KEY: text}))


def read_weights(path: Path) -> Weights:
    """Read and verify a file written by `write_weights`.

    Raises:
        WeightsError: there is no such file, it is no safetensors file, it was not written by Pellucid,
            or its content does not have the checksum it was written with.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise WeightsError(f"Cannot read weights {path}: {error.strerror}. Give a model.safetensors file.") from error
    try:
        tensors = load_safetensors(content)
        header = _header(content)
    except (SafetensorError, ValueError, KeyError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} is no intact safetensors file ({error}). Use another copy of it.") from error
    if HEADER_KEY not in header:
        raise WeightsError(
            f"{path} holds weights but not their classes and preprocessing, so it cannot predict on its own. "
            "Use a model.safetensors from a run folder."
        )
    try:
        story = json.loads(header[HEADER_KEY])
        written, checksum, about = story["format"], story["checksum"], story["about"]
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} is damaged: its description cannot be read. Use another copy of it.") from error
    if written != FORMAT:
        raise WeightsError(f"{path} has format {written!r}; this version reads {FORMAT!r}.")
    if checksum != _checksum(tensors, about):
        raise WeightsError(f"{path} is damaged: its checksum does not match its content. Use another copy of it.")
    return Weights(tensors, about)


def is_ours(path: Path) -> bool:
    """Whether a file was written by `write_weights`, judged by its header alone; its content may still be damaged."""
    try:
        with Path(path).open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            head = file.read(min(length, HEADER_LIMIT))
        return HEADER_KEY in json.loads(head).get("__metadata__", {})
    except (OSError, ValueError, AttributeError, TypeError):  # a pickle, a safetensors file of others, anything
        return False


def load_into(model: torch.nn.Module, tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Copy tensors into a model of exactly these names and shapes.

    Raises:
        WeightsError: a name is missing, one is too many, or a shape differs; the message says which.
    """
    wanted = model.state_dict()
    missing, extra = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    if missing or extra:
        names = [f"missing {missing[0]}"] * bool(missing) + [f"unexpected {extra[0]}"] * bool(extra)
        raise WeightsError(
            f"{where} does not fit the model: {len(missing)} names missing, {len(extra)} unexpected "
            f"({', '.join(names)}). It was made for another model."
        )
    for name, tensor in wanted.items():
        if tensors[name].shape != tensor.shape:
            raise WeightsError(
                f"{where} does not fit the model: {name} has shape {tuple(tensors[name].shape)}, the model wants "
                f"{tuple(tensor.shape)}. It was made for another number of classes or another size."
            )
    model.load_state_dict(dict(tensors))


def digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over names, shapes, types and bytes, in the order of the names."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().to("cpu").contiguous()
        total.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _checksum(tensors: Mapping[str, torch.Tensor], about: Any) -> str:
    """SHA-256 over the tensors and what is said about them, so that no bit of either can change unseen."""
    text = json.dumps(about, sort_keys=True)
    return hashlib.sha256(f"{digest(tensors)}\n{text}".encode()).hexdigest()


def _header(content: bytes) -> dict[str, str]:
    """The free-form part of a safetensors header: 8 bytes of length, then JSON."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]).get("__metadata__", {})
