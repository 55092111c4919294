"""Pictures of up-sampling: which old pixels a new one is made of, and stamps that overlap."""

from collections.abc import Callable

import numpy as np

from lessons.pictures.drawing import arrow, caption, frame, heat, numbers, picture, show
from pellucid.plots import svg
from pellucid.scratch.convolution.transposed import conv_transpose_forward, overlap_count
from pellucid.scratch.interpolation.bilinear import interpolate_bilinear_forward
from pellucid.scratch.interpolation.grid import resized_axes
from pellucid.scratch.interpolation.linear import Weights, interpolate_linear_forward
from pellucid.scratch.interpolation.nearest import interpolate_nearest_forward
from pellucid.scratch.interpolation.trilinear import interpolate_trilinear_forward


def sampling_grid() -> str:
    """Old and new pixels as areas of one stretch, or as points between the same ends."""
    old, new, width, left = 4, 6, 400.0, 40.0
    (axis,) = resized_axes(np.zeros((1, 1, old)), 1, new, None)
    parts = [caption(0, 46, "areas: align_corners=False")]
    for y, many, kind in ((56.0, old, "f2"), (116.0, new, "f1")):
        for k in range(many):
            parts += [svg.rect(left + k * width / many, y, width / many, 26, f"{kind} light")]
            parts += [svg.rect(left + k * width / many, y, width / many, 26, "cell")]
            parts.append(svg.circle(left + (k + 0.5) * width / many, y + 13, 4, kind))
    for k, t in enumerate(axis.sources(False).tolist()):
        x = left + (k + 0.5) * width / new
        parts += [*arrow((x, 116), (x, 71)), svg.text(x, 160, show(t), "soft", "middle")]
    parts.append(caption(0, 160, "t"))
    parts.append(caption(0, 196, "points: align_corners=True"))
    for y, many, kind in ((220.0, old, "f2"), (274.0, new, "f1")):
        parts.append(svg.line(left + 50, y, left + 350, y, "axis"))
        parts += [svg.circle(left + 50 + k * 300 / (many - 1), y, 6, kind) for k in range(many)]
    for k, t in enumerate(axis.sources(True).tolist()):
        x = left + 50 + k * 300 / (new - 1)
        parts += [*arrow((x, 266), (x, 226)), svg.text(x, 300, show(t), "soft", "middle")]
    parts += [
        caption(0, 300, "t"),
        caption(0, 74, "old"),
        caption(0, 134, "new"),
        caption(0, 225, "old"),
        caption(0, 279, "new"),
    ]
    return picture(
        "A pixel is a little square, or a point",
        310,
        "Four old and six new pixels: as areas their stretches agree, as points their first and last agree.",
        parts,
    )


def nearest_interpolation() -> str:
    """Five pixels to eight, by corners and by centres: which one each new pixel copies."""
    x, cell, parts = np.array([3.0, 8, 5, 1, 6]), 48.0, []
    for top, exact in ((62.0, False), (196.0, True)):
        y = interpolate_nearest_forward(x[None, None], size=8, exact=exact)[0][0, 0]
        index = (
            interpolate_nearest_forward(np.arange(5.0)[None, None], size=8, exact=exact)[0][0, 0].astype(int).tolist()
        )
        parts.append(caption(0, top - 12, "by centres (exact)" if exact else "by first corners (PyTorch's nearest)"))
        wide = 8 * cell / 5
        for k, value in enumerate(x.tolist()):
            kind = f"f{k + 1} pale"
            parts += [svg.rect(48 + k * wide, top, wide, 26, kind), svg.rect(48 + k * wide, top, wide, 26, "cell")]
            parts.append(svg.text(48 + (k + 0.5) * wide, top + 18, show(value), "", "middle"))
        for o, (value, k) in enumerate(zip(y.tolist(), index, strict=True)):
            left, where = 48 + o * cell, 48 + (o + (0.5 if exact else 0.04)) * cell
            parts += [svg.rect(left, top + 66, cell, 26, f"f{k + 1} pale"), svg.rect(left, top + 66, cell, 26, "cell")]
            parts += [svg.text(left + cell / 2, top + 84, show(value), "", "middle")]
            parts += arrow((where, top + 30), (where, top + 62))
        parts += [caption(0, top + 18, "old"), caption(0, top + 84, "new")]
    return picture(
        "Every new pixel copies an old one",
        300,
        "Five pixels become eight copies; an arrow from the place that decides which one is copied.",
        parts,
    )


