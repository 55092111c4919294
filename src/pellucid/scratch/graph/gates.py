"""Gates: what the common nodes do to a gradient that comes down.

Formula:
    add      distributor:  dx = dy,  for every input
    multiply switcher:     dx₁ = dy · x₂,  dx₂ = dy · x₁
    max      router:       all of dy to the larger input, nothing to the other; on a tie to the first
    branch   sum:          dx = dy₁ + dy₂, over all that use x
    sigmoid:               dx = dy · σ (1 - σ)

Derivation:
    ∂(x₁+x₂)/∂x₁ = 1; ∂(x₁x₂)/∂x₁ = x₂; max(x₁, x₂) is x₁ where x₁ > x₂ and has slope 1 there, 0 in the other input.
    At x₁ = x₂ it has a kink: any share α to the first and 1 - α to the second is a subgradient; here α = 1.
    σ = 1/(1 + e⁻ˣ) gives σ' = e⁻ˣ/(1 + e⁻ˣ)² = ((1 + e⁻ˣ - 1)/(1 + e⁻ˣ)) · 1/(1 + e⁻ˣ) = (1 - σ) σ. As one node it
    costs one product going down; as negate, exp, + 1, 1/x it costs four, and the same number comes out.

Source: CS231n, lecture 4, "Patterns in gradient flow".
"""

from typing import Any

import numpy as np

from pellucid.scratch.activations.sigmoid import sigmoid_backward, sigmoid_forward
from pellucid.scratch.graph.broadcast import unbroadcast
from pellucid.scratch.graph.functions.powers import reciprocal
from pellucid.scratch.graph.node import Node, apply
from pellucid.scratch.graph.operation import Pair

Cache = tuple[np.ndarray, tuple[int, ...], tuple[int, ...]]


def maximum_forward(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Cache]:
    """The larger of x and y, entry by entry, for shapes that broadcast."""
    return np.maximum(x, y), (x >= y, x.shape, y.shape)


def maximum_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray]:
    """All of the gradient to the larger one, on a tie to the first."""
    first, x_shape, y_shape = cache
    return unbroadcast(dout * first, x_shape), unbroadcast(dout * ~first, y_shape)


_maximum = Pair("max", maximum_forward, maximum_backward)
_sigmoid = Pair("σ", sigmoid_forward, sigmoid_backward)


def maximum(x: Any, y: Any) -> Node:
    """The router; `maximum(0, x)` is a ReLU: at x = 0 the first, the zero, gets the gradient."""
    return apply(_maximum, x, y)


def sigmoid(x: Node) -> Node:
    """The sigmoid as one node."""
    return apply(_sigmoid, x)


def sigmoid_of_primitives(x: Node) -> Node:
    """The sigmoid as four: change the sign, take exp, add 1, take one over it. Overflows below about -700."""
    return apply(reciprocal(1), (-x).exp() + 1)
