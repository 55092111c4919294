"""Pictures of recurrent layers: cells, sequences, and what becomes of a gradient on the way back."""

from collections.abc import Callable

import numpy as np

from lessons.pictures.drawing import arrow, box, caption, heat, knot, picture, show
from pellucid.plots import svg
from pellucid.plots.curves import curves
from pellucid.scratch.checks.gradient_flow import gradient_along_the_cell, gradient_through_time
from pellucid.scratch.recurrent.cells import CELLS
from pellucid.scratch.recurrent.gru import gru_step_forward
from pellucid.scratch.recurrent.lstm import lstm_step_forward
from pellucid.scratch.recurrent.multilayer import multilayer_forward
from pellucid.scratch.recurrent.rnn import rnn_backward, rnn_forward
from pellucid.scratch.recurrent.truncated import truncated_backward, truncated_forward
from pellucid.scratch.recurrent.unrolled import all_inputs_forward, time_first

GATES = {"rnn": ("h",), "lstm": ("i", "f", "o", "g"), "gru": ("r", "z", "n")}
BIASES = {"rnn": ("h",), "lstm": ("i", "f", "o", "g"), "gru": ("r", "z", "n", "m")}


def sequence(n: int, steps: int, d: int, h: int) -> tuple[np.ndarray, ...]:
    """What a plain recurrent layer takes: x (N, T, D), h0, Wx, Wh and b."""
    rng = np.random.default_rng(6)
    x, wx, wh = (rng.standard_normal(shape) for shape in ((n, steps, d), (d, h), (h, h)))
    return x, np.zeros((n, h)), 0.6 * wx, 0.45 * wh, np.zeros(h)


def unrolled() -> str:
    """All inputs in one product, the states one after the other."""
    n, steps, d, h = 2, 5, 3, 4
    x, h0, wx, wh, b = sequence(n, steps, d, h)
    a = all_inputs_forward(time_first(x), wx, b)
    states, _ = rnn_forward(x, h0, wx, wh, b)
    cell, top = 11.0, 66.0
    parts = [caption(20, 50, "X"), *heat(20, top, time_first(x).reshape(-1, d), cell)]
    parts += [caption(98, 84, "Wx"), *heat(98, 90, wx, cell, kinds="f3 f3")]
    parts += [caption(196, 50, "A"), *heat(196, top, a.reshape(-1, h), cell)]
    parts += [svg.text(77, 112, "·", "title", "middle"), svg.text(170, 112, "=", "title", "middle")]
    for t in range(steps):
        y = top + t * n * cell
        parts += [svg.rect(20, y, d * cell, n * cell, "cell"), svg.rect(196, y, h * cell, n * cell, "cell")]
        parts += [svg.text(0, y + 16, f"t{t + 1}", "small")]
    parts += [
        caption(262, 88, "before the loop:"),
        caption(262, 106, "one large product"),
        caption(262, 124, "for all steps"),
    ]
    y = 258.0
    for t in range(steps):
        left = 44.0 + 88 * t
        parts += [*heat(left, y - 56, a[t], cell), *arrow((left + 22, y - 32), (left + 22, y - 4))]
        parts += box(left - 4, y, 52, 24, "tanh", "f6 light")
        parts += [
            *arrow((left + 22, y + 26), (left + 22, y + 40)),
            *heat(left, y + 42, states[:, t], cell),
        ]
        parts += arrow((left - 38 if t else 8, y + 12), (left - 6, y + 12))
        if t:
            parts.append(svg.text(left - 22, y + 6, "Wh", "tiny", "middle"))
    parts += [caption(0, y - 62, "in the loop: only what needs the state before"), svg.text(0, y - 36, "a_t", "small")]
    parts.append(svg.text(0, y + 58, "h_t", "small"))
    return picture(
        "Only the state has to wait for the step before",
        y + 72,
        "The inputs of five steps, stacked, times one matrix; then a chain of five steps that adds the state before.",
        parts,
    )


