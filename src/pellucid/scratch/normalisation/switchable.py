"""Switchable norm: a learnt mixture of instance, layer and batch statistics.

Formula:
    μ = Σ_k p_k μ_k,  σ² = Σ_k q_k σ²_k,  k = instance, layer, batch,  y = γ_c (x - μ) / √(σ² + ε) + β_c
    p = softmax(w_mean),  q = softmax(w_var)

Derivation:
    All three come from mean m and variance v of each row, the places of one channel in one sample (N, C):
        instance  m, v        layer  M = mean_c(m), mean_c(v + (m - M)²)        batch  the same with mean_n
    With s = Σ dy and t = Σ dy (x - μ) of each row, and r = 1/√(σ² + ε):
        dμ = -γ r s,  dσ² = -½ γ r³ t,  dp_k = Σ dμ μ_k,  dq_k = Σ dσ² σ²_k,  dw_k = p_k (dp_k - Σ_j p_j dp_j)
    Back to the rows, a mean hands on the mean of what came to it, and M drops out of σ² because Σ (m - M) = 0:
        dm = p₁ dμ + Σ_{k=2,3} p_k mean_k(dμ) + q_k mean_k(dσ²) 2 (m - M_k)
        dv = q₁ dσ² + Σ_{k=2,3} q_k mean_k(dσ²)
    and to the places, S of them in a row: dx = γ r dy + dm / S + dv 2 (x - m) / S.
    The weights must sum to 1: with variance weights .01, .02, .05 the divisor is √.08 of what it should be.

Source: Luo et al., "Differentiable Learning-to-Normalize via Switchable Normalization", 2018.
"""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.normalisation.rows import combine, mean_type, row_moments, row_sums, scale_and_shift
from pellucid.scratch.normalisation.running import running_statistics, update_running, uses_batch
from pellucid.scratch.normalisation.standardise import EPSILON, average, check_parameters, pool_moments

LAYER = "switchnorm"
SAMPLE, CHANNEL = (0,), (1,)  # axes of the rows (N, C)


class Mixture(NamedTuple):
    """Statistics of the rows (N, C), all of a shape that fits it, in the order instance, layer, batch."""

    means: tuple[np.ndarray, np.ndarray, np.ndarray]
    variances: tuple[np.ndarray, np.ndarray, np.ndarray]
    mu: np.ndarray  # (N, C)
    rstd: np.ndarray  # (N, C)


class SwitchCache(NamedTuple):
    """What backward needs; `by_batch` says whether the batch statistics were the batch's own."""

    x: np.ndarray  # (N, C, S)
    mixture: Mixture
    gamma: np.ndarray
    p: np.ndarray
    q: np.ndarray
    by_batch: bool


def switchable_norm(
    x: np.ndarray,
    gamma: np.ndarray | float,
    beta: np.ndarray | float,
    w_mean: np.ndarray | list[float],
    w_var: np.ndarray | list[float],
    eps: float = EPSILON,
) -> np.ndarray:
    """The formula alone, with weights as they are given: outputs (N, C, ...).

    Args:
        x: (N, C, ...) inputs.
        gamma, beta: a number, or (C,).
        w_mean, w_var: three weights each, of instance, layer and batch; each three should sum to 1.
        eps: added to the variance.

    Raises:
        DataError: the shapes do not fit each other.
    """
    p, q = (np.asarray(w, dtype=mean_type(x)) for w in (w_mean, w_var))
    rows = _rows(x, p, q)
    c = x.shape[1]
    gamma, beta = (np.full(c, v, dtype=mean_type(x)) if np.ndim(v) == 0 else np.asarray(v) for v in (gamma, beta))
    check_parameters(LAYER, x, gamma, beta, f"{c} channels", ((c,),))
    mean, var, centred = _moments(rows)
    mixture = _mix(mean, var, pool_moments(mean, var, SAMPLE), p, q, eps)
    return _apply(centred, mixture, gamma, beta).reshape(x.shape)


