"""Pictures of convolution: windows, and the ways to compute all of them at once."""

from collections.abc import Callable

import numpy as np

from lessons.pictures.drawing import arrow, box, caption, frame, heat, numbers, picture
from pellucid.plots import svg
from pellucid.scratch.convolution.blocked import blocks
from pellucid.scratch.convolution.dilated import conv_backward_dilated, conv_forward_dilated
from pellucid.scratch.convolution.fast import conv_forward_fast
from pellucid.scratch.convolution.fft import conv_forward_fft
from pellucid.scratch.convolution.grouped import conv_backward_grouped, conv_forward_grouped
from pellucid.scratch.convolution.im2col import im2col
from pellucid.scratch.convolution.loops import conv_forward_naive
from pellucid.scratch.convolution.matrix import conv_matrix, conv_matrix_1d
from pellucid.scratch.convolution.separable import separable_costs
from pellucid.scratch.convolution.size import conv_window, effective_size, output_size
from pellucid.scratch.convolution.winograd import INPUTS, KERNEL, OUTPUTS

EDGE = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], dtype=np.float64)


def conv_size() -> str:
    """Rows of pixels, and the windows that begin at every S-th of them."""
    parts, top, cell = [], 34.0, 28.0
    for size, kernel, stride, pad, dilation in ((7, 3, 2, 1, 1), (8, 3, 2, 1, 1), (9, 3, 2, 0, 2)):
        out, reach = output_size(size, kernel, stride, pad, dilation), effective_size(kernel, dilation)
        words = f"N = {size}, F = {kernel}, S = {stride}, P = {pad}, D = {dilation}: {out} outputs"
        parts.append(caption(0, top + 12, words))
        row, seen = [0.0] * pad + [np.nan] * size + [0.0] * pad, set()
        for window in range(out):
            y = top + 56 + 9 * (window % 3)
            taps = [window * stride + tap * dilation for tap in range(kernel)]
            seen |= set(taps)
            parts.append(svg.line(taps[0] * cell + 4, y, (taps[0] + reach) * cell - 4, y, f"curve s1 o{6}"))
            parts += [svg.circle((tap + 0.5) * cell, y, 3.5, "f1") for tap in taps]
        for place, real in enumerate(row):
            kind = "f6 pale" if place not in seen else "" if real == 0 else "f2 light"
            parts += numbers(place * cell, top + 20, [[real]], kind, cell, 0)
        if len(seen) < len(row):
            parts.append(caption(len(row) * cell + 8, top + 38, "grey: seen by no window"))
        top += 96
    return picture(
        "A window at every S-th place, as long as it fits",
        top,
        "Three rows of pixels with padding, and the windows of a kernel of three taps over them.",
        parts,
    )


