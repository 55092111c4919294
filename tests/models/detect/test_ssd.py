"""Default boxes, and which of those without a thing learn."""

import math

import pytest
import torch
from torch.nn import functional as F

from pellucid.models.detect import build
from pellucid.models.detect.found import Limits
from pellucid.models.detect.ssd import Branch, hardest
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.iou import box_iou


def test_exactly_three_hard_ones_for_each_with_a_thing() -> None:
    generator = torch.Generator().manual_seed(0)
    loss = torch.rand(4, 200, generator=generator)
    loss[3] = 0.5  # all equal
    negative = torch.rand(4, 200, generator=generator) < 0.8
    count = torch.tensor([0, 5, 90, 7])
    asked = hardest(loss, negative, count)
    assert not (asked & ~negative).any()
    assert asked.sum(1).tolist() == [3, 15, int(negative[2].sum()), 21]  # the third has too few
    for row in (0, 1):
        least = loss[row][asked[row]].min()
        assert (loss[row][negative[row] & ~asked[row]] <= least).all()


def test_class_loss_by_hand() -> None:
    """Of the boxes without a thing, the three with the largest losses; a sum over all four by one."""
    net = build("ssd", 2, 3, (64, 64)).eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        outputs = net(x)
    truth = Truth(outputs["anchors"][None, 37:38].clone(), torch.tensor([[1]]), torch.zeros(1, 1, dtype=torch.bool))
    outputs["logits"] = torch.randn(outputs["logits"].shape, generator=torch.Generator().manual_seed(0))
    overlap = box_iou(outputs["anchors"], truth.boxes_xyxy[0])[:, 0]
    positive = overlap >= 0.5
    positive[37] = True
    loss = F.cross_entropy(outputs["logits"][0], 2 * positive.long(), reduction="none")
    n = int(positive.sum())
    expected = (loss[positive].sum() + loss[~positive].topk(3 * n).values.sum()) / n
    given = net.losses(outputs, truth)  # type: ignore[operator]
    torch.testing.assert_close(given["class"], expected[None])


def test_each_thing_has_a_box_however_little_they_overlap() -> None:
    """A needle overlaps no default box by half, and yet two boxes learn it and another thing."""
    net = build("ssd", 2, 3, (64, 64)).eval()
    x = torch.randn(1, 3, 64, 64)
    needle = Truth(torch.tensor([[[3.0, 10, 60, 11]]]), torch.tensor([[0]]), torch.zeros(1, 1, dtype=torch.bool))
    with torch.no_grad():
        assert net.losses(net(x), needle)["box"].item() > 0  # type: ignore[operator]


def test_what_is_found_by_hand() -> None:
    """One box is sure of class 1: moved by a tenth of its width for a 1, and e times as high for a 5."""
    net = build("ssd", 3, 3, (64, 64)).eval()
    with torch.no_grad():
        outputs = net(torch.zeros(1, 3, 64, 64))
    place = int(((outputs["anchors"] - torch.tensor([16.0, 16, 40, 40])).abs().sum(1)).argmin())
    outputs["logits"] = torch.tensor([9.0, 0, 0, 0]).expand_as(outputs["logits"]).clone()
    outputs["logits"][0, place] = torch.tensor([0.0, 0, 9, 0])
    outputs["deltas"] = torch.zeros_like(outputs["deltas"])
    outputs["deltas"][0, place] = torch.tensor([1.0, 0, 0, 5])
    found = net.found(outputs, Limits(score=0.5, most=2))  # type: ignore[operator]
    x1, y1, x2, y2 = outputs["anchors"][place].tolist()
    width, half = x2 - x1, (y2 - y1) * math.e / 2
    expected = [x1 + width / 10, max(0, (y1 + y2) / 2 - half), x2 + width / 10, min(64, (y1 + y2) / 2 + half)]
    assert found.labels.tolist() == [[1, -1]] and found.boxes_xyxy[0, 0].tolist() == pytest.approx(expected, abs=1e-3)


def test_boxes_stay_as_large_in_larger_pictures() -> None:
    net = build("ssd", 2, 3, (96, 96)).eval()
    with torch.no_grad():
        small, large = net(torch.zeros(1, 3, 96, 96))["anchors"], net(torch.zeros(1, 3, 96, 128))["anchors"]
    assert torch.equal(small[:4], large[:4])
    side = 2.5 * 8
    first = torch.tensor([-side, -side, side, side]) / 2 + 4
    assert torch.allclose(small[0], first), "two and a half cells of 8 px around the middle of the first"
    width, height = (small[2, 2:] - small[2, :2]).tolist()
    assert math.isclose(width / height, 2, rel_tol=1e-5)


def test_places_of_a_branch_run_cell_by_cell() -> None:
    branch = Branch([4, 6], [2, 1], 3)
    maps = [torch.randn(2, 4, 3, 5), torch.randn(2, 6, 2, 2)]
    out = branch(maps)
    assert out.shape == (2, 3 * 5 * 2 + 2 * 2, 3)
    first = branch.module_list[0](maps[0])
    assert torch.equal(out[1, (1 * 5 + 2) * 2 + 1], first[1, 3:, 1, 2]), "second row, third column, second box"
