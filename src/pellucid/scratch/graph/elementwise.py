"""Elementwise function: each output depends on the input at its own place.

Formula:
    y_i = f(x_i),  dx_i = dy_i f'(x_i)

Derivation:
    ∂y_i/∂x_j is f'(x_i) for i = j and 0 otherwise: the Jacobian is diagonal. The product of dy with a diagonal
    matrix is a product entry by entry, so the matrix is never written down.

Source: CS231n, lecture 4, "Vector derivatives".
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import DataError

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Elementwise:
    """A function of numbers, with its derivative by hand.

    Attributes:
        name: as it is written.
        value, derivative: of arrays of any shape, entry by entry.
        domain: where the function is defined, in words.
        inside: the same as a test of each entry; none where it is defined everywhere.
    """

    name: str
    value: Function
    derivative: Function
    domain: str = "all x"
    inside: Function | None = None

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values f(x), and x for backward.

        Raises:
            DataError: an entry lies outside the domain.
        """
        if self.inside is not None and not np.all(fine := self.inside(x)):
            raise DataError(f"{self.name} is defined for {self.domain}, got {_first(x, ~fine)}.")
        return np.asarray(self.value(x)), x

    def backward(self, dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
        """Gradient dout · f'(x).

        Raises:
            DataError: the derivative is infinite or undefined at an entry, as that of a square root at 0.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.asarray(self.derivative(cache))
        if not np.all(fine := np.isfinite(slope)):
            raise DataError(f"{self.name} has no finite derivative at {_first(cache, ~fine)}.")
        return dout * slope


def _first(x: np.ndarray, wrong: np.ndarray) -> str:
    """The first entry that is wrong, and where it is if there are several."""
    place = tuple(map(int, np.argwhere(wrong)[0]))
    return f"x = {x[place]:g}" + (f" at index {place}" if x.ndim else "")
