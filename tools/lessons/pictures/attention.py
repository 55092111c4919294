"""Pictures of attention and of the blocks of the Transformer."""

from collections.abc import Callable

import numpy as np

from lessons.pictures.chart import panel
from lessons.pictures.drawing import arrow, box, caption, heat, knot, numbers, picture, show
from pellucid.plots import svg
from pellucid.scratch.attention.decoder import decoder_block_forward, make_decoder_block
from pellucid.scratch.attention.encoder import make_encoder_block
from pellucid.scratch.attention.feed_forward import feed_forward_forward
from pellucid.scratch.attention.multi_head import make_multi_head, multi_head_forward
from pellucid.scratch.attention.positional import positions_forward, sinusoidal_positions
from pellucid.scratch.attention.residual import residual_backward, residual_forward
from pellucid.scratch.attention.scaled_dot_product import causal_mask, scaled_dot_product_forward


def attention() -> str:
    """Weights of all queries, without and with the causal mask."""
    rng = np.random.default_rng(3)
    steps, cell, parts = 6, 30.0, []
    query, key, value = (1.2 * rng.standard_normal((steps, 4)) for _ in range(3))
    for left, mask, words in (
        (30.0, None, "every query sees every key"),
        (270.0, causal_mask(steps), "causal: keys so far"),
    ):
        _, cache = scaled_dot_product_forward(query, key, value, mask)
        parts.append(svg.text(left, 50, words))
        parts += heat(left, 76, cache.weights, cell, 1)
        parts += numbers(left, 76, np.where(cache.weights > 0, cache.weights, np.nan), "", cell)
        parts += [svg.text(left + cell * (k + 0.5), 70, f"k{k + 1}", "small", "middle") for k in range(steps)]
        parts += [svg.text(left - 6, 76 + cell * (k + 0.5) + 4, f"q{k + 1}", "small", "end") for k in range(steps)]
        if mask is not None:
            for row, column in np.argwhere(~mask).tolist():
                x, y = left + cell * column, 76 + cell * row
                parts.append(svg.line(x + 4, y + cell - 4, x + cell - 4, y + 4, "grid"))
    parts.append(caption(0, 282, "the weights of a row sum to 1; crossed out: exactly 0"))
    return picture(
        "Every query reads a weighted mean of the values",
        292,
        "Two 6 by 6 matrices of attention weights: all queries see all keys, or only those up to their own step.",
        parts,
    )


def multi_head() -> str:
    """Columns cut into heads, an attention each, and joined again."""
    rng = np.random.default_rng(8)
    steps, d, heads = 5, 16, 4
    x = rng.standard_normal((1, steps, d))
    params = make_multi_head(d, rng)
    params |= {name: 2.5 * params[name] for name in ("w_q", "w_k")}
    out, cache = multi_head_forward(x, x, x, params, heads)
    parts = [caption(0, 52, "x"), *heat(0, 60, x[0], 6)]
    for k, name in enumerate(("query", "key", "value")):
        top = 60.0 + 40 * k
        array = getattr(cache.attention, name)[0]
        parts += [
            *arrow((100, 76), (128, 76), (128, top + 13), (176, top + 13)),
            svg.text(140, top + 8, f"W_{name[0]}", "small"),
        ]
        for h in range(heads):
            parts += heat(180 + 50.0 * h, top, array[h], 5.4, None, f"f{h + 1} f6")
        parts.append(svg.text(388, top + 18, f"{name[0]}, 4 heads of {d // heads}", "small"))
    for h in range(heads):
        left = 14.0 + 118 * h
        parts += heat(left + 10, 212, cache.attention.weights[0, h], 15, 1, f"f{h + 1} f{h + 1}")
        parts.append(svg.text(left + 47, 206, f"head {h + 1}", "small", "middle"))
        parts += arrow((left + 47, 292), (left + 47, 306))
        parts += heat(
            left + 36, 310, cache.attention.weights[0, h] @ cache.attention.value[0, h], 5.4, None, f"f{h + 1} f6"
        )
    parts.append(svg.text(0, 190, "softmax(q kᵀ / √d) of each head:", "soft"))
    top = 352.0
    joined = np.concatenate([cache.attention.weights[0, h] @ cache.attention.value[0, h] for h in range(heads)], axis=1)
    for h in range(heads):
        parts += heat(124 + 24 * h, top, joined[:, 4 * h : 4 * h + 4], 6, None, f"f{h + 1} f6")
    parts += [
        caption(20, top + 19, "side by side"),
        *arrow((226, top + 15), (302, top + 15)),
        svg.text(250, top + 10, "W_o", "small"),
    ]
    parts += [*heat(308, top, out[0], 6), caption(412, top + 19, "out")]
    return picture(
        "Several attentions, each in a space of its own",
        top + 40,
        "Sixteen columns are cut into four heads; each has its own attention weights; the results are joined.",
        parts,
    )


