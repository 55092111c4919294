"""L-BFGS: Newton's step with an inverse Hessian guessed from the last few steps and never written down.

Formula:
    s_k = x_{k+1} − x_k,  y_k = g_{k+1} − g_k,  ρ_k = 1 / (y_kᵀ s_k)
    H_{k+1} = (I − ρ s yᵀ) H_k (I − ρ y sᵀ) + ρ s sᵀ
    x ← x + a d,  d = −H g

Derivation:
    On a quadratic y = A s, so the curvature along s is known from two gradients. BFGS asks of the new H that
    H y = s, that it be symmetric, and that it change as little as possible: the formula above, positive definite
    as long as sᵀy > 0, so that d descends.
    Only H g is wanted. With V = I − ρ y sᵀ and m pairs kept, H g = Vᵀ(... Vᵀ(H₀ V ... V g) ...) + ..., which two loops
    compute: from the newest pair to the oldest, a_k = ρ_k s_kᵀ q and q ← q − a_k y_k; then r = γ q, and back,
    r ← r + s_k (a_k − ρ_k y_kᵀ r). That is 4 m N multiply-adds and 2 m N numbers instead of N³ / 3 and N².
    H₀ = γ I with γ = sᵀy / yᵀy of the newest pair, the size of the inverse curvature just seen.

Source: Nocedal, "Updating quasi-Newton matrices with limited storage", 1980; Nocedal and Wright, algorithm 7.4.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import DataError
from pellucid.scratch.optimisers.second_order.line_search import LINE_SEARCHES

Pair = tuple[np.ndarray, np.ndarray]
FLAT = 1e-10  # pairs with sᵀy below this part of |s| |y| say nothing reliable about the curvature


@dataclass(frozen=True)
class Path:
    """Where L-BFGS ended, and how it got there.

    Attributes:
        x: the last point, of the shape of the start.
        losses: at the start and after each step: they only fall.
        gradient_norm: at `x`.
        evaluations: how often the function was called.
        converged: whether the gradient got as short as asked.
        reason: why it stopped, in words.
    """

    x: np.ndarray
    losses: list[float]
    gradient_norm: float
    evaluations: int
    converged: bool
    reason: str


def two_loop(gradient: np.ndarray, pairs: Sequence[Pair]) -> np.ndarray:
    """H g, the inverse Hessian that the pairs suggest times a gradient; g itself without pairs.

    Args:
        gradient: (n,) not changed.
        pairs: (s, y), each (n,), the oldest first.
    """
    if not pairs:
        return gradient
    q, parts = gradient, []
    for s, y in reversed(pairs):
        part = np.dot(s, q) / np.dot(y, s)
        q = q - part * y
        parts.append(part)
    s, y = pairs[-1]
    r = np.dot(s, y) / np.dot(y, y) * q
    for s, y in pairs:
        r = r + s * (parts.pop() - np.dot(y, r) / np.dot(y, s))
    return r


def lbfgs(
    f: Callable[[np.ndarray], tuple[float, np.ndarray]],
    x: np.ndarray,
    steps: int = 100,
    history: int = 10,
    line_search: str = "wolfe",
    tolerance: float = 1e-6,
) -> Path:
    """Minimise a smooth function of all weights, on all the data: noise would spoil the differences of gradients.

    Args:
        f: x -> value and gradient, which has the shape of `x`.
        x: start, any shape; not changed.
        steps: at most so many are taken.
        history: pairs that are kept.
        line_search: "wolfe" (strong Wolfe conditions) or "armijo" (backtracking, one condition).
        tolerance: the gradient's length at which to stop.

    Raises:
        ConfigError: no such line search.
        DataError: the value or the gradient at the start is not finite.
    """
    search = choose(line_search, LINE_SEARCHES, "line search")
    shape, pairs = x.shape, deque[Pair](maxlen=history)
    calls = _Calls(f, shape)
    point = x.ravel()
    value, gradient = calls.at(point)
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise DataError("lbfgs: the function is not finite at the start. Start elsewhere.")
    losses, reason = [value], f"{steps} steps were taken"
    while (norm := float(np.linalg.norm(gradient))) > tolerance and len(losses) <= steps:
        direction = -two_loop(gradient, pairs)
        slope = float(np.dot(gradient, direction))
        first = 1.0 if pairs else min(1.0, 1.0 / norm)  # without curvature, no further than 1
        step = search(calls.line(point, direction), value, slope, first)
        if step == 0 and pairs:
            pairs.clear()  # once more, straight down
            continue
        if step == 0:
            reason = "no step lowers the value by more than rounding"
            break
        new = point + step * direction
        value, gradient_there = calls.at(new)
        s, y = new - point, gradient_there - gradient
        if np.dot(s, y) > FLAT * np.linalg.norm(s) * np.linalg.norm(y):
            pairs.append((s, y))
        point, gradient = new, gradient_there
        losses.append(value)
    converged = norm <= tolerance
    reason = f"the gradient's length is below {tolerance:g}" if converged else reason
    return Path(point.reshape(shape), losses, norm, calls.count, converged, reason)


class _Calls:
    """The function over flat vectors, counted; the last point is not computed twice."""

    def __init__(self, f: Callable[[np.ndarray], tuple[float, np.ndarray]], shape: tuple[int, ...]) -> None:
        self.f, self.shape, self.count = f, shape, 0
        self.last: tuple[np.ndarray, float, np.ndarray] | None = None

    def at(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        if self.last is None or not np.array_equal(self.last[0], point):
            value, gradient = self.f(point.reshape(self.shape).copy())
            self.count += 1
            self.last = (point, float(value), np.array(gradient).ravel())
        return self.last[1], self.last[2]

    def line(self, point: np.ndarray, direction: np.ndarray) -> Callable[[float], tuple[float, float]]:
        def at(step: float) -> tuple[float, float]:
            value, gradient = self.at(point + step * direction)
            return value, float(np.dot(gradient, direction))

        return at
