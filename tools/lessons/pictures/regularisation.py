"""Pictures of dropout and its relatives: what is kept, before and after."""

from collections.abc import Callable

import numpy as np

from lessons.pictures.drawing import Kind, arrow, caption, heat, numbers, picture
from pellucid.plots import svg
from pellucid.scratch.regularisation.channel_dropout import channel_dropout_forward
from pellucid.scratch.regularisation.dropconnect import dropconnect_forward
from pellucid.scratch.regularisation.dropout import dropout_backward, dropout_forward
from pellucid.scratch.regularisation.random_mask import keep_mask
from pellucid.scratch.regularisation.stochastic_depth import stochastic_depth_forward, survival_probability


def kept_or_not(kept: np.ndarray, series: int = 1) -> Kind:
    """Colours what was kept."""
    return lambda row, column: f"f{series} light" if kept[row, column] else ""


def random_mask() -> str:
    """Three probabilities."""
    parts = []
    for number, p in enumerate((0.8, 0.5, 0.2)):
        mask = keep_mask((10, 12), {"p": p, "seed": 4 + number})
        left = 165 * number
        parts.append(svg.text(left, 54, f"p = {p:g}"))
        parts += heat(left, 64, mask.astype(float), 12)
        parts.append(caption(left, 204, f"kept {mask.sum()} of {mask.size}"))
    return picture(
        "Each place is kept with probability p, by itself", 214, "Random masks for three probabilities.", parts
    )


def dropout() -> str:
    """Inputs, outputs and gradients."""
    x = np.random.default_rng(0).integers(1, 10, (4, 6)).astype(float)
    out, cache = dropout_forward(x, {"mode": "train", "p": 0.5, "seed": 3})
    dx = dropout_backward(np.ones_like(x), cache)
    parts = []
    for left, name, values, kind in (
        (0, "x", x, "f6 light"),
        (165, "y = x m / p, p = ½", out, kept_or_not(out > 0)),
        (330, "dx for dy = 1", dx, kept_or_not(dx > 0, 2)),
    ):
        parts.append(svg.text(left, 54, name))
        parts += numbers(left, 64, values, kind)
    parts.append(caption(0, 186, f"mean of x {x.mean():.2f}, of y {out.mean():.2f}: the same on average over masks"))
    return picture("What is kept is doubled, so the mean stays", 200, "Dropout of a 4 by 6 array.", parts)


def channel_dropout() -> str:
    """Feature maps, before and after."""
    rows, columns = np.indices((6, 6))
    maps = np.stack([np.sin(0.5 * rows * a + 0.6 * columns * b) ** 2 for a, b in ((1, 0), (0, 1), (1, 1), (1, -1))])[
        None
    ]
    out, _ = channel_dropout_forward(maps, {"mode": "train", "p": 0.5, "seed": 6})
    parts = [svg.text(0, 54, "x, four channels"), svg.text(0, 174, "y, p = ½")]
    for channel in range(4):
        for top, values in ((62, maps), (182, out)):
            parts += heat(124 * channel, top, values[0, channel], 14, 2.0)
    return picture("Whole feature maps go, not pixels", 278, "Four feature maps before and after.", parts)


def dropconnect() -> str:
    """Single weights, where dropout takes rows."""
    w = np.random.default_rng(1).integers(1, 10, (5, 5)).astype(float)
    param = {"mode": "train", "p": 0.5, "seed": 5}
    masked, _ = dropconnect_forward(np.eye(5), w, np.zeros(5), param)  # x = I shows the weights
    ones, _ = dropout_forward(np.ones((1, 5)), param)
    parts = []
    for left, name, values, kind in (
        (0, "W", w, "f6 light"),
        (165, "DropConnect", masked, kept_or_not(masked > 0)),
        (330, "as dropout of x", w * ones.T, kept_or_not(np.repeat(ones.T > 0, 5, axis=1), 3)),
    ):
        parts.append(svg.text(left, 54, name))
        parts += numbers(left, 64, values, kind)
    parts.append(caption(0, 208, "kept weights are divided by p = ½; dropping an input takes a whole row"))
    return picture("Every weight has its own coin", 222, "A matrix of weights, masked in two ways.", parts)


def stochastic_depth() -> str:
    """Which branches some steps of training have."""
    blocks, steps = 10, 6
    chances = [survival_probability(block, blocks) for block in range(1, blocks + 1)]
    parts = [caption(0, 50, "probability to keep the branch of each block")]
    for number, p in enumerate(chances):
        x = 60 + 42 * number
        parts.append(svg.rect(x, 130 - 66 * p, 30, 66 * p, "f6 pale"))
        parts.append(svg.text(x + 15, 145, f"{p:.2f}", "small", "middle"))
    rng = np.random.default_rng(5)
    for step in range(steps):
        y = 168 + 22 * step
        parts.append(svg.text(0, y + 4, f"step {step + 1}", "small"))
        parts += arrow((46, y), (478, y))
        for number, p in enumerate(chances):
            param = {"mode": "train", "p": p, "rng": rng}
            there, _ = stochastic_depth_forward(np.zeros(1), np.ones(1), param)  # x = 0, f(x) = 1 shows the coin
            if there[0]:
                parts.append(svg.rect(60 + 42 * number, y - 8, 30, 16, "f1"))
    return picture("In each step another, shorter network", 300, "Blocks kept in six steps of training.", parts)


PICTURES: dict[str, Callable[[], str]] = {
    "random-mask": random_mask,
    "dropout": dropout,
    "channel-dropout": channel_dropout,
    "dropconnect": dropconnect,
    "stochastic-depth": stochastic_depth,
}
