"""The cells that learn a thing, against the rule written out for one cell at a time."""

import torch
from torch import Tensor

from pellucid.models.detect.align import ALPHA, BETA, TOPK, align
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.iou import box_iou


def scene(seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor, Truth]:
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(8) * 8 + 4.0, torch.arange(8) * 8 + 4.0, indexing="ij")
    centres = torch.stack([x, y], -1).view(64, 2)
    sides = torch.rand(2, 64, 4, generator=generator) * 20
    boxes = torch.cat([centres - sides[..., :2], centres + sides[..., 2:]], -1)
    things = torch.tensor([[[2.0, 3, 40, 50], [20, 20, 60, 64], [0, 0, 30, 30]], [[9, 9, 10, 10], [0] * 4, [0] * 4]])
    truth = Truth(things, torch.tensor([[2, 0, 1], [1, -1, -1]]), torch.tensor([[0, 0, 1], [0, 0, 0]]).bool())
    scores = torch.rand(2, 64, 3, generator=generator)
    return scores, boxes, centres, torch.full((64,), 8.0), truth


def test_best_aligned_cells_learn_and_the_best_has_its_overlap_for_a_target() -> None:
    assert (ALPHA, BETA, TOPK) == (0.5, 6.0, 10), "the numbers of YOLOv8"
    scores, boxes, centres, strides, truth = scene()
    aligned = align(scores, boxes, centres, strides, truth)
    overlap = box_iou(boxes[0], truth.boxes_xyxy[0])  # (A, M)
    owners: dict[int, list[int]] = {}
    alignment = torch.zeros(64, 2)
    for m in range(2):
        x1, y1, x2, y2 = truth.boxes_xyxy[0, m].tolist()
        inside = [a for a, (x, y) in enumerate(centres.tolist()) if x1 <= x <= x2 and y1 <= y <= y2]
        for a in inside:
            alignment[a, m] = scores[0, a, truth.labels[0, m]] ** ALPHA * overlap[a, m] ** BETA
        for a in sorted(inside, key=lambda a: -alignment[a, m])[:TOPK]:
            owners.setdefault(a, []).append(m)
    owner = {a: max(things, key=lambda m: overlap[a, m]) for a, things in owners.items()}
    assert set(aligned.target[0].nonzero()[:, 0].tolist()) == set(owner)
    assert any(len(things) == 2 for things in owners.values()), "this scene is to have a cell that both things want"
    for m in range(2):
        mine = [a for a in owner if owner[a] == m]
        assert (aligned.thing[0, mine] == m).all()
        best = max(overlap[a, m] for a in mine)
        scale = best / max(alignment[a, m] for a in mine)
        assert torch.allclose(aligned.target[0, mine], alignment[mine, m] * scale)
        assert torch.isclose(aligned.target[0, mine].max(), best)


def test_a_thing_smaller_than_a_cell_has_one() -> None:
    scores, boxes, centres, strides, truth = scene()
    aligned = align(scores, boxes, centres, strides, truth)
    assert aligned.target[1].nonzero()[:, 0].tolist() == [9], "the one pixel at 9, 9 lies in the cell from 8 to 16"


def test_crowds_are_neither_learned_nor_denied() -> None:
    scores, boxes, centres, strides, truth = scene()
    aligned = align(scores, boxes, centres, strides, truth)
    in_crowd = (centres <= 30).all(1)
    assert torch.equal(aligned.ignored[0], in_crowd & (aligned.target[0] == 0))
    assert not aligned.ignored[1].any()
    assert (aligned.thing[0][aligned.target[0] > 0] < 2).all()


def test_nothing_to_learn() -> None:
    scores, boxes, centres, strides, _ = scene()
    nothing = Truth(torch.zeros(2, 2, 4), torch.full((2, 2), -1), torch.zeros(2, 2, dtype=torch.bool))
    aligned = align(scores, boxes, centres, strides, nothing)
    assert not aligned.target.any()
    assert not aligned.ignored.any()
