"""Decoder block of the Transformer: looks back at what was said, then at what it was told, then thinks for itself.

Formula:
    post-norm   u = LN₁(x + attention(x, x, x; causal)),  v = LN₂(u + attention(u, m, m)),  y = LN₃(v + feed-forward(v))
    pre-norm    the same with each norm on the way into its part, as in the encoder

Derivation:
    m is the encoder's output: cross-attention takes its queries from here and keys and values from there. That is the
    only way in which the source is heard, and no state runs from step to step. The causal mask lets step t see steps
    0 to t alone: in training all steps are computed at once, and none may copy the word that it has to guess. What is
    masked has weight exactly 0, so a later word changes nothing before it.
    The gradient of m is that of keys plus that of values; over several blocks with one m they add up.
    Parameters: two attentions, feed-forward, three norms: 4,204,032 for D = 512, F = 2048.

Source: Vaswani et al., "Attention is all you need", 2017, section 3.1.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pellucid.scratch.attention.encoder import (
    Arrays,
    make_feed_forward,
    make_norms,
    named,
    part_of,
    self_attention_backward,
    think_backward,
)
from pellucid.scratch.attention.feed_forward import feed_forward_forward
from pellucid.scratch.attention.multi_head import make_multi_head, multi_head_backward, multi_head_forward
from pellucid.scratch.attention.residual import Cache as ResidualCache
from pellucid.scratch.attention.residual import residual_backward, residual_forward
from pellucid.scratch.attention.scaled_dot_product import causal_mask


class Cache(NamedTuple):
    """What backward needs."""

    attention: ResidualCache
    cross: ResidualCache
    feed_forward: ResidualCache


def decoder_block_forward(
    x: np.ndarray,
    memory: np.ndarray,
    params: Mapping[str, np.ndarray],
    n_heads: int,
    memory_mask: np.ndarray | None = None,
    pre_norm: bool = False,
) -> tuple[np.ndarray, Cache]:
    """One block.

    Args:
        x: (N, T, D) inputs.
        memory: (N, S, D) the encoder's output.
        params: as `make_decoder_block` makes them: "self.w_q" ... "self.b_o", "cross.w_q" ... "cross.b_o", "ff.w1",
            "ff.b1", "ff.w2", "ff.b2", and "gamma" and "beta" of "norm1", "norm2" and "norm3".
        n_heads: how many heads; divides D.
        memory_mask: (T, S), or (N, T, S), or (N, 1, S) to hide padding; booleans, True where a step may look, or
            floats to be added to the scores of the second attention.
        pre_norm: whether the norms stand before the parts, not after the sums.

    Returns:
        out (N, T, D), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    causal = causal_mask(x.shape[1])

    def attend(n: np.ndarray) -> tuple[np.ndarray, Any]:
        return multi_head_forward(n, n, n, part_of(params, "self"), n_heads, causal)

    def listen(n: np.ndarray) -> tuple[np.ndarray, Any]:
        return multi_head_forward(n, memory, memory, part_of(params, "cross"), n_heads, memory_mask)

    def think(n: np.ndarray) -> tuple[np.ndarray, Any]:
        return feed_forward_forward(n, params["ff.w1"], params["ff.b1"], params["ff.w2"], params["ff.b2"])

    u, attention = residual_forward(x, attend, params["norm1.gamma"], params["norm1.beta"], pre_norm)
    v, cross = residual_forward(u, listen, params["norm2.gamma"], params["norm2.beta"], pre_norm)
    y, feed_forward = residual_forward(v, think, params["norm3.gamma"], params["norm3.beta"], pre_norm)
    return y, Cache(attention, cross, feed_forward)


def decoder_block_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """Gradients dx (N, T, D), dmemory (N, S, D), and those of the parameters by name, from dout (N, T, D)."""
    dv, grads, gamma3, beta3 = residual_backward(dout, think_backward, cache.feed_forward)
    du, (dmemory, of_cross), gamma2, beta2 = residual_backward(dv, _listen_backward, cache.cross)
    dx, of_self, gamma1, beta1 = residual_backward(du, self_attention_backward, cache.attention)
    gammas = {"norm1.gamma": gamma1, "norm2.gamma": gamma2, "norm3.gamma": gamma3}
    betas = {"norm1.beta": beta1, "norm2.beta": beta2, "norm3.beta": beta3}
    return dx, dmemory, grads | of_cross | of_self | gammas | betas


def make_decoder_block(d_model: int, d_ff: int, rng: np.random.Generator, dtype: Any = np.float64) -> Arrays:
    """Parameters of a block: Xavier weights, biases and shifts 0, scales 1."""
    attention = named("self", make_multi_head(d_model, rng, dtype))
    cross = named("cross", make_multi_head(d_model, rng, dtype))
    return attention | cross | make_feed_forward(d_model, d_ff, rng, dtype) | make_norms(d_model, 3, dtype)


def _listen_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, tuple[np.ndarray, Arrays]]:
    """Backward of cross-attention: keys and values are one array, the memory."""
    dquery, dkey, dvalue, grads = multi_head_backward(dout, cache)
    return dquery, (dkey + dvalue, named("cross", grads))
