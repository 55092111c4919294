"""Entropy, cross-entropy, KL divergence and binary cross-entropy: identities, closed forms, probabilities of 0."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.core.errors import DataError
from pellucid.scratch.losses.binary_cross_entropy import binary_cross_entropy, softplus
from pellucid.scratch.losses.kl import cross_entropy, entropy, kl_divergence, kl_divergence_of_scores
from pellucid.scratch.losses.softmax import softmax, softmax_loss


def distributions(seed: int, n: int = 4, k: int = 5, sharp: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    p, q = np.random.default_rng(seed).dirichlet(np.full(k, sharp), size=(2, n))
    return p, q


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 4), k=st.integers(1, 7))
def test_cross_entropy_is_entropy_plus_kl(seed: int, n: int, k: int) -> None:
    p, q = distributions(seed, n, k, sharp=2.0)
    assert abs(cross_entropy(p, q)[0] - entropy(p)[0] - kl_divergence(p, q)[0]) <= 1e-12
    assert kl_divergence(p, q)[0] >= -1e-15
    assert kl_divergence(p, p)[0] == 0.0


def test_kl_is_not_symmetric_and_the_truth_comes_first() -> None:
    p, q = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    assert kl_divergence(p, q)[0] == pytest.approx(0.5 * np.log(0.5 / 0.9) + 0.5 * np.log(0.5 / 0.1))
    assert kl_divergence(q, p)[0] == pytest.approx(0.9 * np.log(1.8) + 0.1 * np.log(0.2))
    assert kl_divergence(p, q)[0] > kl_divergence(q, p)[0]


def test_kl_is_cross_entropy_less_entropy_not_the_reverse() -> None:
    p, q = distributions(0)
    assert entropy(p)[0] - cross_entropy(p, q)[0] < 0 < kl_divergence(p, q)[0]


def test_entropy_of_certainty_and_of_ignorance() -> None:
    assert entropy(np.array([0.0, 1.0, 0.0]))[0] == 0.0
    assert entropy(np.full(8, 1 / 8))[0] == pytest.approx(np.log(8))
    p, _ = distributions(1)
    assert 0 < entropy(p)[0] < np.log(5)


def test_cross_entropy_of_one_hot_is_the_softmax_loss() -> None:
    rng = np.random.default_rng(2)
    scores, y = rng.standard_normal((6, 4)), rng.integers(4, size=6)
    loss, dx = softmax_loss(scores, y)
    one_hot = np.eye(4)[y]
    assert cross_entropy(one_hot, softmax(scores))[0] == pytest.approx(loss)
    of_scores, dscores = kl_divergence_of_scores(one_hot, scores)
    assert of_scores == pytest.approx(loss)
    assert dscores == pytest.approx(dx)
    assert cross_entropy(np.eye(4, dtype=int)[y], softmax(scores))[0] == pytest.approx(loss)


def test_kl_of_scores_is_kl_of_their_softmax() -> None:
    p, _ = distributions(3)
    scores = np.random.default_rng(3).standard_normal(p.shape)
    assert kl_divergence_of_scores(p, scores)[0] == pytest.approx(kl_divergence(p, softmax(scores))[0])
    assert np.isfinite(kl_divergence_of_scores(p, 1e4 * scores)[0])
    assert kl_divergence_of_scores(p, np.log(p))[1] == pytest.approx(np.zeros(p.shape), abs=1e-15)


def test_zeros() -> None:
    """0 ln 0 is 0; what the model rules out and happens costs infinity, without a warning."""
    p, q = np.array([0.5, 0.5, 0.0]), np.array([1.0, 0.0, 0.0])
    assert kl_divergence(q, p)[0] == pytest.approx(np.log(2))
    assert kl_divergence(p, q)[0] == cross_entropy(p, q)[0] == np.inf
    assert np.array_equal(kl_divergence(p, q)[1], [-0.5, -np.inf, 0.0])
    assert kl_divergence(q, q)[0] == 0.0


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([0.5, 0.5], [0.2, 0.3, 0.5], "p and q must have the same shape, got (2,) and (3,)."),
        ([0.5, 0.6], [0.5, 0.5], "Each row of p must sum to 1, got 1.1. Scores go through softmax."),
        ([1.5, -0.5], [0.5, 0.5], "p must hold probabilities, 0 or more, got -0.5. Scores go through softmax."),
        ([0.5, 0.5], [np.nan, 1.0], "q must hold probabilities, 0 or more, got nan. Scores go through softmax."),
        ([], [], "p must hold distributions along its last axis, got shape (0,)."),
    ],
)
def test_what_is_no_distribution(p: list[float], q: list[float], message: str) -> None:
    for function in (kl_divergence, cross_entropy):
        with pytest.raises(DataError) as error:
            function(np.array(p), np.array(q))
        assert str(error.value) == message


def test_binary_cross_entropy_is_softmax_of_zero_and_the_score() -> None:
    rng = np.random.default_rng(4)
    x, y = 5 * rng.standard_normal(7), rng.integers(2, size=7)
    loss, dx = binary_cross_entropy(x, y)
    of_two, dboth = softmax_loss(np.stack([np.zeros(7), x], axis=1), y)
    assert loss == pytest.approx(of_two)
    assert dx == pytest.approx(dboth[:, 1])


def test_binary_cross_entropy_of_soft_targets_is_a_cross_entropy() -> None:
    x, y = np.array([0.3, -2.0]), np.array([0.25, 0.9])
    right = 1 / (1 + np.exp(-x))
    rows = cross_entropy(np.stack([y, 1 - y], axis=1), np.stack([right, 1 - right], axis=1))[0]
    assert binary_cross_entropy(x, y)[0] == pytest.approx(rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_cross_entropy_of_extreme_scores(dtype: type) -> None:
    x, y = np.array([1e4, -1e4, 1e4, -1e4], dtype), np.array([1, 0, 0, 1])
    loss, dx = binary_cross_entropy(x, y)
    assert loss == pytest.approx(2e4 / 4)
    assert np.array_equal(dx * 4, [0, 0, 1, -1])
    assert np.array_equal(softplus(x), [1e4, 0, 1e4, 0])
    assert softplus(np.zeros(1, dtype)).dtype == dtype


def test_binary_cross_entropy_sums_a_sample_and_weighs_entries() -> None:
    x = np.zeros((2, 3))
    assert binary_cross_entropy(x, x)[0] == pytest.approx(3 * np.log(2))
    weight = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 1.0]])
    loss, dx = binary_cross_entropy(x, x, weight)
    assert loss == pytest.approx(4 * np.log(2) / 2)
    assert dx == pytest.approx(weight * 0.5 / 2)
