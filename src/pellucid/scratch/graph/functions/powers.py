"""Powers, roots and the constant.

Formula:
    c      ->  0
    xⁿ     ->  n xⁿ⁻¹
    ⁿ√x    ->  x^(-(n-1)/n) / n
    1/xⁿ   ->  -n / xⁿ⁺¹

Derivation:
    (x + h)ⁿ = xⁿ + n xⁿ⁻¹ h + O(h²), whose slope is n xⁿ⁻¹; for any real n and x > 0 the same follows from
    xⁿ = e^(n ln x). The root is the power 1/n: x^(1/n - 1)/n. Its derivative is infinite at 0.
    The odd roots of negative numbers exist, ⁿ√(-x) = -ⁿ√x, and an odd function has an even derivative, so |x|
    serves for both signs. 1/xⁿ is the power -n.

Source: Any table of derivatives; CS231n notes, "Backpropagation, intuitions".
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.graph.elementwise import Elementwise, Function


def constant(c: float) -> Elementwise:
    """The same number `c` everywhere."""
    return Elementwise(f"{c:g}", lambda x: np.full_like(x, c), np.zeros_like)


def power(n: float) -> Elementwise:
    """xⁿ for a fixed real n."""
    domain, inside = _domain(n)
    return Elementwise(
        f"x^{n:g}",
        lambda x: x ** float(n),
        lambda x: n * x ** float(n - 1) if n else np.zeros_like(x),
        domain,
        inside,
    )


def root(n: int) -> Elementwise:
    """The real n-th root: of every number if n is odd, of numbers that are not negative if it is even.

    Raises:
        DataError: n is no whole number from 1 on.
    """
    if n != int(n) or n < 1:
        raise DataError(f"The degree of a root must be a whole number from 1 on, got {n}.")
    odd = n % 2 == 1
    return Elementwise(
        f"{n:g}-th root of x",
        lambda x: np.sign(x) * np.abs(x) ** float(1 / n),
        lambda x: np.abs(x) ** float(-(n - 1) / n) / n,
        "all x" if odd else "x ≥ 0",
        None if odd else lambda x: x >= 0,
    )


def reciprocal(n: float) -> Elementwise:
    """1/xⁿ for a fixed real n."""
    domain, inside = _domain(-n)
    return Elementwise(
        f"1/x^{n:g}" if n != 1 else "1/x",
        lambda x: x ** float(-n),
        lambda x: -n * x ** float(-n - 1) if n else np.zeros_like(x),
        domain,
        inside,
    )


def _domain(n: float) -> tuple[str, Function | None]:
    """Where xⁿ is defined: a negative power excludes 0, one that is not whole excludes negative numbers."""
    whole = n == int(n)
    if n >= 0:
        return ("all x", None) if whole else ("x ≥ 0", lambda x: x >= 0)
    return ("x ≠ 0", lambda x: x != 0) if whole else ("x > 0", lambda x: x > 0)
