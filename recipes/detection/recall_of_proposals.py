"""A hundred proposed boxes hold what takes a thousand windows.

R-CNN asks its network about every box it is given, so they should be few, and hold the things. A thing is held when a
box shares half with it (IoU 0.5). Measured on 60 scenes of 128 x 128 pixels, by how many of the first boxes are looked
at: boxes at random, a regular grid of windows of six sizes and three shapes from the largest to the smallest, Selective
Search, and the proposals of a network, the first stage of Faster R-CNN by itself.

The first hundred of Selective Search hold nearly as much as the thousand windows, and lie far better: with all of its
boxes nearly every thing is held with an IoU of 0.7, for which windows are too coarse. Things here have colours of their
own, by which it cuts pictures. The network has learned for less than a minute, and on scenes with other things: with
few boxes it is far before the windows, and always behind Selective Search, which takes 25 times as long.

    python recipes/detection/recall_of_proposals.py  # 2 minutes
"""

import math
import time
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.classic.proposals.selective_search import selective_search
from pellucid.data.scenes import Scene, stream
from pellucid.data.scenes.labels import objects
from pellucid.models.detect.faster_rcnn import anchor_sizes, proposing, pyramid
from pellucid.models.detect.rpn import RegionProposals
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.iou import box_iou
from pellucid.plots.curves import curves

SIDE, TEST, TRAIN, STEPS, BATCH, RATE = 128, 60, 400, 250, 8, 3e-3
NUMBERS = (10, 20, 50, 100, 200, 500, 1000)
TOLD = (10, 50, 100, 500, 1000)
SIDES, RATIOS, STEP = (90, 64, 48, 32, 24, 16), (1.0, 0.5, 2.0), 0.5  # of windows; steps are shares of a side
Propose = Callable[[Scene], Tensor]


def random_boxes(n: int, seed: int) -> Tensor:
    """(n, 4): sides from 12 px to all of the picture and ratios from 1 : 2 to 2 : 1, even by their logarithms."""
    rng = np.random.default_rng(seed)
    side, ratio = np.exp(rng.uniform(math.log(12), math.log(SIDE), n)), np.exp2(rng.uniform(-0.5, 0.5, n))
    extent = np.minimum(np.stack([side * ratio, side / ratio], 1), SIDE)
    corner = rng.random((n, 2)) * (SIDE - extent)
    return torch.from_numpy(np.concatenate([corner, corner + extent], 1)).float()


def windows() -> Tensor:
    """(n, 4): a regular grid of windows, from the largest to the smallest."""
    found = []
    for side in SIDES:
        for ratio in RATIOS:
            w, h = side / math.sqrt(ratio), side * math.sqrt(ratio)
            x, y = (np.linspace(0, SIDE - d, 1 + math.ceil((SIDE - d) / (STEP * d))) for d in (w, h))
            left, top = (each.ravel() for each in np.meshgrid(x, y))
            found.append(np.stack([left, top, left + w, top + h], 1))
    return torch.from_numpy(np.concatenate(found)).float()


class Proposer(nn.Module):
    """The first stage of Faster R-CNN by itself: maps of the picture, and what they propose."""

    def __init__(self, n_proposals: int) -> None:
        super().__init__()
        self.maps = pyramid("", 3, (SIDE, SIDE))
        self.rpn = RegionProposals(self.maps.width, anchor_sizes(self.maps, (SIDE, SIDE)), proposing(n_proposals))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.rpn(self.maps(x), (SIDE, SIDE))


def pixels(scenes: Sequence[Scene]) -> Tensor:
    """(N, 3, H, W) in -1..1."""
    return torch.from_numpy(np.stack([scene.image for scene in scenes])).movedim(3, 1) / 128 - 1


def truth(scenes: Sequence[Scene]) -> Truth:
    """Boxes of what is seen in them, filled up to one number."""
    boxes = [torch.tensor(objects(scene).boxes_xyxy) for scene in scenes]
    padded = nn.utils.rnn.pad_sequence(boxes, batch_first=True)
    labels = torch.where((padded > 0).any(-1), 0, -1)
    return Truth(padded, labels, torch.zeros_like(labels, dtype=torch.bool))


def trained(steps: int = STEPS) -> nn.Module:
    """Learned on scenes of which none is asked about later."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = Proposer(NUMBERS[-1]).to(memory_format=torch.channels_last)
        optimiser = torch.optim.AdamW(net.parameters(), RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps, pct_start=0.1)
        scenes = list(islice(stream(SIDE, "medium", "fashion", "train"), min(TRAIN, steps * BATCH)))
        rng = np.random.default_rng(0)
        for _ in range(steps):
            some = [scenes[i] for i in rng.choice(len(scenes), BATCH, replace=False)]
            optimiser.zero_grad()
            torch.stack(list(net.rpn.losses(net(pixels(some)), truth(some)).values())).mean(1).sum().backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def learned(net: nn.Module, scene: Scene) -> Tensor:
    with torch.no_grad():
        outputs = net(pixels([scene]))
    return outputs["proposals_xyxy"][0][outputs["proposal_scores"][0] >= 0]


def searched(scene: Scene) -> Tensor:
    return torch.from_numpy(selective_search(np.moveaxis(scene.image, 2, 0), smallest=4))


def measure(propose: Propose, scenes: Sequence[Scene]) -> tuple[Tensor, float, float]:
    """(things, numbers) of each thing the IoU with the best of the first so many boxes; boxes and CPU ms a picture."""
    began = time.process_time()
    proposed = [propose(scene) for scene in scenes]
    seconds, best = time.process_time() - began, []
    for boxes, scene in zip(proposed, scenes, strict=True):
        overlap = box_iou(torch.tensor(objects(scene).boxes_xyxy), boxes).cummax(1).values
        best.append(overlap[:, [min(n, len(boxes)) - 1 for n in NUMBERS]])
    return torch.cat(best), sum(map(len, proposed)) / len(scenes), 1000 * seconds / len(scenes)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Recall of four ways to propose boxes against how many are looked at."""
    net, grid, rows, lines = trained(), windows(), [], {}
    ways: dict[str, Propose] = {
        "random boxes": lambda scene: random_boxes(NUMBERS[-1], int(scene.image.sum())),
        "grid of windows": lambda scene: grid,
        "Selective Search": searched,
        "a network (RPN)": lambda scene: learned(net, scene),
    }
    scenes = list(islice(stream(SIDE, "medium", "fashion", "test"), TEST))
    for name, propose in ways.items():
        best, boxes, ms = measure(propose, scenes)
        half, tight = ((best >= bar).float().mean(0).tolist() for bar in (0.5, 0.7))
        shares = [f"{half[NUMBERS.index(n)]:.0%}" for n in TOLD]
        rows.append([name, f"{boxes:,.0f}", *shares, f"{tight[-1]:.0%}", f"{ms:.0f} ms"])
        lines[name] = (np.log10(NUMBERS), half)
    picture = curves(lines, "Things held by one of the first boxes (IoU 0.5)", "log10 of the boxes looked at", "recall")
    header = ["boxes", "a picture", *(f"first {n:,}" for n in TOLD), "first 1,000, IoU 0.7", "time"]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
