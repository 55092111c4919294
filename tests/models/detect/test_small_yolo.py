"""What the heads of the small YOLO say, and its losses by hand."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.detect import build
from pellucid.models.detect.align import align
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.iou import paired_complete_iou


def outputs_of(net: nn.Module) -> dict[str, Tensor]:
    with torch.no_grad():
        return net.eval()(torch.randn(2, 3, 96, 112, generator=torch.Generator().manual_seed(0)))  # type: ignore[no-any-return]


def test_sides_are_told_in_cells_from_the_centre() -> None:
    net = build("yolo", 3, 3, (96, 96))
    cells = torch.tensor([1.0, 2, 3, 4])  # left, top, right, bottom
    for head in net.heads.values():  # type: ignore[union-attr, operator]
        nn.init.zeros_(head[1].weight)
        head[1].bias.data[3:] = cells.log()
    outputs = outputs_of(net)
    assert len(outputs["centres"]) == 12 * 14 + 6 * 7, "8 and 16 px a cell"
    centres, strides = outputs["centres"], outputs["strides"][:, None]
    expected = torch.cat([centres - cells[:2] * strides, centres + cells[2:] * strides], 1)
    torch.testing.assert_close(outputs["boxes_xyxy"], expected.expand(2, -1, 4))


def test_boxes_start_three_cells_wide_and_scores_at_the_prior() -> None:
    outputs = outputs_of(build("yolo", 3, 3, (96, 96)))
    size = outputs["boxes_xyxy"][..., 2:] - outputs["boxes_xyxy"][..., :2]
    assert ((size / outputs["strides"][:, None]).mean() - 3).abs() < 0.2
    assert (outputs["logits"].sigmoid().mean() - 0.01).abs() < 0.002


def test_losses_by_hand() -> None:
    """Sums by the sum of the targets; a box counts as much as its target."""
    net = build("yolo", 3, 3, (96, 96))
    outputs = outputs_of(net)
    boxes = torch.tensor([[[8.0, 8, 44, 40], [50, 50, 110, 90]], [[30, 20, 70, 80], [0, 0, 0, 0]]])
    truth = Truth(boxes, torch.tensor([[2, 0], [1, -1]]), torch.zeros(2, 2, dtype=torch.bool))
    aligned = align(outputs["logits"].sigmoid(), outputs["boxes_xyxy"], outputs["centres"], outputs["strides"], truth)
    given = net.losses(outputs, truth)  # type: ignore[operator]
    for row in range(2):
        target, total = aligned.target[row], aligned.target[row].sum()
        assert total > 1, "else the divisor would be 1"
        wanted = torch.zeros_like(outputs["logits"][row])
        miss = 0.0
        for cell in target.nonzero()[:, 0].tolist():
            thing = int(aligned.thing[row, cell])
            wanted[cell, truth.labels[row, thing]] = target[cell]
            fit = paired_complete_iou(outputs["boxes_xyxy"][row, cell], boxes[row, thing])
            miss += float(target[cell] * (1 - fit))
        cross_entropy = F.binary_cross_entropy_with_logits(outputs["logits"][row], wanted, reduction="sum")
        assert math.isclose(given["class"][row], cross_entropy / total, rel_tol=1e-4)
        assert math.isclose(given["box"][row], 2 * miss / total, rel_tol=1e-4)
