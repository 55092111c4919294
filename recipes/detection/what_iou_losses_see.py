"""Two boxes that do not meet: IoU does not say in which direction to go, its heirs do.

IoU says how well two boxes agree, so why not learn from it? Because of two boxes that do not meet it says 0, however
far apart they are and wherever one is moved a little: no slope, nothing to learn. Generalised IoU takes off how empty
the box around both is, distance IoU how far their middles are apart by that box's diagonal, complete IoU also how their
shapes differ. All three slope towards the target from anywhere.

The table pulls a box onto another by plain gradient descent, and counts the steps until their IoU is 0.9. It moves what
detectors move, the middle in units of the target's sides and the logarithms of the box's own, all losses at one rate.
Apart, IoU stays where it is for good. Where boxes overlap it does as well as its heirs, within ten steps.

The papers say that distance IoU needs fewer steps than generalised IoU. From within and from around the target it does,
by a little. Apart it comes out the other way, most of all for the small box, which generalised IoU pulls along more
steeply.

The picture follows the first start; the numbers are IoU.

    python recipes/detection/what_iou_losses_see.py
"""

from collections.abc import Callable

import torch
from torch import Tensor

from pellucid.ops.boxes.convert import cxcywh_to_xyxy, xyxy_to_cxcywh
from pellucid.ops.boxes.iou import paired_iou
from pellucid.ops.losses.boxes import complete_iou_loss, distance_iou_loss, generalized_iou_loss
from pellucid.plots import svg

STEPS, RATE, NEAR, FRAMES = 600, 0.02, 0.9, (0, 100, 200, 300, 400)
TARGET = (60.0, 40.0, 100.0, 80.0)
STARTS = {
    "apart": (0.0, 8.0, 24.0, 24.0),
    "apart, twice as wide": (-30.0, 90.0, 50.0, 130.0),
    "overlapping": (40.0, 30.0, 75.0, 60.0),
    "inside it": (64.0, 44.0, 80.0, 60.0),
    "around it": (20.0, 20.0, 120.0, 140.0),
}
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "IoU": lambda a, b: 1 - paired_iou(a, b),
    "GIoU": generalized_iou_loss,
    "DIoU": distance_iou_loss,
    "CIoU": complete_iou_loss,
}


def paths(loss: Callable[[Tensor, Tensor], Tensor], steps: int = STEPS) -> tuple[Tensor, Tensor]:
    """(steps + 1, starts, 4) boxes on their way and (steps + 1, starts) IoU with the target, by gradient descent.

    As detectors do, it moves centres in units of the target's sides, and the logarithms of sides.
    """
    target = xyxy_to_cxcywh(torch.tensor([TARGET], dtype=torch.float64))
    start = xyxy_to_cxcywh(torch.tensor(list(STARTS.values()), dtype=torch.float64))
    unit = target[:, 2:]
    moves = torch.cat([start[:, :2] / unit, (start[:, 2:] / unit).log()], 1).requires_grad_()
    boxes, overlaps = [], []
    for _ in range(steps + 1):
        box = cxcywh_to_xyxy(torch.cat([moves[:, :2] * unit, moves[:, 2:].exp() * unit], 1))
        wanted = cxcywh_to_xyxy(target).expand_as(box)
        boxes.append(box.detach())
        overlaps.append(paired_iou(box, wanted).detach())
        (slope,) = torch.autograd.grad(loss(box, wanted).sum(), moves)
        moves = (moves - RATE * slope).detach().requires_grad_()
    return torch.stack(boxes), torch.stack(overlaps)


def steps_needed(overlaps: Tensor) -> list[int | None]:
    """The first step with an IoU of 0.9 for each start, None where there is none."""
    near = overlaps >= NEAR
    return [int(each.int().argmax()) if each.any() else None for each in near.T]


def panel(left: float, top: float, box: Tensor, kind: str) -> list[str]:
    """The target as a surface, and the box as a line."""

    def corners(xyxy: tuple[float, ...]) -> list[tuple[float, float]]:
        x1, y1, x2, y2 = (each * 0.62 for each in xyxy)
        return [(left + x, top + y) for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1))]

    x1, y1, x2, y2 = (each * 0.62 for each in TARGET)
    return [
        svg.rect(left + x1, top + y1, x2 - x1, y2 - y1, "f6 pale"),
        svg.path([corners(tuple(box.tolist()))], f"curve {kind}"),
    ]


def picture(found: dict[str, tuple[Tensor, Tensor]]) -> str:
    """A film of the first start for each loss."""
    parts = [svg.text(0, 18, "One box pulled onto another by four losses", "title")]
    parts += [svg.text(64 + 84 * k, 44, f"step {step}" if step else "start", "soft") for k, step in enumerate(FRAMES)]
    for row, (name, (boxes, overlaps)) in enumerate(found.items()):
        top = 56 + 74 * row
        parts.append(svg.text(0, top + 36, name))
        for k, step in enumerate(FRAMES):
            parts += panel(64 + 84 * k, top, boxes[step, 0], "s1")
            parts.append(svg.text(64 + 84 * k, top + 56, f"{overlaps[step, 0]:.2f}", "soft"))
    label = f"A box apart from its target, moved by four losses; {', '.join(found)}."
    return svg.document(480, 56 + 74 * len(found), label, parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Steps to an IoU of 0.9 from five starts by four losses."""
    found = {name: paths(loss) for name, loss in LOSSES.items()}
    needed = {name: steps_needed(overlaps) for name, (_, overlaps) in found.items()}
    first = next(iter(found.values()))[1][0]
    rows = [
        [start, f"{first[row]:.2f}", *("never" if each[row] is None else str(each[row]) for each in needed.values())]
        for row, start in enumerate(STARTS)
    ]
    return ["start", "IoU there", *(f"steps by {name}" for name in LOSSES)], rows, picture(found)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
