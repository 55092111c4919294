"""The gradient check: it finds planted bugs and their place, and leaves right gradients alone, kinks included."""

import re

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.checks.gradcheck import check_gradient, grad_check_sparse
from pellucid.scratch.layers.affine import affine_backward, affine_forward


def smooth(x: np.ndarray) -> float:
    return float(np.sum(np.sin(x) * np.exp(x / 3)))


def smooth_gradient(x: np.ndarray) -> np.ndarray:
    return np.exp(x / 3) * (np.cos(x) + np.sin(x) / 3)


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


def test_a_right_gradient_passes() -> None:
    x = draw(3, 4)
    kept = x.copy()
    found = check_gradient(smooth, x, smooth_gradient(x))
    assert found.passed()
    assert found.error < 1e-8
    assert found.kinks == 0
    assert np.array_equal(x, kept)


@pytest.mark.parametrize("wrong", [1.001, -1.0, 0.0, 2.0, np.nan, np.inf])
def test_one_wrong_entry_is_found_and_named(wrong: float) -> None:
    x = draw(3, 4)
    gradient = smooth_gradient(x)
    right = gradient[1, 2]
    gradient[1, 2] *= wrong
    found = check_gradient(smooth, x, gradient)
    assert not found.passed()
    assert found.index == (1, 2)
    assert not found.on_kink
    assert found.numerical == pytest.approx(right, rel=1e-6)
    assert found.by_hand == pytest.approx(gradient[1, 2], nan_ok=True)


def test_a_gradient_of_zeros_is_no_gradient() -> None:
    assert check_gradient(smooth, draw(5), np.zeros(5)).error > 0.99
    assert check_gradient(lambda x: 3.0, draw(5), np.zeros(5)).error == 0  # but right for a constant


def test_planted_bugs_in_a_layer() -> None:
    x, w, b, dout = draw(3, 4), draw(4, 2), draw(2), draw(3, 2)

    def value(w: np.ndarray) -> float:
        return float(np.sum(affine_forward(x, w, b)[0] * dout))

    _, cache = affine_forward(x, w, b)
    right = affine_backward(dout, cache)[1]
    assert check_gradient(value, w, right).passed()
    for bug in (-right, right / 3, right[::-1].copy(), right + 1e-3, x.T @ dout[::-1]):
        assert not check_gradient(value, w, bug).passed()


@pytest.mark.parametrize("subgradient", [0.0, 0.3, 0.5, 1.0])
def test_at_a_kink_every_slope_between_the_two_is_right(subgradient: float) -> None:
    x = np.array([-1.0, 0.0, 2.0])
    found = check_gradient(lambda x: float(np.maximum(x, 0).sum()), x, np.array([0.0, subgradient, 1.0]))
    assert found.passed()


@pytest.mark.parametrize("wrong", [-0.2, 1.2, -1.0])
def test_at_a_kink_other_slopes_are_wrong_and_the_kink_is_named(wrong: float) -> None:
    x = np.array([-1.0, 0.0, 2.0])
    found = check_gradient(lambda x: float(np.maximum(x, 0).sum()), x, np.array([0.0, wrong, 1.0]))
    assert not found.passed()
    assert (found.index, found.on_kink, found.kinks) == ((1,), True, 1)


def test_beside_a_kink_a_shorter_step_decides() -> None:
    """3e-7 from the corner of a ReLU the usual step crosses it, a hundredth of it does not."""
    x = np.array([3e-7, -3e-7])
    relu = lambda x: float(np.maximum(x, 0).sum())  # noqa: E731
    assert check_gradient(relu, x, np.array([1.0, 0.0])).passed()
    for wrong in ([0.5, 0.0], [1.0, 0.5], [0.0, 0.0], [1.0, 1.0]):
        assert not check_gradient(relu, x, np.array(wrong)).passed()


def test_rounding_noise_is_no_bug() -> None:
    """A loss of a million leaves noise of about 1e-5 in a numerical gradient whose true value is 1e-4."""
    x = draw(4)
    assert check_gradient(lambda x: 1e6 + 1e-4 * float(x.sum()), x, np.full(4, 1e-4)).passed()
    assert not check_gradient(lambda x: 1e6 + float(x.sum()), x, np.full(4, 1.1)).passed()


@pytest.mark.parametrize("wrong", [1.1, 1.01, 1.001, 1.0003])
def test_noise_excuses_no_more_than_it_explains(wrong: float) -> None:
    """A loss of a million leaves 1e-5 of noise in a slope of 1, and no shorter step makes a larger error right."""
    million = lambda x: 1e6 + float(np.sin(x).sum())  # noqa: E731
    assert not check_gradient(million, np.zeros(3), np.full(3, wrong)).passed()
    assert check_gradient(million, np.zeros(3), np.ones(3)).passed()


def test_a_nan_of_the_function_does_not_pass() -> None:
    assert not check_gradient(lambda x: float("nan"), draw(2), np.ones(2)).passed()


def test_nothing_to_check_passes() -> None:
    found = check_gradient(lambda x: 1.0, np.zeros((0, 3)), np.zeros((0, 3)))
    assert found.passed()
    assert check_gradient(lambda x: float(x**2), np.array(3.0), np.array(6.0)).passed()


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(DataError, match=r"^The gradient must have the shape \(2,\) of its argument, got \(2, 1\)\.$"):
        check_gradient(smooth, np.ones(2), np.ones((2, 1)))
    message = "A gradient check needs float64, got float32. Convert the inputs with .astype(np.float64)."
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        check_gradient(smooth, np.ones(2, np.float32), np.ones(2, np.float32))


# --------------------------------------------------------------------------------------- the course's own check


def test_sparse_check_prints_what_the_course_prints(capsys: pytest.CaptureFixture[str]) -> None:
    x = draw(20, 30)
    kept = x.copy()
    errors = grad_check_sparse(smooth, x, smooth_gradient(x), 5)
    printed = capsys.readouterr().out.splitlines()
    assert len(errors) == len(printed) == 5
    assert max(errors) < 1e-6
    line = r"numerical: -?\d+\.\d{6} analytic: -?\d+\.\d{6}, relative error: \d\.\d{6}e[+-]\d+"
    assert all(re.fullmatch(line, each) for each in printed)
    assert np.array_equal(x, kept)


def test_sparse_check_sees_a_wrong_factor() -> None:
    x = draw(6)
    assert grad_check_sparse(smooth, x, 3 * smooth_gradient(x)) == pytest.approx([0.5] * 10, rel=1e-5)
    assert grad_check_sparse(lambda x: 1.0, x, np.zeros(6), 3) == [0, 0, 0]
    square = lambda x: float(x[0] ** 3)  # noqa: E731
    assert grad_check_sparse(square, np.zeros(1), np.zeros(1) - 0.01, 1, h=0.1) == pytest.approx([1])


def test_sparse_check_draws_the_same_entries_for_the_same_seed() -> None:
    x = draw(8, 8)
    gradient = np.random.default_rng(1).standard_normal((8, 8))
    first, again, other = (grad_check_sparse(smooth, x, gradient, 6, seed=seed) for seed in (0, 0, 1))
    assert first == again != other


def test_sparse_check_refuses_what_does_not_fit() -> None:
    with pytest.raises(DataError, match=r"^The gradient must have the shape \(2,\) of its argument, got \(3,\)\.$"):
        grad_check_sparse(smooth, np.ones(2), np.ones(3))
