"""Add and norm: what a part of a block computes is added to its input, with a layer norm after or before.

Formula:
    post-norm, as in the paper:   y = LN(x + f(x))
    pre-norm:                     y = x + f(LN(x))

Derivation:
    x reaches y by two paths, so its gradients add:
        post-norm:  ds = gradient of LN at s = x + f(x);    dx = ds + fᵀ ds
        pre-norm:   dx = dy + gradient of LN of (fᵀ dy)
    (fᵀ dy: what the backward of f makes of dy). With pre-norm, dy itself arrives at x, however many blocks there are,
    as in a residual network; with post-norm every norm rescales it, and deep stacks need a warm-up to start.

Source: Vaswani et al., "Attention is all you need", 2017; Xiong et al., "On layer normalization in the Transformer
    architecture", 2020.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pellucid.scratch.normalisation.layer import layernorm_backward, layernorm_forward

Part = Callable[[np.ndarray], tuple[np.ndarray, Any]]
PartBackward = Callable[[np.ndarray, Any], tuple[np.ndarray, Any]]


class Cache(NamedTuple):
    """What backward needs."""

    pre_norm: bool
    norm: Any
    part: Any


def residual_forward(
    x: np.ndarray, part: Part, gamma: np.ndarray, beta: np.ndarray, pre_norm: bool = False
) -> tuple[np.ndarray, Cache]:
    """A part of a block with the way around it, and its norm.

    Args:
        x: (N, T, D) inputs.
        part: f, takes (N, T, D) and returns as much, and a cache.
        gamma, beta: (D,) of the layer norm.
        pre_norm: where the norm stands.

    Returns:
        out (N, T, D), and what backward needs.
    """
    if pre_norm:
        normed, norm = layernorm_forward(x, gamma, beta, {})
        out, kept = part(normed)
        return x + out, Cache(True, norm, kept)
    out, kept = part(x)
    normed, norm = layernorm_forward(x + out, gamma, beta, {})
    return normed, Cache(False, norm, kept)


def residual_backward(
    dout: np.ndarray, part_backward: PartBackward, cache: Cache
) -> tuple[np.ndarray, Any, np.ndarray, np.ndarray]:
    """Gradients dx (N, T, D), whatever else the part's backward returns, dgamma and dbeta.

    Args:
        dout: (N, T, D).
        part_backward: takes a gradient and the part's cache, returns the gradient of its input and one thing more.
        cache: from `residual_forward`.
    """
    if cache.pre_norm:
        dnormed, more = part_backward(dout, cache.part)
        dx, dgamma, dbeta = layernorm_backward(dnormed, cache.norm)
        return dout + dx, more, dgamma, dbeta
    dsum, dgamma, dbeta = layernorm_backward(dout, cache.norm)
    dx, more = part_backward(dsum, cache.part)
    return dsum + dx, more, dgamma, dbeta
