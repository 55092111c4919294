"""Pictures of normalisation: which numbers share a mean, and what becomes of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lessons.pictures.drawing import box, caption, corners, heat, picture, show
from pellucid.plots import svg
from pellucid.plots.curves import curves
from pellucid.scratch.normalisation.batch import batchnorm_forward
from pellucid.scratch.normalisation.group import spatial_groupnorm_backward, spatial_groupnorm_forward
from pellucid.scratch.normalisation.instance import instancenorm_backward, instancenorm_forward
from pellucid.scratch.normalisation.layer import layernorm_backward, layernorm_forward
from pellucid.scratch.normalisation.local_response import lrn_forward
from pellucid.scratch.normalisation.rows import row_moments
from pellucid.scratch.normalisation.running import update_running
from pellucid.scratch.normalisation.spatial_batch import spatial_batchnorm_backward, spatial_batchnorm_forward
from pellucid.scratch.normalisation.standardise import pool_moments, standardise_forward
from pellucid.scratch.normalisation.switchable import switchable_norm, switchnorm_backward, switchnorm_forward
from pellucid.scratch.normalisation.two_sample import two_sample_backward, two_sample_forward

SHAPE = (4, 6, 5)  # samples, channels, places
Normalised = tuple[np.ndarray, np.ndarray]  # the output, and which inputs share a mean with the chosen one


def feature_maps() -> np.ndarray:
    """Maps whose channels, and whose samples, differ in mean and deviation."""
    rng = np.random.default_rng(4)
    n, c, _ = SHAPE
    scale = np.linspace(0.4, 1.6, c)[:, None] * np.linspace(1.3, 0.7, n)[:, None, None]
    shift = 4 * np.sin(np.arange(c))[:, None] + np.linspace(-2, 2, n)[:, None, None]
    return scale * rng.standard_normal(SHAPE) + shift


def chosen() -> np.ndarray:
    """A gradient of one at the place that is in front, at the right and on top: sample 0, the last channel, place 0."""
    dout = np.zeros(SHAPE)
    dout[0, -1, 0] = 1
    return dout


def cube(x: float, y: float, share: np.ndarray, cell: float = 22.0, kinds: str = "f1 f1") -> list[str]:
    """The numbers (N, C, H·W) as a block, channels to the right, places down, samples to the back.

    Args:
        x, y: top left corner of the front.
        share: (N, C, S) from 0 to 1, how much a number is in the set that is coloured.
        cell: pixels of an edge.
        kinds: colour of the set.
    """
    n, c, s = share.shape
    right, up = 0.52 * cell, -0.36 * cell

    def place(sample: float, channel: float, row: float) -> tuple[float, float]:
        return x + channel * cell + sample * right, y + row * cell + sample * up

    faces: list[tuple[list[tuple[float, float]], float]] = []
    for i, j in np.ndindex(s, c):  # the front: sample 0
        faces.append((corners(*place(0, j, i), cell, cell), share[0, j, i]))
    for k, j in np.ndindex(n, c):  # the top: place 0
        faces.append(
            ([place(*at, 0) for at in ((k, j), (k, j + 1), (k + 1, j + 1), (k + 1, j), (k, j))], share[k, j, 0])
        )
    for k, i in np.ndindex(n, s):  # the right: the last channel
        side = ((k, c, i), (k + 1, c, i), (k + 1, c, i + 1), (k, c, i + 1), (k, c, i))
        faces.append(([place(*at) for at in side], share[k, -1, i]))
    parts = []
    for level in sorted({round(10 * float(value)) for _, value in faces} - {0}):
        runs = [run for run, value in faces if round(10 * float(value)) == level]
        parts.append(svg.path(runs, f"{kinds.split()[0]} o{level}"))
    parts.append(svg.path([run for run, _ in faces], "cell"))
    parts.append(caption(x + c * cell / 2, y + s * cell + 18, "C, channels", "middle"))
    parts.append(caption(x - 8, y + s * cell / 2 + 4, "H·W", "end"))
    parts.append(caption(*place(n / 2, c, s + 0.9), "N"))
    return parts


def strips(x: float, y: float, before: Sequence[np.ndarray], after: Sequence[np.ndarray], what: str) -> list[str]:
    """The numbers of some sets as dots on a line, before and after, a row a set."""
    parts, width, reach = [], 92.0, 8.0
    for left, sets, kind, words in ((x, before, "f2", "before"), (x + width + 14, after, "f1", "after")):
        parts.append(svg.text(left + width / 2, y - 8, words, "soft", "middle"))
        zero = left + width / 2
        parts.append(svg.line(zero, y, zero, y + 26 * len(sets), "guide"))
        for row, values in enumerate(sets):
            level = y + 26 * row + 13
            parts.append(svg.line(left, level, left + width, level, "grid"))
            for value in np.clip(values.ravel(), -reach, reach).tolist():
                parts.append(svg.circle(zero + value / reach * width / 2, level, 3, f"{kind} pale"))
    parts.append(caption(x + width + 7, y + 26 * len(before) + 16, what, "middle"))
    return parts


def family(title: str, result: Normalised, sets: Sequence[np.ndarray], after: Sequence[np.ndarray], what: str) -> str:
    """The picture that all normalisations of feature maps share.

    Args:
        title: of the picture.
        result: what the layer gave.
        sets, after: the numbers of the first sets before and after.
        what: what a set is.
    """
    _, share = result
    share = (np.abs(share) > 1e-9).astype(np.float64)
    parts = [*cube(44, 104, 0.8 * share), *strips(276, 96, sets, after, what)]
    size = int(share.sum())
    parts.append(caption(0, 266, f"coloured: the {size} of {share.size} numbers that share one mean and deviation"))
    return picture(title, 276, f"A block of numbers, samples by channels by places; {size} of them are one set.", parts)


def spatial_batch_norm() -> str:
    """A channel through all samples and places."""
    x, (_, c, _) = feature_maps(), SHAPE
    out, cache = spatial_batchnorm_forward(x, np.ones(c), np.zeros(c), {"mode": "train"})
    share = spatial_batchnorm_backward(chosen(), cache)[0]
    sets, after = ([a[:, k] for k in range(4)] for a in (x, out))
    return family("Batch norm: a channel, over all samples and places", (out, share), sets, after, "a row: one channel")


def layer_norm() -> str:
    """A sample with all its features."""
    x, (n, c, s) = feature_maps(), SHAPE
    out, cache = layernorm_forward(x.reshape(n, c * s), np.ones(c * s), np.zeros(c * s), {})
    share = layernorm_backward(chosen().reshape(n, c * s), cache)[0].reshape(SHAPE)
    return family("Layer norm: a sample, with all its features", (out, share), list(x), list(out), "a row: one sample")


def instance_norm() -> str:
    """A channel of a sample."""
    x, (_, c, _) = feature_maps(), SHAPE
    out, cache = instancenorm_forward(x, np.ones(c), np.zeros(c), {})
    share = instancenorm_backward(chosen(), cache)[0]
    sets, after = ([a[0, k] for k in range(4)] for a in (x, out))
    title = "Instance norm: one channel of one sample"
    return family(title, (out, share), sets, after, "channels of sample 0")


def group_norm() -> str:
    """A group of channels of a sample."""
    x, (_, c, _) = feature_maps(), SHAPE
    out, cache = spatial_groupnorm_forward(x, np.ones(c), np.zeros(c), 2, {})
    share = spatial_groupnorm_backward(chosen(), cache)[0]
    sets, after = ([a[k // 2, 3 * (k % 2) : 3 * (k % 2) + 3] for k in range(4)] for a in (x, out))
    title = "Group norm: some channels of one sample"
    return family(title, (out, share), sets, after, "groups of 3 channels")


def switchable_norm_picture() -> str:
    """Three sets, and the weights of the mixture."""
    x, (_, c, _) = feature_maps(), SHAPE
    w = np.array([0.2, 1.0, 0.6])
    p = np.exp(w) / np.exp(w).sum()
    shares = []
    for k in range(3):
        far = np.where(np.arange(3) == k, 50.0, 0.0)  # a softmax that takes one of the three
        _, cache = switchnorm_forward(x, np.ones(c), np.zeros(c), far, far, {"mode": "train"})
        shares.append((np.abs(switchnorm_backward(chosen(), cache)[0]) > 1e-9).astype(np.float64))
    mixed = switchable_norm(x, 1.0, 0.0, p, p)
    parts = []
    for k, (name, share) in enumerate(zip(("instance", "layer", "batch"), shares, strict=True)):
        left = 42.0 + 158 * k
        parts += cube(left, 92, 0.8 * share, 13.0, f"f{k + 1} f{k + 1}")
        parts.append(svg.text(left + 40, 202, f"{p[k]:.2f} · {name}", "", "middle"))
        if k:
            parts.append(svg.text(left - 34, 202, "+", "title", "middle"))
    parts.append(caption(0, 244, "0.2, 1 and 0.6 through a softmax:"))
    left = 0.0
    for k in range(3):
        parts += box(left, 254, 480 * p[k], 22, f"{p[k]:.0%}", f"f{k + 1} pale")
        left += 480 * p[k]
    parts.append(caption(0, 300, f"the outputs: mean {show(mixed.mean())}, deviation {show(mixed.std())}"))
    return picture(
        "Switchable norm: a learnt mixture of three statistics",
        312,
        "Three blocks with the sets of instance, layer and batch norm, and the weights with which they are mixed.",
        parts,
    )


def batch_norm() -> str:
    """The table of a batch, and its features before and after."""
    rng = np.random.default_rng(0)
    n, d = 400, 3
    x = np.array([-2.0, 1.5, 4.0]) + np.array([0.5, 1.6, 0.8]) * rng.standard_normal((n, d))
    out, _ = batchnorm_forward(x, np.ones(d), np.zeros(d), {"mode": "train"})
    edges, parts = np.linspace(-7, 7, 57), []
    for top, values, words in (
        (60.0, x, "before: each feature as it comes"),
        (204.0, out, "after: mean 0, deviation 1"),
    ):
        parts.append(caption(150, top - 8, words))
        for k in range(d):
            count, _ = np.histogram(values[:, k], edges)
            centre = (edges[1:] + edges[:-1]) / 2
            runs = [
                (150 + (v + 7) / 14 * 320, top + 84 - m * 0.66)
                for v, m in zip(centre.tolist(), count.tolist(), strict=True)
            ]
            parts.append(svg.path([runs], f"curve s{k + 1}"))
        parts.append(svg.line(150, top + 84, 470, top + 84, "axis"))
        for v in (-6, -4, -2, 0, 2, 4, 6):
            where = 150 + (v + 7) / 14 * 320
            parts += [
                svg.line(where, top + 84, where, top + 88, "axis"),
                svg.text(where, top + 101, str(v), "soft", "middle"),
            ]
    parts.append(caption(0, 52, "x: 400 × 3"))
    for k in range(d):
        parts += heat(26 * k, 62, x[:8, k : k + 1], 26, 7, f"f{k + 1} f{k + 1}")
        parts.append(svg.rect(26 * k, 62, 26, 208, "cell"))
    parts += [caption(0, 288, "a column shares"), caption(0, 304, "one μ and one σ")]
    return picture(
        "Each feature gets mean 0 and deviation 1",
        316,
        "Three features with different means and deviations; after batch norm their histograms agree.",
        parts,
    )


def two_sample() -> str:
    """The output is a sign, and so no gradient comes back."""
    eps, d = 0.05, np.linspace(-2, 2, 81)
    ones = np.ones_like(d)
    y1, _, cache = two_sample_forward(d, -d, ones, 0 * ones, eps)
    dx1, *_ = two_sample_backward(ones, 0 * ones, cache)
    return curves(
        {"y₁, nearly the sign of d": (d, y1), "dx₁ for dy₁ = 1": (d, dx1)},
        "Two samples: whatever they are, they become 1 and -1",
        "d, half the distance (ε = 0.05)",
    )


def local_response_norm() -> str:
    """Channels before and after: next to a strong one the others fade."""
    x = np.array([1, 1, 1, 1, 6, 1, 1, 1, 1, 3, 3, 1.0])
    y, _ = lrn_forward(x[None, :, None], {"size": 5, "alpha": 0.5, "beta": 0.75, "k": 1.0})
    parts, base, unit = [], 236.0, 28.0
    for c, (before, after) in enumerate(zip(x.tolist(), y[0, :, 0].tolist(), strict=True)):
        left = 6.0 + 39 * c
        parts += [svg.rect(left, base - unit * before, 14, unit * before, "f2 pale")]
        parts += [svg.rect(left + 15, base - unit * after, 14, unit * after, "f1")]
        parts.append(svg.text(left + 15, base + 18, str(c), "soft", "middle"))
        parts.append(svg.text(left + 22, base - unit * after - 5, show(after, 1), "tiny", "middle"))
    parts.append(svg.line(0, base, 474, base, "axis"))
    parts += [svg.line(6 + 39 * 2, base + 30, 6 + 39 * 6 + 30, base + 30, "curve s3")]
    parts.append(caption(6 + 39 * 4 + 15, base + 48, "the five channels that divide channel 4", "middle"))
    parts += [
        svg.rect(330, 46, 14, 14, "f2 pale"),
        caption(350, 58, "x"),
        svg.rect(382, 46, 14, 14, "f1"),
        caption(402, 58, "y"),
    ]
    return picture(
        "A strong channel damps itself and its neighbours",
        base + 60,
        "Twelve channels before and after: next to a large activation the others become smaller.",
        parts,
    )


def rows_picture() -> str:
    """Numbers of rows, and how sets are made of rows."""
    x = feature_maps()[:2, :4]
    n, c, s = x.shape
    mean, var, _ = row_moments(x.reshape(n * c, s))
    parts, cell, tops = [], 26.0, [62 + 26 * k + 16 * (k // c) for k in range(n * c)]
    parts += [caption(58, 50, "5 places a row"), caption(204, 50, "μ"), caption(262, 50, "σ²")]
    for k, top in enumerate(tops):
        parts.append(svg.text(0, top + 17, f"n {k // c}, c {k % c}", "small"))
        parts += heat(58, top, x.reshape(n * c, s)[k : k + 1], cell, 7)
        for left, value in ((196.0, mean[k]), (252.0, var[k])):
            parts += [
                svg.rect(left, top, 48, cell, "cell"),
                svg.text(left + 24, top + 17, show(value), "small", "middle"),
            ]
    for left, name, axes, members in (
        (316.0, "batch", (0,), [0, c]),
        (372.0, "layer", (1,), [0, 1, 2, 3]),
        (428.0, "instance", (), [0]),
    ):
        pooled, _ = pool_moments(mean.reshape(n, c), var.reshape(n, c), axes)
        parts.append(svg.text(left + 16, 50, name, "small", "middle"))
        for k in members:
            parts.append(svg.rect(left + 6, tops[k] + 2, 20, cell - 4, "f1 pale"))
        parts.append(svg.line(left + 16, tops[members[0]] + 12, left + 16, 300, "guide"))
        parts.append(svg.text(left + 16, 316, show(float(pooled.ravel()[0])), "small", "middle"))
    parts.append(caption(196, 316, "μ of the first set:"))
    return picture(
        "Every set is made of whole rows",
        326,
        "Eight rows of five numbers with mean and variance, and which of them make the first set of three layers.",
        parts,
    )


def standardise() -> str:
    """A set of numbers on its way: centred, divided, scaled and shifted."""
    x = np.array([2.0, 3.0, 3.5, 5.0, 6.5])
    gamma, beta = 1.5, -2.0
    out, cache = standardise_forward(x.reshape(1, 1, 1, 5), np.full((1, 1), gamma), np.full((1, 1), beta), ())
    mean, rstd = cache.mean.item(), cache.rstd.item()
    stages = (
        ("x", x, "f2"),
        (f"x - μ,  μ = {show(mean)}", x - mean, "f3"),
        (f"x̂ = (x - μ) / σ,  σ = {show(1 / rstd)}", (x - mean) * rstd, "f1"),
        (f"y = γ x̂ + β,  γ = {gamma:g}, β = {beta:g}", out.ravel(), "f5"),
    )
    parts, last = [], None
    for k, (words, values, kind) in enumerate(stages):
        y = 74.0 + 62 * k
        dots = [208 + 34 * value for value in values.tolist()]
        parts += [caption(466, y - 12, words, "end"), svg.line(20, y, 460, y, "axis")]
        parts += [
            svg.line(208, y - 6, 208, y + 6, "axis"),
            svg.line(208 + 34 * values.mean(), y - 8, 208 + 34 * values.mean(), y + 8, "frame"),
        ]
        if last is not None:
            parts += [svg.line(a, y - 62, b, y, "guide") for a, b in zip(last, dots, strict=True)]
        parts += [svg.circle(dot, y, 5, kind) for dot in dots]
        last = dots
    for v in (-4, -2, 0, 2, 4, 6):
        parts.append(svg.text(208 + 34 * v, 74 + 62 * 3 + 22, str(v), "soft", "middle"))
    return picture(
        "Centre, divide by the deviation, learn the rest",
        294,
        "Five numbers on a line: as they are, centred, divided by their deviation, scaled and shifted.",
        parts,
    )


def running_statistics() -> str:
    """What is remembered of the means of noisy batches."""
    rng = np.random.default_rng(1)
    steps = np.arange(1, 61)
    means = 3 + 0.8 * rng.standard_normal(len(steps)) + 2.0 * (steps > 30)
    rules: dict[str, dict[str, Any]] = {
        "momentum 0.9": {"momentum": 0.9},
        "momentum 0.5": {"momentum": 0.5},
        "plain mean": {"momentum": None},
    }
    lines = {"mean of each batch": (steps, means)}
    for name, setting in rules.items():
        state: dict[str, Any] = {"mode": "train", **setting}
        found = []
        for mean in means.tolist():
            update_running("running", state, np.array([mean]), np.ones(1), 16)
            found.append(float(np.asarray(state["running_mean"])[0]))
        lines[name] = (steps, np.array(found))
    return curves(lines, "Running means forget: from 3 to 5 after batch 30", "batches", "running mean")


PICTURES: dict[str, Callable[[], str]] = {
    "batch-norm": batch_norm,
    "two-sample": two_sample,
    "spatial-batch-norm": spatial_batch_norm,
    "layer-norm": layer_norm,
    "instance-norm": instance_norm,
    "group-norm": group_norm,
    "switchable-norm": switchable_norm_picture,
    "local-response-norm": local_response_norm,
    "rows": rows_picture,
    "standardise": standardise,
    "running-statistics": running_statistics,
}
