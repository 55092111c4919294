"""Swish: x times its own sigmoid, a smooth ReLU whose sharpness β may be learnt.

Formula:
    f(x) = x σ(β x)
    ∂f/∂x = σ + β f (1 − σ),  ∂f/∂β = x f (1 − σ),  with σ = σ(β x)

Derivation:
    By the product rule, with σ' = σ (1 − σ): ∂f/∂x = σ + x β σ (1 − σ), where x σ = f. In the same way
    ∂f/∂β = x · x σ (1 − σ) = x f (1 − σ), summed over all entries, which share β.
    β = 0 gives x/2, a line; β → ∞ gives the ReLU; β = 1 is also called SiLU. Left of about −1.28/β it rises again:
    not monotone, but no unit dies at once.

Source: Ramachandran, Zoph and Le, "Searching for Activation Functions", 2017.
"""

import numpy as np

from pellucid.scratch.activations.sigmoid import sigmoid

Cache = tuple[np.ndarray, np.ndarray | float, np.ndarray, np.ndarray]


def swish_forward(x: np.ndarray, beta: np.ndarray | float = 1.0) -> tuple[np.ndarray, Cache]:
    """Outputs of the shape of `x`, and what backward needs.

    Args:
        x: inputs of any shape.
        beta: one number for all entries; an array of shape () or (1,) if it is learnt.
    """
    gate = sigmoid(beta * x)
    out = x * gate
    return out, (x, beta, gate, out)


def swish_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients dx, of the shape of `x`, and dbeta, of the shape of `beta`."""
    x, beta, gate, out = cache
    bent = dout * out * (1 - gate)
    dx = dout * gate + beta * bent
    dbeta = np.sum(x * bent).reshape(np.shape(beta))
    return dx, dbeta
