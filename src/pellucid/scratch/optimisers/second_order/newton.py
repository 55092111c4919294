"""Newton's method: go straight to the minimum of the second-order model of the loss.

Formula:
    x ← x − H⁻¹ g,  g = ∇f(x), H = ∇²f(x)

Derivation:
    The model f(x) + gᵀd + ½ dᵀH d has its gradient g + H d at zero where d = −H⁻¹ g. If f is quadratic the model is f,
    and one step ends at the minimum, however badly conditioned the bowl: H⁻¹ sets the length of the step in
    every direction, so no learning rate is needed. Where H has a negative eigenvalue the step climbs along it: Newton's
    method looks for points of zero gradient, saddles included.
    H has N² entries and solving with it takes about N³ / 3 multiply-adds. A net of a million weights would need
    8 TB to hold H, which is why deep learning stays with first-order rules or guesses H.

Source: Nocedal and Wright, "Numerical Optimization", chapter 3; CS231n, lecture 8.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import DataError


def newton_step(x: np.ndarray, gradient: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """The next point. The system is solved; no inverse is formed.

    Args:
        x: any shape, n entries; not changed.
        gradient: of the shape of `x`.
        hessian: (n, n), of the flattened `x`.

    Raises:
        DataError: the shapes do not fit, or the Hessian is singular, so that there is no single such point.
    """
    n = x.size
    if gradient.shape != x.shape or hessian.shape != (n, n):
        raise DataError(
            f"newton_step: x {x.shape} needs a gradient of its shape and a Hessian ({n}, {n}), "
            f"got {gradient.shape} and {hessian.shape}."
        )
    try:
        step = np.linalg.solve(hessian, gradient.reshape(n))
    except np.linalg.LinAlgError as error:
        raise DataError("newton_step: the Hessian is singular. Add a small multiple of the identity to it.") from error
    return x - step.reshape(x.shape)


@dataclass(frozen=True)
class StepCost:
    """What one step over N weights takes.

    Attributes:
        weights: N.
        gradient_numbers: that a first-order rule holds: N.
        lbfgs_numbers: that L-BFGS with a history of 10 holds: 20 N.
        hessian_numbers: that Newton's method holds: N².
        hessian_bytes: the same in float64.
        solve_macs: multiply-adds of solving with the Hessian: N³ / 3.
    """

    weights: int
    gradient_numbers: int
    lbfgs_numbers: int
    hessian_numbers: int
    hessian_bytes: int
    solve_macs: int


def cost_table(weights: Iterable[int]) -> list[StepCost]:
    """The costs of one step for each number of weights."""
    return [StepCost(n, n, 2 * 10 * n, n**2, 8 * n**2, n**3 // 3) for n in weights]
