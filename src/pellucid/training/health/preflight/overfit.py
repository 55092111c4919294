"""Step 3: a tiny batch is learned by heart, with regularisation off.

A network that cannot learn eight pictures by heart will not learn eight thousand. What stops it is no matter of data or
size: labels that contradict each other or change from step to step, a loss that does not look at them, gradients that
end halfway, a last layer that cannot say what is asked.
"""

import itertools
import time
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.modules.dropout import _DropoutNd

from pellucid.core import config as settings
from pellucid.core.verdict import Verdict
from pellucid.training.health.preflight.mode import settled_gap
from pellucid.training.health.preflight.samples import (
    Batch,
    losses_of,
    n_samples,
    take,
    total_of,
    train_mode,
)
from pellucid.training.health.untouched import untouched
from pellucid.training.job import Job
from pellucid.training.rates.trial import endless

RULE = "overfit-tiny-batch"
SLIP = "train-eval-slip"
SAMPLES = 8
LOOKED_AT = 4  # batches that are searched for pictures that are there twice
STEPS = 300
RATES = (1e-3, 1e-2, 1e-4)  # of Adam, in this order; each network can learn a few pictures at one of them
LEFT = 0.05  # share of the first loss that is nothing: every answer is right, and almost certain
STILL_FALLING = 0.7  # of the loss at half time, at most: then it was the time that ended
MOSTLY = 0.2  # of the first loss, at most: labels that change, or are not looked at, leave far more
WIDE_GAP = 0.5  # of the first loss: so much worse outside training means other statistics there
PLAIN = {"label_smoothing": 0.0}  # settings of a loss that keep it from 0


def check_overfit(job: Job, seconds: float) -> list[Verdict]:
    """Train on a few samples until their loss is nothing, or time is up; then look whether they are known outside too.

    Args:
        seconds: about so long at most, for all rates together.
    """
    known = settings.settings(type(job.cfg))
    job.cfg = settings.change(job.cfg, {name: value for name, value in PLAIN.items() if name in known})
    batch, twins = tiny_batch(job)
    begun = time.monotonic()
    tried: list[tuple[float, list[float]]] = []
    for rate in RATES:
        left = seconds - (time.monotonic() - begun)
        if tried and left < seconds / 10:
            break
        with untouched(job):
            losses = _learn(job, batch, rate, left if rate == RATES[-1] else left / 2)
            if losses and losses[-1] <= LEFT * losses[0]:
                n, taken = n_samples(batch), time.monotonic() - begun
                evidence = f"{n} samples are learned by heart in {len(losses)} steps, {taken:.1f} s: "
                evidence += f"loss {losses[0]:.3g} to {losses[-1]:.2g}"
                return [Verdict(RULE, "pass", evidence), *_slip(job, batch, losses[0])]
        tried.append((rate, losses))
    return [_not_learned(tried, n_samples(batch), twins, time.monotonic() - begun)]


def tiny_batch(job: Job) -> tuple[dict[str, Tensor], int]:
    """Eight samples of the first batches, those first that look exactly alike; and how many of them do.

    What a sample looks like is the largest of its tensors. Two that look alike and are labelled differently cannot both
    be learned, and by chance hardly two of them would be among eight.
    """
    picked: dict[str, Tensor] | None = None
    twins = 0
    for batch in itertools.islice(endless(job), min(LOOKED_AT, len(job.train))):
        rows = _twins(batch)
        if picked is None or len(rows) > twins:
            others = [row for row in range(n_samples(batch)) if row not in set(rows)]
            picked, twins = take(batch, [*rows, *others][:SAMPLES]), min(len(rows), SAMPLES)
    assert picked is not None  # a job has batches
    return picked, twins


def _twins(batch: Batch) -> list[int]:
    """Rows whose largest tensor occurs more than once, the same beside each other."""
    n = n_samples(batch)
    largest = max((v for v in batch.values() if v.dim() and len(v) == n), key=lambda v: v.numel())
    places: dict[bytes, list[int]] = {}
    for row, value in enumerate(largest.cpu().contiguous()):
        places.setdefault(value.numpy().tobytes(), []).append(row)
    return [row for rows in places.values() if len(rows) > 1 for row in rows]


def _learn(job: Job, batch: Batch, rate: float, seconds: float) -> list[float]:
    """The loss before each step, the last one at or below `LEFT` of the first unless time or steps ended."""
    train_mode(job)
    for module in job.model.modules():
        if isinstance(module, _DropoutNd):
            module.training = False
    parameters = [p for p in job.model.parameters() if p.requires_grad]
    if not parameters:
        return []
    optimiser = torch.optim.Adam(parameters, lr=rate)
    begun, losses = time.monotonic(), []
    for _ in range(STEPS):
        optimiser.zero_grad(set_to_none=True)
        total = total_of(losses_of(job, batch))
        losses.append(float(total.detach()))
        if not torch.isfinite(total) or not total.requires_grad or losses[-1] <= LEFT * losses[0]:
            break
        if time.monotonic() - begun > seconds:
            break
        total.backward()
        optimiser.step()
    return losses


def _slip(job: Job, batch: Batch, first: float) -> list[Verdict]:
    """A second verdict where what was learned is unknown outside training."""
    training, outside = settled_gap(job, batch)
    if outside - training <= WIDE_GAP * first:
        return []
    evidence = f"the samples learned by heart have loss {training:.2g} in training mode and {outside:.2g} outside it"
    cause = "running statistics of batch norm are not those of the data: momentum 0, or layers that are not updated"
    cure = "use a momentum of 0.1, and the same layers in both modes"
    return [Verdict(SLIP, "fail", evidence, cause, cure)]


def _not_learned(tried: Sequence[tuple[float, list[float]]], n: int, twins: int, seconds: float) -> Verdict:
    rate, losses = min(tried, key=lambda each: min(each[1], default=float("inf")))
    if not losses:
        return Verdict(RULE, "info", "nothing is to be trained")
    evidence = (
        f"the loss of {n} samples goes from {losses[0]:.3g} to {losses[-1]:.3g} in {len(losses)} steps "
        f"(Adam, {rate:g}; {len(tried)} rates, {seconds:.0f} s)"
    )
    stopped = len(losses) < STEPS
    if stopped and losses[-1] < STILL_FALLING * losses[len(losses) // 2]:
        return Verdict(RULE, "info", f"{evidence}: it was still falling when the time was up")
    if twins:
        cause = f"{twins} of them are the same picture twice, and cannot have two labels at once"
        return Verdict(RULE, "fail", evidence, cause, "remove contradictory labels: `pellucid check DATA` lists them")
    if stopped and losses[-1] < MOSTLY * losses[0]:
        return Verdict(RULE, "info", f"{evidence}: most of it was gone when the time was up")
    cause = "labels that contradict each other or change from step to step, or a loss that does not depend on them"
    cure = "look at pictures and labels as they reach the loss, and at what forward returns"
    return Verdict(RULE, "fail", evidence, cause, cure)
