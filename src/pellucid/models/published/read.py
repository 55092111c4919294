"""The one door through which weights of other programs come in: plain tensors by name, and nothing that runs.

`.safetensors` files hold nothing else. `.pth` files are pickles, which could run code when opened: they are read with
`weights_only=True`, which allows tensors and plain containers, in the zip form and the older one, and there is no
other way in.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pellucid.core.errors import WeightsError

WRAPPERS = ("state_dict", "model", "model_state_dict", "net", "weights")  # keys under which programs keep the tensors
PREFIXES = ("module.", "_orig_mod.", "model.", "net.")  # what parallel, compiling and training wrappers put before


@dataclass(frozen=True)
class Foreign:
    """Tensors as they were in the file, and in a few words what was taken off around them."""

    tensors: dict[str, Tensor]
    notes: tuple[str, ...] = ()


def read_foreign(path: Path) -> Foreign:
    """Read a `.pth`, `.pt`, `.bin` or `.safetensors` file of another program.

    Returns:
        name -> tensor on the CPU, floating point ones as float32, without wrappers and common prefixes.

    Raises:
        WeightsError: there is no such file, it is damaged, holds more than tensors and plain values, or no tensors.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise WeightsError(f"{path} {what}: give a .pth or .safetensors file.")
    content = _safetensors(path) if path.suffix == ".safetensors" else _pickle(path)
    tensors, notes = _unwrapped(content, path)
    tensors, taken = _without_prefix(tensors)
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise WeightsError(f"{path} holds NaN or infinity in {name}, so no answer would be a number. Use another.")
    return Foreign(
        {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()},
        (*notes, *(f"prefix {prefix!r} taken off every name" for prefix in taken)),
    )


def _safetensors(path: Path) -> dict[str, Any]:
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is no intact safetensors file ({error}). Use another copy of it.") from error


def _pickle(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old or unusual forms; whether it can be read is said below
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise WeightsError(_refusal(path, str(error))) from error
    except (KeyError, TypeError, AttributeError) as error:  # of the unpickler itself, whose words tell nothing
        raise WeightsError(f"{path} is no intact weights file. Use another copy of it.") from error
    except (RuntimeError, OSError, EOFError, ValueError, BadZipFile) as error:
        raise WeightsError(f"{path} is no intact weights file ({_short(error)}). Use another copy of it.") from error


def _refusal(path: Path, said: str) -> str:
    """What torch says at length about a pickle, in one line."""
    found = re.search(r"(?:GLOBAL|Unsupported global: GLOBAL|class) (\S+) was not an allowed global", said)
    if found:
        return (
            f"{path} holds {found[1]}, which is code and not only tensors, so it is not opened. "
            "Save its state_dict alone where it was made, best as .safetensors."
        )
    return f"{path} is no file of plain tensors, or damaged, so it is not opened. Save a state_dict as .safetensors."


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text.split(". ")[0][:120].rstrip(".")


def _unwrapped(content: Any, path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The mapping of names to tensors inside of what a training program saved around it."""
    notes: tuple[str, ...] = ()
    for _ in range(3):  # a wrapper in a wrapper is common, three are not
        if not isinstance(content, Mapping):
            raise WeightsError(f"{path} holds a {type(content).__name__}, not tensors by name. Save its state_dict.")
        inner = [key for key in WRAPPERS if isinstance(content.get(key), Mapping)]
        if not inner:
            break
        notes = (*notes, f"taken from {inner[0]!r} in the file")
        content = content[inner[0]]
    tensors = {str(name): value.detach() for name, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        keys = ", ".join(map(str, list(content)[:5])) or "nothing"
        raise WeightsError(f"{path} holds no tensors by name ({keys}). Save a state_dict.")
    return tensors, notes


def _without_prefix(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Names without what every one of them begins with."""
    taken: list[str] = []
    while prefix := next((each for each in PREFIXES if all(name.startswith(each) for name in tensors)), ""):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        taken.append(prefix)
    return tensors, taken
