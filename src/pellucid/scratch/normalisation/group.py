"""Group norm: the channels of a sample in G groups, each standardised over its channels and places.

Formula:
    μ_ng over the (C/G) H W numbers of group g in sample n,  σ²_ng likewise,  y = γ_c (x - μ_ng) / √(σ²_ng + ε) + β_c

Derivation:
    It is `standardise` with the sets {channel in the group, h, w}; γ and β stay one number a channel, so inside a set
    they differ, and g = γ dy goes into its two sums. With G = 1 it is layer norm over (C, H, W), with G = C instance
    norm. No sample sees another, so a batch of one is as good as a large one, where batch norm suffers.

Source: Wu and He, "Group Normalization", 2018; CS231n, assignment 2.
"""

from math import prod
from typing import Any

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.normalisation.rows import mean_type
from pellucid.scratch.normalisation.standardise import (
    EPSILON,
    Standardised,
    check_parameters,
    standardise_backward,
    standardise_forward,
)

Cache = tuple[Standardised, tuple[int, ...]]


def spatial_groupnorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, G: int, gn_param: dict[str, Any]
) -> tuple[np.ndarray, Cache]:
    """Outputs of the shape of x.

    Args:
        x: (N, C, ...) inputs.
        gamma, beta: (1, C, 1, 1), as many ones as x has places, or (C,).
        G: groups; it divides C.
        gn_param: "eps" (1e-5).

    Raises:
        DataError: the shapes do not fit each other, or G does not divide C.
    """
    if x.ndim < 3:
        raise DataError(f"spatial_groupnorm: x must be (N, C, ...), got {x.shape}.")
    n, c, *places = x.shape
    check_parameters("spatial_groupnorm", x, gamma, beta, f"{c} channels", ((1, c, *(1 for _ in places)), (c,)))
    _check_groups(c, G)
    grouped = (G, c // G)
    rows = x.reshape(n, *grouped, prod(places))  # (N, G, C/G, S)
    eps = gn_param.get("eps", EPSILON)
    out, cache = standardise_forward(rows, gamma.reshape(grouped), beta.reshape(grouped), (2,), eps)
    return out.reshape(x.shape), (cache, gamma.shape)


def spatial_groupnorm_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, C, ...), dgamma and dbeta, shaped as gamma was, from dout (N, C, ...)."""
    standardised, shape = cache
    dx, dgamma, dbeta = standardise_backward(dout.reshape(standardised.x.shape), standardised)
    return dx.reshape(dout.shape), dgamma.reshape(shape), dbeta.reshape(shape)


def spatial_groupnorm_forward_naive(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, G: int, gn_param: dict[str, Any]
) -> np.ndarray:
    """The same outputs by loops over samples and groups: which numbers share a mean, in plain sight."""
    out, eps = np.empty(x.shape, mean_type(x)), float(gn_param.get("eps", EPSILON))
    k = x.shape[1] // G  # channels in a group
    a_channel = (k, *(1 for _ in x.shape[2:]))
    for n in range(x.shape[0]):
        for g in range(G):
            channels = slice(g * k, (g + 1) * k)
            part = x[n, channels]  # (C/G, ...)
            xhat = (part - part.mean()) / np.sqrt(part.var() + eps)
            scale, shift = (v.reshape(-1)[channels].reshape(a_channel) for v in (gamma, beta))
            out[n, channels] = scale * xhat + shift
    return out


def _check_groups(c: int, groups: int) -> None:
    if groups < 1 or c % groups:
        choices = ", ".join(str(d) for d in range(1, c + 1) if c % d == 0)
        raise DataError(
            f"spatial_groupnorm: {c} channels do not divide into {groups} groups. Choose G from: {choices}."
        )
