"""Feed-forward part of a Transformer block: at every place by itself, up, ReLU, and down again.

Formula:
    y = max(0, x W₁ + b₁) W₂ + b₂,  x (N, T, D), W₁ (D, F), W₂ (F, D)

Derivation:
    Attention mixes places and is linear in its values; this part mixes features and bends. All places share its
    weights. With u = x W₁ + b₁ and h = max(0, u), backward is that of a two-layer net:
        dh = dy W₂ᵀ,  du = dh where u > 0, else 0,  dx = du W₁ᵀ
    The paper takes F = 4 D: D = 512 and F = 2048 are 2 · 512 · 2048 + 2048 + 512 = 2,099,712 parameters.

Source: Vaswani et al., "Attention is all you need", 2017, section 3.3.
"""

from typing import NamedTuple

import numpy as np

from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.layers.temporal import temporal_affine_backward, temporal_affine_forward

Affine = tuple[np.ndarray, np.ndarray, np.ndarray]


class Cache(NamedTuple):
    """What backward needs."""

    up: Affine
    relu: np.ndarray
    down: Affine


def feed_forward_forward(
    x: np.ndarray, w1: np.ndarray, b1: np.ndarray, w2: np.ndarray, b2: np.ndarray
) -> tuple[np.ndarray, Cache]:
    """Outputs (N, T, D).

    Args:
        x: (N, T, D) inputs.
        w1, b1: (D, F) and (F,), up.
        w2, b2: (F, D) and (D,), down.

    Returns:
        out (N, T, D), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    u, up = temporal_affine_forward(x, w1, b1)
    h, relu = relu_forward(u)
    out, down = temporal_affine_forward(h, w2, b2)
    return out, Cache(up, relu, down)


def feed_forward_backward(
    dout: np.ndarray, cache: Cache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, T, D), dw1, db1, dw2 and db2 from dout (N, T, D)."""
    dh, dw2, db2 = temporal_affine_backward(dout, cache.down)
    du = relu_backward(dh, cache.relu)
    dx, dw1, db1 = temporal_affine_backward(du, cache.up)
    return dx, dw1, db1, dw2, db2
