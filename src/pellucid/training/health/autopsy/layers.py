"""What comes out of every layer of one forward pass: between which numbers it lies, and whether all are finite."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LayerRow:
    """The output of one module without parts.

    Attributes:
        name, kind: where it lies, and its class.
        shape: of the output.
        smallest, largest: of its finite numbers; NaN where there are none.
        finite: share of its numbers that are.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    smallest: float
    largest: float
    finite: float


def layer_rows(model: nn.Module, forward: Callable[[], Any]) -> tuple[list[LayerRow], Any]:
    """Rows in the order the layers ran, and what `forward` returned. The buffers of `model` stay as they were."""
    rows: list[LayerRow] = []

    def note(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            parts = output.values() if isinstance(output, dict) else [output]
            for part in parts:
                if isinstance(part, Tensor) and part.is_floating_point() and part.numel():
                    rows.append(_row(name, module, part.detach()))

        return hook

    with _buffers_kept(model):
        hooks = [
            module.register_forward_hook(note(name or type(module).__name__))
            for name, module in model.named_modules()
            if next(module.children(), None) is None
        ]
        try:
            return rows, forward()
        finally:
            for hook in hooks:
                hook.remove()


def _row(name: str, module: nn.Module, output: Tensor) -> LayerRow:
    numbers = output.float()
    finite = torch.isfinite(numbers)
    good = numbers[finite]
    low, high = (float(good.min()), float(good.max())) if good.numel() else (float("nan"), float("nan"))
    share = float(finite.float().mean())
    return LayerRow(name, type(module).__name__, tuple(output.shape), low, high, share)


@contextmanager
def _buffers_kept(model: nn.Module) -> Iterator[None]:
    kept = {name: value.clone() for name, value in model.named_buffers()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                buffer.copy_(kept[name])
