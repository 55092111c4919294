"""Sandwiches: layers that often come one after the other, as one forward and one backward.

Formula:
    affine_relu      relu(affine(x))           conv_relu       relu(conv(x))
    affine_bn_relu   relu(bn(affine(x)))       conv_bn_relu    relu(bn(conv(x)))
    affine_ln_relu   relu(ln(affine(x)))       conv_relu_pool  pool(relu(conv(x)))

Derivation:
    The chain rule for y = h(g(f(x))): dx = f'ᵀ g'ᵀ h'ᵀ dy, so the backwards run in the opposite order, each with the
    cache of its own forward. Nothing else is needed, and the cache of a sandwich is the caches of its layers.
    Before a normalisation that takes off the mean of the batch, the bias b has no effect, and its gradient is 0.

Source: CS231n, assignments 1 and 2 (`layer_utils.py`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.convolution.fast import conv_backward_fast, conv_forward_fast
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.normalisation.batch import batchnorm_backward_alt, batchnorm_forward
from pellucid.scratch.normalisation.layer import layernorm_backward, layernorm_forward
from pellucid.scratch.normalisation.spatial_batch import spatial_batchnorm_backward, spatial_batchnorm_forward
from pellucid.scratch.pooling.max import max_pool_backward_fast, max_pool_forward_fast

Cache = tuple[Any, ...]
ThreeGradients = tuple[np.ndarray, np.ndarray, np.ndarray]
FiveGradients = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def affine_relu_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Cache]:
    """Outputs (N, M) of x (N, d1, ..., dk), w (D, M) and b (M,), and what backward needs."""
    a, affine = affine_forward(x, w, b)
    out, relu = relu_forward(a)
    return out, (affine, relu)


def affine_relu_backward(dout: np.ndarray, cache: Cache) -> ThreeGradients:
    """Gradients dx, dw and db from dout (N, M)."""
    affine, relu = cache
    da = relu_backward(dout, relu)
    return affine_backward(da, affine)


def affine_bn_relu_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict[str, Any]
) -> tuple[np.ndarray, Cache]:
    """Outputs (N, M) of x (N, d1, ..., dk), w (D, M), b, gamma and beta (M,), and what backward needs.

    `bn_param` is that of `batchnorm_forward`, which keeps its running statistics in it.
    """
    a, affine = affine_forward(x, w, b)
    normed, bn = batchnorm_forward(a, gamma, beta, bn_param)
    out, relu = relu_forward(normed)
    return out, (affine, bn, relu)


def affine_bn_relu_backward(dout: np.ndarray, cache: Cache) -> FiveGradients:
    """Gradients dx, dw, db, dgamma and dbeta from dout (N, M)."""
    affine, bn, relu = cache
    da, dgamma, dbeta = batchnorm_backward_alt(relu_backward(dout, relu), bn)
    dx, dw, db = affine_backward(da, affine)
    return dx, dw, db, dgamma, dbeta


def affine_ln_relu_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ln_param: dict[str, Any]
) -> tuple[np.ndarray, Cache]:
    """Outputs (N, M) of x (N, d1, ..., dk), w (D, M), b, gamma and beta (M,), and what backward needs.

    `ln_param` is that of `layernorm_forward`.
    """
    a, affine = affine_forward(x, w, b)
    normed, ln = layernorm_forward(a, gamma, beta, ln_param)
    out, relu = relu_forward(normed)
    return out, (affine, ln, relu)


def affine_ln_relu_backward(dout: np.ndarray, cache: Cache) -> FiveGradients:
    """Gradients dx, dw, db, dgamma and dbeta from dout (N, M)."""
    affine, ln, relu = cache
    da, dgamma, dbeta = layernorm_backward(relu_backward(dout, relu), ln)
    dx, dw, db = affine_backward(da, affine)
    return dx, dw, db, dgamma, dbeta


def conv_relu_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: Mapping[str, Any]
) -> tuple[np.ndarray, Cache]:
    """Outputs (N, F, H', W') of x (N, C, H, W), w (F, C, HH, WW) and b (F,), and what backward needs.

    `conv_param` is that of `conv_forward_naive`: "stride" and "pad".
    """
    a, conv = conv_forward_fast(x, w, b, conv_param)
    out, relu = relu_forward(a)
    return out, (conv, relu)


def conv_relu_backward(dout: np.ndarray, cache: Cache) -> ThreeGradients:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    conv, relu = cache
    da = relu_backward(dout, relu)
    return conv_backward_fast(da, conv)


def conv_bn_relu_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    conv_param: Mapping[str, Any],
    bn_param: dict[str, Any],
) -> tuple[np.ndarray, Cache]:
    """Outputs (N, F, H', W') of x (N, C, H, W), w (F, C, HH, WW), b, gamma and beta (F,), and what backward needs.

    `conv_param` is that of `conv_forward_naive`, `bn_param` that of `spatial_batchnorm_forward`, which keeps its
    running statistics in it.
    """
    a, conv = conv_forward_fast(x, w, b, conv_param)
    normed, bn = spatial_batchnorm_forward(a, gamma, beta, bn_param)
    out, relu = relu_forward(normed)
    return out, (conv, bn, relu)


def conv_bn_relu_backward(dout: np.ndarray, cache: Cache) -> FiveGradients:
    """Gradients dx, dw, db, dgamma and dbeta from dout (N, F, H', W')."""
    conv, bn, relu = cache
    da, dgamma, dbeta = spatial_batchnorm_backward(relu_backward(dout, relu), bn)
    dx, dw, db = conv_backward_fast(da, conv)
    return dx, dw, db, dgamma, dbeta


def conv_relu_pool_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: Mapping[str, Any], pool_param: Mapping[str, Any]
) -> tuple[np.ndarray, Cache]:
    """Outputs (N, F, H'', W'') of x (N, C, H, W), w (F, C, HH, WW) and b (F,), and what backward needs.

    `conv_param` is that of `conv_forward_naive`, `pool_param` that of `max_pool_forward_naive`.
    """
    a, conv = conv_forward_fast(x, w, b, conv_param)
    rectified, relu = relu_forward(a)
    out, pool = max_pool_forward_fast(rectified, pool_param)
    return out, (conv, relu, pool)


def conv_relu_pool_backward(dout: np.ndarray, cache: Cache) -> ThreeGradients:
    """Gradients dx, dw and db from dout (N, F, H'', W'')."""
    conv, relu, pool = cache
    da = relu_backward(max_pool_backward_fast(dout, pool), relu)
    return conv_backward_fast(da, conv)