def positions() -> str:
    """The table of waves, and how alike two places are."""
    steps, d, cell = 40, 32, 6.0
    x = np.zeros((1, steps, d))
    table = positions_forward(x, sinusoidal_positions(steps, d))[0][0]
    parts = [caption(0, 50, "P: place by wave"), *heat(0, 60, table, cell, 1)]
    parts += [caption(0, 316, "first pair: fast"), caption(192, 316, "last: slow", "end")]
    alike = table @ table.T / (d / 2)
    view = panel(236, 60, 236, 196, (0, steps - 1), (0, 1.05))
    parts += [caption(236, 50, "P[s] · P[t], largest for s = t"), svg.rect(236, 60, 236, 196, "cell")]
    for series, s in enumerate((8, 20, 32), start=1):
        parts.append(svg.path([view.pixels(np.stack([np.arange(steps), alike[s]], axis=1))], f"curve s{series}"))
        parts.append(svg.text(*view.at(s, 0.04), f"s = {s}", "small", "middle"))
        parts += heat(200, 60 + cell * s, [[1.0]], cell, 1, f"f{series} f1")
    parts += [svg.text(view.at(t, 0)[0], 274, str(t), "soft", "middle") for t in (0, 10, 20, 30)]
    parts.append(caption(472, 294, "t →", "end"))
    return picture(
        "Each place has its own pattern of slow and fast waves",
        326,
        "A heat map of sines and cosines by place, and three curves of likeness that differ by a shift only.",
        parts,
    )


def feed_forward() -> str:
    """Three places, each by itself through the same two matrices."""
    rng = np.random.default_rng(1)
    places, d, wide, cell = 3, 4, 16, 14.0
    x = rng.standard_normal((1, places, d))
    w1, w2 = rng.standard_normal((d, wide)), 0.4 * rng.standard_normal((wide, d))
    out, cache = feed_forward_forward(x, w1, np.zeros(wide), w2, np.zeros(d))
    u, parts = cache.relu[0], []
    hidden = np.maximum(u, 0)
    for place in range(places):
        y = 76.0 + 74 * place
        parts += [svg.text(0, y + 12, f"place {place + 1}", "small"), *heat(50, y, x[0, place][None], cell)]
        parts += [*arrow((110, y + 7), (150, y + 7)), svg.text(130, y + 2, "W₁", "small", "middle")]
        parts += [*heat(154, y - 9, u[place][None], cell), *heat(154, y + 9, hidden[place][None], cell)]
        parts += [*arrow((382, y + 7), (418, y + 7)), svg.text(400, y + 2, "W₂", "small", "middle")]
        parts += heat(422, y, out[0, place][None], cell)
        parts += [svg.rect(154 + cell * k, y + 9, cell, cell, "cell") for k in range(wide)]
        parts.append(svg.text(154, y + 38, f"ReLU keeps {int((hidden[place] > 0).sum())} of {wide}", "small"))
    parts += [
        caption(50, 50, f"D = {d}"),
        caption(154, 50, f"F = 4 D = {wide}, before and after ReLU"),
        caption(422, 50, f"D = {d}"),
    ]
    parts.append(caption(0, 302, "the same W₁ and W₂ everywhere; no place sees another"))
    return picture(
        "At every place by itself: up, bend, and down again",
        312,
        "Three places with four numbers each go up to sixteen, lose those below zero, and come down to four.",
        parts,
    )


