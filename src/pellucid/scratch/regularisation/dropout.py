"""Dropout: in training, every unit is left out at random, so none can rely on another being there.

Formula:
    inverted   train: y = x m / p    test: y = x        m_i ~ Bernoulli(p), p = probability to keep
    vanilla    train: y = x m        test: y = p x

Derivation:
    With the mask fixed both are products with a constant, so dx = dy m / p (or dy m), and in test mode dy (or p dy).
    E[m] = p, so E[x m / p] = x: the output in test mode is the mean over all masks. For a linear unit w·x with n
    inputs that is exactly the average of 2ⁿ networks that share their weights; behind a nonlinearity it is about
    that. The inverted form does the scaling in training, so that use costs nothing and p may change freely.

Source: Srivastava et al., "Dropout", 2014; CS231n, assignment 2.
"""

import numpy as np

from pellucid.scratch.regularisation.random_mask import Param, keep_mask, read_param, require_some_kept

Cache = tuple[Param, np.ndarray | None]


def dropout_forward(x: np.ndarray, dropout_param: Param) -> tuple[np.ndarray, Cache]:
    """Inverted dropout.

    Args:
        x: inputs of any shape.
        dropout_param: "mode" is "train" or "test"; "p" is the probability to keep, above 0 and at most 1. Optional:
            "seed" gives the same mask in every call, "rng" is a `np.random.Generator` to draw from.

    Returns:
        out of the shape of `x` (in test mode `x` itself), and what backward needs.

    Raises:
        ConfigError: a setting is missing or wrong.
    """
    training, p = read_param(dropout_param, "dropout_param")
    require_some_kept(p, "dropout_param")
    if not training:
        return x, (dropout_param, None)
    keep = keep_mask(x.shape, dropout_param)
    return x * keep / p, (dropout_param, keep)


def dropout_backward(dout: np.ndarray, cache: Cache) -> np.ndarray:
    """The gradient dx, of the shape of dout: nothing reaches what was dropped."""
    dropout_param, keep = cache
    if keep is None:
        return dout
    return dout * keep / float(dropout_param["p"])


def vanilla_dropout_forward(x: np.ndarray, dropout_param: Param) -> tuple[np.ndarray, Cache]:
    """Dropout that scales by p in test mode, as first published; arguments as those of `dropout_forward`."""
    training, p = read_param(dropout_param, "dropout_param")
    if not training:
        return x * p, (dropout_param, None)
    keep = keep_mask(x.shape, dropout_param)
    return x * keep, (dropout_param, keep)


def vanilla_dropout_backward(dout: np.ndarray, cache: Cache) -> np.ndarray:
    """The gradient dx, of the shape of dout."""
    dropout_param, keep = cache
    return dout * float(dropout_param["p"]) if keep is None else dout * keep
