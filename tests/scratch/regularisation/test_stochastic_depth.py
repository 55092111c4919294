"""Stochastic depth: the rule of the probabilities, branches that are there or not, and the plain residual."""

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.regularisation.stochastic_depth import (
    stochastic_depth_backward,
    stochastic_depth_forward,
    survival_probability,
)

RNG = np.random.default_rng(0)
X, BRANCH = RNG.standard_normal((2, 3, 4))


def test_probabilities_fall_in_a_straight_line() -> None:
    ps = [survival_probability(block, 54) for block in range(55)]
    assert ps[0] == 1
    assert ps[-1] == 0.5
    assert np.diff(ps) == pytest.approx(np.full(54, -0.5 / 54))
    assert sum(ps[1:]) == pytest.approx((3 * 54 - 1) / 4)  # 40.25: the paper's 54 blocks are about 40 in training
    assert survival_probability(3, 4, last=0.2) == pytest.approx(0.4)


def test_a_branch_is_there_or_it_is_not() -> None:
    """One coin for the batch, with the probability that was asked for."""
    rng = np.random.default_rng(1)
    outs = [stochastic_depth_forward(X, BRANCH, {"mode": "train", "p": 0.7, "rng": rng})[0] for _ in range(2000)]
    kept = [np.array_equal(out, X + BRANCH) for out in outs]
    assert all(there or np.array_equal(out, X) for out, there in zip(outs, kept, strict=True))
    assert np.mean(kept) == pytest.approx(0.7, abs=0.04)


def test_in_use_the_branch_is_scaled() -> None:
    out, cache = stochastic_depth_forward(X, BRANCH, {"mode": "test", "p": 0.7})
    assert np.array_equal(out, X + 0.7 * BRANCH)
    dx, dbranch = stochastic_depth_backward(np.ones_like(X), cache)
    assert np.array_equal(dx, np.ones_like(X))
    assert np.array_equal(dbranch, np.full_like(X, 0.7))


@pytest.mark.parametrize("mode", ["train", "test"])
def test_with_p_of_one_it_is_the_plain_residual(mode: str) -> None:
    out, cache = stochastic_depth_forward(X, BRANCH, {"mode": mode, "p": 1})
    assert np.array_equal(out, X + BRANCH)
    dx, dbranch = stochastic_depth_backward(BRANCH, cache)
    assert np.array_equal(dx, BRANCH)
    assert np.array_equal(dbranch, BRANCH)


@pytest.mark.parametrize("mode", ["train", "test"])
def test_with_p_of_zero_only_the_shortcut_is_left(mode: str) -> None:
    out, cache = stochastic_depth_forward(X, BRANCH, {"mode": mode, "p": 0})
    assert np.array_equal(out, X)
    assert not stochastic_depth_backward(BRANCH, cache)[1].any()


def test_a_left_out_branch_learns_nothing_and_the_shortcut_carries_all() -> None:
    out, cache = stochastic_depth_forward(X, BRANCH, {"mode": "train", "p": 0.5, "seed": 3})
    assert np.array_equal(out, X)
    dx, dbranch = stochastic_depth_backward(BRANCH, cache)
    assert np.array_equal(dx, BRANCH)
    assert not dbranch.any()


def test_messages() -> None:
    with pytest.raises(DataError) as error:
        stochastic_depth_forward(X, BRANCH[:2], {"mode": "train", "p": 0.5})
    assert str(error.value) == "The branch must have the shape (3, 4) of x, got (2, 4)."
    with pytest.raises(ConfigError) as wrong:
        stochastic_depth_forward(X, BRANCH, {"mode": "train"})
    assert str(wrong.value) == "depth_param needs 'p', the probability to keep; it has 'mode'."
    with pytest.raises(DataError) as error:
        survival_probability(5, 4)
    assert str(error.value) == "The block must be in 0..4, and there must be one, got 5 of 4."
    with pytest.raises(DataError) as error:
        survival_probability(1, 4, 1.5)
    assert str(error.value) == "The probability to keep the last block must be in [0, 1], got 1.5."
