"""Newton, Gauss-Newton and L-BFGS: steps that are exact where theory says so, and fewer of them than descent needs."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.optimisers.second_order.gauss_newton import gauss_newton_step, levenberg_marquardt
from pellucid.scratch.optimisers.second_order.lbfgs import lbfgs
from pellucid.scratch.optimisers.second_order.newton import cost_table, newton_step
from pellucid.scratch.optimisers.sgd import sgd

CURVATURES = np.logspace(-3, 1, 12)  # condition 10,000


def bowl(x: np.ndarray) -> tuple[float, np.ndarray]:
    return float(CURVATURES @ (x - 1) ** 2 / 2), CURVATURES * (x - 1)


def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    a, b = 1 - x[0], x[1] - x[0] ** 2
    return float(a**2 + 100 * b**2), np.array([-2 * a - 400 * x[0] * b, 200 * b])


# --------------------------------------------------------------------------------------------------- Newton


def test_one_newton_step_ends_at_the_minimum_of_a_quadratic() -> None:
    x = np.random.default_rng(0).standard_normal(12)
    assert newton_step(x, bowl(x)[1], np.diag(CURVATURES)) == pytest.approx(np.ones(12), abs=1e-9)


def test_newton_walks_to_saddles_as_well() -> None:
    """f = x² - y²: the zero of the gradient is a saddle, and one step is there."""
    x = np.array([3.0, -2.0])
    assert newton_step(x, np.array([6.0, 4.0]), np.diag([2.0, -2.0])) == pytest.approx(np.zeros(2))


def test_costs_grow_with_the_square_and_the_cube() -> None:
    costs = cost_table([1000, 10_000, 1_000_000])
    assert costs[2].hessian_bytes == 8 * 10**12  # a million weights: 8 TB
    assert costs[1].hessian_numbers == 100 * costs[0].hessian_numbers
    assert costs[1].solve_macs == pytest.approx(1000 * costs[0].solve_macs, rel=1e-8)
    assert costs[2].gradient_numbers == 10**6
    assert costs[2].lbfgs_numbers == 20 * 10**6


def test_newton_says_what_does_not_fit() -> None:
    with pytest.raises(DataError, match=r"^newton_step: the Hessian is singular\. Add a small multiple of the id"):
        newton_step(np.ones(2), np.ones(2), np.zeros((2, 2)))
    message = r"^newton_step: x \(2,\) needs a gradient of its shape and a Hessian \(2, 2\), got \(2,\) and \(3, 3\)\.$"
    with pytest.raises(DataError, match=message):
        newton_step(np.ones(2), np.ones(2), np.eye(3))


# --------------------------------------------------------------------------------------------- Gauss-Newton


def test_one_step_solves_linear_least_squares() -> None:
    rng = np.random.default_rng(0)
    a, y, x = rng.standard_normal((9, 4)), rng.standard_normal(9), rng.standard_normal(4)
    assert gauss_newton_step(x, a @ x - y, a) == pytest.approx(np.linalg.lstsq(a, y)[0])


def test_damping_turns_the_step_towards_the_gradient() -> None:
    rng = np.random.default_rng(0)
    a, x = rng.standard_normal((6, 3)), rng.standard_normal(3)
    r = a @ x - rng.standard_normal(6)
    step = x - gauss_newton_step(x, r, a, damping=1e8)
    assert step * 1e8 == pytest.approx(a.T @ r, rel=1e-6)
    lengths = [np.linalg.norm(x - gauss_newton_step(x, r, a, damping)) for damping in (0.0, 0.1, 10.0)]
    assert lengths == sorted(lengths)[::-1]


def test_the_damped_form_falls_where_the_plain_one_jumps() -> None:
    """arctan(x) from x = 2: the plain step overshoots further each time, the damped one comes down to 0."""
    x = np.array([2.0])
    plain = x
    for _ in range(3):
        plain = gauss_newton_step(plain, np.arctan(plain), 1 / (1 + plain[:, None] ** 2))
    assert abs(plain[0]) > 10
    found = levenberg_marquardt(np.arctan, lambda x: 1 / (1 + x[:, None] ** 2), x)
    assert found.converged
    assert abs(found.x[0]) < 1e-8
    assert (np.diff(found.losses) < 0).all()


def test_a_curve_is_fitted() -> None:
    """a exp(b t) + c through its own points, from afar."""
    t = np.linspace(0, 3, 20)
    truth = np.array([2.0, -1.3, 0.5])

    def residuals(x: np.ndarray) -> np.ndarray:
        return x[0] * np.exp(x[1] * t) + x[2] - (truth[0] * np.exp(truth[1] * t) + truth[2])

    def jacobian(x: np.ndarray) -> np.ndarray:
        return np.stack([np.exp(x[1] * t), x[0] * t * np.exp(x[1] * t), np.ones(20)], 1)

    found = levenberg_marquardt(residuals, jacobian, np.array([1.0, -0.5, 0.0]))
    assert found.x == pytest.approx(truth, abs=1e-6)
    assert (np.diff(found.losses) < 0).all()


def test_gauss_newton_says_what_does_not_fit() -> None:
    message = r"^gauss_newton_step: 4 residuals of 2 unknowns need a Jacobian \(4, 2\), got \(2, 4\)\.$"
    with pytest.raises(DataError, match=message):
        gauss_newton_step(np.ones(2), np.ones(4), np.ones((2, 4)))
    with pytest.raises(ConfigError, match=r"^gauss_newton_step: damping must be 0 or more, got -1\.$"):
        gauss_newton_step(np.ones(2), np.ones(4), np.ones((4, 2)), -1)


# --------------------------------------------------------------------------------------------------- L-BFGS


def test_lbfgs_needs_far_fewer_iterations_than_descent() -> None:
    """Condition 10,000: gradient descent at its best constant rate shrinks the error by 1 - 2 / 10,001 a step."""
    start = np.random.default_rng(0).standard_normal(12)
    found = lbfgs(bowl, start, 1000)
    w = start
    for _ in range(20 * len(found.losses)):
        w, _ = sgd(w, bowl(w)[1], {"learning_rate": 2 / (CURVATURES[0] + CURVATURES[-1])})
    assert found.converged
    assert len(found.losses) < 300
    assert found.losses[-1] < 1e-9
    assert bowl(w)[0] > 1e6 * found.losses[-1]  # with twenty times as many steps


@pytest.mark.parametrize(("f", "start"), [(bowl, np.zeros(12)), (rosenbrock, np.array([-1.2, 1.0]))])
def test_lbfgs_needs_about_as_many_iterations_as_scipys(f: Any, start: np.ndarray) -> None:
    ours = lbfgs(f, start, 1000)
    theirs = minimize(f, start, jac=True, method="L-BFGS-B", options={"maxcor": 10, "ftol": 0, "gtol": 1e-7})
    assert ours.converged
    assert ours.x == pytest.approx(theirs.x, abs=1e-2)
    assert len(ours.losses) < 1.3 * theirs.nit + 5
    assert ours.evaluations < 1.3 * theirs.nfev + 5


@pytest.mark.parametrize("line_search", ["wolfe", "armijo"])
@pytest.mark.parametrize("history", [1, 3, 10])
def test_lbfgs_walks_through_the_curved_valley(line_search: str, history: int) -> None:
    found = lbfgs(rosenbrock, np.array([-1.2, 1.0]), 500, history, line_search)
    assert found.converged
    assert found.x == pytest.approx(np.ones(2), abs=1e-5)
    assert (np.diff(found.losses) < 0).all()
    assert found.reason == "the gradient's length is below 1e-06"


def test_lbfgs_stops_for_three_reasons() -> None:
    start = np.array([-1.2, 1.0])
    few = lbfgs(rosenbrock, start, steps=3)
    assert (few.converged, len(few.losses), few.reason) == (False, 4, "3 steps were taken")
    assert lbfgs(rosenbrock, np.ones(2)).evaluations == 1
    exact = lbfgs(lambda x: (1e3 + float(np.sum(x**4)), 4 * x**3), np.ones(3), tolerance=0.0)
    assert (exact.converged, exact.reason) == (False, "no step lowers the value by more than rounding")


def test_lbfgs_survives_values_that_are_not_finite() -> None:
    """-log of a negative number is NaN: a step across 0 is too long, and is halved."""

    def barrier(x: np.ndarray) -> tuple[float, np.ndarray]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(np.sum(50 * x - np.log(x))), 50 - 1 / x

    found = lbfgs(barrier, np.full(2, 2.0))
    assert found.converged
    assert found.x == pytest.approx(np.full(2, 0.02))


def test_lbfgs_says_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match=r"^Unknown line search 'wolf'\. Did you mean 'wolfe'\?"):
        lbfgs(bowl, np.zeros(12), line_search="wolf")
    with pytest.raises(DataError, match=r"^lbfgs: the function is not finite at the start\. Start elsewhere\.$"):
        lbfgs(lambda x: (float("nan"), x), np.zeros(2))


def test_lbfgs_does_not_keep_what_the_function_writes_to() -> None:
    """A function that answers in one array each time, and changes what it is given."""
    answer = np.zeros(12)

    def careless(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, answer[:] = bowl(x)
        x[:] = 0
        return value, answer

    start: Any = np.random.default_rng(0).standard_normal(12)
    kept = start.copy()
    found = lbfgs(careless, start)
    assert found.losses == lbfgs(bowl, kept).losses
    assert np.array_equal(start, kept)
