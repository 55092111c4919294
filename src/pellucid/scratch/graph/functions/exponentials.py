"""Exponentials and logarithms.

Formula:
    nˣ       ->  nˣ ln n
    log_a x  ->  1 / (x ln a)
    ln x     ->  1 / x
    eˣ       ->  eˣ

Derivation:
    e is the base for which (eʰ - 1)/h -> 1, so eˣ is its own derivative; nˣ = e^(x ln n) brings the factor ln n.
    The logarithm is the inverse: x = e^y gives 1 = e^y y', so y' = 1/x; log_a x = ln x / ln a.

Source: Any table of derivatives; CS231n notes, "Backpropagation, intuitions".
"""

import math

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.graph.elementwise import Elementwise


def exponential(n: float) -> Elementwise:
    """nˣ for a fixed base n.

    Raises:
        DataError: n is not positive.
    """
    if not n > 0:
        raise DataError(f"The base of nˣ must be positive, got {n}.")
    return Elementwise(f"{n:g}^x", lambda x: float(n) ** x, lambda x: float(n) ** x * math.log(n))


def logarithm(a: float) -> Elementwise:
    """The logarithm to a fixed base a.

    Raises:
        DataError: a is not positive, or is 1.
    """
    if not a > 0 or a == 1:
        raise DataError(f"The base of a logarithm must be positive and not 1, got {a}.")
    return Elementwise(
        f"log_{a:g}",
        lambda x: np.log(x) / math.log(a),
        lambda x: 1 / (x * math.log(a)),
        "x > 0",
        lambda x: x > 0,
    )


ln = Elementwise("ln", np.log, lambda x: 1 / x, "x > 0", lambda x: x > 0)
exp = Elementwise("exp", np.exp, np.exp)