def residual(x: float, y: float, label: str, kind: str, pre_norm: bool, side: int = 1) -> tuple[list[str], float]:
    """A part with the way around it, drawn upwards.

    Args:
        x, y: where it begins, at its middle.
        label, kind: of the part.
        pre_norm: whether the norm stands before the part.
        side: of the way around, 1 right, -1 left.

    Returns:
        the shapes, and where it ends.
    """
    half, parts = 62.0, []
    steps = [("norm", "f6 pale", 20.0), (label, kind, 26.0)] if pre_norm else [(label, kind, 26.0)]
    level = y - 12
    parts.append(svg.line(x, y, x, level, "axis"))
    around, begin = x + side * (half + 16), y - 5
    for name, style, tall in steps:
        parts += box(x - half, level - tall, 2 * half, tall, name, style, "small")
        parts += arrow((x, level - tall), (x, level - tall - 12), head=4)
        level -= tall + 12
    plus = level - 9
    parts += [
        *knot(x, plus, "+", 9),
        *arrow((x, begin), (around, begin), (around, plus), (x + side * 10, plus), kind="curve s1", head=5),
    ]
    level = plus - 9
    if not pre_norm:
        parts += [
            *arrow((x, level), (x, level - 10), head=4),
            *box(x - half, level - 30, 2 * half, 20, "norm", "f6 pale", "small"),
        ]
        level -= 30
    return parts, level


def what_arrives(pre_norm: bool) -> float:
    """How much of a gradient of 1 goes past a part that is silent, f = 0, where x has deviation 4."""
    rng = np.random.default_rng(0)
    d = 64
    x = rng.standard_normal((1, 4, d))
    x *= 4 / x.std()
    _, cache = residual_forward(x, lambda n: (0 * n, None), np.ones(d), np.zeros(d), pre_norm)
    dout = rng.standard_normal(x.shape)
    dx, *_ = residual_backward(dout, lambda g, _: (0 * g, None), cache)
    return float(np.linalg.norm(dx) / np.linalg.norm(dout))


def add_and_norm() -> str:
    """The two places of the norm."""
    parts = []
    for x, pre_norm, name, formula in (
        (110.0, False, "post-norm", "y = LN(x + f(x))"),
        (350.0, True, "pre-norm", "y = x + f(LN(x))"),
    ):
        shapes, top = residual(x, 214, "part f", "f2 pale", pre_norm)
        parts += [*shapes, *arrow((x, 230), (x, 214)), *arrow((x, top), (x, top - 16))]
        parts += [svg.text(x, 50, name, "", "middle"), svg.text(x, 68, formula, "soft", "middle")]
        parts += [svg.text(x + 10, 230, "x"), svg.text(x + 10, top - 6, "y")]
        back = "dx = dy + LN back of fᵀ dy" if pre_norm else "dx = ds + fᵀ ds, ds = LN back of dy"
        parts.append(svg.text(x, 264, back, "small", "middle"))
        parts.append(svg.text(x, 284, f"a gradient of 1: {show(what_arrives(pre_norm))} arrives", "soft", "middle"))
    parts.append(caption(0, 312, "the last line: of a silent part, f = 0, where x has deviation 4"))
    return picture(
        "What a part computes is added to what came in",
        322,
        "Two diagrams: the norm after the sum, and the norm on the way into the part.",
        parts,
    )