def linear_interpolation() -> str:
    """The line through the old values, and the new ones on it."""
    x, (low, high), parts = np.array([2.0, 5, 1, 4]), (0.0, 6.0), []
    (axis,) = resized_axes(np.zeros((1, 1, 4)), 1, 8, None)
    for left, corners in ((24.0, False), (268.0, True)):
        y = interpolate_linear_forward(x[None, None], size=8, align_corners=corners)[0][0, 0]
        start, step, top, bottom = left + 30, 48.0, 70.0, 236.0

        def up(value: float, bottom: float = bottom, top: float = top) -> float:
            return bottom - (value - low) / (high - low) * (bottom - top)

        ends = [(start - 0.5 * step, up(x[0])), *((start + k * step, up(v)) for k, v in enumerate(x.tolist()))]
        parts += [svg.text(left, 52, f"align_corners={corners}")]
        parts += [svg.line(left, up(v), left + 206, up(v), "grid") for v in range(0, 7, 2)]
        if corners:
            parts.append(svg.path([ends[1:]], "axis ring"))
        else:
            parts.append(svg.path([[*ends, (start + 3.5 * step, up(x[3]))]], "axis ring"))
        parts += [svg.circle(px, py, 7, "f2 pale") for px, py in ends[1:]]
        for t, value in zip(axis.sources(corners).tolist(), y.tolist(), strict=True):
            parts.append(svg.circle(start + t * step, up(value), 4, "f1"))
            parts.append(svg.line(start + t * step, bottom, start + t * step, bottom + 6, "axis"))
        parts += [svg.text(start + k * step, bottom + 22, str(k), "soft", "middle") for k in range(4)]
    parts += [svg.text(16, 236 - v / 6 * 166 + 4, str(v), "soft", "end") for v in range(0, 7, 2)]
    w = Weights(axis, False)
    first, second, share = int(w.low[2]), int(w.high[2]), float(w.w[2])
    made = interpolate_linear_forward(x[None, None], size=8)[0][0, 0, 2]
    words = f"left, third dot: {1 - share:g} · {x[first]:g} + {share:g} · {x[second]:g} = {made:g}"
    parts += [
        svg.circle(8, 276, 7, "f2 pale"),
        caption(20, 281, "old"),
        svg.circle(64, 276, 4, "f1"),
        caption(74, 281, "new"),
    ]
    parts.append(caption(126, 281, words))
    return picture(
        "New values lie on the line between two old ones",
        292,
        "Four old values joined by a line and eight new ones on it, with pixels as areas and as points.",
        parts,
    )


def bilinear_interpolation() -> str:
    """One point between four, and a whole picture."""
    corners = np.array([[1.0, 5.0], [3.0, 9.0]])
    size, (i, j) = 5, (3, 1)
    out = interpolate_bilinear_forward(corners[None, None], size=size, align_corners=True)[0][0, 0]
    top, left, side = 76.0, 30.0, 150.0
    x, y = left + side * j / (size - 1), top + side * i / (size - 1)
    parts = [svg.rect(left, top, side, side, "cell"), svg.line(x, top, x, top + side, "guide")]
    for (row, column), name in zip(np.ndindex(2, 2), ("Q₀₀", "Q₁₀", "Q₀₁", "Q₁₁"), strict=True):
        cx, cy = left + side * column, top + side * row
        parts += [
            svg.circle(cx, cy, 7, "f2"),
            svg.text(cx, cy + (26 if row else -14), f"{name} = {corners[row, column]:g}", "", "middle"),
        ]
    for cy, name, value in ((top, "P₁", out[0, j]), (top + side, "P₂", out[-1, j])):
        parts += [
            svg.circle(x, cy, 6, "f3"),
            svg.text(x + 10, cy + 18 if cy == top else cy - 9, f"{name} = {show(value)}"),
        ]
    parts += [svg.circle(x, y, 7, "f1"), svg.text(x + 12, y + 5, f"P = {show(out[i, j])}")]
    old = np.array([[0.0, 2, 1, 3], [4, 1, 0, 2], [1, 3, 4, 0], [2, 0, 1, 4]])
    for below, new, words in (
        (64.0, interpolate_nearest_forward(old[None, None], size=16)[0], "nearest"),
        (204.0, interpolate_bilinear_forward(old[None, None], size=16)[0], "bilinear"),
    ):
        parts += [caption(300, below - 8, words), *heat(300, below, new[0, 0], 7, 4)]
    parts.append(caption(0, 290, f"w_x = {j / (size - 1):g}, w_y = {i / (size - 1):g}"))
    return picture(
        "Along the rows first, then between them",
        324,
        "A point between four corners by two steps; and a 4 by 4 picture made 16 by 16 by copies and bilinearly.",
        parts,
    )


