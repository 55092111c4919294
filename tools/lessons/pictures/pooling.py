"""Pictures of pooling: windows, winners, and where numbers and gradients go back to."""

from collections.abc import Callable

import numpy as np

from lessons.pictures.drawing import arrow, caption, frame, heat, numbers, picture
from pellucid.plots import svg
from pellucid.scratch.pooling.average import average_pool_backward, average_pool_forward
from pellucid.scratch.pooling.average_unpool import average_unpool_forward
from pellucid.scratch.pooling.fractional import MODES, fractional_max_pool_backward, fractional_max_pool_forward
from pellucid.scratch.pooling.global_average import global_average_pool_backward, global_average_pool_forward
from pellucid.scratch.pooling.max import max_pool_backward_fast, max_pool_forward_fast, max_pool_positions
from pellucid.scratch.pooling.max_unpool import bed_of_nails_forward, max_unpool_forward
from pellucid.scratch.pooling.window import pool_axes

X = np.array([[1, 3, 2, 0], [5, 2, 1, 6], [4, 4, 0, 1], [2, 3, 7, 2]], dtype=np.float64)
D = np.array([[1.0, 2], [3, 4]])
HALVES = {"pool_height": 2, "pool_width": 2, "stride": 2}
CELL = 30.0


def quarter(row: int, column: int, strength: str = "light") -> str:
    """The colour of the window that a cell of a 4 x 4 picture lies in."""
    return f"f{2 * (row // 2) + column // 2 + 1} {strength}"


def own(row: int, column: int) -> str:
    """The same colours for the four outputs."""
    return f"f{2 * row + column + 1} pale"


def pooling_window() -> str:
    """One axis: where windows begin with no padding, with "same", and what is left over."""
    parts, top, cell, left = [], 34.0, 30.0, 60.0
    for size, pad, words in ((8, 0, "no padding"), (8, 1, "pad 1"), (8, "same", '"same"')):
        axis, _ = pool_axes((1, 1, size, size), {"pool_height": 3, "pool_width": 3, "stride": 2, "pad": pad})
        last = int(axis.starts()[-1]) + axis.window
        parts.append(caption(0, top + 12, f"n = {size}, F = 3, S = 2, {words}: {axis.out} outputs"))
        for place in range(min(0, int(axis.starts()[0])), max(size, last)):
            inside = 0 <= place < size
            kind = "f6 pale" if inside and place >= last else "f2 light" if inside else ""
            parts += numbers(left + place * cell, top + 20, [[place if inside else np.nan]], kind, cell, 0)
        for number, (start, seen) in enumerate(zip(axis.starts().tolist(), axis.counts().tolist(), strict=True)):
            y = top + 58 + 9 * (number % 2)
            first = max(start, 0)
            parts.append(svg.line(left + start * cell + 4, y, left + (start + 3) * cell - 4, y, "guide"))
            parts.append(svg.line(left + first * cell + 4, y, left + (first + seen) * cell - 4, y, "curve s1"))
        if last < size:
            parts.append(caption(left + size * cell + 8, top + 40, "grey: seen by no window"))
        top += 92
    return picture(
        "Which inputs each output sees",
        top - 6,
        "Eight inputs under windows of three, two apart: three outputs without padding, four with.",
        parts,
    )


