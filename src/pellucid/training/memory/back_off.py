"""Memory ended in the middle of a step: undo what the step left behind, and go on in parts of half the size."""

import torch
from torch import Tensor

from pellucid.core.errors import OutOfMemory
from pellucid.core.verdict import Verdict
from pellucid.training.job import Job
from pellucid.training.memory.parts import Batch, batch_norms, most_parts, size, smallest_part

RULE = "batch-in-parts"


class Traces:
    """What a forward pass leaves behind: running statistics, and the state of the random generators.

    A step that is tried again starts from the same, so that it is the step that would have been taken in those parts
    from the beginning, wherever in it memory ended.
    """

    def __init__(self, job: Job) -> None:
        self._buffers = list(job.model.buffers())
        self._kept: list[Tensor] = [buffer.clone() for buffer in self._buffers]
        self._random = torch.get_rng_state()
        self._device = job.device
        self._random_there = torch.cuda.get_rng_state(job.device) if job.device.type == "cuda" else None

    @torch.no_grad()
    def undo(self) -> None:
        for buffer, kept in zip(self._buffers, self._kept, strict=True):
            buffer.copy_(kept)
        torch.set_rng_state(self._random)
        if self._random_there is not None:
            torch.cuda.set_rng_state(self._random_there, self._device)


def divide_further(job: Job, batch: Batch) -> None:
    """Twice as many parts from now on, each half as large; the batch and the step stay what they are.

    Raises:
        OutOfMemory: the parts cannot be made smaller.
    """
    most = most_parts(batch, smallest_part(job.model))
    now = min(job.parts, most)
    if now == most:
        what = "one picture" if size(batch) == most else f"{-(-size(batch) // most)} pictures, which batch norm needs,"
        raise OutOfMemory(
            f"Not enough memory for {what} at a time (step {job.step}). Use a smaller --image-size or another --model."
        )
    for parameter in job.model.parameters():
        parameter.grad = None
    if job.device.type == "cuda":
        torch.cuda.empty_cache()
    job.parts = min(2 * now, most)
    verdict = _ended(job, size(batch))
    job.verdicts = [each for each in job.verdicts if each.rule != RULE] + [verdict]
    job.progress.say(verdict.sentence())
    job.progress.event("verdict", verdict.as_dict())


def _ended(job: Job, n: int) -> Verdict:
    part = -(-n // job.parts)
    return Verdict(
        RULE,
        "info",
        f"memory ended at step {job.step}: its batch of {n} goes on in {job.parts} parts of {part}, whose gradients "
        f"are added up, so that the step stays the same{_but_norms(job, part)}",
        f"what {n} pictures leave behind for the backward pass does not fit beside the model",
        f"nothing has to be done; --accumulate {job.parts} spares the step that failed",
    )


def verdict_at_start(job: Job) -> list[Verdict]:
    """Say that parts were asked for, where that is not the same as the undivided batch."""
    if job.parts == 1 or not batch_norms(job.model):
        return []
    n = job.cfg.train.batch
    part = -(-n // job.parts)
    return [
        Verdict(
            RULE,
            "info",
            f"a batch of {n} goes in {job.parts} parts of {part}{_but_norms(job, part)}",
            "batch norm takes mean and variance of the pictures it sees at once",
            "nothing if it trains well; else a smaller --accumulate, or a network without batch norm",
        )
    ]


def _but_norms(job: Job, part: int) -> str:
    found = len(batch_norms(job.model))
    if not found:
        return ""
    layers = f"{found} batch norms see" if found > 1 else "the batch norm sees"
    return f" but for this: {layers} {part} pictures at a time"
