"""L1, L2 and smooth L1: closed forms, what each takes for the middle, and how they meet."""

import numpy as np
import pytest

from pellucid.scratch.losses.l1 import l1_loss
from pellucid.scratch.losses.l2 import l2_loss
from pellucid.scratch.losses.smooth_l1 import smooth_l1_loss

X = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
TARGET = np.array([[0.0, 0.0, 0.5], [4.0, 3.0, 0.0]])  # differences (1, -2, 0), (-4, 0, 1)


def test_by_hand() -> None:
    assert l1_loss(X, TARGET)[0] == (3 + 5) / 2
    assert l2_loss(X, TARGET)[0] == (5 + 17) / 2
    assert smooth_l1_loss(X, TARGET)[0] == ((0.5 + 1.5) + (3.5 + 0.5)) / 2
    assert np.array_equal(l1_loss(X, TARGET)[1], [[0.5, -0.5, 0], [-0.5, 0, 0.5]])
    assert np.array_equal(l2_loss(X, TARGET)[1], [[1, -2, 0], [-4, 0, 1]])
    assert np.array_equal(smooth_l1_loss(X, TARGET, beta=2.0)[1], [[0.25, -0.5, 0], [-0.5, 0, 0.25]])


def test_the_best_constant_is_the_median_for_l1_and_the_mean_for_l2() -> None:
    target = np.array([0.0, 1.0, 2.0, 3.0, 100.0])
    assert l1_loss(np.full(5, np.median(target)), target)[1].sum() == 0
    assert l2_loss(np.full(5, target.mean()), target)[1].sum() == pytest.approx(0, abs=1e-13)
    assert l1_loss(np.full(5, 2.0), target)[0] < l1_loss(np.full(5, target.mean()), target)[0]
    assert l2_loss(np.full(5, 2.0), target)[0] > l2_loss(np.full(5, target.mean()), target)[0]


def test_a_wild_target_pulls_l2_only() -> None:
    """The largest slope: bounded for L1 and smooth L1, growing with the error for L2."""
    x, wild = np.zeros(1), np.array([1e6])
    assert l1_loss(x, wild)[1][0] == smooth_l1_loss(x, wild)[1][0] == -1
    assert l2_loss(x, wild)[1][0] == -2e6


@pytest.mark.parametrize("beta", [0.1, 1.0, 3.0])
def test_smooth_l1_has_no_kink_where_its_pieces_meet(beta: float) -> None:
    at, beside = np.array([beta]), np.array([beta * (1 - 1e-9)])
    loss, slope = smooth_l1_loss(at, np.zeros(1), beta)
    assert loss == pytest.approx(beta / 2)
    assert slope[0] == 1
    near, near_slope = smooth_l1_loss(beside, np.zeros(1), beta)
    assert near == pytest.approx(loss)
    assert near_slope[0] == pytest.approx(1)


def test_smooth_l1_between_the_two_others() -> None:
    """A tiny β gives L1; a huge one β⁻¹/2 times L2."""
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((2, 4, 3))
    assert smooth_l1_loss(x, target, 1e-9)[0] == pytest.approx(l1_loss(x, target)[0])
    assert smooth_l1_loss(x, target, 1e6)[0] * 2e6 == pytest.approx(l2_loss(x, target)[0])


def test_huber_has_the_usual_form() -> None:
    """β times smooth L1 is u²/2 inside and β (|u| - β/2) outside."""
    u, beta = np.linspace(-3, 3, 13), 1.5
    each = np.where(np.abs(u) < beta, u**2 / 2, beta * (np.abs(u) - beta / 2))
    assert beta * smooth_l1_loss(u, np.zeros(13), beta)[0] == pytest.approx(each.mean())


def test_an_empty_batch_costs_nothing() -> None:
    nothing = np.zeros((0, 4))
    for function in (l1_loss, l2_loss, smooth_l1_loss):
        loss, dx = function(nothing, nothing)
        assert loss == 0.0
        assert dx.shape == (0, 4)
