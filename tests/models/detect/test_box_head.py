"""The second stage on numbers that are written down: what it learns, and what it names."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from pellucid.models.detect import build, two_stage
from pellucid.models.detect.box_head import region_losses
from pellucid.models.detect.found import Limits
from pellucid.models.detect.region_sampling import Asked
from pellucid.models.detect.roi_heads import RoiHeads
from pellucid.models.detect.truth import Truth
from pellucid.models.detect.two_stage import TwoStage

LN3 = math.log(3.0)
WEIGHTS = (10.0, 10.0, 5.0, 5.0)


def truth() -> Truth:
    boxes = torch.tensor([[[0.0, 0, 10, 10], [20, 20, 40, 30]]])
    return Truth(boxes, torch.tensor([[1, 0]]), torch.zeros(1, 2, dtype=torch.bool))


@pytest.mark.parametrize("one_for_all", [False, True])
def test_losses_by_hand(one_for_all: bool) -> None:
    """A region 2 px off the second thing, one of background, one that is not asked. Background is class 0 inside."""
    asked = Asked(
        torch.tensor([[[22.0, 20, 42, 30], [50, 50, 60, 60], [0, 0, 0, 0]]]),
        torch.tensor([[1, -1, -2]]),
    )
    logits = torch.tensor(
        [[[0.0, LN3, 0.0], [LN3, 0.0, 0.0], [-50.0, 50.0, 0.0]]]
    )  # each time 3 of 5 for the right one
    deltas = torch.full((1, 3, 1 if one_for_all else 3, 4), 7.0)
    deltas[0, 0, 0 if one_for_all else 1] = torch.tensor([0.5, 0.0, 0.0, 0.05])
    losses = region_losses(logits, deltas, asked, truth(), WEIGHTS)
    assert losses["class"].tolist() == pytest.approx([math.log(5 / 3)])
    # wanted: -2 px of 20, times 10 = -1, and no other move; two regions are asked
    beta = 1 / 9
    assert losses["box"].tolist() == pytest.approx([(1.5 - beta / 2 + 0.05**2 / (2 * beta)) / 2])


def made(net: TwoStage, logits: list[list[float]], there: list[float]) -> dict[str, Tensor]:
    """Outputs for one picture of 100 x 80 px with proposals at x = 10, 40, 70; classes move them by 0, 5, 10 px."""
    proposals = torch.tensor([[[x, 20.0, x + 20, 40.0] for x in (10.0, 40.0, 70.0)]])
    moves = torch.zeros(1, 3, 3, 4)
    moves[..., 0] = torch.tensor([0.0, 0.25, 0.5]) * 10
    return {
        "proposals_xyxy": proposals,
        "proposal_scores": torch.tensor([there]),
        "proposal_logits": torch.tensor([logits]),
        "proposal_moves": moves,
        "image_hw": torch.tensor([80, 100]),
    }


def test_things_come_in_the_box_of_their_class_the_surest_first_and_cut_to_the_picture() -> None:
    with torch.device("meta"):
        net = build("faster_rcnn", 2, 3, (64, 64))
    assert isinstance(net, TwoStage)
    logits = [[0.0, 0.0, math.log(6)], [9.0, 0.0, 0.0], [0.0, math.log(18), 0.0]]
    found = net.found(made(net, logits, [0.9, 0.8, 0.7]), Limits(score=0.2, iou=0.5, most=4))
    assert found.labels.tolist() == [[0, 1, -1, -1]]
    assert found.scores[0].tolist() == pytest.approx([18 / 20, 6 / 8, 0, 0])
    expected = torch.tensor([[75.0, 20, 95, 40], [20, 20, 40, 40], [0, 0, 0, 0], [0, 0, 0, 0]])
    torch.testing.assert_close(found.boxes_xyxy[0], expected)
    second = net.found(made(net, [[0.0, 0, 3], [0, 0, 3], [0, 0, 3]], [0.9, -1.0, 0.7]), Limits(score=0.5, most=4))
    assert second.labels.tolist() == [[1, 1, -1, -1]], "a place without a proposal names nothing, however sure"
    assert second.boxes_xyxy[0, :, 2].max() == 100


def test_the_outline_is_that_of_the_class() -> None:
    """With heads that say k + 1 for class k and 0 for background."""
    torch.manual_seed(0)
    net = build("mask_rcnn", 3, 3, (32, 32))
    assert isinstance(net.roi_heads, RoiHeads) and net.roi_heads.mask_predictor is not None
    last = net.roi_heads.mask_predictor.mask_fcn_logits
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.arange(4.0))
        maps = {4: torch.zeros(1, 64, 8, 8)}
        boxes = torch.tensor([[0.0, 0, 9, 9]]).expand(3, 4)
        logits = net.roi_heads.masks(maps, boxes, torch.zeros(3).long(), torch.tensor([2, 0, 1]))
    assert logits.shape == (3, 28, 28) and logits[:, 5, 5].tolist() == [3, 1, 2]


def test_outlines_learned_and_found_are_those_of_each_class_as_probabilities() -> None:
    """The head says k + 1 for class k wherever it looks, and class 2 is called for every region."""
    torch.manual_seed(0)
    net = build("mask_rcnn", 3, 3, (64, 64)).eval()
    assert isinstance(net, TwoStage) and isinstance(net.roi_heads, RoiHeads)
    assert net.roi_heads.mask_predictor is not None
    last, scores = net.roi_heads.mask_predictor.mask_fcn_logits, net.roi_heads.box_predictor.cls_score
    masks = torch.zeros(1, 2, 64, 64, dtype=torch.bool)
    with torch.no_grad():
        for layer in (last, scores):
            layer.weight.zero_()
        last.bias.copy_(torch.arange(4.0))
        scores.bias.copy_(torch.tensor([0.0, 0, 0, 9]))
        outputs = net(torch.randn(1, 3, 64, 64), replace(truth(), masks=masks))
        found = net.found(outputs, Limits(score=0.5, most=100))
    thing = outputs["asked_thing"].flatten()[outputs["fine"]]
    assert set(thing.tolist()) == {0, 1}
    wanted = (truth().labels[0, thing] + 1.0)[:, None, None].expand_as(outputs["mask_logits"])
    assert torch.equal(outputs["mask_logits"], wanted)
    there = found.labels[0] == 2
    assert there.any() and found.masks is not None and not found.masks[0, ~there].any()
    torch.testing.assert_close(found.masks[0, there], torch.full_like(found.masks[0, there], 1 / (1 + math.exp(-3))))


@pytest.mark.parametrize("most", [1, 2, 3, 5, 7, 8, 16])
def test_only_so_many_outlines_are_learned_from_all_over_the_regions(most: int) -> None:
    torch.manual_seed(0)
    net = build("mask_rcnn", 2, 3, (64, 64))
    assert isinstance(net, TwoStage) and isinstance(net.roi_heads, RoiHeads)
    net.roi_heads.judging = replace(net.roi_heads.judging, most_fine=most)
    thing = torch.tensor([[0] * 7 + [-1] * 3, [-1] * 10, [1] * 3 + [-2] * 7])
    boxes = torch.tensor([[[0.0, 0, 9, 9]]]).expand(3, 10, 4)
    pair = Truth(truth().boxes_xyxy.expand(3, 2, 4), truth().labels.expand(3, 2), torch.zeros(3, 2, dtype=torch.bool))
    with torch.no_grad():
        chosen = two_stage._fine_outputs(net.roi_heads, {4: torch.zeros(3, 64, 16, 16)}, Asked(boxes, thing), pair)
    first = chosen["fine"][chosen["fine"] < 10].tolist()
    third = chosen["fine"][chosen["fine"] >= 20].tolist()
    assert len(first) == min(most, 7) and len(third) == min(most, 3) and len(first + third) == len(chosen["fine"])
    assert first[-1] == 6 and third[-1] == 22, "the last are the true boxes"
    gaps = [b - a for a, b in pairwise([-1, *first])]
    assert max(gaps) - min(gaps) <= 1
