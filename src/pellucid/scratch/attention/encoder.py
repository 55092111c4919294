"""Encoder block of the Transformer: every place looks at all places, then thinks for itself.

Formula:
    post-norm   u = LN₁(x + attention(x, x, x)),    y = LN₂(u + feed-forward(u))
    pre-norm    u = x + attention(n, n, n), n = LN₁(x),    y = u + feed-forward(LN₂(u))

Derivation:
    Backward goes through the two parts in reverse; what it means to add and to norm is in `residual.py`. In
    self-attention one array is query, key and value, so its gradient is the sum of the three.
    Swap two places of x and the same two places of y swap: without positions the block treats a sentence as a set.
    Parameters: attention 4 D² + 4 D, feed-forward 2 D F + F + D, two norms 4 D; 3,152,384 for D = 512, F = 2048.

Source: Vaswani et al., "Attention is all you need", 2017, section 3.1.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pellucid.scratch.attention.feed_forward import feed_forward_backward, feed_forward_forward
from pellucid.scratch.attention.multi_head import make_multi_head, multi_head_backward, multi_head_forward
from pellucid.scratch.attention.residual import Cache as ResidualCache
from pellucid.scratch.attention.residual import residual_backward, residual_forward
from pellucid.scratch.checks.initialise import xavier_average

Arrays = dict[str, np.ndarray]


class Cache(NamedTuple):
    """What backward needs."""

    attention: ResidualCache
    feed_forward: ResidualCache


def encoder_block_forward(
    x: np.ndarray,
    params: Mapping[str, np.ndarray],
    n_heads: int,
    mask: np.ndarray | None = None,
    pre_norm: bool = False,
) -> tuple[np.ndarray, Cache]:
    """One block.

    Args:
        x: (N, T, D) inputs.
        params: as `make_encoder_block` makes them: "self.w_q" ... "self.b_o", "norm1.gamma", "norm1.beta", "ff.w1",
            "ff.b1", "ff.w2", "ff.b2", "norm2.gamma", "norm2.beta".
        n_heads: how many heads; divides D.
        mask: (T, T), or (N, T, T), or (N, 1, T) to hide padding; booleans, True where a place may look, or floats to
            be added to the scores.
        pre_norm: whether the norms stand before the parts, not after the sums.

    Returns:
        out (N, T, D), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """

    def attend(n: np.ndarray) -> tuple[np.ndarray, Any]:
        return multi_head_forward(n, n, n, part_of(params, "self"), n_heads, mask)

    def think(n: np.ndarray) -> tuple[np.ndarray, Any]:
        return feed_forward_forward(n, params["ff.w1"], params["ff.b1"], params["ff.w2"], params["ff.b2"])

    u, attention = residual_forward(x, attend, params["norm1.gamma"], params["norm1.beta"], pre_norm)
    y, feed_forward = residual_forward(u, think, params["norm2.gamma"], params["norm2.beta"], pre_norm)
    return y, Cache(attention, feed_forward)


def encoder_block_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, Arrays]:
    """Gradients dx (N, T, D), and those of the parameters by name, from dout (N, T, D)."""
    du, grads, gamma2, beta2 = residual_backward(dout, think_backward, cache.feed_forward)
    dx, of_attention, gamma1, beta1 = residual_backward(du, self_attention_backward, cache.attention)
    norms = {"norm1.gamma": gamma1, "norm1.beta": beta1, "norm2.gamma": gamma2, "norm2.beta": beta2}
    return dx, grads | of_attention | norms


def make_encoder_block(d_model: int, d_ff: int, rng: np.random.Generator, dtype: Any = np.float64) -> Arrays:
    """Parameters of a block: Xavier weights, biases and shifts 0, scales 1."""
    attention = named("self", make_multi_head(d_model, rng, dtype))
    return attention | make_feed_forward(d_model, d_ff, rng, dtype) | make_norms(d_model, 2, dtype)


def make_feed_forward(d_model: int, d_ff: int, rng: np.random.Generator, dtype: Any = np.float64) -> Arrays:
    """Parameters "ff.w1", "ff.b1", "ff.w2", "ff.b2"."""
    return {
        "ff.w1": xavier_average((d_model, d_ff), rng).astype(dtype),
        "ff.b1": np.zeros(d_ff, dtype),
        "ff.w2": xavier_average((d_ff, d_model), rng).astype(dtype),
        "ff.b2": np.zeros(d_model, dtype),
    }


def make_norms(d_model: int, count: int, dtype: Any = np.float64) -> Arrays:
    """Scales "norm1.gamma" and shifts "norm1.beta", and so on."""
    gammas = {f"norm{k + 1}.gamma": np.ones(d_model, dtype) for k in range(count)}
    return gammas | {f"norm{k + 1}.beta": np.zeros(d_model, dtype) for k in range(count)}


def think_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, Arrays]:
    """Backward of the feed-forward part, its parameters by name."""
    dx, w1, b1, w2, b2 = feed_forward_backward(dout, cache)
    return dx, {"ff.w1": w1, "ff.b1": b1, "ff.w2": w2, "ff.b2": b2}


def self_attention_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, Arrays]:
    """Backward of self-attention, its parameters by name: query, key and value are one array."""
    dquery, dkey, dvalue, grads = multi_head_backward(dout, cache)
    return dquery + dkey + dvalue, named("self", grads)


def part_of(params: Mapping[str, np.ndarray], part: str) -> Arrays:
    """The parameters "part.name" as "name"."""
    return {name.removeprefix(f"{part}."): value for name, value in params.items() if name.startswith(f"{part}.")}


def named(part: str, params: Mapping[str, np.ndarray]) -> Arrays:
    """The parameters "name" as "part.name"."""
    return {f"{part}.{name}": value for name, value in params.items()}
