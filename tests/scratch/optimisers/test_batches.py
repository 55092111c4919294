"""Full batch, single samples, mini-batches: the counters, and that all of them get there."""

import numpy as np
import pytest

from pellucid.core.errors import ConfigError
from pellucid.scratch.optimisers.batches import batches, iterations_per_epoch
from pellucid.scratch.optimisers.sgd import sgd


@pytest.mark.parametrize(("n", "size"), [(10, 10), (10, 1), (10, 4), (10, 99), (1, 1), (7, 3)])
def test_the_counters_agree(n: int, size: int) -> None:
    """iterations = epochs · ceil(N / B), and an epoch has every sample once."""
    found = list(batches(n, size, epochs=3, rng=np.random.default_rng(0)))
    per_epoch = int(np.ceil(n / size))
    assert iterations_per_epoch(n, size) == per_epoch
    assert [batch.iteration for batch in found] == list(range(1, 3 * per_epoch + 1))
    assert [batch.epoch for batch in found] == [epoch for epoch in (1, 2, 3) for _ in range(per_epoch)]
    for epoch in (1, 2, 3):
        rows = np.concatenate([batch.indices for batch in found if batch.epoch == epoch])
        assert sorted(rows) == list(range(n))


@pytest.mark.parametrize("size", [200, 1, 20])
def test_all_sizes_reach_the_same_point_of_a_convex_problem(size: int) -> None:
    """Least squares: full batch, single samples, mini-batches, against the normal equations. The rate falls with the
    iterations, so that the noise of small batches dies down."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 3))
    y = x @ np.array([1.0, -2.0, 0.5]) + 0.1 * rng.standard_normal(200)
    best = np.linalg.lstsq(x, y)[0]
    w, epochs = np.zeros(3), 200 if size == 200 else 40
    for batch in batches(200, size, epochs, rng):
        rows = batch.indices
        gradient = x[rows].T @ (x[rows] @ w - y[rows]) / len(rows)
        done = (batch.epoch - 1) / epochs
        w, _ = sgd(w, gradient, {"learning_rate": 0.2 * (1 - done) ** 2 * (0.2 if size == 1 else 1)})
    assert np.abs(w - best).max() < 2e-3


def test_no_samples_make_no_batches() -> None:
    assert list(batches(0, 4, 2)) == []


def test_a_batch_has_a_sample() -> None:
    with pytest.raises(ConfigError, match=r"^batch_size must be 1 or more, got 0\.$"):
        batches(10, 0, 1)
