"""Spatial batch norm: every channel of feature maps standardised over the batch and all its places.

Formula:
    μ_c = Σ_nhw x_nchw / (N H W),  σ²_c likewise,  y_nchw = γ_c (x_nchw - μ_c) / √(σ²_c + ε) + β_c

Derivation:
    A convolution treats all places alike, so all places of a channel share one mean, one variance, one γ and one β:
    statistics of the shape (1, C, 1, 1). It is batch norm of the table (N·H·W, C) whose rows are places, and its
    backward is that of `standardise` with the sets {n, h, w}. (One mean a sample and a channel, (N, C, 1, 1), would be
    instance norm.) Volumes (N, C, D, H, W) and sequences (N, C, L) work alike: everything after C is place.

Source: Ioffe and Szegedy, "Batch Normalization", 2015, section 3.2; CS231n, assignment 2.
"""

from math import prod
from typing import Any

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.normalisation.rows import mean_type
from pellucid.scratch.normalisation.running import running_statistics, update_running, uses_batch
from pellucid.scratch.normalisation.standardise import (
    EPSILON,
    Standardised,
    check_parameters,
    standardise_backward,
    standardise_forward,
    standardise_given,
)

LAYER = "spatial_batchnorm"


def spatial_batchnorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: dict[str, Any]
) -> tuple[np.ndarray, Standardised]:
    """Outputs of the shape of x.

    Args:
        x: (N, C, ...) inputs: sequences (N, C, L), pictures (N, C, H, W), volumes (N, C, D, H, W).
        gamma, beta: (C,) scale and shift.
        bn_param: as for `batchnorm_forward`; running_mean and running_var are (C,).

    Raises:
        ConfigError: the mode or the convention is unknown.
        DataError: the shapes do not fit each other.
    """
    if x.ndim < 3:
        raise DataError(f"{LAYER}: x must be (N, C, ...), got {x.shape}. For (N, D) use batchnorm_forward.")
    n, c, *places = x.shape
    check_parameters(LAYER, x, gamma, beta, f"{c} channels", ((c,),))
    rows = x.reshape(n, c, 1, prod(places))  # (N, C, 1, S)
    scale, shift, eps = gamma[:, None], beta[:, None], bn_param.get("eps", EPSILON)
    if uses_batch(LAYER, bn_param):
        out, cache = standardise_forward(rows, scale, shift, (0,), eps)
        update_running(LAYER, bn_param, cache.mean.reshape(c), cache.var.reshape(c), n * prod(places))
    else:
        mean, var = running_statistics(LAYER, bn_param, c, mean_type(x))
        out, cache = standardise_given(rows, scale, shift, mean[:, None], var[:, None], eps)
    return out.reshape(x.shape), cache


def spatial_batchnorm_backward(dout: np.ndarray, cache: Standardised) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, C, ...), dgamma (C,) and dbeta (C,) from dout (N, C, ...)."""
    dx, dgamma, dbeta = standardise_backward(dout.reshape(cache.x.shape), cache)
    return dx.reshape(dout.shape), dgamma[:, 0], dbeta[:, 0]
