"""Proofs of attention and of the parts of a Transformer block, beside PyTorch's with the same weights."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from pellucid.core.errors import DataError
from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.scratch.attention import feed_forward, multi_head, positional, scaled_dot_product

D, HEADS, FF = 4, 2, 5
ATTENTION = ("w_q", "w_k", "w_v", "w_o", "b_q", "b_k", "b_v", "b_o")
SHAPES = {"w_q": (D, D), "w_k": (D, D), "w_v": (D, D), "w_o": (D, D), "w1": (D, FF), "b1": (FF,), "w2": (FF, D)}


def _refused(function: Callable[..., Any], *arguments: Any) -> bool:
    try:
        function(*arguments)
    except DataError:
        return True
    return False


def _draw(*front: int, mask: Callable[[], Any] = lambda: None, T: int = 3, S: int = 4, softcap: Any = ()) -> Inputs:
    def arguments(rng: np.random.Generator) -> tuple[Any, ...]:
        normal = rng.standard_normal
        return normal((*front, T, 6)), normal((*front, S, 6)), normal((*front, S, 5)), mask(), *softcap

    return arguments


def _some_masked() -> Any:
    mask = np.ones((2, 3, 4), bool)
    mask[0, 1, :] = False  # a query that sees nothing
    mask[1, :, 2] = False  # a key that nobody sees
    return mask


def _some_added(*shape: int) -> Callable[[], Any]:
    """Floats of both signs; some hide a key, from all queries where the shape has one row for them."""

    def mask() -> Any:
        added = np.random.default_rng(1).standard_normal(shape)
        added[..., -1, 1] = -np.inf
        return added

    return mask


def _some_hidden() -> Any:
    return np.where(_some_masked(), 0.5, -np.inf)


def _rows(layer: Any) -> float:
    """They sum to 1, or to 0 where nothing may be seen; far scores do not overflow."""
    query, key, _, mask = _draw(2, mask=_some_masked)(np.random.default_rng(0))
    sums = layer.attention_weights(1e6 * query, key, mask).sum(-1)
    free = layer.attention_weights(query, key).sum(-1)
    return float(np.abs(sums - mask.any(-1)).max() + np.abs(free - 1).max())


def _yes_or_no(layer: Any) -> float:
    """Zeros and -∞ added are booleans, to the bit, under a softcap too."""
    query, key, _, mask = _draw(2, mask=_some_masked)(np.random.default_rng(0))
    added = np.where(mask, 0.0, -np.inf)
    pairs = [[layer.attention_weights(query, key, each, cap) for each in (mask, added)] for cap in (None, 0.7)]
    return float(sum(np.abs(a - b).sum() for a, b in pairs))


def _no_keys(layer: Any) -> float:
    """No keys: nothing to read, nothing to learn."""
    query, key, value, _ = _draw(2, S=0)(np.random.default_rng(0))
    out, cache = layer.scaled_dot_product_forward(query, key, value)
    gradients = layer.scaled_dot_product_backward(np.ones_like(out), cache)
    return float(np.abs(out).max() + np.abs(gradients[0]).max())


def _attention_shapes(layer: Any) -> float:
    """Each array with one axis wrong is refused; masks that broadcast are not."""
    query, key, value, _ = _draw(2)(np.random.default_rng(0))
    forward = layer.scaled_dot_product_forward
    bad = [
        (query[0], key, value),
        (query[..., 1:], key, value),
        (query, key[1:], value),
        (query, key, value[:, 1:]),
        (query, key, value[1:]),
        (query[0, 0], key[0, 0], value[0, 0]),
        *((query, key, value, np.ones(s, bool)) for s in ((2, 4), (3, 3), (5,), (3, 3, 4), (1, 2, 3, 4), (3, 2))),
        (query, key, value, np.ones((3, 4), int)),
        (query, key, value, np.ones((3, 3))),
        *((query, key, value, None, softcap) for softcap in (0, -1.0, np.nan)),
    ]
    shapes = ((3, 4), (1, 4), (3, 1), (4,), (2, 1, 4), (), (2, 3, 4))
    good = [(query, key, value, np.ones(s, dtype)) for s in shapes for dtype in (bool, float)]
    return float(sum(not _refused(forward, *b) for b in bad) + sum(_refused(forward, *g) for g in good))


def scaled_dot_product_cases(layer: Any) -> Sequence[Case]:
    """With every form of mask; what is masked has no influence; rows without a key are 0."""

    def twin(query: Any, key: Any, value: Any, mask: Any, softcap: float | None = None) -> Any:
        if softcap is None:
            return F.scaled_dot_product_attention(query, key, value, mask)
        scores = query @ key.mT / 6**0.5
        scores = softcap * torch.tanh(scores / softcap)
        if mask is not None:
            scores = scores + mask if mask.is_floating_point() else scores.masked_fill(~mask, -torch.inf)
        return torch.softmax(scores, -1) @ value

    def causal() -> float:
        pairs = [[layer.causal_mask(4)[t, s] == (s <= t) for s in range(4)] for t in range(4)]
        return 0.0 if np.all(pairs) and layer.causal_mask(4).dtype == bool else 1.0

    return [
        Layer(
            "attention",
            layer.scaled_dot_product_forward,
            layer.scaled_dot_product_backward,
            inputs={
                "two sequences": _draw(2),
                "heads": _draw(2, 1),
                "mask": _draw(2, mask=_some_masked),
                "a mask for all": _draw(2, mask=lambda: np.tri(3, 4, dtype=bool)),
                "one sequence": _draw(T=2, S=1),
                "a mask added": _draw(2, mask=_some_added(2, 3, 4)),
                "a mask added for all": _draw(2, 2, mask=_some_added(3, 4)),
                "a mask added for each": _draw(2, 2, mask=_some_added(2, 1, 1, 4)),
                "a mask added that hides": _draw(2, mask=_some_hidden),
                "softcap": _draw(2, softcap=(0.7,)),
                "softcap and mask": _draw(2, mask=lambda: np.tri(3, 4, dtype=bool), softcap=(2,)),
                "softcap and a mask added": _draw(2, mask=_some_added(1, 4), softcap=(1.5,)),
            },
            beyond=(
                "a mask added",
                "a mask added for all",
                "a mask added for each",
                "a mask added that hides",
                "softcap",
                "softcap and mask",
                "softcap and a mask added",
            ),
            gradients=("query", "key", "value"),
            linear=("value",),
            twin=twin,
        ),
        Check("attention_rows", partial(_rows, layer)),
        Check("attention_masks_of_two_kinds", partial(_yes_or_no, layer), 0.0),
        Check("attention_without_keys", partial(_no_keys, layer)),
        Check("causal_mask", causal),
        Check("attention_shapes", partial(_attention_shapes, layer)),
    ]


def draw_params(rng: np.random.Generator, names: Sequence[str]) -> list[np.ndarray]:
    """Parameters with no zeros among them; scales around 1."""
    arrays = []
    for name in names:
        last = name.split(".")[-1]
        array = rng.standard_normal(SHAPES.get(last, (D,))) / 2
        arrays.append(array + 1 if last == "gamma" else array)
    return arrays


def torch_attention(params: Mapping[str, Any], ours: str, theirs: str) -> dict[str, Any]:
    """Names of nn.MultiheadAttention for ours."""
    return {
        f"{theirs}in_proj_weight": torch.cat([params[f"{ours}w_{k}"].T for k in "qkv"]),
        f"{theirs}in_proj_bias": torch.cat([params[f"{ours}b_{k}"] for k in "qkv"]),
        f"{theirs}out_proj.weight": params[f"{ours}w_o"].T,
        f"{theirs}out_proj.bias": params[f"{ours}b_o"],
    }


def _made(layer: Any) -> float:
    """Xavier: variance 2 / (D + D); nothing in the biases; the format asked for."""
    params = layer.make_multi_head(60, np.random.default_rng(0), np.float32)
    right = {n: a.shape for n, a in params.items()} == {n: (60, 60) if n[0] == "w" else (60,) for n in ATTENTION}
    plain = all(a.dtype == np.float32 and (name[0] == "w" or not a.any()) for name, a in params.items())
    return max(abs(params[f"w_{k}"].std() * 60**0.5 - 1) for k in "qkvo") if right and plain else float("inf")


def _heads(layer: Any) -> float:
    """A number of heads that does not divide, or none, is refused."""
    x, params = (
        np.ones((1, 2, D)),
        dict(zip(ATTENTION, draw_params(np.random.default_rng(0), ATTENTION), strict=True)),
    )
    said = [_refused(layer.multi_head_forward, x, x, x, params, count) for count in (0, 3, 1, 2, 4, -2)]
    return 0.0 if said == [True, True, False, False, False, True] else 1.0


def multi_head_cases(layer: Any) -> Sequence[Case]:
    """Self- and cross-attention with every form of mask, beside nn.MultiheadAttention."""

    def forward(
        query: Any, key: Any, value: Any, w_q: Any, w_k: Any, w_v: Any, w_o: Any, b_q: Any, b_k: Any, b_v: Any,
        b_o: Any, mask: Any,
    ) -> Any:  # fmt: skip
        params = dict(zip(ATTENTION, (w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o), strict=True))
        return layer.multi_head_forward(query, key, value, params, HEADS, mask)

    def backward(dout: Any, cache: Any) -> Any:
        *inputs, grads = layer.multi_head_backward(dout, cache)
        return *inputs, *(grads[name] for name in ATTENTION)

    def twin(query: Any, key: Any, value: Any, *rest: Any) -> Any:
        *params, mask = rest
        module = nn.MultiheadAttention(D, HEADS, batch_first=True, dtype=query.dtype)
        hidden = None
        if mask is not None:  # theirs is True where one may not look, with one for each sample and head
            each = mask if mask.is_floating_point() else ~mask
            each = each[:, None] if mask.ndim == 3 else each
            hidden = each.expand(len(query), HEADS, query.shape[1], key.shape[1]).flatten(0, 1)
        weights = torch_attention(dict(zip(ATTENTION, params, strict=True)), "", "")
        call = {"need_weights": False, "attn_mask": hidden}
        return functional_call(module, weights, (query, key, value), call)[0]

    def draw(N: int, T: int, S: int, mask: Any = None) -> Inputs:
        def arguments(rng: np.random.Generator) -> tuple[Any, ...]:
            normal = rng.standard_normal
            inputs = normal((N, T, D)), normal((N, S, D)), normal((N, S, D))
            return *inputs, *draw_params(rng, ATTENTION), mask

        return arguments

    of_each = np.ones((2, 3, 3), bool)
    of_each[0, :, 2], of_each[1, 1, 0] = False, False
    of_heads = np.ones((2, HEADS, 3, 3), bool)
    of_heads[0, 1, :, 1] = False

    return [
        Layer(
            "multi_head",
            forward,
            backward,
            inputs={
                "cross": draw(2, 3, 2),
                "causal": draw(1, 3, 3, np.tri(3, 3, dtype=bool)),
                "a mask for each": draw(2, 3, 3, of_each),
                "a mask for each head": draw(2, 3, 3, of_heads),
                "a mask added": draw(2, 3, 2, _some_added(3, 2)()),
                "a mask added for each": draw(2, 3, 3, _some_added(2, 1, 3)()),
                "a mask added for each head": draw(2, 3, 3, _some_added(1, HEADS, 3, 3)()),
            },
            beyond=("a mask added", "a mask added for each", "a mask added for each head"),
            gradients=("query", "key", "value", *ATTENTION),
            linear=("value", "w_v", "b_v", "w_o", "b_o"),
            twin=twin,
        ),
        Check("multi_head_made", partial(_made, layer), 0.05),
        Check("multi_head_heads", partial(_heads, layer)),
    ]


def positional_cases(layer: Any) -> Sequence[Case]:
    """The two formulas, entry by entry; the table added, longer than the sequence."""

    def formula(T: int, d: int) -> float:
        P = layer.sinusoidal_positions(T, d)
        for t in range(T):
            for column in range(d):
                angle = t / 10000 ** (column // 2 * 2 / d)
                P[t, column] -= np.cos(angle) if column % 2 else np.sin(angle)
        return float(np.abs(P).max())

    def fits() -> float:
        forward = layer.positions_forward
        bad = [
            (np.ones((2, 3, 4)), np.ones((2, 4))),
            (np.ones((2, 3, 4)), np.ones((3, 5))),
            (np.ones((3, 4)), np.ones((3, 4))),
            (np.ones((2, 3, 4)), np.ones((1, 3, 4))),
        ]
        return float(sum(not _refused(forward, *b) for b in bad) + _refused(forward, bad[0][0], np.ones((3, 4))))

    def copied() -> float:
        dout = np.ones((1, 2, 3))
        out, cache = layer.positions_forward(dout, dout[0])
        dx, _ = layer.positions_backward(out, cache)
        dx += 1
        return float(np.abs(out - 2).max())

    def draw(N: int, T: int, L: int) -> Inputs:
        return lambda rng: (rng.standard_normal((N, T, 4)), rng.standard_normal((L, 4)))

    return [
        *(Check(f"sinusoids_{d}", partial(formula, 5, d)) for d in (1, 4, 5)),
        Layer(
            "positions",
            layer.positions_forward,
            layer.positions_backward,
            inputs={"longer table": draw(2, 3, 5), "as long": draw(1, 3, 3)},
            gradients=("x", "P"),
            linear=("x", "P"),
            twin=lambda x, P: x + P[: x.shape[1]],
        ),
        Check("positions_shapes", fits),
        Check("positions_gradient_is_new", copied),
    ]


def feed_forward_cases(layer: Any) -> Sequence[Case]:
    """Beside two of PyTorch's affine layers."""

    def draw(N: int, T: int) -> Inputs:
        return lambda rng: (rng.standard_normal((N, T, D)), *draw_params(rng, ("w1", "b1", "w2", "b2")))

    return [
        Layer(
            "feed_forward",
            layer.feed_forward_forward,
            layer.feed_forward_backward,
            inputs={"two sequences": draw(2, 3), "one place": draw(1, 1)},
            gradients=("x", "w1", "b1", "w2", "b2"),
            linear=("w2", "b2"),
            twin=lambda x, w1, b1, w2, b2: F.linear(F.relu(F.linear(x, w1.T, b1)), w2.T, b2),
        )
    ]


SUBJECTS: dict[str, Subject] = {
    "attention": Subject(scaled_dot_product, scaled_dot_product_cases),
    "multi-head": Subject(multi_head, multi_head_cases),
    "positions": Subject(positional, positional_cases),
    "feed-forward": Subject(feed_forward, feed_forward_cases),
}
