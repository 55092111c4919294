"""Standardise: subtract a mean, divide by a standard deviation, then scale and shift every channel.

Formula:
    x̂ = (x - μ) / √(σ² + ε),  y = γ x̂ + β,  μ and σ² over the m numbers of a set

Derivation:
    Batch, instance and group norm differ only in the sets. Each set is made of rows, the S places of one channel in
    one sample, so mean and variance come from those of the R rows of the set (total variance = inside + between):
        μ = Σ μ_row / R,  σ² = Σ (σ²_row + (μ_row - μ)²) / R
    Backward, with g = ∂L/∂y γ and r = 1/√(σ² + ε), three ways lead from x to the loss:
        through x̂ itself     r g
        through σ²           ∂L/∂σ² = -½ r³ Σ g (x - μ),  ∂σ²/∂x = 2 (x - μ) / m
        through μ            ∂L/∂μ = -r Σ g,  ∂μ/∂x = 1 / m   (σ² does not see μ: Σ (x - μ) = 0)
    Their sum is, with means over the set,
        dx = r g - r³ (x - μ) mean(g (x - μ)) - r mean(g)
    Along a row γ is constant, so this is a line in dy and x, and its three numbers come from two sums a row, Σ dy and
    Σ dy x, as Σ dy (x - μ) = Σ dy x - μ Σ dy: the passes over the data are those of `rows`.

Source: Ioffe and Szegedy, "Batch Normalization", 2015; Wu and He, "Group Normalization", 2018, for the family.
"""

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.normalisation.rows import (
    BLOCK,
    blocks,
    combine,
    mean_type,
    row_moments,
    row_sums,
    scale_and_shift,
)

Axes = tuple[int, ...]
EPSILON = 1e-5


class Standardised(NamedTuple):
    """What backward needs. A row is one (N, G, K): sample, group, channel in the group.

    Attributes:
        x: (N, G, K, S) the inputs.
        mean, var, rstd: mean, variance and 1 / √(σ² + ε) of each set, of a shape that fits (N, G, K).
        gamma: (G, K) scale.
        axes: of (N, G, K), those that one set runs along; None where mean and variance were given from outside.
    """

    x: np.ndarray
    mean: np.ndarray
    var: np.ndarray
    rstd: np.ndarray
    gamma: np.ndarray
    axes: Axes | None


def standardise_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, axes: Axes, eps: float = EPSILON
) -> tuple[np.ndarray, Standardised]:
    """Outputs (N, G, K, S) with the statistics of the sets themselves.

    Args:
        x: (N, G, K, S) inputs.
        gamma, beta: (G, K) scale and shift.
        axes: (0,) for batch norm, (2,) for group norm, () where each row is a set, as in instance norm.
        eps: added to the variance.
    """
    out = np.empty(x.shape, mean_type(x))
    mean = np.empty([1 if axis in axes else length for axis, length in enumerate(x.shape[:-1])], out.dtype)
    var, rstd = np.empty_like(mean), np.empty_like(mean)
    _, g, k, size = x.shape
    whole = (g, 1, k * size) if 2 in axes else (g, k, size)  # channels of a set follow each other: one long row
    for part in apart(x, axes):
        shape = x[part].shape[:-1]
        rows = x[part].reshape(shape[0], *whole)
        row_mean, row_var, _ = row_moments(as_rows(rows), as_rows(out[part].reshape(rows.shape)))
        row_mean = row_mean.reshape(rows.shape[:-1])
        mean[part], var[part] = pool_moments(row_mean, row_var.reshape(rows.shape[:-1]), axes)
        rstd[part] = 1.0 / np.sqrt(var[part] + float(eps))
        scale = np.broadcast_to(gamma * rstd[part], shape)
        scale_and_shift(as_rows(out[part]), scale.ravel(), (scale * (row_mean - mean[part]) + beta).ravel())
    return out, Standardised(x, mean, var, rstd, gamma, axes)


