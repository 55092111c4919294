"""Batches: full-batch, single-sample and mini-batch descent are one loop with three batch sizes.

Formula:
    iterations = epochs · ⌈N / B⌉,  N samples, B the batch size

Derivation:
    An iteration is one batch and one step; an epoch is every sample once. The gradient of the mean loss over a
    random batch has the full gradient as its expected value, since each sample is as likely to be in it; its variance
    falls with 1 / B. B = N makes no noise and one step an epoch; B = 1 makes N steps an epoch, all of them noisy.
    When B does not divide N the last batch of an epoch is smaller: N = 10, B = 4 gives 4, 4, 2.

Source: CS231n notes, "Optimization: stochastic gradient descent".
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import ConfigError


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        iteration: batches so far, this one included: 1, 2, ...
        epoch: passes over the data, this one included: 1, 2, ...
        indices: (B,) rows of the data; the last batch of an epoch may have fewer.
    """

    iteration: int
    epoch: int
    indices: np.ndarray


def iterations_per_epoch(n: int, batch_size: int) -> int:
    """⌈N / B⌉, the steps that it takes to see every sample once."""
    return -(-n // batch_size)


def batches(n: int, batch_size: int, epochs: int, rng: np.random.Generator | None = None) -> Iterator[Batch]:
    """Row numbers, batch after batch, every row once an epoch.

    Args:
        n: N samples.
        batch_size: B, from 1 (single samples) to N (full batch); larger is N.
        epochs: passes over the data.
        rng: shuffles the rows anew in each epoch; None leaves them in order.

    Raises:
        ConfigError: `batch_size` is below 1.
    """
    if batch_size < 1:
        raise ConfigError(f"batch_size must be 1 or more, got {batch_size}.")
    return _walk(n, batch_size, epochs, rng)


def _walk(n: int, batch_size: int, epochs: int, rng: np.random.Generator | None) -> Iterator[Batch]:
    iteration = 0
    for epoch in range(1, epochs + 1):
        rows = np.arange(n) if rng is None else rng.permutation(n)
        for start in range(0, n, batch_size):
            iteration += 1
            yield Batch(iteration, epoch, rows[start : start + batch_size])