def trilinear_interpolation() -> str:
    """Eight corners to four points, to two, to one."""
    corners = np.array([[[1.0, 5], [3, 7]], [[2, 10], [8, 4]]])  # (z, y, x)
    size, at = 5, (2, 3, 1)  # of z, y and x
    out = interpolate_trilinear_forward(corners[None, None], size=size, align_corners=True)[0][0, 0]
    w = [k / (size - 1) for k in at]

    def place(z: float, y: float, x: float) -> tuple[float, float]:
        return 60 + 190 * x + 120 * z, 274 - 140 * y - 66 * z

    parts = []
    for a in range(2):
        for b in range(2):
            for ends in (((a, b, 0), (a, b, 1)), ((a, 0, b), (a, 1, b)), ((0, a, b), (1, a, b))):
                parts.append(svg.line(*place(*ends[0]), *place(*ends[1]), "axis"))
    steps: list[list[tuple[float, float, float]]] = [
        [(z, y, w[2]) for z in (0, 1) for y in (0, 1)],
        [(z, w[1], w[2]) for z in (0, 1)],
        [(w[0], w[1], w[2])],
    ]
    parts += [svg.line(*place(*steps[0][k]), *place(*steps[0][k + 1]), "curve s3") for k in (0, 2)]
    parts.append(svg.line(*place(*steps[1][0]), *place(*steps[1][1]), "curve s1"))
    for z, y, x in np.ndindex(2, 2, 2):
        px, py = place(z, y, x)
        parts += [
            svg.circle(px, py, 6, "f2"),
            svg.text(
                px - 12 if x == 0 else px + 12, py + 5, show(float(corners[z, y, x])), "", "end" if x == 0 else "start"
            ),
        ]
    shifts = [[(9, -7)] * 4, [(-44, 5), (10, 5)], [(6, 19)]]
    for points, kind, moved in zip(steps, ("f4", "f3", "f1"), shifts, strict=True):
        for point, (right, down) in zip(points, moved, strict=True):
            px, py = place(*point)
            value = float(out[tuple(round(v * (size - 1)) for v in point)])
            parts += [svg.circle(px, py, 6, kind), svg.text(px + right, py + down, show(value))]
    for k, (words, kind) in enumerate((("corners", "f2"), ("x", "f4"), ("y", "f3"), ("z", "f1"))):
        parts += [
            svg.circle(408, 60 + 22 * k + 140, 6, kind),
            caption(420, 65 + 22 * k + 140, words if k == 0 else f"along {words}"),
        ]
    parts.append(caption(0, 308, f"w_x = {w[2]:g}, w_y = {w[1]:g}, w_z = {w[0]:g}"))
    return picture(
        "Eight corners become four points, then two, then one",
        318,
        "A cube with numbers at its corners, four on its edges along x, two between those, and one between these.",
        parts,
    )


def transposed_convolution() -> str:
    """Stamps, and how often each pixel is stamped."""
    x, w = np.array([[1.0, 2], [3, 0]]), np.array([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])
    y = conv_transpose_forward(x[None, None], w[None, None], np.zeros(1), {"stride": 2, "pad": 0})[0][0, 0]
    cell = 24.0
    parts = [caption(0, 62, "x"), *numbers(0, 70, x, lambda r, c: f"f{2 * r + c + 1} pale", 26, 0)]
    parts += [
        caption(104, 50, "w"),
        *numbers(104, 58, w, "f6 light", cell, 0),
        svg.text(80, 100, "·", "title", "middle"),
    ]
    parts += arrow((184, 96), (214, 96))
    for r, c in np.ndindex(2, 2):
        parts.append(svg.rect(226 + 2 * c * cell, 42 + 2 * r * cell, 3 * cell, 3 * cell, f"f{2 * r + c + 1} light"))
    parts += [*numbers(226, 42, y, "", cell, 0), frame(226 + 2 * cell, 42, 3 * cell, 3 * cell, 2)]
    parts += [caption(358, 62, "stamps 2 apart,"), caption(358, 80, "summed where"), caption(358, 98, "they overlap")]
    top, cell = 216.0, 14.0
    parts.append(caption(0, top - 22, "how many stamps reach each pixel, stride 2:"))
    for left, k in ((0.0, 3), (166.0, 4), (330.0, 2)):
        count = overlap_count((4, 4), (k, k), 2)
        parts += [caption(left, top - 4, f"k = {k}"), *heat(left, top + 2, count, cell, 5)]
        parts += numbers(left, top + 2, count, "", cell, 0, "tiny")
    return picture(
        "Every pixel stamps the kernel; uneven overlap shows",
        top + 2 + 10 * cell + 8,
        "Four pixels stamp a 3 by 3 kernel on a canvas; how many stamps overlap for kernels of 3, 4 and 2.",
        parts,
    )


PICTURES: dict[str, Callable[[], str]] = {
    "sampling-grid": sampling_grid,
    "nearest-interpolation": nearest_interpolation,
    "linear-interpolation": linear_interpolation,
    "bilinear-interpolation": bilinear_interpolation,
    "trilinear-interpolation": trilinear_interpolation,
    "transposed-convolution": transposed_convolution,
}
