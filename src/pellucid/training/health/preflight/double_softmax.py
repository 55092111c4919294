"""Outputs that are probabilities already, given to a loss that makes probabilities of them once more.

The loss then lies between narrow bounds (for K classes it never gets below ln(1 + (K - 1) / e)), its gradient is small,
and training crawls without a word.
"""

import math

import torch
from torch import Tensor

from pellucid.core.verdict import Verdict
from pellucid.training.health.preflight.samples import first_batch, outputs_of, total_of, train_mode
from pellucid.training.job import Job

RULE = "double-softmax"
SUMS_TO_ONE = 1e-3
MOVED = 3.0  # added to all scores of a sample: a loss with a softmax inside does not notice


def check_softmax(job: Job) -> Verdict:
    """Look for outputs that are positive and sum to 1, and whose loss takes a softmax of them."""
    train_mode(job)
    batch = first_batch(job)
    with torch.no_grad():
        outputs = outputs_of(job, batch)
        for name, scores in outputs.items():
            if not _are_probabilities(scores):
                continue
            loss = total_of(job.task.compute_loss(outputs, batch, job.cfg))
            moved = total_of(job.task.compute_loss({**outputs, name: scores + MOVED}, batch, job.cfg))
            if torch.allclose(loss, moved, rtol=1e-4, atol=1e-5):
                return _fault(name, scores)
    return Verdict(RULE, "pass", "no output is made into probabilities twice")


def _are_probabilities(scores: Tensor) -> bool:
    """(N, K, ...): positive, and 1 in sum over K; of one class that says nothing."""
    if not scores.is_floating_point() or scores.dim() < 2 or scores.shape[1] < 2:
        return False
    return bool((scores >= 0).all() and ((scores.sum(1) - 1).abs() < SUMS_TO_ONE).all())


def _fault(name: str, scores: Tensor) -> Verdict:
    lowest = math.log(1 + (scores.shape[1] - 1) / math.e)
    evidence = (
        f"{name} are probabilities already (none below 0, {scores.shape[1]} that sum to 1), and the loss takes "
        f"their softmax again: it can never get below {lowest:.2f}"
    )
    cause = "the network ends in a softmax, and the loss has one inside"
    return Verdict(RULE, "fail", evidence, cause, "let the network end in its last linear layer, without a softmax")