def rnn() -> str:
    """A sequence with its states, and the gradient of a loss at its end."""
    steps, d, h = 6, 3, 4
    x, h0, wx, wh, b = sequence(1, steps, d, h)
    states, cache = rnn_forward(x, h0, wx, wh, b)
    dh = np.zeros_like(states)
    dh[:, -1] = 1
    dx = rnn_backward(dh, cache)[0][0]
    sizes = np.linalg.norm(dx, axis=1)
    parts, cell = [], 11.0
    for t in range(steps):
        left = 44.0 + 74 * t
        parts += [
            *heat(left + 8, 50, states[0, t][:, None], cell, 1, "f1 f2"),
            *arrow((left + 14, 132), (left + 14, 98)),
        ]
        parts += box(left - 8, 134, 44, 26, "tanh")
        parts += [
            *arrow((left + 14, 190), (left + 14, 164)),
            *heat(left + 8, 192, x[0, t][:, None], cell, 2.5, "f1 f2"),
        ]
        parts += arrow((left - 36 if t else 14, 147), (left - 11, 147))
        if t:
            parts.append(svg.text(left - 23, 140, "Wh", "tiny", "middle"))
            parts += arrow((left - 6, 172), (left - 34, 172), kind="guide", head=5)
        parts.append(svg.text(left + 24, 218, "x" + "₁₂₃₄₅₆"[t], ""))
        parts.append(svg.text(left + 24, 78, "h" + "₁₂₃₄₅₆"[t], ""))
        tall = 44 * sizes[t] / sizes.max()
        parts += [
            svg.rect(left + 2, 298 - tall, 24, tall, "f3"),
            svg.text(left + 14, 312, show(sizes[t]), "small", "middle"),
        ]
    parts.append(caption(0, 246, "how large the gradient of a loss on h₆ is, at each x:"))
    return picture(
        "The same weights in every step, forward and back",
        320,
        "Six steps of a recurrent layer with inputs and states, and bars for the gradient that reaches each input.",
        parts,
    )


def lstm() -> str:
    """One step with its numbers: the cell runs along the top, gates open on to it."""
    rng = np.random.default_rng(11)
    wx, wh = rng.standard_normal((1, 4)), rng.standard_normal((1, 4))
    x, h0, c0 = np.array([[0.8]]), np.array([[0.3]]), np.array([[1.2]])
    next_h, next_c, cache = lstm_step_forward(x, h0, c0, wx, wh, np.array([0.2, 1.5, 0.4, 0.1]))
    i, f, o, g = cache.gates[0].tolist()
    line, floor, gate = 84.0, 272.0, 210.0
    parts = [svg.rect(70, 48, 330, 238, "f6 light")]
    parts += [svg.line(8, line, 110, line, "curve s1"), svg.line(130, line, 240, line, "curve s1")]
    parts += arrow((260, line), (470, line), kind="curve s1")
    parts += [
        svg.text(8, line - 10, f"c {show(c0.item())}", ""),
        svg.text(472, line - 10, f"c {show(next_c.item())}", "", "end"),
    ]
    parts += [svg.line(8, floor, 352, floor, "axis"), svg.text(8, floor - 8, f"h {show(h0.item())}")]
    parts += [*arrow((40, 306), (40, floor + 4)), svg.text(52, 306, f"x {show(x.item())}")]
    for at, name, value, kind in ((120, "f", f, "f2"), (200, "i", i, "f3"), (300, "g", g, "f5"), (352, "o", o, "f4")):
        parts += [
            svg.line(at, floor, at, gate + 26, "axis"),
            *box(at - 20, gate, 40, 26, "tanh" if name == "g" else "σ", f"{kind} pale"),
        ]
        parts.append(svg.text(at - 24, gate - 8, f"{name} {show(value)}", "small", "end"))
    parts += [*arrow((120, gate), (120, line + 12)), *knot(120, line, "×")]
    parts += [
        *arrow((200, gate), (200, 150), (238, 150)),
        *arrow((300, gate), (300, 150), (262, 150)),
        *knot(250, 150, "×"),
    ]
    parts += [*arrow((250, 140), (250, line + 12)), *knot(250, line, "+")]
    parts += [svg.line(376, line, 376, 112, "axis"), *box(356, 112, 40, 24, "tanh"), *arrow((376, 136), (376, 160))]
    parts += [*arrow((352, gate), (352, 170), (364, 170)), *knot(376, 170, "×")]
    parts += [*arrow((386, 170), (470, 170)), svg.text(472, 160, f"h {show(next_h.item())}", "", "end")]
    parts += [
        svg.text(404, y, w, "small") for y, w in ((204, "back along"), (220, "the cell:"), (236, f"only · {show(f)}"))
    ]
    return picture(
        "A cell that is kept, written and read through gates",
        314,
        "One step of an LSTM: the cell is multiplied by f, i times g is added, and o times its tanh is the state.",
        parts,
    )