def max_pooling() -> str:
    """Winners forward, and their gradients back."""
    x, dout = X[None, None], D[None, None]
    out, cache = max_pool_forward_fast(x, HALVES)
    dx = max_pool_backward_fast(dout, cache)[0, 0]
    winners = max_pool_positions(x, HALVES).ravel()
    parts = [caption(0, 50, "x: in each window, the winner")]
    parts += numbers(0, 60, X, quarter, CELL, 0, "")
    parts += [frame(p % 4 * CELL, 60 + p // 4 * CELL, CELL, CELL) for p in winners.tolist()]
    parts += [caption(220, 80, "y"), *numbers(200, 90, out[0, 0], own, CELL, 0, ""), *arrow((132, 120), (188, 120))]
    parts += [
        caption(350, 50, "dx"),
        *numbers(350, 60, dx, lambda r, c: quarter(r, c, "pale") if dx[r, c] else "", CELL, 0, ""),
    ]
    parts += [caption(220, 190, "dy"), *numbers(200, 200, D, own, CELL, 0, "")]
    parts += arrow((266, 230), (410, 230), (410, 188))
    parts.append(caption(0, 214, "4 twice: a tie,"))
    parts.append(caption(0, 232, "the first one wins"))
    return picture(
        "The largest of a window passes, and takes the gradient",
        270,
        "A 4 by 4 picture with the largest number of each 2 by 2 window marked, and the gradients that return there.",
        parts,
    )


def average_pooling() -> str:
    """Means, gradients spread evenly, and what padding does to a constant picture."""
    x, dout = X[None, None], 4 * D[None, None]
    out, cache = average_pool_forward(x, HALVES)
    dx = average_pool_backward(dout, cache)
    cell = 27.0
    parts = [caption(0, 46, "x"), *numbers(0, 54, X, quarter, cell)]
    parts += [caption(146, 66, "y: means"), *numbers(146, 74, out[0, 0], own, 34), *arrow((114, 108), (140, 108))]
    parts += [caption(262, 72, "dy"), *numbers(262, 80, 4 * D, own, cell)]
    parts += [caption(360, 46, "dx"), *numbers(360, 54, dx[0, 0], quarter, cell), *arrow((320, 108), (354, 108))]
    ones, top = np.ones((1, 1, 3, 3)), 210.0
    parts.append(caption(0, top - 16, "a constant picture, 3 × 3 windows, stride 1, pad 1:"))
    parts += numbers(0, top + 20, ones[0, 0], "f2 light", cell)
    for left, include in ((170.0, True), (340.0, False)):
        settings = {"pool_height": 3, "pool_width": 3, "stride": 1, "pad": 1, "count_include_pad": include}
        means, _ = average_pool_forward(ones, settings)
        words = "padding counts" if include else "padding left out"
        parts += [caption(left, top + 6, words), *numbers(left, top + 14, means[0, 0], "f1 light", 32)]
    parts += arrow((88, top + 60), (160, top + 60))
    return picture(
        "The mean of a window; its gradient spreads evenly",
        top + 118,
        "A 4 by 4 picture, the means of its windows, gradients spread over them, and a constant picture with padding.",
        parts,
    )


def global_average_pooling() -> str:
    """Three maps of any size become three numbers."""
    rng = np.random.default_rng(1)
    parts, top = [], 50.0
    for height, width in ((5, 5), (4, 7)):
        x = rng.integers(0, 10, (1, 3, height, width)).astype(np.float64)
        y, cache = global_average_pool_forward(x)
        dx = global_average_pool_backward(np.ones((1, 3)), cache)
        for c in range(3):
            left = c * 104.0
            parts += heat(left, top, x[0, c], 13, 10, f"f{c + 1} f{c + 1}")
            parts.append(
                svg.text(left + 13 * width / 2, top + 13 * height + 16, f"P = {height * width}", "soft", "middle")
            )
            parts += numbers(370 + 34 * c, top + 18, [[y[0, c]]], f"f{c + 1} pale", 34, 1, "")
        parts += arrow((310, top + 35), (360, top + 35))
        parts.append(caption(370, top + 72, f"dx = dy · {dx[0, 0, 0, 0]:.3f}"))
        top += 108
    return picture(
        "Each channel becomes one number, its mean",
        top - 4,
        "Three channels of 5 by 5, then of 4 by 7 pixels; each time three means.",
        parts,
    )


def fractional_max_pooling() -> str:
    """Regions of nine pixels to six, for two draws; and the regions of one axis, disjoint and overlapping."""
    rng = np.random.default_rng(2)
    size, cell, top, parts = 9, 16.0, 64.0, []
    x = rng.integers(0, 10, (1, 1, size, size)).astype(np.float64)
    for left, u in ((0.0, (0.1, 0.7)), (170.0, (0.6, 0.3))):
        draws = np.array(u)[None, None]
        out, cache = fractional_max_pool_forward(x, draws, 1.5, "disjoint")
        won = fractional_max_pool_backward(np.ones_like(out), cache)[0, 0]
        tops, lefts = (MODES["disjoint"](draws[0, :, k], size, out.shape[2], 2) for k in (1, 0))
        parts += [svg.text(left, 50, f"u = {u[0]}, {u[1]}"), *heat(left, top, x[0, 0], cell, 14)]
        for begin, wide in zip(lefts[0][0].tolist(), lefts[1][0].tolist(), strict=True):
            parts += [
                frame(left + begin * cell, top + start * cell, wide * cell, tall * cell)
                for start, tall in zip(tops[0][0].tolist(), tops[1][0].tolist(), strict=True)
            ]
        for row, column in np.argwhere(won).tolist():
            parts.append(svg.circle(left + (column + 0.5) * cell, top + (row + 0.5) * cell, 3.5, "f2"))
        parts += [*heat(left + 30, top + 180, out[0, 0], 14, 14)]
        parts += arrow((left + 72, top + 150), (left + 72, top + 174))
    y = 50.0
    for mode, draw in (("disjoint", 0.1), ("disjoint", 0.6), ("overlapping", 0.1), ("overlapping", 0.6)):
        parts.append(caption(344, y, f"{mode}, {draw}"))
        parts += numbers(344, y + 8, np.full((1, size), np.nan), "f2 light", 15)
        starts, lengths = MODES[mode](np.array([draw]), size, 6, 2)
        for k, (start, length) in enumerate(zip(starts[0].tolist(), lengths[0].tolist(), strict=True)):
            lane = y + 29 + (6 * (k % 2) if mode == "overlapping" else 0)
            parts.append(svg.line(346 + 15 * start, lane, 342 + 15 * (start + length), lane, "curve s1"))
        y += 68
    parts.append(caption(0, top + 284, "9 × 9 to 6 × 6; a dot: the largest of its region, which gets the gradient"))
    return picture(
        "Regions of one or two pixels, in an order drawn",
        top + 294,
        "A 9 by 9 picture cut into 6 by 6 regions by two draws, the largest of each; and the regions of one axis.",
        parts,
    )


def max_unpooling() -> str:
    """Values back to where maxima were found; or all into the corners."""
    x = X[None, None]
    positions = max_pool_positions(x, HALVES)
    back = max_unpool_forward(D[None, None], positions, (4, 4))[0][0, 0]
    nails = bed_of_nails_forward(D[None, None], 2)[0][0, 0]
    parts = [caption(0, 50, "what was pooled"), *numbers(0, 60, X, quarter, CELL, 0, "")]
    parts += [frame(p % 4 * CELL, 60 + p // 4 * CELL, CELL, CELL) for p in positions.ravel().tolist()]
    parts += [caption(186, 80, "values"), *numbers(186, 90, D, own, CELL, 0, "")]
    parts += [caption(340, 50, "max unpooling"), *filled(340, 60, back)]
    parts += [caption(186, 218, "values"), *numbers(186, 228, D, own, CELL, 0, "")]
    parts += [caption(340, 204, "bed of nails"), *filled(340, 214, nails)]
    parts += [*arrow((252, 120), (332, 120)), *arrow((252, 258), (332, 258))]
    parts += arrow((124, 180), (290, 180), (290, 126), kind="guide")
    parts.append(caption(124, 196, "positions"))
    return picture(
        "Back to where each maximum was found, else zeros",
        344,
        "Four values put back to the places of the maxima of a 4 by 4 picture, and into the corners of their cells.",
        parts,
    )


def filled(x: float, y: float, values: np.ndarray) -> list[str]:
    """A 4 x 4 picture coloured where it is not 0."""
    return numbers(x, y, values, lambda r, c: quarter(r, c, "pale") if values[r, c] else "", CELL, 0, "")


def average_unpooling() -> str:
    """Sums kept, means kept, and windows that overlap."""
    x = 4 * D
    parts = [caption(0, 72, "x"), *numbers(0, 80, x, own, CELL, 1)]
    for left, keep in ((140.0, "sum"), (320.0, "mean")):
        out, _ = average_unpool_forward(x[None, None], HALVES, keep=keep)
        whole = f"sum {out.sum():g}" if keep == "sum" else f"mean {out.mean():g}"
        parts += [caption(left, 46, f"kept: {whole}"), *numbers(left, 54, out[0, 0], quarter, CELL, 1)]
    parts += [*arrow((68, 110), (132, 110)), caption(0, 156, f"sum {x.sum():g}"), caption(0, 172, f"mean {x.mean():g}")]
    wide = {"pool_height": 3, "pool_width": 3, "stride": 2}
    out, _ = average_unpool_forward(9 * D[None, None], wide)
    top = 206.0
    parts += [caption(0, top + 28, "x"), *numbers(0, top + 36, 9 * D, own, CELL, 1)]
    parts += [*arrow((68, top + 66), (132, top + 66)), *heat(140, top, out[0, 0], 26, 14)]
    parts += numbers(140, top, out[0, 0], "", 26, 1)
    parts += [caption(290, top + 30, "3 × 3 windows, stride 2:")]
    parts += [caption(290, top + 50, "where they overlap,"), caption(290, top + 70, "their shares add up")]
    return picture(
        "Each value spreads evenly over its window",
        top + 138,
        "Four values spread over 2 by 2 windows, keeping the sum or the mean, and over 3 by 3 windows that overlap.",
        parts,
    )


PICTURES: dict[str, Callable[[], str]] = {
    "pooling-window": pooling_window,
    "max-pooling": max_pooling,
    "average-pooling": average_pooling,
    "global-average-pooling": global_average_pooling,
    "fractional-max-pooling": fractional_max_pooling,
    "max-unpooling": max_unpooling,
    "average-unpooling": average_unpooling,
}
