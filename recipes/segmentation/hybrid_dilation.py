"""Rates 1, 2, 3 against 2, 2, 2: one field, one cost, and who reads small things better.

Dilated layers widen the field without giving up the size. Layers of rate 2 in a row read every other pixel only: of the
25 x 25 pixels that six of them could see they see a quarter, and two neighbours have nothing in common. Rates 1, 2, 3
see the same 25 x 25 pixels, all of them, for the same weights and the same multiply-adds. That should tell most where
things are so small that half of their pixels are too few.

Measured on marks of four kinds (a plus, a cross, a ring, a corner), drawn on grids of 3 x 3 in pixels of one size:
marks of 3 pixels, where a kind can only be told by pixels side by side, and of 6 and 9 pixels. Both networks keep the
picture's size throughout and begin with the same convolution of rate 1. Means over the seeds, with the least and the
largest.

It comes out by size. Marks of 3 pixels are told far better by rates 1, 2, 3. On larger ones, whose parts are 2 and 3
pixels wide, holes of one pixel hide nothing, and rate 2 throughout is a little better: its first layers look farther.

    python recipes/segmentation/hybrid_dilation.py  # 4 minutes
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.metrics.segmentation import confusion, iou
from pellucid.models.segment.dilated import DilatedNet
from pellucid.nn.geometry import tap_coverage
from pellucid.plots.bars import bars

SIDE, BATCH, STEPS, TEST, RATE, WIDTH, SEEDS = 48, 16, 300, 300, 3e-3, 16, 3
RATES = {"1, 2, 3": (1, 2, 3), "2, 2, 2": (2, 2, 2)}
MARKS = np.array(
    [
        [[0, 1, 0], [1, 1, 1], [0, 1, 0]],
        [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
        [[1, 1, 1], [1, 0, 1], [1, 1, 1]],
        [[1, 0, 0], [1, 0, 0], [1, 1, 1]],
    ]
)
KINDS = 1 + len(MARKS)  # and background
SCALES = (1, 2, 3)


def pictures(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """(N, 1, H, W) grey with noise, (N, H, W) kinds, and (N, H, W) sizes of the marks in pixels, 0 beside them."""
    rng = np.random.default_rng(seed)
    images = 0.5 * rng.normal(size=(n, 1, SIDE, SIDE)).astype(np.float32)
    kinds, sizes = np.zeros((n, SIDE, SIDE), dtype=np.int64), np.zeros((n, SIDE, SIDE), dtype=np.int64)
    for i in range(n):
        for _ in range(12):
            kind, scale = rng.integers(len(MARKS)), rng.choice(SCALES)
            mark = MARKS[kind].repeat(scale, 0).repeat(scale, 1)
            top, left = rng.integers(0, SIDE - 3 * scale + 1, 2)
            here = np.s_[top : top + 3 * scale, left : left + 3 * scale]
            around = np.s_[max(0, top - 1) : top + 3 * scale + 1, max(0, left - 1) : left + 3 * scale + 1]
            if sizes[i][around].any():
                continue
            images[i, 0][here] += 2 * mark
            kinds[i][here], sizes[i][here] = kind + 1, 3 * scale  # the whole square has the mark's kind
    return torch.from_numpy(images), torch.from_numpy(kinds), torch.from_numpy(sizes)


def network(rates: tuple[int, ...], seed: int) -> DilatedNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DilatedNet(KINDS, 1, rates, WIDTH, stride=1)


def trained(rates: tuple[int, ...], data: tuple[Tensor, ...], seed: int) -> nn.Module:
    """The network after one pass over the pictures."""
    net = network(rates, seed).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS, pct_start=0.1)
    for x, y in zip(data[0].split(BATCH), data[1].split(BATCH), strict=True):
        optimiser.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def scores(net: nn.Module, x: Tensor, kinds: Tensor, sizes: Tensor) -> list[float]:
    """Mean IoU of the four kinds among the pixels of marks of each size; marks of other sizes are ignored."""
    with torch.no_grad():
        said = torch.cat([net(part).argmax(1) for part in x.split(50)])
    found = []
    for scale in SCALES:
        other = (sizes > 0) & (sizes != 3 * scale)
        found.append(float(iou(confusion(said, kinds.masked_fill(other, 255), KINDS).sum(0))[1:].mean()))
    return found


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Coverage and scores of both stacks of rates."""
    test = pictures(TEST, 1000)
    rows, series = [], {}
    for name, rates in RATES.items():
        found = np.array(
            [scores(trained(rates, pictures(STEPS * BATCH, seed), seed), *test) for seed in range(SEEDS)]
        )  # (seeds, sizes)
        read = tap_coverage([rate for rate in rates for _ in range(2)]).share_of_square
        cells = [f"{each.mean():.3f} ({each.min():.3f} to {each.max():.3f})" for each in found.T]
        rows.append([name, f"{read:.0%}", *cells])
        series[f"rates {name}"] = found.mean(axis=0).tolist()
    names = [f"marks of {3 * scale} px" for scale in SCALES]
    picture = bars(series, names, "Mean IoU of the four kinds of marks", top=1.0)
    return ["rates", "of the field read", *names], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(24) for cell in row))
