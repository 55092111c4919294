"""One step of gradient descent, checked before the weights change."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.nn.precision import as_float32, autocast
from pellucid.training.job import Job
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

    Raises:
        BadStep: a loss or the gradient is NaN or infinite; nothing was updated.
    """
    set_rate(job.optimiser, lr)
    job.optimiser.zero_grad(set_to_none=True)
    with autocast(job.device, job.precision):
        outputs = job.model(batch)
    losses = job.task.compute_loss(as_float32(outputs), batch, job.cfg)
    total = torch.stack(list(losses.values())).sum()
    total.backward()
    parameters = [p for p in job.model.parameters() if p.grad is not None]
    norm = gradient_norm(parameters)
    values = {name: float(value.detach()) for name, value in losses.items()}
    length = float(norm)
    if not math.isfinite(sum(values.values()) + length):
        raise BadStep(values, length)
    if job.cfg.optim.clip_norm:
        clip_(parameters, norm, job.cfg.optim.clip_norm)
    job.optimiser.step()
    return StepResult(sum(values.values()), values, length)