def standardise_given(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float = EPSILON
) -> tuple[np.ndarray, Standardised]:
    """The same with a mean and a variance (G, K) from outside, as batch norm does in test mode."""
    shape = x.shape[:-1]
    rstd = 1.0 / np.sqrt(var + float(eps))
    out = x - mean[..., None]
    scale, shift = np.broadcast_to(gamma * rstd, shape), np.broadcast_to(beta, shape)
    scale_and_shift(as_rows(out), scale.ravel(), shift.ravel())
    return out, Standardised(x, mean, var, rstd, gamma, None)


def standardise_backward(dout: np.ndarray, cache: Standardised) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, G, K, S), dgamma and dbeta (G, K) from dout (N, G, K, S)."""
    x, mean, _, rstd, gamma, axes = cache
    dx = np.empty(dout.shape, dout.dtype)
    dgamma, dbeta = np.zeros_like(dout, shape=gamma.shape), np.zeros_like(dout, shape=gamma.shape)
    for part in apart(dout, axes):
        shape, dy, rows = dout[part].shape[:-1], as_rows(dout[part]), as_rows(x[part])
        s, t = (sums.reshape(shape) for sums in row_sums(dy, rows))
        t -= mean[part] * s  # Σ dy (x - μ)
        dgamma += (t * rstd[part]).sum(axis=0)
        dbeta += s.sum(axis=0)
        scale = gamma * rstd[part]
        if axes is None:  # nothing flows through a mean from outside
            return dout * scale[..., None], dgamma, dbeta
        slope, constant = through_statistics(gamma * s, gamma * t, rstd[part], axes, dout.shape[-1])
        constant = constant - slope * mean[part]
        scale, slope, constant = (np.broadcast_to(number, shape).ravel() for number in (scale, slope, constant))
        combine(dy, scale, rows, slope, constant, as_rows(dx[part]))
    return dx, dgamma, dbeta


def apart(x: np.ndarray, axes: Axes | None) -> Iterator[slice]:
    """Samples of x (N, G, K, S) that can be standardised by themselves: all, or a few where a set stays in its sample.

    What follows then finds them in the cache.
    """
    if axes is None or 0 in axes:
        yield slice(None)
    else:
        yield from blocks(len(x), prod(x.shape[1:]), 2 * BLOCK)


def as_rows(x: np.ndarray) -> np.ndarray:
    """The rows (N·G·K, S) of x (N, G, K, S)."""
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


def through_statistics(
    s: np.ndarray, t: np.ndarray, rstd: np.ndarray, axes: Axes, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """The part of dx that comes through σ² and μ, as `slope` and `constant` of slope · (x - μ) + constant.

    Args:
        s, t: Σ g and Σ g (x - μ) of each row.
        rstd: 1 / √(σ² + ε) of each set.
        axes: those that one set runs along.
        size: numbers in a row.
    """
    r = rstd / max(size, 1)
    return -r * average(t, axes) * rstd * rstd, -r * average(s, axes)


def pool_moments(mean: np.ndarray, var: np.ndarray, axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of sets made of rows of equal length, from those of the rows; `axes` are kept as 1."""
    pooled = average(mean, axes)
    return pooled, average(var + (mean - pooled) ** 2, axes)


def average(rows: np.ndarray, axes: Axes) -> np.ndarray:
    """The mean along `axes`, which are kept as 1; of nothing it is 0."""
    count = prod(rows.shape[axis] for axis in axes)
    return np.asarray(rows.sum(axis=axes, keepdims=True) / max(count, 1))


def check_parameters(
    layer: str, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, what: str, shapes: tuple[tuple[int, ...], ...]
) -> None:
    """Refuse a scale or shift that does not fit.

    Args:
        layer: for the message: "layernorm".
        x: the layer's input.
        gamma, beta: its scale and shift.
        what: what the axis in question holds, and how much of it: "3 channels".
        shapes: the shapes that fit.

    Raises:
        DataError: naming the shapes of both.
    """
    for name, parameter in (("gamma", gamma), ("beta", beta)):
        if np.shape(parameter) not in shapes:
            allowed = " or ".join(str(shape) for shape in shapes)
            got = np.shape(parameter)
            raise DataError(f"{layer}: x {x.shape} has {what}, so {name} must be {allowed}, got {got}.")
