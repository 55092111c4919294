"""Scaled dot-product attention: every query reads a mean of the values, weighted by how well it fits their keys.

Formula:
    A = softmax(Q Kᵀ / √d),  out = A V,  Q (..., T, d), K (..., S, d), V (..., S, m), A (..., T, S)
    a mask of booleans sets the scores of what a query may not see to -∞ before the softmax, one of floats is added
    a softcap c puts c tanh(s / c) in the place of each score s, before the mask

Derivation:
    Rows of A are weights of means: they are positive and sum to 1. Backward, with dA = dout Vᵀ and dV = Aᵀ dout; each
    row of A is a softmax, ∂A_j/∂s_k = A_j ([j = k] - A_k), so
        ds_k = A_k (dA_k - Σ_j A_j dA_j)
        dQ = ds K / √d,  dK = dsᵀ Q / √d
    q · k of independent entries with variance 1 has variance d; without √d the softmax of large d would be nearly
    one-hot, and its gradient nearly zero. e^(-∞) is exactly 0: what is masked has no influence at all, on the output
    or on a gradient. A query that may see nothing has no mean to take; its output, and its gradient, is 0.
    A float m in the mask is a constant, so these formulas hold with it too; as e^(s + m) = e^m e^s, it makes a key
    count e^m times: once for m = 0, not at all for m = -∞, which are True and False.
    A softcap holds all scores in (-c, c), so none of S weights falls below e^(-2c)/S; its slope is 1 - tanh²(s/c).
    Behind the mask it would turn -∞ into -c, and what is masked would be seen.

Source: Vaswani et al., "Attention is all you need", 2017, section 3.2.1; softcap: Gemma Team, "Gemma 2", 2024.
"""

from typing import NamedTuple

import numpy as np

from pellucid.core.errors import DataError


class AttentionCache(NamedTuple):
    """What backward needs, and the weights to look at."""

    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    weights: np.ndarray  # (..., T, S)
    softcap: float | None


def scaled_dot_product_forward(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    mask: np.ndarray | None = None,
    softcap: float | None = None,
) -> tuple[np.ndarray, AttentionCache]:
    """What each query reads.

    Args:
        query: (..., T, d).
        key: (..., S, d), the same axes in front.
        value: (..., S, m).
        mask: broadcasts to (..., T, S); booleans, True where the query may look, or floats to be added to the scores,
            -inf where it may not look. None: it may look everywhere.
        softcap: above 0, what scores stay below in absolute value; None: they are as large as they come.

    Returns:
        out (..., T, m), and what backward needs; its `weights` (..., T, S) are the attention.

    Raises:
        DataError: the shapes do not fit each other, the mask holds neither booleans nor floats, or softcap is not
            above 0.
    """
    _check(query, key, value, mask, softcap)
    weights = attention_weights(query, key, mask, softcap)
    return weights @ value, AttentionCache(query, key, value, weights, softcap)


def scaled_dot_product_backward(dout: np.ndarray, cache: AttentionCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of query, key and value from dout (..., T, m)."""
    query, key, value, weights, softcap = cache
    dvalue = np.swapaxes(weights, -1, -2) @ dout
    dscores = dout @ np.swapaxes(value, -1, -2)  # of the weights at first
    dscores -= (dscores * weights).sum(axis=-1, keepdims=True)
    dscores *= weights
    if softcap is not None:  # the scores once more: to keep them would double the cache
        dscores *= 1 - (attention_scores(query, key, softcap=softcap) / softcap) ** 2
    dscores /= query.shape[-1] ** 0.5
    return dscores @ key, np.swapaxes(dscores, -1, -2) @ query, dvalue


def attention_scores(
    query: np.ndarray, key: np.ndarray, mask: np.ndarray | None = None, softcap: float | None = None
) -> np.ndarray:
    """How well each key fits each query, (..., T, S): what the softmax is taken of."""
    scores: np.ndarray = query @ np.swapaxes(key, -1, -2)
    scores /= query.shape[-1] ** 0.5
    if softcap is not None:
        scores /= softcap
        np.tanh(scores, out=scores)
        scores *= softcap
    if mask is not None:
        masked = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
        scores = masked.astype(scores.dtype)
    return scores


def attention_weights(
    query: np.ndarray, key: np.ndarray, mask: np.ndarray | None = None, softcap: float | None = None
) -> np.ndarray:
    """The weights (..., T, S): rows sum to 1, but those of which the mask hides everything, which are 0."""
    scores = attention_scores(query, key, mask, softcap)
    # Less the largest of the row, nothing overflows. Of a row all masked that is -∞, and -∞ less -∞ would be no number.
    largest = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    scores -= np.maximum(largest, np.finfo(scores.dtype).min)
    np.exp(scores, out=scores)
    # The largest term is e⁰ = 1: a total below 1 is 0, that of a row all masked.
    scores /= np.maximum(scores.sum(axis=-1, keepdims=True), 1)
    return scores


def causal_mask(T: int) -> np.ndarray:
    """(T, T) booleans: step t may look at steps 0 to t, itself among them."""
    return np.tril(np.ones((T, T), dtype=bool))


def _check(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray | None, softcap: float | None
) -> None:
    if query.ndim < 2 or key.shape[:-2] != query.shape[:-2] or key.shape[-1:] != query.shape[-1:]:
        raise DataError(f"attention: query must be (..., T, d) and key (..., S, d), got {query.shape} and {key.shape}.")
    if value.shape[:-1] != key.shape[:-1]:
        raise DataError(
            f"attention: key {key.shape} needs one value a key, (..., {key.shape[-2]}, m), got {value.shape}."
        )
    if softcap is not None and not softcap > 0:
        raise DataError(f"attention: softcap must be above 0, or None for scores of any size, got {softcap}.")
    if mask is None:
        return
    scores = (*query.shape[:-1], key.shape[-2])
    if mask.dtype != bool and not np.issubdtype(mask.dtype, np.floating):
        raise DataError(
            "attention: the mask must hold booleans, True where a query may look, or floats to add to the scores, "
            f"got {mask.dtype}."
        )
    if mask.ndim > len(scores) or any(m not in (1, s) for m, s in zip(mask.shape[::-1], scores[::-1], strict=False)):
        raise DataError(f"attention: the mask must broadcast to the scores {scores}, got {mask.shape}.")
