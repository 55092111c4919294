"""DropConnect: single weights are left out at random, not whole units.

Formula:
    train: y = x (W ∘ M / p) + b    test: y = x W + b    M_dm ~ Bernoulli(p), p = probability to keep

Derivation:
    An affine layer with other weights, so its gradients are those of that layer; W reaches y through W ∘ M / p
    alone, so dW = (xᵀ dy) ∘ M / p: a weight that was left out learns nothing. Dropout of x masks a whole row of W
    at once; here every entry has its own coin, 2^(D·M) networks instead of 2^D. E[M / p] = 1, so y in test mode is the
    mean over all masks.
    In the paper every sample has a mask of its own, (N, D, M) numbers, biases are masked too, and in use the
    layer's output is drawn from a Gaussian with the right mean and variance, since a nonlinearity follows. Here one
    mask serves the batch, biases stay, and the mean is used.

Source: Wan et al., "Regularization of neural networks using DropConnect", 2013.
"""

import numpy as np

from pellucid.scratch.layers.affine import Cache as AffineCache
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.regularisation.random_mask import Param, keep_mask, read_param, require_some_kept

Cache = tuple[AffineCache, float, np.ndarray | None]


def dropconnect_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray, dropout_param: Param) -> tuple[np.ndarray, Cache]:
    """An affine layer whose weights are masked in training.

    Args:
        x: (N, d1, ..., dk) inputs; D = d1 · ... · dk.
        w: (D, M) weights.
        b: (M,) biases.
        dropout_param: "mode", "p" (the probability to keep) and optional "seed" or "rng", as of `dropout_forward`.

    Returns:
        out (N, M), and what backward needs.

    Raises:
        ConfigError: a setting is missing or wrong.
        DataError: the shapes do not fit each other.
    """
    training, p = read_param(dropout_param, "dropout_param")
    require_some_kept(p, "dropout_param")
    keep = keep_mask(w.shape, dropout_param) if training else None  # (D, M)
    out, cache = affine_forward(x, w if keep is None else w * keep / p, b)
    return out, (cache, p, keep)


def dropconnect_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (N, d1, ..., dk), dw (D, M) and db (M,) from dout (N, M)."""
    affine_cache, p, keep = cache
    dx, dw, db = affine_backward(dout, affine_cache)
    return dx, dw if keep is None else dw * keep / p, db
