"""Second-order model: what a loss looks like near a point, from its value, slope and curvature there.

Formula:
    f(x + d) ≈ f(x) + gᵀd + ½ dᵀH d

Derivation:
    Taylor's series along the line x + h d, cut after h². Of a quadratic nothing is cut, so the model is exact.
    Elsewhere h³/6 Σ f_ijk d_i d_j d_k remains: a tenth of the distance makes a thousandth of the error, and in a
    plot of log error over log h the slope is 3. A wrong gradient would show as slope 1, a wrong Hessian as slope 2.
    Newton's method walks to the minimum of this model.

Source: Nocedal and Wright, "Numerical Optimization", theorem 2.1; CS231n, lecture 8.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.scratch.checks.hessian import numerical_hessian
from pellucid.scratch.checks.numerical import eval_numerical_gradient


@dataclass(frozen=True)
class SecondOrderModel:
    """A loss near a point.

    Attributes:
        point: any shape, n entries.
        value: of the loss there.
        gradient: of the shape of `point`.
        hessian: (n, n), of the flattened point.
    """

    point: np.ndarray
    value: float
    gradient: np.ndarray
    hessian: np.ndarray

    def __call__(self, x: np.ndarray) -> float:
        """The model's value at `x`, of the shape of the point."""
        d = (x - self.point).ravel()
        return float(self.value + np.dot(self.gradient.ravel(), d) + np.dot(d, np.dot(self.hessian, d)) / 2)


def second_order_model(
    f: Callable[[np.ndarray], float], x: np.ndarray, gradient: Callable[[np.ndarray], np.ndarray] | None = None
) -> SecondOrderModel:
    """The model of `f` at `x`; what is not given is computed from differences.

    Args:
        f: a function to a number.
        x: float array of any shape; not changed.
        gradient: of `f`.

    Raises:
        DataError: `x` holds whole numbers.
    """
    point = x.copy()
    slope = eval_numerical_gradient(f, x.copy()) if gradient is None else np.array(gradient(point))
    return SecondOrderModel(point, float(f(point)), slope, numerical_hessian(f, point, gradient))


def error_order(
    f: Callable[[np.ndarray], float],
    model: SecondOrderModel,
    direction: np.ndarray,
    distances: Sequence[float] = (0.1, 0.05, 0.025, 0.0125),
) -> float:
    """The power of the distance that the model's error grows with: 3 if gradient and Hessian are right.

    Args:
        f: what the model is of; not a quadratic, whose error is rounding alone.
        model: of `f`.
        direction: of the shape of the point.
        distances: at which errors are taken, in lengths of `direction`.
    """
    points = [model.point + h * direction for h in distances]
    errors = [abs(float(f(x)) - model(x)) for x in points]
    return float(np.polyfit(np.log(distances), np.log(errors), 1)[0])