def switchnorm_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    w_mean: np.ndarray,
    w_var: np.ndarray,
    sn_param: dict[str, Any],
) -> tuple[np.ndarray, SwitchCache]:
    """Outputs of the shape of x, the weights softmaxed.

    Args:
        x: (N, C, ...) inputs.
        gamma, beta: (C,) scale and shift.
        w_mean, w_var: (3,) weights before their softmax, of instance, layer and batch.
        sn_param: as `bn_param` of `batchnorm_forward`; in mode "test" the batch's part comes from running statistics.

    Raises:
        ConfigError: the mode or the convention is unknown.
        DataError: the shapes do not fit each other.
    """
    p, q = _softmax(w_mean), _softmax(w_var)
    rows = _rows(x, p, q)
    n, c, size = rows.shape
    check_parameters(LAYER, x, gamma, beta, f"{c} channels", ((c,),))
    mean, var, centred = _moments(rows)
    by_batch = uses_batch(LAYER, sn_param)
    if by_batch:
        batch = pool_moments(mean, var, SAMPLE)  # (1, C) each
        update_running(LAYER, sn_param, batch[0][0], batch[1][0], n * size)
    else:
        batch = running_statistics(LAYER, sn_param, c, mean_type(x))
    mixture = _mix(mean, var, batch, p, q, sn_param.get("eps", EPSILON))
    out = _apply(centred, mixture, gamma, beta)
    return out.reshape(x.shape), SwitchCache(rows, mixture, gamma, p, q, by_batch)


def switchnorm_backward(
    dout: np.ndarray, cache: SwitchCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, C, ...), dgamma (C,), dbeta (C,), dw_mean (3,) and dw_var (3,) from dout (N, C, ...)."""
    x, (means, variances, mu, rstd), gamma, p, q, by_batch = cache
    shape, size = x.shape[:2], x.shape[2]
    rows, dy = (a.reshape(prod(shape), size) for a in (x, dout))  # (N·C, S)
    s, t = (sums.reshape(shape) for sums in row_sums(dy, rows))  # (N, C)
    t -= mu * s  # Σ dy (x - μ)
    scale = gamma * rstd
    dmu, dvar = -scale * s, -0.5 * scale * rstd * rstd * t
    dp = np.stack([(dmu * mean).sum() for mean in means])
    dq = np.stack([(dvar * variance).sum() for variance in variances])
    row_dmean, row_dvar = p[0] * dmu, q[0] * dvar
    for k, axes in ((1, CHANNEL), (2, SAMPLE))[: 1 + by_batch]:  # running statistics are constants
        shared = q[k] * average(dvar, axes)
        row_dvar = row_dvar + shared
        row_dmean = row_dmean + p[k] * average(dmu, axes) + 2 * shared * (means[0] - means[k])
    slope, constant = 2 * row_dvar / max(size, 1), row_dmean / max(size, 1)
    dx = combine(dy, scale.ravel(), rows, slope.ravel(), (constant - slope * means[0]).ravel())
    dw_mean, dw_var = p * (dp - p @ dp), q * (dq - q @ dq)
    return dx.reshape(dout.shape), (t * rstd).sum(axis=0), s.sum(axis=0), dw_mean, dw_var


def _rows(x: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    if x.ndim < 3:
        raise DataError(f"{LAYER}: x must be (N, C, ...), got {x.shape}.")
    if p.shape != (3,) or q.shape != (3,):
        raise DataError(f"{LAYER}: w_mean and w_var must be (3,): instance, layer, batch; got {p.shape} and {q.shape}.")
    return x.reshape(x.shape[0], x.shape[1], prod(x.shape[2:]))  # (N, C, S)


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (N, C) and variance (N, C) of the rows of x (N, C, S), and x minus that mean (N·C, S)."""
    shape, size = x.shape[:2], x.shape[2]
    mean, var, centred = row_moments(x.reshape(prod(shape), size))
    return mean.reshape(shape), var.reshape(shape), centred


def _mix(
    mean: np.ndarray,
    var: np.ndarray,
    batch: tuple[np.ndarray, np.ndarray],
    p: np.ndarray,
    q: np.ndarray,
    eps: float,
) -> Mixture:
    layer = pool_moments(mean, var, CHANNEL)  # (N, 1) each
    means, variances = (mean, layer[0], batch[0]), (var, layer[1], batch[1])
    mu = p[0] * means[0] + p[1] * means[1] + p[2] * means[2]
    mixed = q[0] * variances[0] + q[1] * variances[1] + q[2] * variances[2]
    return Mixture(means, variances, mu, 1.0 / np.sqrt(mixed + float(eps)))


def _apply(centred: np.ndarray, mixture: Mixture, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Turn x minus the mean of its row (N·C, S) into the outputs, in place."""
    scale = gamma * mixture.rstd  # (N, C)
    scale_and_shift(centred, scale.ravel(), (scale * (mixture.means[0] - mixture.mu) + beta).ravel())
    return centred


def _softmax(w: np.ndarray) -> np.ndarray:
    e = np.exp(w - np.max(w))
    return np.asarray(e / e.sum())
