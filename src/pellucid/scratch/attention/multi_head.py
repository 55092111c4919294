"""Multi-head attention: several attentions side by side, each in a smaller space of its own.

Formula:
    q = x_q W_q + b_q,  k = x_k W_k + b_k,  v = x_v W_v + b_v,  each cut into h heads of D/h columns
    out = (attention(q_1, k_1, v_1) | ... | attention(q_h, k_h, v_h)) W_o + b_o

Derivation:
    One softmax can mostly look at one place; h of them look at h. A head has D/h columns, so all together cost what one
    attention over D would. The chain rule walks back through the steps: the product with W_o, the heads (each gets its
    columns of the gradient), the three products. In self-attention x_q, x_k and x_v are one x, whose gradient is the
    sum of the three; in cross-attention x_k = x_v is what another network put out.
    The bias b_k changes all scores of a query by the same amount, which no softmax notices: its gradient is 0.
    Parameters: 4 D² + 4 D.

Source: Vaswani et al., "Attention is all you need", 2017, section 3.2.2.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.attention.scaled_dot_product import (
    AttentionCache,
    scaled_dot_product_backward,
    scaled_dot_product_forward,
)
from pellucid.scratch.checks.initialise import xavier_average
from pellucid.scratch.layers.temporal import temporal_affine_backward, temporal_affine_forward

Affine = tuple[np.ndarray, np.ndarray, np.ndarray]


class Cache(NamedTuple):
    """What backward needs; `attention.weights` (N, h, T, S) are worth a look."""

    q: Affine
    k: Affine
    v: Affine
    attention: AttentionCache
    o: Affine


def multi_head_forward(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    params: Mapping[str, np.ndarray],
    n_heads: int,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, Cache]:
    """What each place of `query` reads from `value`.

    Args:
        query: (N, T, D).
        key: (N, S, D), in self-attention the same array.
        value: (N, S, D).
        params: w_q, w_k, w_v, w_o (D, D), to be multiplied from the right, and b_q, b_k, b_v, b_o (D,).
        n_heads: how many heads; divides D.
        mask: (T, S), (N, T, S) or (N, n_heads, T, S), any of these may be 1; booleans, True where a place may look,
            or floats to be added to the scores of every head.

    Returns:
        out (N, T, D), and what backward needs.

    Raises:
        DataError: the shapes do not fit each other.
    """
    q, q_cache = temporal_affine_forward(query, params["w_q"], params["b_q"])
    k, k_cache = temporal_affine_forward(key, params["w_k"], params["b_k"])
    v, v_cache = temporal_affine_forward(value, params["w_v"], params["b_v"])
    if n_heads < 1 or q.shape[2] % n_heads:
        raise DataError(f"multi_head: the heads must share {q.shape[2]} columns evenly, got {n_heads} heads.")
    if mask is not None and mask.ndim == 3:
        mask = mask[:, None]  # the same for every head
    heads, attention = scaled_dot_product_forward(
        _split(q, n_heads), _split(k, n_heads), _split(v, n_heads), mask
    )  # (N, h, T, D/h)
    out, o_cache = temporal_affine_forward(_join(heads), params["w_o"], params["b_o"])
    return out, Cache(q_cache, k_cache, v_cache, attention, o_cache)


def multi_head_backward(
    dout: np.ndarray, cache: Cache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Gradients of query, key and value, and of the parameters by name, from dout (N, T, D)."""
    n_heads = cache.attention.query.shape[1]
    grads: dict[str, np.ndarray] = {}
    dheads, grads["w_o"], grads["b_o"] = temporal_affine_backward(dout, cache.o)
    dq, dk, dv = scaled_dot_product_backward(_split(dheads, n_heads), cache.attention)
    dquery, grads["w_q"], grads["b_q"] = temporal_affine_backward(_join(dq), cache.q)
    dkey, grads["w_k"], grads["b_k"] = temporal_affine_backward(_join(dk), cache.k)
    dvalue, grads["w_v"], grads["b_v"] = temporal_affine_backward(_join(dv), cache.v)
    return dquery, dkey, dvalue, grads


def make_multi_head(d_model: int, rng: np.random.Generator, dtype: Any = np.float64) -> dict[str, np.ndarray]:
    """Parameters of one attention: Xavier weights, and zeros as biases."""
    params = {f"w_{name}": xavier_average((d_model, d_model), rng).astype(dtype) for name in "qkvo"}
    return params | {f"b_{name}": np.zeros(d_model, dtype) for name in "qkvo"}


def _split(x: np.ndarray, n_heads: int) -> np.ndarray:
    """(N, T, D) as (N, h, T, D/h)."""
    N, T, D = x.shape
    return x.reshape(N, T, n_heads, D // n_heads).transpose(0, 2, 1, 3)


def _join(heads: np.ndarray) -> np.ndarray:
    """(N, h, T, D/h) as (N, T, D)."""
    N, h, T, d = heads.shape
    return heads.transpose(0, 2, 1, 3).reshape(N, T, h * d)
