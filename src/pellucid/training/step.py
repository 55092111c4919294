"""One step of gradient descent, checked before the weights change."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.core.errors import is_out_of_memory
from pellucid.nn.precision import as_float32, autocast
from pellucid.training.job import Job
from pellucid.training.memory.back_off import Traces, divide_further
from pellucid.training.memory.parts import cut, most_parts, share_of, shares, smallest_part
from pellucid.training.optim import clip_, gradient_norm, set_rate


@dataclass(frozen=True)
class StepResult:
    """What one step measured: the sum of the losses, each of them, and the length of the gradient."""

    total: float
    losses: dict[str, float]
    gradient_norm: float


class BadStep(Exception):
    """The loss or the gradient is not finite. Carries what the autopsy needs; the weights are as before."""

    def __init__(self, losses: dict[str, float], norm: float) -> None:
        super().__init__("non-finite step")
        self.losses = losses
        self.gradient_norm = norm


def gradient_step(job: Job, batch: dict[str, Tensor], lr: float) -> StepResult:
    """Forward, losses, backward, check, clip, update.

    The batch goes in `job.parts` parts, of which there are twice as many from now on when memory ends.

    Raises:
        BadStep: a loss or the gradient is NaN or infinite; nothing was updated.
        OutOfMemory: not even the smallest part fits into memory; nothing was updated.
    """
    set_rate(job.optimiser, lr)
    losses = _backward_backing_off(job, batch)
    parameters = [p for p in job.model.parameters() if p.grad is not None]
    norm = gradient_norm(parameters)
    values = {name: float(value) for name, value in losses.items()}
    length = float(norm)
    if not math.isfinite(sum(values.values()) + length):
        raise BadStep(values, length)
    if job.cfg.optim.clip_norm:
        clip_(parameters, norm, job.cfg.optim.clip_norm)
    job.optimiser.step()
    return StepResult(sum(values.values()), values, length)


def backward(job: Job, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave the gradient of a batch in the parameters, gone through in `job.parts` parts.

    Returns:
        The losses of the whole batch, 0-dim tensors that still lie on the device.
    """
    job.optimiser.zero_grad(set_to_none=True)
    n_parts = min(job.parts, most_parts(batch, smallest_part(job.model))) if job.parts > 1 else 1
    if n_parts == 1:
        losses = _losses(job, batch)
        torch.stack(list(losses.values())).sum().backward()
        return {name: loss.detach() for name, loss in losses.items()}
    sums: dict[str, Tensor] = {}
    parts = cut(batch, n_parts)
    for part, share in zip(parts, shares(job.task, parts, job.cfg), strict=True):
        losses = {name: loss * share_of(name, share) for name, loss in _losses(job, part).items()}
        torch.stack(list(losses.values())).sum().backward()
        sums = {name: loss.detach() + sums.get(name, 0.0) for name, loss in losses.items()}
    return sums


def _losses(job: Job, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    with autocast(job.device, job.precision):
        outputs = job.model(batch)
    return job.task.compute_loss(as_float32(outputs), batch, job.cfg)


def _backward_backing_off(job: Job, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    traces = Traces(job)
    while True:
        try:
            return backward(job, batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        traces.undo()  # behind the handler, since the error holds on to the tensors of the step
        divide_further(job, batch)
