"""Suppression of boxes and RoI Align, side by side with a loop in Python and with `grid_sample`.

    python benchmarks/regions.py [--quick] [--rounds 5]

One thread on one core; variants take turns in one process. What they return is compared before anything is timed.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy reads them when it is imported

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from unittest import mock

import numpy as np
import timing
import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.ops import compiled
from pellucid.ops.boxes.suppress import nms_per_class
from pellucid.ops.regions import roi_align

COMPILED, PLAIN = "pellucid, extra speed", "pellucid, plain torch"
LOOP, GRID = "a loop in NumPy, class by class", "grid_sample and avg_pool2d"
FLOOR, AIM = 20.0, 200.0  # times the loop
ALIGN_FLOOR = 8.0  # times grid_sample, forward and backward
THRESHOLD, THINGS, SIDE = 0.5, 2000, 1000.0
CHANNELS, MAP, STRIDE, BINS, SAMPLES = 256, 50, 16, 7, 2
LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}

Variants = Mapping[str, Callable[[], Any]]


def plainly(run: Callable[[], Any]) -> Any:
    """As where numba is not installed."""
    with mock.patch.object(compiled, "has_numba", lambda: False):
        return run()


def ours(run: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
    """Compiled, where that is possible, and plain."""
    return ({COMPILED: run} if compiled.has_numba() else {}) | {PLAIN: partial(plainly, run)}


# ---------------------------------------------------------------------------------------------------- suppression


def around_things(n: int, n_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """What a detector proposes: boxes around things of all sizes, those of one thing of one class."""
    g = torch.Generator().manual_seed(0)
    thing = torch.randint(THINGS, (n,), generator=g)
    size = torch.exp(0.5 * torch.randn(THINGS, 2, generator=g) + 4)[thing]
    size = size * torch.exp(0.2 * torch.randn(n, 2, generator=g))
    centre = (SIDE * torch.rand(THINGS, 2, generator=g))[thing] + 0.1 * size * torch.randn(n, 2, generator=g)
    return torch.cat([centre - size / 2, centre + size / 2], 1), torch.rand(n, generator=g), thing % n_classes


def anywhere(n: int, n_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """What a detector that learned nothing proposes: boxes anywhere, of which most are kept."""
    g = torch.Generator().manual_seed(0)
    low, size = SIDE * torch.rand(n, 2, generator=g), 10 + 50 * torch.rand(n, 2, generator=g)
    return torch.cat([low, low + size], 1), torch.rand(n, generator=g), torch.randint(n_classes, (n,), generator=g)


def in_a_loop(boxes: Tensor, scores: Tensor, labels: Tensor) -> Tensor:
    """Class by class, and box by box that is kept: its overlap with all that are left, at once."""
    corners, score, label = boxes.numpy(), scores.numpy(), labels.numpy()
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    kept: list[int] = []
    for each in np.unique(label):
        rest = np.flatnonzero(label == each)
        rest = rest[np.argsort(-score[rest], kind="stable")]
        while len(rest):
            best, rest = rest[0], rest[1:]
            kept.append(best)
            others = corners[rest]
            width = np.minimum(others[:, 2], corners[best, 2]) - np.maximum(others[:, 0], corners[best, 0])
            height = np.minimum(others[:, 3], corners[best, 3]) - np.maximum(others[:, 1], corners[best, 1])
            both = np.maximum(width, 0) * np.maximum(height, 0)
            rest = rest[both / (areas[best] + areas[rest] - both) <= np.float32(THRESHOLD)]
    order = np.sort(np.array(kept))
    return torch.from_numpy(order[np.argsort(-score[order], kind="stable")])


def suppressing(boxes: Tensor, scores: Tensor, labels: Tensor) -> Variants:
    return {
        **ours(lambda: nms_per_class(boxes, scores, labels, THRESHOLD)),
        LOOP: lambda: in_a_loop(boxes, scores, labels),
    }


def same_boxes(results: Mapping[str, Tensor]) -> str:
    """One sentence; ends the program where a variant keeps other boxes, or in another order."""
    first = results[LOOP]
    for name, result in results.items():
        if not torch.equal(result, first):
            sys.exit(f"{name} keeps other boxes than the loop.")
    return f"All keep the same {len(first):,} boxes in the same order."


# ------------------------------------------------------------------------------------------------------ RoI Align


def by_grid_sample(features: Tensor, boxes: Tensor) -> Tensor:
    """All samples of all boxes of one picture in one call, then the mean of those of a bin."""
    n, side = BINS * SAMPLES, features.shape[-1]
    low, high = boxes[:, :2] / STRIDE, boxes[:, 2:] / STRIDE
    share = (torch.arange(n) + 0.5) / n
    at = (low[:, None] + share[:, None] * (high - low)[:, None]) / side * 2 - 1  # (R, n, 2): -1 to 1 over the map
    x, y = at[:, None, :, 0].expand(-1, n, -1), at[:, :, None, 1].expand(-1, -1, n)
    grid = torch.stack([x, y], -1).view(1, -1, n, 2)
    samples = F.grid_sample(features, grid, padding_mode="border", align_corners=False)
    return F.avg_pool2d(samples.view(features.shape[1], len(boxes), n, n), SAMPLES).transpose(0, 1)


def aligning(n: int, layout: torch.memory_format, backward: bool) -> Variants:
    """Each returns the features of the regions, and the gradient of the map."""
    g = torch.Generator().manual_seed(0)
    features = torch.randn(1, CHANNELS, MAP, MAP, generator=g).contiguous(memory_format=layout)
    low = 0.5 * MAP * STRIDE * torch.rand(n, 2, generator=g)
    boxes = torch.cat([low, low + 50 + 0.4 * MAP * STRIDE * torch.rand(n, 2, generator=g)], 1)
    picture = torch.zeros(n, dtype=torch.int64)
    slope = torch.randn(n, CHANNELS, BINS, BINS, generator=g).contiguous(memory_format=layout)

    def step(align: Callable[[Tensor], Tensor]) -> list[Tensor]:
        leaf = features.detach().requires_grad_(backward)
        leaf.grad = None
        out = align(leaf)
        if not backward:
            return [out]
        out.backward(slope)
        assert leaf.grad is not None
        return [out.detach(), leaf.grad]

    def once(x: Tensor) -> Tensor:
        return roi_align(x, boxes, picture, BINS, 1 / STRIDE, SAMPLES)

    return {**ours(partial(step, once)), GRID: partial(step, lambda x: by_grid_sample(x, boxes))}


def same_numbers(results: Mapping[str, list[Tensor]]) -> str:
    """One sentence; ends the program where results differ by more than rounding."""
    worst = 0.0
    for name, result in results.items():
        for mine, theirs in zip(result, results[GRID], strict=True):
            apart = float((mine - theirs).abs().max() / theirs.abs().max())
            if not apart <= 1e-4:
                sys.exit(f"{name} differs from grid_sample by {apart:.1e} of the largest value.")
            worst = max(worst, apart)
    return f"Results differ by at most {worst:.1e} of the largest value."


# ------------------------------------------------------------------------------------------------ turns and tables


def section(
    title: str, variants: Variants, check: Callable[[Any], str], peer: str, rounds: int, floor: float, aim: float = 0
) -> str:
    """Compare, time, judge: one row of the page."""
    print(title, file=sys.stderr)
    said = check({name: run() for name, run in variants.items()})
    times = timing.interleave(variants, rounds, warmups=0, say=False)  # comparing has warmed up
    rows = [
        [
            name,
            f"{1e3 * timed.median():.1f}",
            f"{1e3 * timed.median('wall'):.1f}",
            f"{timing.ratio(times[peer], timed):.3g}",
        ]
        for name, timed in times.items()
    ]
    header = ["variant", "CPU ms", "wall ms", "so many times as fast as the last (CPU)"]
    parts = [f"## {title}", timing.table(header, rows), f"- {said}"]
    if COMPILED not in times:
        parts.append("- numba is not installed: the compiled form is left out.")
    elif floor:
        found = timing.ratio(times[peer], times[COMPILED])
        verdict = f"**Fast:** {found:.1f} times {peer}; floor {floor:.0f}: {'met' if found >= floor else 'MISSED'}"
        wish = f"; aim {aim:.0f}: {'reached' if found >= aim else 'not reached'}" if aim else ""
        parts.append(f"{verdict}{wish}.")
    return "\n\n".join(parts)


ABOUT = """\
One thread on one core, medians over the rounds; ratios are medians of the rounds' ratios, by processor time. \
Compiling is not counted: it takes seconds once on a machine, and is kept on disk. The loop is as fast as one in \
Python is: every step works on all boxes of a class at once."""