def gru() -> str:
    """One step with its numbers: the state is partly kept and partly replaced."""
    rng = np.random.default_rng(5)
    wx, wh = rng.standard_normal((1, 3)), rng.standard_normal((1, 3))
    x, h0 = np.array([[0.8]]), np.array([[-0.6]])
    next_h, cache = gru_step_forward(x, h0, wx, wh, np.array([0.5, 0.6, 0.2, 0.3]))
    r, z, n, m = (value.item() for value in cache.inside)
    line, mix, row, floor = 84.0, 124.0, 184.0, 276.0  # where things stand, from top to bottom
    parts = [svg.rect(70, 48, 330, 242, "f6 light")]
    parts += [svg.line(8, line, 170, line, "curve s1"), svg.line(190, line, 320, line, "curve s1")]
    parts += [*arrow((340, line), (470, line), kind="curve s1"), svg.text(8, line - 10, f"h {show(h0.item())}")]
    parts.append(svg.text(472, line - 10, f"h {show(next_h.item())}", "", "end"))
    parts += [svg.line(40, line, 40, 250, "axis"), svg.line(40, 250, 240, 250, "axis")]
    parts += [svg.circle(x, y, 2.5, "f6") for x, y in ((40, line), (110, 250), (180, 250), (110, floor), (180, floor))]
    parts += [svg.line(8, floor, 330, floor, "axis"), svg.text(8, floor - 8, f"x {show(x.item())}")]
    for at, name, value, kind in ((110, "r", r, "f3"), (180, "z", z, "f2")):
        parts += [svg.line(at, floor, at, 238, "axis"), *box(at - 18, 212, 36, 26, "σ", f"{kind} pale")]
        parts.append(svg.text(at - 8, 205, f"{name} {show(value)}", "small", "end"))
    parts += [*arrow((180, 212), (180, line + 12)), *knot(180, line, "×")]
    parts += [*arrow((240, 250), (240, 240)), *box(222, 212, 36, 26, "Uₙ", "f6 pale")]
    parts.append(svg.text(246, 207, f"m {show(m)}", "small"))
    parts += [*arrow((110, 212), (110, row), (228, row)), *arrow((240, 212), (240, row + 12)), *knot(240, row, "×")]
    parts += [*arrow((251, row), (318, row)), *knot(330, row, "+"), *arrow((330, floor), (330, row + 12))]
    parts += [svg.text(336, 236, "Wₙ", "small"), *arrow((341, row), (368, row), (368, 172))]
    parts += [*box(348, 144, 40, 26, "tanh", "f5 pale"), svg.text(374, 190, f"n {show(n)}", "small")]
    parts += [*arrow((368, 144), (368, mix), (342, mix)), *knot(330, mix, "×")]
    parts += [*arrow((330, mix - 10), (330, line + 12)), *knot(330, line, "+")]
    parts += [*arrow((180, mix), (318, mix)), svg.text(226, mix - 6, f"1 - z {show(1 - z)}", "small")]
    parts.append(svg.circle(180, mix, 2.5, "f6"))
    parts.append(
        caption(0, 306, f"{show(next_h.item())} = {show(1 - z)} · {show(n)} + {show(z)} · ({show(h0.item())})")
    )
    return picture(
        "The state is partly kept and partly replaced",
        316,
        "One step of a GRU: the state times z, plus a new proposal times one minus z.",
        parts,
    )


def cells() -> str:
    """States, and blocks of weights, of the three cells."""
    parts = [caption(0, 48, "state in and out"), caption(218, 48, "Wx, Wh: H columns each"), caption(400, 48, "b")]
    for k, (name, cell) in enumerate(CELLS.items()):
        y = 62.0 + 84 * k
        parts += box(60, y, 74, 56, name, f"f{k + 1} pale")
        for number, state in enumerate("hc"[: cell.states]):
            level = y + 28 + (0 if cell.states == 1 else 24 * number - 12)
            parts += [*arrow((20, level), (57, level)), *arrow((137, level), (174, level))]
            parts += [svg.text(6, level + 5, state), svg.text(180, level + 5, state)]
        for left, count, wide, tall, names in (
            (218.0, cell.gates, 38, 56, GATES[name]),
            (400.0, cell.biases, 19, 18, BIASES[name]),
        ):
            for number in range(count):
                parts += box(left + wide * number, y, wide, tall, names[number], f"f{k + 1} light", "small")
    return picture(
        "Three cells behind one signature",
        312,
        "The plain cell and the GRU carry one state, the LSTM two; they have one, three and four blocks of weights.",
        parts,
    )


