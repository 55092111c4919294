"""Stochastic depth: in training, whole residual branches are left out at random; in use, all are there.

Formula:
    train: y = x + b f(x)    test: y = x + p_l f(x)    b ~ Bernoulli(p_l)
    p_l = 1 - (l / L) (1 - p_L),  l = 1, ..., L

Derivation:
    E[b] = p_l, so the output in test mode is the mean over b. The gradient passes x untouched and is multiplied by
    b on its way into the branch: a network that is short in this step, and all layers of the long one learn. A
    branch that is left out need not be computed at all. Early layers feed all later ones, so they are kept more
    often: p falls in a straight line from 1 at the input to p_L. The expected number of branches is
        Σ_l p_l = L - (L + 1) (1 - p_L) / 2,  (3 L - 1) / 4 for p_L = ½
    With p_l = 1 this is the plain residual connection.

Source: Huang et al., "Deep networks with stochastic depth", 2016, arXiv:1603.09382.
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.regularisation.random_mask import Param, keep_mask, read_param

Cache = float


def survival_probability(block: int, n_blocks: int, last: float = 0.5) -> float:
    """p_l of a residual block: 1 at the input (block 0), `last` at the last one, linear between.

    Args:
        block: l, counted from 1; 0 is the input.
        n_blocks: L.
        last: p_L in [0, 1].

    Raises:
        DataError: there is no such block, or `last` is no probability.
    """
    if not 0 <= block <= n_blocks or n_blocks == 0:
        raise DataError(f"The block must be in 0..{n_blocks}, and there must be one, got {block} of {n_blocks}.")
    if not 0 <= last <= 1:
        raise DataError(f"The probability to keep the last block must be in [0, 1], got {last:g}.")
    return 1 - block / n_blocks * (1 - last)


def stochastic_depth_forward(x: np.ndarray, branch: np.ndarray, depth_param: Param) -> tuple[np.ndarray, Cache]:
    """A residual connection; one coin for the whole batch, as in the paper.

    Args:
        x: inputs of any shape.
        branch: f(x), of the same shape.
        depth_param: "mode" is "train" or "test"; "p" is the probability to keep the branch, see
            `survival_probability`; optional "seed" or "rng", as of `dropout_forward`.

    Returns:
        out of the shape of `x`, and what backward needs.

    Raises:
        ConfigError: a setting is missing or wrong.
        DataError: the shapes differ.
    """
    if x.shape != branch.shape:
        raise DataError(f"The branch must have the shape {x.shape} of x, got {branch.shape}.")
    training, p = read_param(depth_param, "depth_param")
    scale = float(keep_mask((), depth_param)) if training else p
    return x + scale * branch, scale


def stochastic_depth_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients dx and dbranch, of the shape of dout."""
    return dout, cache * dout