def sections(n_boxes: int, n_regions: int, rounds: int) -> list[str]:
    suppressed = partial(section, check=same_boxes, peer=LOOP, rounds=rounds, floor=FLOOR, aim=AIM)
    aligned = partial(section, check=same_numbers, peer=GRID, rounds=rounds)
    proposals = {
        f"{n_boxes:,} boxes around {THINGS:,} things of 80 classes": around_things(n_boxes, 80),
        f"{n_boxes:,} boxes anywhere, of 80 classes": anywhere(n_boxes, 80),
        f"{n_boxes // 5:,} boxes around {THINGS:,} things of one class": around_things(n_boxes // 5, 1),
    }
    what = f"{n_regions} regions, {CHANNELS} channels, {MAP}x{MAP} places to {BINS}x{BINS} bins"
    both, alone = f"RoI Align, forward and backward, {what}", f"RoI Align, forward alone, {what}"
    layouts = LAYOUTS.items()
    return [
        *(suppressed(f"Suppression, {name}", suppressing(*b)) for name, b in proposals.items()),
        *(aligned(f"{both}, {name}", aligning(n_regions, layout, True), floor=ALIGN_FLOOR) for name, layout in layouts),
        aligned(alone, aligning(n_regions, torch.contiguous_format, False), floor=0),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few boxes and regions, two rounds; no result file")
    asked = parser.parse_args()
    timing.use_one_core()
    if asked.quick:
        print("\n\n".join(sections(5000, 64, rounds=2)))
        return
    parts = [ABOUT, *sections(100_000, 512, asked.rounds)]
    print("\n\n".join(parts))
    command = f"python benchmarks/regions.py --rounds {asked.rounds}"
    timing.write_result("regions", "Boxes and regions", command, ["torch", "numpy", "numba"], parts)


if __name__ == "__main__":
    main()
