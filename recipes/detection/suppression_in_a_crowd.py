"""In a crowd no threshold of suppression is right: what keeps neighbours keeps duplicates.

A detector says each thing several times, and suppression leaves out what overlaps a surer box by more than a threshold.
It cannot know whether that box is a second one for the same thing, or one for its neighbour. Tried on 100 rows of 8
things of one class and size, with six boxes for each thing at random beside it and eight strays, surer the better they
lie: rows of things that only touch, and rows in which neighbours share 0.2 to 0.6 with each other.

Things apart are easy: any low threshold does. In the crowd 0.3 leaves out a third of the things, and 0.6, which keeps
them all, keeps nearly as many boxes too many; at 0.5 there is some of both. Boxes that lie more exactly move duplicates
together and away from neighbours: then 0.6 keeps all at the price of a fifth. So it is better boxes that help, more
than a better threshold.

Shares are of boxes with a score above a half, as one would show them. AP50 does not mind duplicates much, as they come
after the right boxes: at 0.6 it is 0.98. For the same reason it is fond of soft-NMS, which only makes scores of
neighbours smaller; but among the sure boxes a sixth or more of the crowd is missing again, until a threshold of scores
is found for it.

    python recipes/detection/suppression_in_a_crowd.py
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from pellucid.metrics.detection.average_precision import average_precision
from pellucid.metrics.detection.detections import NOTHING, Detections
from pellucid.ops.boxes.iou import box_iou
from pellucid.ops.boxes.suppress import nms, soft_nms
from pellucid.plots import svg

PICTURES, THINGS, REPEATS, STRAY, SURE = 100, 8, 6, 8, 0.5
WIDE, TALL = 40.0, 90.0  # px
Case = tuple[float, float, float]  # IoU of neighbours, from .. to; standard deviation of corners in sides
CASES: dict[str, Case] = {
    "apart": (0.0, 0.0, 0.1),
    "crowd, exact boxes": (0.2, 0.6, 0.04),
    "crowd": (0.2, 0.6, 0.1),
}
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
Thin = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # boxes, scores -> which are kept, and their scores


def crowd(case: Case, rng: np.random.Generator) -> np.ndarray:
    """(things, 4): people of one size in a row, each neighbour sharing so much with the next."""
    share = rng.uniform(*case[:2], THINGS - 1)
    steps = WIDE * (1 - share) / (1 + share)  # boxes that are so far apart have this IoU
    left = np.concatenate([[0], np.cumsum(steps)])
    return np.stack([left, np.zeros(THINGS), left + WIDE, np.full(THINGS, TALL)], 1)


def found(truth: np.ndarray, jitter: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Boxes and scores of a detector: several beside each thing, surer the better they lie, and some anywhere."""
    sides = np.array([WIDE, TALL, WIDE, TALL])
    near = truth.repeat(REPEATS, 0)
    near = near + jitter * sides * rng.standard_normal(near.shape)
    stray = truth[rng.integers(len(truth), size=STRAY)] + 0.4 * sides * np.tile(rng.standard_normal((STRAY, 2)), 2)
    boxes = torch.from_numpy(np.concatenate([near, stray]))
    best = box_iou(torch.from_numpy(truth), boxes).amax(0)
    noise = torch.from_numpy(0.1 * rng.standard_normal(len(boxes)))
    return boxes, (best + noise).clamp(0.01, 0.99)


def hard(threshold: float, boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    kept = nms(boxes, scores, threshold)
    return kept, scores[kept]


WAYS: dict[str, Thin] = {
    "no suppression": lambda boxes, scores: (torch.arange(len(scores)), scores),
    **{f"NMS at {threshold:g}": partial(hard, threshold) for threshold in THRESHOLDS},
    **{f"soft-NMS, σ = {sigma:g}": partial(soft_nms, sigma=sigma) for sigma in (0.3, 0.5)},
    "soft-NMS, linear from 0.3": partial(soft_nms, gaussian=False),
}


def measure(thin: Thin, case: Case, n: int = PICTURES) -> dict[str, float]:
    """AP at IoU 0.5; and of boxes with a score above a half, by thing: how many are missed, and boxes too many."""
    rng = np.random.default_rng(0)
    most = THINGS * REPEATS + STRAY
    boxes, scores, labels = np.zeros((n, most, 4)), np.zeros((n, most)), np.full((n, most), NOTHING)
    truths = np.stack([crowd(case, rng) for _ in range(n)])
    for row, truth in enumerate(truths):
        every, given = found(truth, case[2], rng)
        kept, new = thin(every, given)
        boxes[row, : len(kept)], scores[row, : len(kept)], labels[row, : len(kept)] = every[kept], new, 0
    things = (truths, np.zeros((n, THINGS), dtype=np.int64))
    sure = np.where(scores > SURE, labels, NOTHING)
    ap50 = average_precision(Detections(boxes, scores, labels, *things), 1).numbers["ap50"]
    recall = float(average_precision(Detections(boxes, scores, sure, *things), 1).recall[0, 0, 0, -1])
    return {"AP50": ap50, "missed": 1 - recall, "too many": float((sure == 0).sum()) / (n * THINGS) - recall}


def picture(people: int = 4) -> str:
    """The beginning of a row, and the sure boxes that are left of what is found there."""
    rng = np.random.default_rng(4)
    truth = crowd(CASES["crowd"], rng)[:people]
    every, given = found(truth, CASES["crowd"][2], rng)
    parts = [svg.text(0, 18, f"{people} neighbours, and the boxes that are kept", "title")]
    for k, name in enumerate(("NMS at 0.3", "NMS at 0.5", "NMS at 0.7")):
        kept, new = WAYS[name](every, given)
        sure = every[kept[new > SURE]].numpy()
        left, top = 160 * k, 82
        parts.append(svg.text(left, 48, f"{name}: {len(sure)} boxes", "soft"))
        for x1, _, x2, y2 in truth.tolist():
            parts.append(svg.circle(left + 20 + (x1 + x2) / 2, top + 11, 11, "f6 pale"))
            parts.append(svg.rect(left + 20 + x1, top + 22, x2 - x1, y2 - 22, "f6 pale"))
        for x1, y1, x2, y2 in (sure + np.array([left + 20, top, left + 20, top])).tolist():
            parts.append(svg.path([[(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]], "s1 ring"))
    return svg.document(480, 205, "A row of people, and the boxes that are kept at three thresholds.", parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """What is missed and what is kept too often against the threshold, of things apart and in a crowd."""
    results = {name: {where: measure(thin, case) for where, case in CASES.items()} for name, thin in WAYS.items()}
    rows = []
    for name, each in results.items():
        shown = ([f"{one['AP50']:.2f}", f"{one['missed']:.0%}", f"{one['too many']:.0%}"] for one in each.values())
        rows.append([name, *(cell for cells in shown for cell in cells)])
    header = ["suppression", *(f"{where}: {told}" for where in CASES for told in ("AP50", "missed", "too many"))]
    return header, rows, picture()


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(24) for cell in row))
