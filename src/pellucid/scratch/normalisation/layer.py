"""Layer norm: every sample standardised over its own features.

Formula:
    μ_n = Σ_d x_nd / D,  σ²_n = Σ_d (x_nd - μ_n)² / D,  y_nd = γ_d (x_nd - μ_n) / √(σ²_n + ε) + β_d

Derivation:
    It is batch norm turned by 90 degrees, but for γ and β, which stay one number a feature. So they differ inside a
    set, and the gradient enters the formula of `standardise` as g = γ dy, with r = 1/√(σ² + ε):
        dx = r g - r³ (x - μ) mean_d(g (x - μ)) - r mean_d(g)
        dγ_d = Σ_n dy_nd x̂_nd,  dβ_d = Σ_n dy_nd
    The sums are products with vectors: with P = dy (x - μ), entry by entry, Σ_d g (x - μ) = P γ, Σ_d g = dy γ and
    dγ = Pᵀ r. And dx of a sample is a product too, of the three numbers r, -r³ mean_d(g (x - μ)) and -r mean_d(g) with
    the three rows g, x - μ and 1. Samples do not mix, so training and test are the same.
    In a text every word is a sample: all axes of x but the last count samples.

Source: Ba, Kiros and Hinton, "Layer Normalization", 2016; CS231n, assignment 2.
"""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.normalisation.rows import block_height, blocks, broadcasting, mean_type, row_moments
from pellucid.scratch.normalisation.standardise import EPSILON, check_parameters, through_statistics


class LayerCache(NamedTuple):
    """What backward needs: x (R, D), its mean and 1 / √(σ² + ε) (R,), and gamma (D,); R counts samples."""

    x: np.ndarray
    mean: np.ndarray
    rstd: np.ndarray
    gamma: np.ndarray


def layernorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, ln_param: dict[str, Any]
) -> tuple[np.ndarray, LayerCache]:
    """Outputs of the shape of x, standardised along its last axis.

    Args:
        x: (..., D) inputs of any rank: (N, D) as in the course, (N, T, D) in an attention block.
        gamma, beta: (D,) scale and shift.
        ln_param: "eps" (1e-5).

    Raises:
        DataError: the shapes do not fit each other.
    """
    if x.ndim < 1:
        raise DataError("layernorm: x must be (..., D), got a single number.")
    d = x.shape[-1]
    check_parameters("layernorm", x, gamma, beta, f"{d} features", ((d,),))
    rows = x.reshape(prod(x.shape[:-1]), d)  # (R, D)
    eps = float(ln_param.get("eps", EPSILON))
    out = np.empty(rows.shape, mean_type(x))
    mean, rstd = np.empty(len(rows), out.dtype), np.empty(len(rows), out.dtype)
    with broadcasting(d):
        for part in blocks(*rows.shape):
            mean[part], var, y = row_moments(rows[part], out[part])
            rstd[part] = 1.0 / np.sqrt(var + eps)
            y *= rstd[part, None]
            y *= gamma
            y += beta
    return out.reshape(x.shape), LayerCache(rows, mean, rstd, gamma)


def layernorm_backward(dout: np.ndarray, cache: LayerCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (..., D), dgamma (D,) and dbeta (D,) from dout (..., D)."""
    x, mean, rstd, gamma = cache
    dy, d = dout.reshape(x.shape), len(gamma)  # (R, D)
    dx, dgamma, dbeta = np.empty(x.shape, dy.dtype), np.zeros(d, dy.dtype), np.zeros(d, dy.dtype)
    height = block_height(*x.shape)
    terms, scratch = np.ones((3, height, d), dy.dtype), np.empty((height, d), dy.dtype)
    with broadcasting(d):
        for part in blocks(*x.shape):
            r = rstd[part]
            three = terms[:, : len(r)]
            np.multiply(dy[part], gamma, out=three[0])  # g
            np.subtract(x[part], mean[part, None], out=three[1])  # x - μ; the third stays 1
            product = np.multiply(dy[part], three[1], out=scratch[: len(r)])
            s, t = dy[part] @ gamma, product @ gamma  # Σ g, Σ g (x - μ)
            dbeta += np.ones_like(r) @ dy[part]
            dgamma += r @ product
            factors = np.stack([r, *through_statistics(s, t, r, (), d)], axis=1)  # (rows, 3)
            np.vecmat(factors, three.swapaxes(0, 1), out=dx[part])
    return dx.reshape(dout.shape), dgamma, dbeta
