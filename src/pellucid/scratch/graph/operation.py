"""Operation: one step of a computation that knows its own derivative.

Formula:
    forward:   y, cache = f(x₁, ..., x_k)
    backward:  dx_i = Σ_m dy_m ∂y_m/∂x_i  for each input

Derivation:
    Backpropagation asks two things of a step: its value, and, once dy = ∂L/∂y is known, the ∂L/∂x_i. By the chain
    rule the second needs nothing but dy and the local derivatives ∂y/∂x_i, so a step may be as small as a sum of
    two numbers or as large as a layer: where the borders run does not change the product of the factors.
    What backward needs of forward travels in `cache`, not in the operation, so one operation serves many nodes.

Source: CS231n, lecture 4, "Modularized implementation: forward / backward API".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class Operation(Protocol):
    """What a node of the graph is computed by.

    `forward(*arrays) -> (array, cache)`; `backward(dout, cache)` returns one gradient, or a tuple of one for each
    argument of `forward`.
    """

    @property
    def name(self) -> str:
        """A sign or a word, for drawings and messages."""

    @property
    def forward(self) -> Callable[..., tuple[np.ndarray, Any]]:
        """The value and what backward needs."""

    @property
    def backward(self) -> Callable[..., Any]:
        """The gradients of the arguments."""


@dataclass(frozen=True)
class Pair:
    """An operation made of two functions: `Pair("affine", affine_forward, affine_backward)` makes a layer a node."""

    name: str
    forward: Callable[..., tuple[np.ndarray, Any]]
    backward: Callable[..., Any]
