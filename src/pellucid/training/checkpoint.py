"""Everything needed to go on exactly where training stopped, in one verified file.

`last/` keeps two generations, `step-00000372.safetensors` and the one before. A file is complete or
absent (atomic writing), and its checksum tells a damaged one, in which case the older one is used.
"""

from pathlib import Path
from typing import Any

import torch

from pellucid.core.errors import WeightsError
from pellucid.models.weights import read_weights, write_weights

GENERATIONS = 2


def save(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write `state` (nested dicts, lists, tensors, numbers, text) as the newest generation.

    Raises:
        WriteError: the file cannot be written; the earlier generations stay.
    """
    tensors: dict[str, torch.Tensor] = {}
    plain = _pack(state, "", tensors)
    path = folder / f"step-{step:08d}.safetensors"
    write_weights(path, tensors, {"state": plain})
    for old in generations(folder)[GENERATIONS:]:
        old.unlink(missing_ok=True)
    return path


def load(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The newest generation that is intact, and a sentence for each damaged one that was passed over.

    Raises:
        WeightsError: there is none, or none is intact.
    """
    damaged: list[str] = []
    for path in generations(folder):
        try:
            weights = read_weights(path)
        except WeightsError as error:
            damaged.append(str(error))
            continue
        return _unpack(weights.about["state"], weights.tensors), damaged
    if damaged:
        raise WeightsError(f"No intact checkpoint in {folder}: {damaged[0]}")
    raise WeightsError(
        f"No checkpoint in {folder}: the run stopped before its first save. Train again with --overwrite."
    )


def generations(folder: Path) -> list[Path]:
    """The checkpoint files of a folder, newest first."""
    return sorted(folder.glob("step-*.safetensors"), reverse=True)


def _pack(value: Any, name: str, tensors: dict[str, torch.Tensor]) -> Any:
    """`value` as JSON, with its tensors moved to `tensors` and named in their place."""
    if isinstance(value, torch.Tensor):
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, dict):
        # A list of pairs keeps keys that JSON would turn into text, such as an optimiser's numbers.
        return {"dict": [[key, _pack(part, f"{name}.{key}".lstrip("."), tensors)] for key, part in value.items()]}
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_pack(part, f"{name}.{place}", tensors) for place, part in enumerate(value)]}
    return value


def _unpack(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    kind, content = next(iter(value.items()))
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _unpack(part, tensors) for key, part in content}
    parts = [_unpack(part, tensors) for part in content]
    return parts if kind == "list" else tuple(parts)
