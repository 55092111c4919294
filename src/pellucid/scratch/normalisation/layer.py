"""Layer norm: every sample standardised over its own features.

Formula:
    μ_n = Σ_d x_nd / D,  σ²_n = Σ_d (x_nd - μ_n)² / D,  y_nd = γ_d (x_nd - μ_n) / √(σ²_n + ε) + β_d

Derivation:
    It is batch norm turned by 90 degrees, but for γ and β, which stay one number a feature. So they differ inside a
    set, and the gradient enters the formula of `standardise` as g = γ dy, with r = 1/√(σ² + ε):
        dx = r g - r³ (x - μ) mean_d(g (x - μ)) - r mean_d(g)
        dγ_d = Σ_n dy_nd x̂_nd,  dβ_d = Σ_n dy_nd
    The sums are products with vectors: with P = dy x, entry by entry, Σ_d g x = P γ, Σ_d g = dy γ and
    dγ = Pᵀ r - dyᵀ (r μ), as x - μ is taken apart under every sum. Samples do not mix, so training and test are the
    same. In a text every word is a sample: all axes of x but the last count samples.

Source: Ba, Kiros and Hinton, "Layer Normalization", 2016; CS231n, assignment 2.
"""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.normalisation.rows import blocks, broadcasting, row_moments
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
    mean, var, out = row_moments(rows)
    rstd = 1.0 / np.sqrt(var + float(ln_param.get("eps", EPSILON)))  # (R,)
    with broadcasting(d):
        for part in blocks(out):
            out[part] *= rstd[part, None]
            out[part] *= gamma
            out[part] += beta
    return out.reshape(x.shape), LayerCache(rows, mean, rstd, gamma)


def layernorm_backward(dout: np.ndarray, cache: LayerCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (..., D), dgamma (D,) and dbeta (D,) from dout (..., D)."""
    x, mean, rstd, gamma = cache
    dy = dout.reshape(x.shape)  # (R, D)
    dx, dgamma, dbeta = np.empty_like(dy), np.zeros_like(dy, shape=len(gamma)), np.zeros_like(dy, shape=len(gamma))
    with broadcasting(len(gamma)):
        for part in blocks(x):
            r, mu, product = rstd[part], mean[part], dy[part] * x[part]
            s, t = dy[part] @ gamma, product @ gamma  # Σ g, Σ g x
            dbeta += np.ones_like(r) @ dy[part]
            dgamma += r @ product - (r * mu) @ dy[part]
            slope, constant = through_statistics(s, t - mu * s, r, (), len(gamma))
            np.multiply(x[part], slope[:, None], out=dx[part])
            dx[part] += (constant - slope * mu)[:, None]
            direct = np.multiply(dy[part], gamma, out=product)
            direct *= r[:, None]
            dx[part] += direct
    return dx.reshape(dout.shape), dgamma, dbeta
