"""Step 7, second half: outside training, the answer to a picture does not depend on which others lie in its batch."""

from copy import copy

import torch
from torch import Tensor

from pellucid.core.verdict import Verdict
from pellucid.training.health.preflight.samples import first_batch, n_samples, outputs_of, take
from pellucid.training.job import Job

RULE = "batch-mixing"
SAMPLES = 8
TOLERANCE = 1e-3  # of the largest output; sums in another order differ by far less

CAUSE = "something in the network counts over the batch: a softmax, mean or reshape over the first side of a tensor"
CURE = "look for dim=0, for statistics of the batch, and for view or reshape that lose the first side"


def check_mixing(job: Job) -> Verdict:
    """Answer a few samples together, alone, and in reversed order, and compare.

    In fp32 whatever the job has, and as sets of numbers: of what a detector finds, roundings decide which comes first.
    """
    batch = first_batch(job)
    n = min(SAMPLES, n_samples(batch))
    if n < 2:
        return Verdict(RULE, "info", "batches of one sample have nothing to mix")
    batch = take(batch, range(n))
    job = copy(job)
    job.precision = "fp32"
    job.model.eval()
    with torch.no_grad():
        together = outputs_of(job, batch)
        try:
            alone = [outputs_of(job, take(batch, [row])) for row in range(n)]
        except (RuntimeError, ValueError) as error:
            said = f"a batch of {n} is answered, a sample alone is not: {str(error).splitlines()[0][:100]}"
            return Verdict(RULE, "fail", said, CAUSE, CURE)
        turned = outputs_of(job, take(batch, list(range(n))[::-1]))
    worst = 0.0
    for name, value in together.items():
        if not value.is_floating_point() or not value.dim() or len(value) != n:
            continue  # no answer of its own for each sample
        singles = torch.cat([each[name] for each in alone])
        worst = max(worst, _off(value, singles), _off(value, turned[name].flip(0)))
    evidence = f"answers of {n} samples, together, alone and in another order, differ by {worst:.1g} of the largest"
    if worst <= TOLERANCE:
        return Verdict(RULE, "pass", evidence)
    return Verdict(RULE, "fail", evidence, CAUSE, CURE)


def _off(value: Tensor, other: Tensor) -> float:
    if value.shape != other.shape:
        return float("inf")
    largest = value.abs().max().clamp(min=1e-6)
    value, other = (each.flatten(1).sort(1).values if each.dim() > 1 else each for each in (value, other))
    return float(((value - other).abs().max() / largest).nan_to_num(nan=0.0))