def multilayer() -> str:
    """Three layers over five steps, each state computed from two neighbours."""
    rng = np.random.default_rng(2)
    steps, d, h, n_layers = 5, 3, 4, 3
    cell = CELLS["rnn"]
    layers = [cell.make_parameters(d if k == 0 else h, h, rng) for k in range(n_layers)]
    x, parts = 1.5 * rng.standard_normal((1, steps, d)), []
    for t in range(steps):
        left = 100.0 + 78 * t
        parts += [*heat(left + 8, 286, x[0, t][None], 11, 3, "f6 f6"), *arrow((left + 25, 284), (left + 25, 264))]
    for k in range(n_layers):
        y = 226.0 - 78 * k
        states = [cell.empty_state(1, h) for _ in range(k + 1)]
        out, *_ = multilayer_forward(x, states, layers[: k + 1])
        parts += [svg.text(0, y + 22, f"layer {k + 1}")]
        for t in range(steps):
            left = 100.0 + 78 * t
            parts += [svg.rect(left - 3, y, 56, 34, f"f{k + 1} light"), svg.rect(left - 3, y, 56, 34, "cell")]
            parts += heat(left + 3, y + 11, out[0, t][None], 11, 1, f"f{k + 1} f6")
            parts += arrow((left - 24 if t else left - 30, y + 17), (left - 6, y + 17))
            if k + 1 < n_layers:
                parts += arrow((left + 25, y - 3), (left + 25, y - 40))
    parts += [svg.text(0, 298, "x")]
    parts += [svg.text(100 + 78 * t + 25, 316, f"step {t + 1}", "small", "middle") for t in range(steps)]
    return picture(
        "A unit sees the layer below and the step before",
        324,
        "Three layers over five steps; arrows lead upwards and to the right.",
        parts,
    )


def truncated() -> str:
    """Forward through everything, backward to the start of the window."""
    steps, window, h = 12, 4, 4
    x, h0, wx, wh, b = sequence(1, steps, 3, h)
    parts, gap = [], 38.0
    dh = np.zeros((1, steps, h))
    dh[:, -1] = 1
    for t in range(steps):
        left = 16.0 + gap * t
        parts += box(left, 66, 24, 24, "h", f"f{t // window + 1} pale")
        if t:
            parts += arrow((left - 13, 72), (left - 2, 72), head=4)
            if t % window:
                parts += arrow((left - 2, 84), (left - 13, 84), kind="curve s5", head=4)
            else:
                parts.append(svg.line(left - 7, 52, left - 7, 292, "guide"))
        parts.append(svg.text(left + 12, 306, str(t + 1), "soft", "middle"))
    parts.append(caption(0, 46, "states go on across a border, gradients do not"))
    for top, length, words in ((128.0, steps, "one window of 12"), (218.0, window, "windows of 4")):
        _, _, cache = truncated_forward(x, (h0,), wx, wh, b, length)
        dx = truncated_backward(dh, cache)[0][0]
        sizes = np.linalg.norm(dx, axis=1)
        parts.append(caption(18, top + 6, words))
        for t, size in enumerate(sizes.tolist()):
            tall = 60 * np.sqrt(size / sizes.max())
            parts.append(svg.rect(18 + gap * t, top + 70 - tall, 20, tall, f"f{t // window + 1}"))
        parts.append(svg.line(10, top + 70, 472, top + 70, "axis"))
    parts.append(caption(0, 326, "height: root of the gradient that a loss on the last state sends to each x"))
    return picture(
        "The gradient goes back to the start of its window only",
        334,
        "Twelve states in three windows; the gradient of the last one reaches all inputs, or those of its window.",
        parts,
    )


def gradient_flow() -> str:
    """Factors below, at and above one, and the way along a cell."""
    steps = 50
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    time = np.arange(steps + 1)
    lines = {f"σ(Wh) = {scale:g}": (time, gradient_through_time(scale * turn, steps)) for scale in (1.1, 1.0, 0.9)}
    slopes = np.full((steps, 2), 0.8)
    lines["1.1, slopes of tanh 0.8"] = (time, gradient_through_time(1.1 * turn, steps, slopes))
    lines["LSTM's cell, f = 0.98"] = (time[1:], gradient_along_the_cell(np.full(steps, 0.98)))
    return curves(lines, "Many factors: a gradient vanishes or explodes", "steps back", "what is left", None, True)


PICTURES: dict[str, Callable[[], str]] = {
    "unrolled": unrolled,
    "rnn": rnn,
    "lstm": lstm,
    "gru": gru,
    "cells": cells,
    "multilayer": multilayer,
    "truncated": truncated,
    "gradient-flow": gradient_flow,
}
