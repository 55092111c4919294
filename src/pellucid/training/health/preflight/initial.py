"""Step 1: with regularisation off, the first loss is that of a model that knows nothing.

Random initial weights that are too large, a last layer with a bias, labels that are off: they all show before any time
is spent. The theory of each loss stands in `training.health.initial_loss`.
"""

import itertools
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from pellucid.core.verdict import Verdict
from pellucid.training.health.initial_loss import check_initial_loss
from pellucid.training.health.preflight.samples import n_samples, outputs_of, train_mode
from pellucid.training.job import Job
from pellucid.training.rates.trial import endless

RULE = "initial-loss"
SAMPLES = 256  # at least, in all: the loss of one small batch is too much a matter of chance


def check_start(job: Job) -> Verdict:
    """Compare the mean loss of the first batches with theory; the worst of several losses speaks for all."""
    theory = job.task.expected_initial_loss(job.cfg, job.facts)
    if not theory:
        return Verdict(RULE, "info", "there is no theory for this start: the last layer was trained before")
    train_mode(job)
    sums, knowing_nothing, seen = dict.fromkeys(theory, 0.0), dict.fromkeys(theory, 0.0), 0
    with torch.no_grad():
        for batch in itertools.islice(endless(job), len(job.train)):
            outputs, n = outputs_of(job, batch), n_samples(batch)
            seen += n
            _add(sums, n, job.task.compute_loss(outputs, batch, job.cfg))
            if any(math.isnan(value) for value in theory.values()):  # they depend on the pictures: these very ones
                equal = {name: torch.zeros_like(value) for name, value in outputs.items()}
                _add(knowing_nothing, n, job.task.compute_loss(equal, batch, job.cfg))
            if seen >= SAMPLES:
                break
    theory = {name: knowing_nothing[name] / seen if math.isnan(value) else value for name, value in theory.items()}
    theory = {name: value for name, value in theory.items() if value}  # a model that gives losses gave zeros here
    if not theory:
        return Verdict(RULE, "info", f"no theory says what {' and '.join(sums)} are before training")
    verdicts = check_initial_loss({name: value / seen for name, value in sums.items()}, theory)
    return max(verdicts, key=lambda verdict: ("pass", "info", "warn", "fail").index(verdict.status))


def _add(sums: dict[str, float], n: int, losses: Mapping[str, Tensor]) -> None:
    for name in sums:
        sums[name] += n * float(losses[name])
