"""The loss of sequences: the checks of the course, padding, and what it is made of."""

import numpy as np
import pytest

from pellucid.scratch.checks.numerical import eval_numerical_gradient, rel_error
from pellucid.scratch.losses.softmax import softmax_loss
from pellucid.scratch.losses.temporal_softmax import temporal_softmax_loss


@pytest.mark.parametrize(
    ("n", "t", "share", "low", "high"),
    [(100, 1, 1.0, 2.29, 2.31), (100, 10, 1.0, 23.0, 23.05), (5000, 10, 0.1, 2.2, 2.4)],
)
def test_course_values(n: int, t: int, share: float, low: float, high: float) -> None:
    """About ln 10 for every step that counts, averaged over sequences."""
    rng = np.random.default_rng(231)
    x, y = 0.001 * rng.standard_normal((n, t, 10)), rng.integers(10, size=(n, t))
    assert low < temporal_softmax_loss(x, y, rng.random((n, t)) <= share)[0] < high


def test_gradient_as_the_course_checks_it() -> None:
    rng = np.random.default_rng(231)
    x, y = rng.standard_normal((7, 8, 9)), rng.integers(9, size=(7, 8))
    mask = rng.random((7, 8)) > 0.5
    _, dx = temporal_softmax_loss(x, y, mask, verbose=False)
    numerical = eval_numerical_gradient(lambda x: temporal_softmax_loss(x, y, mask)[0], x, verbose=False)
    assert rel_error(dx, numerical) < 1e-6
    assert not dx[~mask].any()


def test_padding_may_be_anything() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 4, 3)), rng.integers(3, size=(2, 4))
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 0]], bool)
    loss, dx = temporal_softmax_loss(x, y, mask)
    x[~mask], y[~mask] = np.inf, -1
    again, dagain = temporal_softmax_loss(x, y, mask.astype(float))
    assert again == loss
    assert np.array_equal(dagain, dx)


def test_one_step_is_the_softmax_loss() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((5, 1, 4)), rng.integers(4, size=(5, 1))
    loss, dx = temporal_softmax_loss(x, y, np.ones((5, 1), bool))
    plain, dplain = softmax_loss(x[:, 0], y[:, 0])
    assert loss == pytest.approx(plain)
    assert dx[:, 0] == pytest.approx(dplain)


def test_steps_are_summed_and_sequences_averaged() -> None:
    x, y, mask = np.zeros((4, 6, 5)), np.zeros((4, 6), int), np.ones((4, 6), bool)
    mask[:2] = False  # two sequences of padding alone still count among the four
    assert temporal_softmax_loss(x, y, mask)[0] == pytest.approx(2 * 6 * np.log(5) / 4)
    assert temporal_softmax_loss(x[3:], y[3:], mask[3:])[0] == pytest.approx(6 * np.log(5))


def test_nothing_counts() -> None:
    for n in (0, 2):
        loss, dx = temporal_softmax_loss(np.ones((n, 3, 4)), np.zeros((n, 3), int), np.zeros((n, 3), bool))
        assert loss == 0.0
        assert dx.shape == (n, 3, 4)
        assert not dx.any()
