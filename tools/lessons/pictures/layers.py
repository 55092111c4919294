"""Pictures of the layers that are made of matrix products."""

from collections.abc import Callable

import numpy as np

from lessons.pictures.drawing import arrow, box, caption, numbers, picture
from pellucid.plots import svg
from pellucid.scratch.layers.embedding import word_embedding_backward, word_embedding_forward
from pellucid.scratch.layers.sandwich import affine_bn_relu_backward, affine_bn_relu_forward
from pellucid.scratch.layers.temporal import temporal_affine_backward, temporal_affine_forward


def affine() -> str:
    """Shapes of the three products: what is multiplied with what, and what comes out."""
    parts = [svg.text(0, 18, "Each gradient has the shape of what it belongs to", "title")]
    rows = [
        ("y", (3, 2), [("x", (3, 4)), ("W", (4, 2))]),
        ("dx", (3, 4), [("dy", (3, 2)), ("Wᵀ", (2, 4))]),
        ("dW", (4, 2), [("xᵀ", (4, 3)), ("dy", (3, 2))]),
    ]
    top = 40.0
    for name, shape, factors in rows:
        x, tall = 0.0, max(shape[0], *(size[0] for _, size in factors)) * 18.0
        for number, (label, size) in enumerate([(name, shape), *factors]):
            high, wide = size[0] * 18.0, size[1] * 18.0
            y = top + (tall - high) / 2
            parts.append(svg.rect(x, y, wide, high, f"f{1 if number == 0 else 2 + ('y' in label)} pale"))
            parts.append(svg.text(x + wide / 2, y + high / 2 + 5, label, "", "middle"))
            parts.append(svg.text(x + wide + 8, y + high / 2 + 5, f"{size[0]} × {size[1]}", "soft"))
            x += wide + 62
            if number < 2:
                parts.append(svg.text(x - 6, top + tall / 2 + 5, "=" if number == 0 else "·", "", "middle"))
                x += 14
        top += tall + 26
    return svg.document(480, top, "Shapes of y = x W, dx = dy W transposed and dW = x transposed dy.", parts)


def sandwich() -> str:
    """Forwards to the right, backwards to the left, each with the cache of its own forward."""
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((4, 6)), rng.standard_normal((6, 3)), np.zeros(3)
    out, cache = affine_bn_relu_forward(x, w, b, np.ones(3), np.zeros(3), {"mode": "train"})
    dx, *_ = affine_bn_relu_backward(np.ones_like(out), cache)
    names, gradients = ("affine", "batch norm", "ReLU"), ("dW, db", "dγ, dβ", "")
    x_of = [88.0 + 124 * number for number in range(3)]
    parts = []
    for number, (left, name, gradient) in enumerate(zip(x_of, names, gradients, strict=True)):
        parts += box(left, 56, 90, 36, name, "f1 light")
        parts += [*box(left, 176, 90, 36, f"{name}", "f2 light"), svg.text(left + 45, 244, gradient, "small", "middle")]
        parts += arrow((left + 45, 212), (left + 45, 230)) if gradient else []
        parts += arrow((left + 45, 92), (left + 45, 176), kind="guide")
        parts.append(svg.text(left + 51, 138, "cache", "small"))
        if number:
            parts += arrow((left - 34, 74), (left, 74))
            parts += arrow((left, 194), (left - 34, 194))
    for y, first, last, sizes in ((74, "x", "out", (x.shape, out.shape)), (194, "dx", "dout", (dx.shape, out.shape))):
        parts += [svg.text(0, y, first), svg.text(448, y, last)]
        for at, size in zip((0, 448), sizes, strict=True):
            parts.append(svg.text(at, y + 16, "×".join(map(str, size)), "small soft"))
    for (start, end), y in (((30, 88), 74), ((426, 444), 74), ((88, 30), 194), ((444, 426), 194)):
        parts += arrow((start, y), (end, y))
    return picture("Backward runs the layers in the opposite order", 256, "A sandwich of three layers.", parts)


def embedding() -> str:
    """Rows looked up, and gradients put back where they came from."""
    table = np.array([[1.0, 0, 2], [3, 1, 0], [0, 2, 2], [4, 0, 1], [1, 1, 3]])
    words = np.array([[3, 1, 3, 0]])
    out, cache = word_embedding_forward(words, table)
    dout = np.array([[[1.0, 0, 1], [2, 1, 0], [0, 2, 1], [1, 1, 1]]])
    d_table = word_embedding_backward(dout, cache)
    colour = {3: "f1 light", 1: "f2 light", 0: "f3 light"}
    parts = []
    for left, name, values, rows in (
        (24, "W", table, [*range(5)]),
        (170, "out", out[0], words[0].tolist()),
        (282, "dout", dout[0], words[0].tolist()),
        (396, "dW", d_table, [*range(5)]),
    ):

        def by_word(row: int, _: int, rows: list[int] = rows) -> str:
            return colour.get(rows[row], "")

        parts += [svg.text(left, 50, name), *numbers(left, 60, values, by_word, 26)]
    for row in range(5):
        parts += [svg.text(left - 12, 78 + 26 * row, str(row), "small soft", "middle") for left in (24, 396)]
    for row, word in enumerate(words[0]):
        parts.append(svg.text(150, 78 + 26 * row, f"x = {word}", "small", "end"))
    parts.append(caption(0, 216, "word 3 stands twice: its row gets the sum; unused rows get 0"))
    return picture("A row for each word; gradients go back to the rows", 228, "Looking up four words.", parts)


def temporal() -> str:
    """Six samples in two sequences, one matrix."""
    rng = np.random.default_rng(2)
    x, w = rng.integers(-2, 4, (2, 3, 2)).astype(float), np.array([[1.0, 0, 2], [-1, 1, 0]])
    out, cache = temporal_affine_forward(x, w, np.zeros(3))
    _, dw, _ = temporal_affine_backward(np.ones_like(out), cache)
    parts = [svg.text(0, 50, "x (2, 3, 2)"), svg.text(132, 50, "as (6, 2)"), svg.text(246, 50, "W (2, 3)")]
    parts.append(svg.text(372, 50, "out (2, 3, 3)"))
    for n in range(2):
        colour = f"f{n + 1} light"
        parts += numbers(0, 60 + 96 * n, x[n], colour)
        parts += numbers(132, 72 + 72 * n, x[n], colour)
        parts += numbers(372, 60 + 96 * n, out[n], colour)
        parts += arrow((54, 96 + 96 * n), (126, 108 + 72 * n))
        parts += arrow((326, 126 + 36 * n), (366, 96 + 96 * n))
    parts += [*numbers(246, 120, w, "f6 light"), svg.text(214, 148, "·", "", "middle")]
    parts.append(caption(0, 258, "two sequences of three steps; dW, for dout = 1, is the sum over all six:"))
    parts += numbers(0, 268, dw, "f3 light")
    return picture("Nothing passes between steps: N T samples in one heap", 322, "An affine layer over time.", parts)


PICTURES: dict[str, Callable[[], str]] = {
    "affine": affine,
    "sandwich": sandwich,
    "embedding": embedding,
    "temporal-affine": temporal,
}
