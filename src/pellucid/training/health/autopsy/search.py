"""Where a bad step went wrong: the batch, the weights, a layer, the loss or the gradient, in that order."""

import math
import re
import warnings
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pellucid.nn.precision import as_float32, autocast
from pellucid.training.health.autopsy.layers import LayerRow, layer_rows
from pellucid.training.job import Job

GARBAGE = 1e10  # no pixel, label or target is larger; what is, was never written


@dataclass(frozen=True)
class Scene:
    """What was found. Everything that is empty was in order.

    Attributes:
        inputs, targets: key of the batch -> rows (counted from 0) with numbers that are not finite, or garbage; inputs
            are what the model reads, targets all else.
        weights: names of weights that were not finite before the step.
        layer: the first layer with an output that is not finite.
        largest_output: of what the model returned, where that is finite.
        losses: names of those that are not finite.
        gradients: names of parameters whose gradient is not finite, from the last layer to the first.
        operation: the first operation of the backward pass that gave NaN, where autograd names it.
        fine_in_fp32: whether the same batch stays finite in full precision; None where it was tried in that.
    """

    inputs: dict[str, list[int]] = field(default_factory=dict)
    targets: dict[str, list[int]] = field(default_factory=dict)
    weights: list[str] = field(default_factory=list)
    layer: LayerRow | None = None
    largest_output: float = 0.0
    losses: list[str] = field(default_factory=list)
    gradients: list[str] = field(default_factory=list)
    operation: str = ""
    fine_in_fp32: bool | None = None

    def sentence(self) -> str:
        """Where it began, in a few words."""
        for what, found in (("input", self.inputs), ("target", self.targets)):
            for key, rows in found.items():
                return f"the {what} {key!r} is not finite, or garbage, in row{'s' * (len(rows) > 1)} {_listed(rows)}"
        if self.weights:
            more = f" and {len(self.weights) - 1} more" if len(self.weights) > 1 else ""
            return f"weight {self.weights[0]}{more} was already not finite"
        if self.layer:
            return f"first layer with a non-finite output: {self.layer.name} ({self.layer.kind})"
        if self.losses:
            return f"all layers are finite; the loss itself overflows ({', '.join(self.losses)})"
        if self.gradients:
            by = f", in {self.operation}" if self.operation else ""
            return f"all outputs and losses are finite; first non-finite gradient: {self.gradients[0]}{by}"
        return "every number is finite; only the length of the whole gradient is not"


class Noted(dict[str, Tensor]):
    """A batch that notes which of its tensors are read."""

    def __init__(self, batch: dict[str, Tensor]) -> None:
        super().__init__(batch)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Tensor:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)


def search(job: Job, batch: dict[str, Tensor]) -> Scene:
    """Go through the step once more, with eyes open. Gradients of the step must still be there; nothing is changed."""
    noted = Noted(batch)
    gradients = [n for n, p in job.model.named_parameters() if p.grad is not None and not torch.isfinite(p.grad).all()]
    rows, losses, largest = _forward(job, noted, job.precision)
    read = noted.read or set(batch)  # a model that takes the batch as a whole reads all of it
    bad = {key: spoiled for key, value in batch.items() if (spoiled := _spoiled_rows(value))}
    layer = next((row for row in rows if row.finite < 1), None)
    bad_losses = [name for name, value in losses.items() if not math.isfinite(value)]
    fine = None
    if job.precision == "bf16":
        again, in_full, _ = _forward(job, noted, "fp32")
        fine = all(row.finite == 1 for row in again) and all(map(math.isfinite, in_full.values()))
    return Scene(
        inputs={key: spoiled for key, spoiled in bad.items() if key in read},
        targets={key: spoiled for key, spoiled in bad.items() if key not in read},
        weights=[name for name, p in job.model.named_parameters() if not torch.isfinite(p).all()],
        layer=layer,
        largest_output=largest,
        losses=bad_losses,
        gradients=gradients[::-1],  # backward runs from the last layer to the first
        operation="" if layer or bad_losses else _operation(job, batch),
        fine_in_fp32=fine,
    )


def _forward(job: Job, batch: Noted, precision: Any) -> tuple[list[LayerRow], dict[str, float], float]:
    """Rows of the layers, the losses, and the largest number of the outputs (NaN counts as none)."""

    def forward() -> dict[str, Tensor]:
        with torch.no_grad(), autocast(job.device, precision):
            return as_float32(job.model(batch))

    rows, outputs = layer_rows(job.model, forward)
    with torch.no_grad():
        losses = {name: float(loss) for name, loss in job.task.compute_loss(outputs, dict(batch), job.cfg).items()}
    sizes = [float(value.abs().max()) for value in outputs.values() if value.is_floating_point() and value.numel()]
    return rows, losses, max((size for size in sizes if math.isfinite(size)), default=0.0)


def _spoiled_rows(value: Tensor) -> list[int]:
    if not value.is_floating_point() or value.ndim == 0:
        return []
    good = torch.isfinite(value) & (value.abs() < GARBAGE)
    return (~good.reshape(len(value), -1).all(1)).nonzero()[:, 0].tolist()


def _operation(job: Job, batch: dict[str, Tensor]) -> str:
    """The operation that autograd blames for the first NaN of the backward pass; empty when it blames none."""
    parameters = [p for p in job.model.parameters() if p.requires_grad]
    buffers = {name: value.clone() for name, value in job.model.named_buffers()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that anomaly detection is slow
            with torch.autograd.detect_anomaly(check_nan=True):
                with autocast(job.device, job.precision):
                    outputs = job.model(batch)
                losses = job.task.compute_loss(as_float32(outputs), batch, job.cfg)
                torch.autograd.grad(torch.stack(list(losses.values())).sum(), parameters, allow_unused=True)
    except RuntimeError as error:
        named = re.search(r"'(\w+?)(?:Backward\d*)?' returned nan", str(error))
        return named.group(1) if named else ""
    finally:
        with torch.no_grad():
            for name, buffer in job.model.named_buffers():
                buffer.copy_(buffers[name])
    return ""


def _listed(rows: list[int], most: int = 8) -> str:
    shown = ", ".join(map(str, rows[:most]))
    return shown + (f" and {len(rows) - most} more" if len(rows) > most else "")
