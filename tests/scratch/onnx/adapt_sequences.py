"""Recurrent layers and attention, in ONNX's terms."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.scratch.attention.scaled_dot_product import attention_scores, scaled_dot_product_forward
from pellucid.scratch.recurrent.gru import gru_forward
from pellucid.scratch.recurrent.lstm import lstm_sequence_forward
from pellucid.scratch.recurrent.rnn import rnn_forward

Attributes = dict[str, Any]
Inputs = list[Any]
Outputs = tuple[Any, ...]
Forward = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, Any]]


def rnn(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    def forward(x: np.ndarray, w: np.ndarray, r: np.ndarray, b: np.ndarray) -> Any:
        h, _ = rnn_forward(x, _empty(x, r), w, r, b[0] + b[1])
        return h, None

    return _recurrent(attributes, inputs, [0], forward)[:2]


def gru(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """Blocks z, r, h; ours are r, z, n. The cases want the state reset before the product with R, ours is reset after
    it. For one step from an empty state, or with all weights of R equal, that is the same."""

    def forward(x: np.ndarray, w: np.ndarray, r: np.ndarray, b: np.ndarray) -> Any:
        columns = 2 * len(r)
        after = attributes.get("linear_before_reset", 0)  # else no part of the bias is reset
        m = b[1, columns:] if after else np.zeros_like(b[1, columns:])
        n = b[0, columns:] if after else b[0, columns:] + b[1, columns:]
        h, _ = gru_forward(x, _empty(x, r), w, r, np.concatenate([b[0, :columns] + b[1, :columns], n, m]))
        return h, None

    return _recurrent(attributes, inputs, [1, 0, 2], forward)[:2]


def lstm(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """Blocks i, o, f, c; ours are i, f, o, g."""

    def forward(x: np.ndarray, w: np.ndarray, r: np.ndarray, b: np.ndarray) -> Any:
        h, c, _ = lstm_sequence_forward(x, _empty(x, r), _empty(x, r), w, r, b[0] + b[1])
        return h, c

    return _recurrent(attributes, inputs, [0, 2, 1, 3], forward)


def _recurrent(attributes: Attributes, inputs: Inputs, order: list[int], forward: Forward) -> Outputs:
    """One run for each direction: (Y, Y_h, Y_c); `forward` gets the two biases as (2, blocks)."""
    x, w, r, b = (*inputs, None)[:4]
    samples_first = attributes.get("layout", 0) == 1
    x = x if samples_first else x.swapaxes(0, 1)  # (N, T, D)
    runs = []
    for number in range(len(w)):
        turned = attributes.get("direction") == "reverse" or number == 1
        biases = np.zeros((2, w.shape[1]), x.dtype) if b is None else b[number].reshape(2, -1)
        parts = [_blocks(array, order) for array in (w[number], r[number], biases[0], biases[1])]
        h, c = forward(x[:, ::-1] if turned else x, parts[0].T, parts[1].T, np.stack(parts[2:]))
        runs.append((h[:, ::-1] if turned else h, h[:, -1], c))
    hs, last, cells = zip(*runs, strict=True)
    if samples_first:
        return np.stack(hs, axis=2), np.stack(last, axis=1), cells[0] is not None and np.stack(cells, axis=1)
    return np.stack(hs).transpose(2, 0, 1, 3), np.stack(last), cells[0] is not None and np.stack(cells)


def _blocks(array: np.ndarray, order: list[int]) -> np.ndarray:
    blocks = np.split(array, len(order))
    return np.concatenate([blocks[number] for number in order])


def _empty(x: np.ndarray, r: np.ndarray) -> np.ndarray:
    return np.zeros((len(x), len(r)), x.dtype)


def attention(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """Heads in an axis of their own; every reason not to look at a key goes into our mask."""
    query, key, value, mask, past_key, past_value, filled = (*inputs, *[None] * 7)[:7]
    kind, flat = query.dtype, query.ndim == 3
    if flat:
        query = _heads(query, attributes["q_num_heads"])
        key, value = (_heads(array, attributes["kv_num_heads"]) for array in (key, value))
    before = 0
    if past_key is not None:
        before = past_key.shape[2]
        key, value = np.concatenate([past_key, key], axis=2), np.concatenate([past_value, value], axis=2)
    present_key, present_value = key, value
    mask = _mask(attributes, query, key, mask, filled, before)
    group = query.shape[1] // key.shape[1]  # so many heads of queries share one of keys
    q, k, v = (array.astype(np.float32) for array in (query, key.repeat(group, axis=1), value.repeat(group, axis=1)))
    if "scale" in attributes:  # in place of 1 / √d
        q = q * np.float32(attributes["scale"] * q.shape[-1] ** 0.5)
    softcap = attributes.get("softcap", 0.0) or None
    out, cache = scaled_dot_product_forward(q, k, v, mask, softcap)
    stages = [(None, None), (None, softcap), (mask, softcap)]  # of the scores: plain, capped, masked
    mode = attributes.get("qk_matmul_output_mode", 0)
    looks = cache.weights if mode == 3 else attention_scores(q, k, *stages[mode])
    if flat:
        out = out.swapaxes(1, 2).reshape(len(out), out.shape[2], -1)
    return out.astype(kind), present_key, present_value, looks.astype(kind)


def _heads(x: np.ndarray, heads: int) -> np.ndarray:
    """(N, T, heads · d) as (N, heads, T, d)."""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def _mask(
    attributes: Attributes, query: np.ndarray, key: np.ndarray, mask: Any, filled: Any, before: int
) -> np.ndarray:
    """Booleans, or floats to add, that broadcast to (N, heads, T, S).

    The first query stands behind `before` keys, or, where only the first `filled` keys of a sample count, so that the
    last one stands at the last of those."""
    t, s = query.shape[2], key.shape[2]
    allowed = np.ones((1, 1, t, s), dtype=bool)
    start = np.full((1, 1, 1, 1), before) if filled is None else filled.reshape(-1, 1, 1, 1) - t
    behind = start + np.arange(t)[:, None] - np.arange(s)  # how far each key lies behind each query
    if attributes.get("is_causal", 0):
        allowed = allowed & (behind >= 0)
    if attributes.get("left_window_size", -1) >= 0:
        allowed = allowed & (behind <= attributes["left_window_size"])
    if attributes.get("right_window_size", -1) >= 0:
        allowed = allowed & (-behind <= attributes["right_window_size"])
    if filled is not None:
        allowed = allowed & (np.arange(s) < filled.reshape(-1, 1, 1, 1))
    if mask is None:
        return allowed
    missing = [*[(0, 0)] * (mask.ndim - 1), (0, s - mask.shape[-1])]
    if mask.dtype == bool:
        return allowed & np.pad(mask, missing)
    added = np.pad(mask.astype(np.float32), missing, constant_values=-np.inf)
    return np.where(allowed, added, np.float32(-np.inf))
