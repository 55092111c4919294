"""The first stage by itself: numbers of a place, where anchors lie, what is proposed of boxes that are known."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.models.detect.region_sampling import Matching
from pellucid.models.detect.rpn import NO_SCORE, ProposalHead, Proposing, RegionProposals
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.iou import box_iou


def test_k_anchors_a_place_are_k_maps_of_objectness_and_4k_of_moves() -> None:
    """Whatever the classes are: kinds come in the second stage."""
    for k in (1, 3, 9):
        logits, moves = ProposalHead(8, k)(torch.zeros(2, 8, 5, 7))
        assert logits.shape == (2, k, 5, 7) and moves.shape == (2, 4 * k, 5, 7)


def rpn_of(sizes: dict[int, tuple[float, ...]], settings: Proposing | None = None) -> RegionProposals:
    torch.manual_seed(0)
    return RegionProposals(8, sizes, settings or Proposing()).eval()


def maps_of(rpn: RegionProposals, height: int, width: int, n: int = 1) -> dict[int, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        s: torch.randn(n, 8, math.ceil(height / s), math.ceil(width / s), generator=generator) for s in rpn.anchor_sizes
    }


def test_anchors_are_centred_on_their_cells_finest_stride_first() -> None:
    rpn = rpn_of({4: (16,), 8: (32,)}, Proposing(ratios=(1.0, 4.0)))
    anchors = rpn(maps_of(rpn, 16, 24), (16, 24))["anchors"]
    assert len(anchors) == 2 * (4 * 6 + 2 * 3)
    assert anchors[0].tolist() == [2 - 8, 2 - 8, 2 + 8, 2 + 8] and anchors[1].tolist() == [2 - 4, 2 - 16, 2 + 4, 2 + 16]
    assert anchors[2].tolist() == [6 - 8, 2 - 8, 6 + 8, 2 + 8], "rows first"
    assert anchors[48].tolist() == [4 - 16, 4 - 16, 4 + 16, 4 + 16]


def test_numbers_of_a_place_stay_together() -> None:
    """The logit and the moves of anchor a at a cell are map a, and maps 4a to 4a + 3, of the head there."""
    rpn = rpn_of({4: (16,)})
    maps = maps_of(rpn, 12, 20, n=2)
    logits, moves = rpn.head(maps[4])
    outputs = rpn(maps, (12, 20))
    row, column, a = 1, 3, 2
    place = (row * 5 + column) * 3 + a
    assert outputs["objectness"][1, place] == logits[1, a, row, column]
    assert torch.equal(outputs["proposal_deltas"][1, place], moves[1, 4 * a : 4 * a + 4, row, column])


def still(rpn: RegionProposals) -> RegionProposals:
    """The head moves no anchor."""
    for weight in rpn.head.bbox_pred.parameters():
        torch.nn.init.zeros_(weight)
    return rpn


def test_proposals_are_the_anchors_of_a_head_that_moves_nothing() -> None:
    """None overlaps a surer one of its stride and picture too much, and every one left out does, or comes too late."""
    settings = Proposing(before=(30, 30), after=(12, 12), iou=0.5)
    rpn = still(rpn_of({4: (16,), 8: (16,)}, settings))  # boxes of both strides overlap by up to 0.62
    outputs = rpn(maps_of(rpn, 32, 40, n=2), (32, 40))
    anchors = outputs["anchors"]
    limit = torch.tensor([40.0, 32, 40, 32])
    for got, sure, logits in zip(
        outputs["proposals_xyxy"], outputs["proposal_scores"], outputs["objectness"], strict=True
    ):
        scores = logits.detach().sigmoid()
        kept: list[tuple[float, int]] = []
        for rows in (range(8 * 10 * 3), range(8 * 10 * 3, len(anchors))):  # stride by stride, one box at a time
            mine: list[int] = []
            for place in sorted(rows, key=lambda a: -scores[a])[:30]:
                box = torch.minimum(anchors[place].clamp_min(0), limit)
                others = torch.minimum(anchors[mine].clamp_min(0), limit)
                if not (box_iou(box[None], others) > 0.5).any():
                    mine.append(place)
            kept += [(float(scores[place]), place) for place in mine]
        expected = [place for _, place in sorted(kept, reverse=True)[:12]]
        torch.testing.assert_close(got, torch.minimum(anchors[expected].clamp_min(0), limit))
        torch.testing.assert_close(sure, scores[expected])


def test_how_many_are_looked_at_and_kept_is_another_number_in_training() -> None:
    rpn = still(rpn_of({4: (8,)}, Proposing(ratios=(1.0,), before=(7, 20), after=(9, 5), iou=1.0)))
    maps = maps_of(rpn, 32, 32)
    assert rpn.train()(maps, (32, 32))["proposals_xyxy"].shape[1] == 7  # all of those that are looked at
    assert rpn.eval()(maps, (32, 32))["proposals_xyxy"].shape[1] == 5


def test_what_is_moved_out_of_the_picture_is_no_proposal() -> None:
    rpn = still(rpn_of({4: (8,)}))
    with torch.no_grad():
        rpn.head.bbox_pred.bias[0::4] = 100.0  # to the right, by 100 widths: cut off at the border, as high as before
    outputs = rpn(maps_of(rpn, 16, 16), (16, 16))
    assert (outputs["proposal_scores"] == NO_SCORE).all() and not outputs["proposals_xyxy"].any()


def test_places_that_hold_no_proposal_say_so() -> None:
    """Boxes of 16 px on cells of 8 px overlap their neighbours by a third or more, so that few are left."""
    rpn = still(rpn_of({8: (16,)}, Proposing(ratios=(1.0,), before=(50, 50), after=(50, 50), iou=0.2)))
    outputs = rpn(maps_of(rpn, 64, 64), (64, 64))
    empty = outputs["proposal_scores"][0] == NO_SCORE
    assert outputs["proposal_scores"].shape == (1, 50) and 4 <= int((~empty).sum()) <= 25
    assert not outputs["proposals_xyxy"][0, empty].any() and not empty[: int((~empty).sum())].any()


def test_losses_by_hand() -> None:
    """Four anchors, one of them the thing itself: cross-entropy of four logits, and smooth L1 of that one's moves."""
    settings = Proposing(ratios=(1.0,), matching=Matching(0.3, 0.7, sampled=8, positive_share=0.5))
    rpn = rpn_of({8: (8,)}, settings)
    outputs = rpn(maps_of(rpn, 16, 16), (16, 16))
    outputs["objectness"] = torch.tensor([[2.0, -1.0, 0.0, 1.0]])
    outputs["proposal_deltas"] = torch.tensor([[[0.0] * 4, [0.5, 0.0, -2.0, 0.01], [9.0] * 4, [9.0] * 4]])
    truth = Truth(torch.tensor([[[8.0, 0, 16, 8]]]), torch.tensor([[3]]), torch.tensor([[False]]))
    losses = rpn.losses(outputs, truth)

    def softplus(x: float) -> float:
        return math.log(1 + math.exp(x))

    assert losses["objectness"].item() == pytest.approx((softplus(2) + softplus(1) + softplus(0) + softplus(1)) / 4)
    beta = 1 / 9
    assert losses["proposal_box"].item() == pytest.approx((0.5 - beta / 2 + 2 - beta / 2 + 0.01**2 / (2 * beta)) / 4)


