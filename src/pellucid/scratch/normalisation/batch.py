"""Batch norm: every feature standardised over the batch, then scaled and shifted by learnt numbers.

Formula:
    μ = Σ_n x_n / N,  σ² = Σ_n (x_n - μ)² / N,  x̂ = (x - μ) / √(σ² + ε),  y = γ x̂ + β,  for each of D features

Derivation:
    By the graph, node by node from the loss, a sum wherever a number was used for the whole batch:
        x̂ = c i:          dc = dx̂ i,  di = Σ dx̂ c
        i = 1 / s:        ds = -di / s²
        s = √(σ² + ε):    dσ² = ds / (2 s)
        σ² = Σ c² / N:    dc += dσ² 2 c / N
        c = x - μ:        dx = dc,  dμ = -Σ dc
        μ = Σ x / N:      dx += dμ / N
    By hand: put dσ² = -½ Σ dx̂ c / s³ and dμ = -Σ dx̂ / s (the way over σ² cancels, as Σ c = 0) into the last lines,
    with c = s x̂:
        dx = (N dx̂ - Σ dx̂ - x̂ Σ dx̂ x̂) / (N s),  dx̂ = γ dy,  dγ = Σ dy x̂,  dβ = Σ dy
    The two subtracted terms are the parts of dx̂ along 1 and along x̂: a shift or a stretch of the whole batch
    changes nothing, so no gradient points there. In test mode μ and σ² are constants and dx = dx̂ / s.

Source: Ioffe and Szegedy, "Batch Normalization", 2015; CS231n, assignment 2.
"""

from typing import Any, NamedTuple

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.normalisation.columns import column_combine, column_line, column_moments, column_sums
from pellucid.scratch.normalisation.rows import mean_type
from pellucid.scratch.normalisation.running import running_statistics, update_running, uses_batch
from pellucid.scratch.normalisation.standardise import EPSILON, check_parameters

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


class BatchCache(NamedTuple):
    """What backward needs: x (N, D), its mean, √(σ² + ε) and gamma (D,).

    `by_batch` says whether mean and variance were the batch's own.
    """

    x: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    gamma: np.ndarray
    by_batch: bool


def batchnorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict[str, Any]
) -> tuple[np.ndarray, BatchCache]:
    """Outputs (N, D) of inputs (N, D).

    In mode "train" the batch's own statistics are used, and the running ones in `bn_param` brought up to date; in mode
    "test" the running ones are used. One sample in training has variance 0: out is beta and dx is 0, unless the
    convention is "torch", which refuses it. PyTorch's `affine=False` is gamma = 1 and beta = 0.

    Args:
        x: (N, D) inputs.
        gamma, beta: (D,) scale and shift.
        bn_param: "mode" is required; "eps" (1e-5), "momentum" (0.9; None for the plain mean of all batches),
            "convention" ("course", or "torch", see `running`), "track_running_stats" (True; else the batch's own are
            used in both modes), "running_mean" and "running_var" (D,), both set in training.

    Raises:
        ConfigError: the mode or the convention is unknown.
        DataError: the shapes do not fit each other.
    """
    if x.ndim != 2:
        raise DataError(f"batchnorm: x must be (N, D), got {x.shape}. For pictures use spatial_batchnorm_forward.")
    n, d = x.shape
    check_parameters("batchnorm", x, gamma, beta, f"{d} features", ((d,),))
    by_batch, kind = uses_batch("batchnorm", bn_param), mean_type(x)
    if by_batch:
        mean, var = column_moments(x)
        update_running("batchnorm", bn_param, mean, var, n)
    else:
        mean, var = running_statistics("batchnorm", bn_param, d, kind)
    std = np.sqrt(var + float(bn_param.get("eps", EPSILON)))
    # γ x̂ + β, with γ / s as one number a column, so that x is read once more only
    return column_line(x, mean, gamma / std, beta), BatchCache(x, mean, std, gamma, by_batch)


def batchnorm_backward(dout: np.ndarray, cache: BatchCache) -> Gradients:
    """Gradients dx (N, D), dgamma (D,) and dbeta (D,) from dout (N, D), step by step along the graph."""
    x, mean, std, gamma, by_batch = cache
    n = max(len(dout), 1)
    centred = x - mean
    xhat = centred / std
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dcentred = dxhat / std
    if not by_batch:
        return dcentred, dgamma, dbeta
    dinverse = (dxhat * centred).sum(axis=0)
    dstd = -dinverse / std**2
    dvar = dstd / (2 * std)
    dcentred += dvar * 2 * centred / n
    dmean = -dcentred.sum(axis=0)
    dx = dcentred + dmean / n
    return dx, dgamma, dbeta


def batchnorm_backward_alt(dout: np.ndarray, cache: BatchCache) -> Gradients:
    """The same gradients by the formula at the end of the derivation: two sums, one line."""
    x, mean, std, gamma, by_batch = cache
    n = max(len(dout), 1)
    dbeta, t = column_sums(dout, x, mean)  # t = Σ dy (x - μ)
    dgamma, scale = t / std, gamma / std
    if not by_batch:
        return dout * scale, dgamma, dbeta
    slope = -scale * dgamma / (n * std)  # as x̂ = (x - μ) / s, the formula is a line in dy and x
    return column_combine(dout, scale, x, slope, -scale * dbeta / n - slope * mean), dgamma, dbeta