def conv_loops() -> str:
    """One window and its output, marked in the input and the output."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, (5, 5)).astype(np.float64)
    out, _ = conv_forward_naive(x[None, None], EDGE[None, None], np.ones(1), {"stride": 2, "pad": 1})
    padded, cell, (i, j) = np.pad(x, 1), 24.0, (1, 1)
    top = 62.0

    def within(row: int, column: int) -> str:
        return "f2 light" if 1 <= row <= 5 and 1 <= column <= 5 else ""

    parts = [caption(0, 48, "x with its padding"), *numbers(0, top, padded, within, cell, 0)]
    parts += [caption(206, 48, "w"), *numbers(206, top + 48, EDGE, "f3 light", cell, 0)]
    parts += [caption(316, 48, "y, stride 2, b = 1"), *numbers(320, top + 36, out[0, 0], "f1 light", 32, 0)]
    parts += [frame(2 * j * cell, (2 * i) * cell + top, 72, 72, 1), frame(320 + 32 * j, top + 36 + 32 * i, 32, 32, 1)]
    parts += [svg.text(190, top + 88, "·", "title", "middle"), svg.text(298, top + 88, "=", "title", "middle")]
    window = padded[2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
    terms = [f"{w:g}·{v:g}" if w > 0 else f"({w:g})·{v:g}" for w, v in zip(EDGE.ravel(), window.ravel(), strict=True)]
    shown = " + ".join(term for term in terms if not term.startswith("0") and not term.startswith("(0"))
    parts.append(svg.text(0, top + 200, f"{shown} + 1 = {out[0, 0, i, j]:g}", ""))
    return picture(
        "Every output is the same sum over its own window",
        top + 212,
        "A picture of 5 by 5 with padding, a kernel of 3 by 3, and the output of 3 by 3; one window and its output.",
        parts,
    )


def im2col_picture() -> str:
    """Windows as columns, and the convolution as one product."""
    x = np.arange(1.0, 13).reshape(3, 4)
    w = np.array([[1.0, 2.0], [0.0, -1.0]])
    window = conv_window(x[None, None], w[None, None], np.zeros(1), {"stride": 1, "pad": 0})
    columns = im2col(x[None, None], window)[0]
    y, chosen, cell = w.reshape(1, 4) @ columns, 4, 25.0
    i, j = divmod(chosen, window.out[1])
    parts = [caption(0, 48, "x: 3 × 4"), *numbers(0, 56, x, "f2 light", cell, 0)]
    parts += [frame(j * cell, 56 + i * cell, 2 * cell, 2 * cell, 1)]
    parts += [caption(0, 166, "w: 2 × 2"), *numbers(0, 174, w, "f3 light", cell, 0)]
    left = 286.0
    parts += [caption(left, 48, "columns: 4 × 6"), *numbers(left, 56, columns, "f2 light", cell, 0)]
    parts += [frame(left + chosen * cell, 56, cell, 4 * cell, 1)]
    parts += arrow((j * cell + 58, 106), (180, 106), (180, 190), (left + (chosen + 0.5) * cell, 190), kind="guide")[:3]
    parts += arrow((left + (chosen + 0.5) * cell, 190), (left + (chosen + 0.5) * cell, 162))
    parts += [caption(150, 250, "W: 1 × 4"), *numbers(150, 206, w.reshape(1, 4), "f3 light", cell, 0)]
    parts += [svg.text(268, 224, "·  =", "", "middle")]
    parts += [caption(left, 250, "y, one number a window"), *numbers(left, 206, y, "f1 light", cell, 0)]
    parts += [frame(left + chosen * cell, 206, cell, cell, 1)]
    return picture(
        "Every window becomes a column of one matrix",
        260,
        "A 3 by 4 picture, its six 2 by 2 windows as columns of a matrix, and their product with the kernel.",
        parts,
    )


def conv_fft() -> str:
    """Picture and kernel as spectra, multiplied number by number."""
    rng = np.random.default_rng(3)
    x = np.zeros((16, 16))
    x[3:10, 5:8] = 1
    x[9:12, 5:14] = 0.7
    x += 0.15 * rng.random(x.shape)
    taps = np.abs(np.arange(7) - 3)
    w = np.exp(-np.add.outer(taps**2, taps**2) / 6.0)
    out, (x_hat, w_hat, _) = conv_forward_fft(x[None, None], w[None, None], np.zeros(1), {"stride": 1, "pad": 0})
    both = x_hat[0, 0] * w_hat[0, 0].conj()
    cell, parts = 6.0, []
    kernel = np.zeros_like(x)
    kernel[:7, :7] = w
    for left, above, below, name in (
        (0.0, x, x_hat[0, 0], "x"),
        (186.0, kernel, w_hat[0, 0], "w"),
        (384.0, out[0, 0], both, "y"),
    ):
        parts += [caption(left, 50, name), *heat(left, 58, above, cell)]
        spectrum = np.log1p(np.abs(np.fft.fftshift(below, axes=0)))
        parts += heat(left + 21, 186, spectrum, cell, kinds="f3 f3")
        direction = ((left + 48, 182), (left + 48, 156 if name != "y" else 58 + 6 * len(out[0, 0]) + 4))
        parts += arrow(*(direction if name == "y" else direction[::-1]))
    parts += [caption(56, 174, "F"), caption(242, 174, "F"), caption(440, 174, "F⁻¹")]
    parts += [svg.text(139, 238, "·", "title", "middle"), svg.text(326, 238, "=", "title", "middle")]
    parts += [caption(21, 300, "F(x)"), caption(207, 300, "conj F(w)"), caption(405, 300, "F(y)")]
    return picture(
        "In the spectrum: one product for each frequency",
        308,
        "A picture of 16 by 16 and a kernel of 7 by 7, their spectra, the product of these, and the output it gives.",
        parts,
    )


def grouped() -> str:
    """Which channel reaches which filter, for several numbers of groups: read off the gradients."""
    parts, channels = [], 6
    for number, groups in enumerate((1, 2, 3, 6)):
        w = np.ones((channels, channels // groups, 3, 3))
        x = np.ones((1, channels, 3, 3))
        settings = {"stride": 1, "pad": 0, "groups": groups}
        out, cache = conv_forward_grouped(x, w, np.zeros(channels), settings)
        left = number * 126.0
        parts.append(svg.text(left + 50, 50, f"G = {groups}", "", "middle"))
        parts.append(svg.text(left + 50, 246, f"{w.size} weights", "soft", "middle"))
        for f in range(channels):
            dout = np.zeros_like(out)
            dout[0, f] = 1
            reached = conv_backward_grouped(dout, cache)[0][0].any(axis=(1, 2))
            for c in np.flatnonzero(reached).tolist():
                kind = f"curve s{c * groups // channels % 6 + 1} o6" if groups > 1 else "axis"
                parts.append(svg.line(left + 12, 74 + 28 * c, left + 88, 74 + 28 * f, kind))
        for c in range(channels):
            kind = f"f{c * groups // channels % 6 + 1}" if groups > 1 else "f6"
            parts += [svg.circle(left + side, 74 + 28 * c, 7, kind) for side in (12, 88)]
    parts.append(caption(0, 270, "6 channels to 6 filters of 3 × 3; where no line is, no weight is"))
    return picture(
        "Each group of channels sees itself alone",
        280,
        "Six channels and six filters in 1, 2, 3 and 6 groups, with a line where a filter sees a channel.",
        parts,
    )


def separable() -> str:
    """Space in each channel alone, then the channels of each pixel."""
    parts = [svg.text(120, 48, "depthwise", "", "middle"), svg.text(268, 48, "pointwise", "", "middle")]
    for c in range(3):
        y, kind = 60.0 + 50 * c, f"f{c + 1}"
        parts += numbers(0, y, np.full((4, 4), np.nan), f"{kind} light", 10)
        parts += numbers(0, y, np.full((3, 3), np.nan), f"{kind} pale", 10)
        parts += numbers(105, y + 5, np.full((3, 3), np.nan), kind, 10)
        parts += arrow((44, y + 20), (101, y + 20)) + arrow((139, y + 20), (186, y + 20))
        parts += numbers(190, y + 10, np.full((2, 2), np.nan), f"{kind} light", 10)
        parts += numbers(190, y + 10, np.full((1, 1), np.nan), kind, 10)
        for f in range(4):
            parts.append(svg.line(212, y + 15, 326, 71 + 36 * f, f"curve s{c + 1} o5"))
    for f in range(4):
        parts += numbers(328, 62 + 36 * f, np.full((2, 2), np.nan), "f6 light", 10)
        parts += numbers(328, 62 + 36 * f, np.full((1, 1), np.nan), "f6", 10)
    channels, filters = 64, 128
    costs = separable_costs(channels, filters, (3, 3), (32, 32))
    full, y = costs["standard"].parameters, 236.0
    parts.append(caption(0, y - 8, f"weights of 3 × 3, {channels} channels to {filters}:"))
    for name, kind in (("standard", "f6"), ("separable", "f1"), ("depthwise", "f1 pale"), ("pointwise", "f1 pale")):
        many = costs[name].parameters
        parts.append(svg.text(76, y + 12, name, "", "end"))
        parts.append(svg.rect(84, y, 310 * many / full, 15, kind))
        parts.append(caption(90 + 310 * many / full, y + 12, f"{many:,}"))
        y += 20
    return picture(
        "First every channel by itself, then every pixel by itself",
        y + 4,
        "Three channels, a kernel for each, lines from them to four filters; below, the weights of both ways.",
        parts,
    )


def dilated() -> str:
    """What the last unit of a stack sees: the way back of a gradient of one."""
    parts, width = [], 15
    for dilations, top in (((1, 2, 4), 66.0), ((2, 2, 2), 224.0)):
        layers, gap = backwards(dilations, width), 34.0
        for level, distance in enumerate(reversed(dilations)):
            y, here = top + gap * level, layers[level]
            for unit in np.flatnonzero(here).tolist():
                parts += [svg.line(at(unit), y, at(unit + side * distance), y + gap, "axis") for side in (-1, 0, 1)]
        for level, seen in enumerate(layers):
            for unit in range(width):
                kind = ("f1" if level else "f2") if seen[unit] else "f6 light"
                parts.append(svg.circle(at(unit), top + gap * level, 6, kind))
            words = f"{int(np.ptp(np.flatnonzero(seen))) + 1}" if level else ""
            parts.append(svg.text(476, top + gap * level + 5, words, "soft", "end"))
        missed = int(np.ptp(np.flatnonzero(layers[-1]))) + 1 - int(layers[-1].sum())
        words = f"D = {', '.join(map(str, dilations))}: " + (f"{missed} of the field missed" if missed else "each seen")
        parts.append(caption(0, top - 16, words))
    return picture(
        "Doubling gaps see all, equal gaps leave holes",
        338,
        "What an output of three layers of three taps sees: all of 15 pixels, or every other one of 13.",
        parts,
    )


def at(unit: int) -> float:
    """Where a unit of the rows in `dilated` stands."""
    return 10 + 30.4 * unit


def backwards(dilations: tuple[int, ...], width: int) -> list[np.ndarray]:
    """Which units the middle output of a stack sees, layer by layer down to the input; (width,) booleans each."""
    x, w = np.ones((1, 1, 1, width)), np.ones((1, 1, 1, 3))
    dout = np.zeros_like(x)
    dout[..., width // 2] = 1
    seen = [dout]
    for dilation in reversed(dilations):
        settings = {"stride": 1, "pad": (0, dilation), "dilation": dilation}
        _, cache = conv_forward_dilated(x, w, np.zeros(1), settings)
        seen.append(conv_backward_dilated(seen[-1], cache)[0])
    return [layer.ravel() > 0 for layer in seen]


def conv_matrix_picture() -> str:
    """The matrix of a convolution: along one axis with its numbers, in two as a pattern."""
    one = conv_matrix_1d(np.array([1.0, 2.0, 3.0]), 4)
    parts = [caption(0, 48, "taps (1, 2, 3), four inputs"), *numbers(28, 58, one, kind_of_tap(one), 24, 0)]
    parts += [svg.text(0, 86, "M ="), svg.text(212, 86, "Mᵀ ="), *numbers(250, 46, one.T, kind_of_tap(one.T), 24, 0)]
    w = np.arange(1.0, 10).reshape(1, 1, 3, 3)
    window = conv_window(np.zeros((1, 1, 5, 5)), w, np.zeros(1), {"stride": 1, "pad": 0})
    two, size, top = conv_matrix(w, window), 15.0, 186.0
    parts.append(caption(0, top - 14, "a 3 × 3 kernel on 5 × 5 pixels: 9 rows (outputs), 25 columns (pixels)"))
    for row, column in np.argwhere(two).tolist():
        tap = int(two[row, column]) - 1
        parts.append(svg.rect(column * size, top + row * size, size, size, f"f{tap // 3 + 1} o{4 + 3 * (tap % 3)}"))
    for band in range(5):
        parts += [svg.rect(band * 5 * size, top, 5 * size, 9 * size, "cell")]
    parts += [svg.rect(0, top + 3 * band * size, 25 * size, 3 * size, "cell") for band in range(3)]
    for tap in range(9):
        x, y = 396 + 18 * (tap % 3), top + 44 + 18 * (tap // 3)
        parts += numbers(x, y, [[np.nan]], f"f{tap // 3 + 1} o{4 + 3 * (tap % 3)}", 18)
    parts.append(caption(396, top + 36, "taps"))
    return picture(
        "Each row is the one above, moved by one",
        top + 146,
        "The matrix of a convolution along one axis, its transpose, and the block pattern of one in two dimensions.",
        parts,
    )


def kind_of_tap(matrix: np.ndarray) -> Callable[[int, int], str]:
    """A colour for each of the numbers 1, 2, 3."""
    return lambda row, column: f"f{int(matrix[row, column])} pale" if matrix[row, column] else ""


def conv_blocked() -> str:
    """The columns of im2col, of which only one block exists at a time."""
    (c, f, height, width), together = (64, 64, 32, 32), 1
    rows = blocks(height, width * together)
    step = rows[0].stop - rows[0].start
    pixels, taps = height * width * 8, 9 * c + 1  # eight pictures of 32 x 32
    every = [group for group in range(8) for _ in rows]
    full, each = 400.0, 400.0 / len(every)
    parts = [
        caption(0, 50, f"im2col: {taps - 1} × {pixels:,} numbers, {4 * (taps - 1) * pixels / 2**20:.0f} MB in memory")
    ]
    parts += [svg.rect(40, 58, full, 72, "f6 light")]
    parts += [svg.rect(40 + k * each, 58, each, 72, "cell") for k in range(len(every))]
    parts += [svg.rect(40 + 2 * each, 58, each, 72, "f1"), frame(40 + 2 * each, 58, each, 72)]
    block = f"a block: {taps} × {step * width:,}, {4 * taps * step * width / 2**20:.1f} MB in the cache"
    parts += [*arrow((40 + 2.5 * each, 132), (40 + 2.5 * each, 168)), caption(60 + 2.5 * each, 156, block)]
    top = 174.0
    parts += box(0, top + 4, 66, 40, "[W b]", "f3 pale")
    parts += [svg.text(84, top + 30, "·", "title", "middle"), *box(102, top, 100, 72, "columns", "f1 pale")]
    parts += box(102, top + 72, 100, 14, "1 1 1 1 1 1 1", "f2 pale", "small")
    parts += [svg.text(222, top + 30, "=", "title", "middle"), *box(242, top + 4, 100, 40, "rows of y", "f1 pale")]
    parts.append(caption(212, top + 82, "ones: the bias is a weight of theirs"))
    parts.append(caption(0, top + 114, f"eight pictures of {height} × {width}, {c} channels, {f} kernels of 3 × 3"))
    return picture(
        "Only one block of the columns exists at a time",
        top + 124,
        "The matrix of im2col cut into blocks; one of them, in the cache, times the weights gives some rows of output.",
        parts,
    )


def winograd() -> str:
    """Six inputs and three taps to four outputs by six products."""
    d, g = np.array([1.0, 2, 0, 1, 3, 1]), np.array([4.0, 6, -4])
    v, u = np.array(INPUTS) @ d, np.array(KERNEL) @ g
    m = u * v
    y = np.array(OUTPUTS) @ m
    cell, top, parts = 28.0, 68.0, []
    for x, values, name, kind in (
        (0.0, d, "d", "f2 pale"),
        (112.0, v, "Bᵀ d", "f2 light"),
        (196.0, u, "G g", "f3 light"),
        (280.0, m, "products", "f1 light"),
        (404.0, y, "y = Aᵀ …", "f1 pale"),
    ):
        shift = (6 - len(values)) * cell / 2
        parts.append(svg.text(x + cell / 2, top - 12, name, "", "middle"))
        parts += numbers(x, top + shift, values[:, None], kind, cell, 1)
    for row in range(6):
        parts += [svg.text(168, top + row * cell + 19, "·", "title", "middle")]
        parts += [svg.text(252, top + row * cell + 19, "=", "", "middle")]
    for left, right, matrix in ((28, 112, INPUTS), (308, 404, OUTPUTS)):
        for row, column in np.argwhere(np.array(matrix)).tolist():
            start, stop = (column + 0.5) * cell, (row + 0.5 + (6 - len(matrix)) / 2) * cell
            parts.append(svg.line(left + 3, top + start, right - 3, top + stop, "grid"))
    below = top + 6 * cell + 30
    parts += [svg.text(112, below + 19, "g", "", "middle"), *numbers(124, below, g[None], "f3 pale", cell, 0)]
    parts += arrow((166 + 44, below - 2), (210, top + 6 * cell + 4))
    parts.append(caption(0, below + 52, "6 products for 4 outputs; sums of three would take 12"))
    check = np.correlate(d, g, "valid")
    parts.append(caption(250, below + 19, f"4·{d[0]:g} + 6·{d[1]:g} - 4·{d[2]:g} = {check[0]:g}"))
    return picture(
        "Evaluate, multiply, interpolate: six products, not twelve",
        below + 62,
        "Six inputs and three taps are each turned into six values, multiplied, and turned into four outputs.",
        parts,
    )


def conv_fast() -> str:
    """Which of the three ways is taken, asked of the layer itself."""
    parts, top = [], 62.0
    heads = ("layer", "way taken", "products (loops: 100%)")
    parts += [caption(x, 48, head) for x, head in zip((0, 200, 304), heads, strict=True)]
    for kernel, stride, channels in ((1, 1, 64), (1, 2, 64), (3, 1, 64), (3, 1, 3), (3, 2, 64), (5, 1, 64)):
        x, w = np.zeros((1, channels, 8, 8)), np.zeros((2, channels, kernel, kernel))
        _, (backward, _) = conv_forward_fast(x, w, np.zeros(2), {"stride": stride, "pad": kernel // 2})
        way = {"_backward_1x1": "pointwise"}.get(backward.__name__, backward.__name__.removeprefix("conv_backward_"))
        kind = {"pointwise": "f2", "winograd": "f1", "blocked": "f3"}[way]
        share = len(INPUTS) / (3 * len(OUTPUTS)) if way == "winograd" else 1.0
        name = f"{kernel} × {kernel}, {channels} channels" + (", stride 2" if stride > 1 else "")
        parts += [svg.text(0, top + 16, name), *box(200, top, 92, 24, way, f"{kind} pale")]
        parts += [svg.rect(304, top + 4, 130 * share, 16, kind), caption(310 + 130 * share, top + 17, f"{share:.0%}")]
        top += 32
    return picture(
        "Three ways, each where it is the quickest",
        top + 4,
        "Six layers and the way that is taken for each: pointwise for 1 by 1, Winograd for 3 by 3 with many channels.",
        parts,
    )


PICTURES: dict[str, Callable[[], str]] = {
    "conv-size": conv_size,
    "conv-loops": conv_loops,
    "im2col": im2col_picture,
    "conv-fft": conv_fft,
    "grouped": grouped,
    "separable": separable,
    "dilated": dilated,
    "conv-matrix": conv_matrix_picture,
    "conv-blocked": conv_blocked,
    "winograd": winograd,
    "conv-fast": conv_fast,
}