def test_each_picture_is_divided_by_its_own_boxes_and_those_in_a_crowd_are_not_asked() -> None:
    """One of the second picture's four anchors is its crowd: cross-entropy is that of the other three."""
    rpn = rpn_of({8: (8,)}, Proposing(ratios=(1.0,), matching=Matching(0.3, 0.7, sampled=8, positive_share=0.5)))
    outputs = rpn(maps_of(rpn, 16, 16, n=2), (16, 16))
    outputs["objectness"] = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 7.0]])
    truth = Truth(
        torch.tensor([[[0.0] * 4], [[8.0, 8, 16, 16]]]), torch.tensor([[-1], [0]]), torch.tensor([[False], [True]])
    )
    losses = rpn.losses(outputs, truth)
    assert losses["objectness"].tolist() == pytest.approx([math.log(2), math.log(2)])
    assert losses["proposal_box"].tolist() == [0, 0]
    few = replace(rpn.settings.matching, sampled=3)
    rpn.settings = replace(rpn.settings, matching=few)
    truth = Truth(torch.tensor([[[0.0, 0, 8, 8]], [[0.0] * 4]]), torch.tensor([[0], [-1]]), torch.zeros(2, 1) > 0)
    outputs["objectness"] = torch.zeros(2, 4)
    outputs["proposal_deltas"] = torch.full((2, 4, 4), 2.0)
    losses = rpn.losses(outputs, truth)  # one thing and two of background, then three of background
    assert losses["objectness"].tolist() == pytest.approx([math.log(2), math.log(2)])
    assert losses["proposal_box"].tolist() == pytest.approx([4 * (2 - 1 / 18) / 3, 0])


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="after must be 1 or more"):
        Proposing(after=(10, 0))
    with pytest.raises(ConfigError, match="anchor_sizes must be as many of each stride"):
        RegionProposals(8, {4: (16,), 8: (32, 64)}, Proposing())
