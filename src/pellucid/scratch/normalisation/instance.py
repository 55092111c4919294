"""Instance norm: every channel of every sample standardised over its own places.

Formula:
    μ_nc = Σ_hw x_nchw / (H W),  σ²_nc likewise,  y_nchw = γ_c (x_nchw - μ_nc) / √(σ²_nc + ε) + β_c

Derivation:
    It is `standardise` with one row a set, so x̂ of a sample does not depend on the other samples, and training and
    test are the same. Mean and deviation of a channel are its brightness and contrast: a x + b with a > 0 gives the
    same output (but for ε), which is why it is used to take the style out of a picture.
    Where a channel has one place, its variance is 0: the output is β, and dx is 0. (PyTorch refuses that.)

Source: Ulyanov, Vedaldi and Lempitsky, "Instance Normalization: The Missing Ingredient for Fast Stylization", 2016.
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


def instancenorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, in_param: dict[str, Any]
) -> tuple[np.ndarray, Standardised]:
    """Outputs of the shape of x.

    Args:
        x: (N, C, ...) inputs.
        gamma, beta: (C,) scale and shift.
        in_param: "eps" (1e-5).

    Raises:
        DataError: the shapes do not fit each other.
    """
    if x.ndim < 3:
        raise DataError(f"instancenorm: x must be (N, C, ...), got {x.shape}.")
    n, c, *places = x.shape
    check_parameters("instancenorm", x, gamma, beta, f"{c} channels", ((c,),))
    rows = x.reshape(n, c, 1, prod(places))  # (N, C, 1, S)
    out, cache = standardise_forward(rows, gamma[:, None], beta[:, None], (), in_param.get("eps", EPSILON))
    return out.reshape(x.shape), cache


def instancenorm_backward(dout: np.ndarray, cache: Standardised) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, C, ...), dgamma (C,) and dbeta (C,) from dout (N, C, ...)."""
    dx, dgamma, dbeta = standardise_backward(dout.reshape(cache.x.shape), cache)
    return dx.reshape(dout.shape), dgamma[:, 0], dbeta[:, 0]


def instancenorm_forward_naive(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, in_param: dict[str, Any]
) -> np.ndarray:
    """The same outputs by loops over samples and channels: which numbers share a mean, in plain sight."""
    out, eps = np.empty(x.shape, mean_type(x)), float(in_param.get("eps", EPSILON))
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            places = x[n, c]
            out[n, c] = gamma[c] * (places - places.mean()) / np.sqrt(places.var() + eps) + beta[c]
    return out