def encoder() -> str:
    """The block in both orders, with its parameters."""
    d, f = 512, 2048
    counts = dict.fromkeys(("self", "ff", "norm"), 0)
    for name, array in make_encoder_block(d, f, np.random.default_rng(0), np.float32).items():
        counts["norm" if name.startswith("norm") else name.split(".")[0]] += array.size
    parts = []
    for x, pre_norm, name in ((110.0, False, "post-norm, as in the paper"), (350.0, True, "pre-norm")):
        first, middle = residual(x, 290, "self-attention", "f2 pale", pre_norm)
        second, top = residual(x, middle - 8, "feed-forward", "f3 pale", pre_norm)
        parts += [*first, svg.line(x, middle, x, middle - 8, "axis"), *second]
        parts += [*arrow((x, 306), (x, 290)), *arrow((x, top), (x, top - 14)), svg.text(x, 46, name, "", "middle")]
        parts += [svg.text(x + 10, 308, "x"), svg.text(x + 10, top - 4, "y")]
    sizes = " + ".join(f"{count:,}" for count in counts.values())
    parts.append(caption(0, 334, f"D = {d}, parameters: {sizes} = {sum(counts.values()):,}"))
    return picture(
        "Every place looks at all places, then thinks for itself",
        344,
        "An encoder block: self-attention and feed-forward, each with a way around it and a norm, in two orders.",
        parts,
    )


def decoder() -> str:
    """The block with its three parts, and what two of them look at."""
    rng = np.random.default_rng(4)
    steps, sources, d = 6, 5, 16
    params = {
        name: (3.0 if name.endswith(("w_q", "w_k")) else 1.0) * v for name, v in make_decoder_block(d, 32, rng).items()
    }
    x, memory = rng.standard_normal((1, steps, d)), rng.standard_normal((1, sources, d))
    _, cache = decoder_block_forward(x, memory, params, 1)
    at, level, parts = 128.0, 356.0, []
    parts += [*arrow((at, level + 16), (at, level)), svg.text(at + 8, level + 18, "x, what was said")]
    for label, kind in (
        ("masked self-attention", "f2 pale"),
        ("attention to memory", "f5 pale"),
        ("feed-forward", "f3 pale"),
    ):
        shapes, top = residual(at, level, label, kind, False)
        parts += [*shapes, svg.line(at, top, at, top - 6, "axis")]
        if "memory" in label:
            parts += arrow((8, level + 30), (8, level - 25), (at - 64, level - 25))
            parts.append(svg.text(0, level + 46, "memory", "small"))
        level = top - 6
    parts += [*arrow((at, level), (at, level - 12)), svg.text(at + 8, level - 4, "y")]
    for top, kept, name, kind, words in (
        (92.0, cache.cross, "s", "f5", "attention to memory"),
        (252.0, cache.attention, "t", "f2", "self: steps so far"),
    ):
        weights = kept.part.attention.weights[0, 0]
        parts += [*heat(300, top, weights, 19, 1, f"{kind} {kind}"), svg.text(300, top - 22, words, "small")]
        rows, columns = weights.shape
        parts += [svg.rect(300 + 19 * c, top + 19 * r, 19, 19, "cell") for r in range(rows) for c in range(columns)]
        parts += [svg.text(309 + 19 * c, top - 6, f"{name}{c + 1}", "tiny", "middle") for c in range(columns)]
        parts += [svg.text(294, top + 19 * r + 13, f"t{r + 1}", "tiny", "end") for r in range(rows)]
    return picture(
        "First what was said, then what it was told",
        384,
        "A decoder block with masked self-attention, attention to the memory and feed-forward, and the weights of two.",
        parts,
    )


PICTURES: dict[str, Callable[[], str]] = {
    "attention": attention,
    "multi-head": multi_head,
    "positions": positions,
    "feed-forward": feed_forward,
    "add-and-norm": add_and_norm,
    "encoder": encoder,
    "decoder": decoder,
}
