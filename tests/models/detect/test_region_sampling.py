"""Which boxes are asked what, on scenes small enough to be worked out by hand."""

import pytest
import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.models.detect import region_sampling
from pellucid.models.detect.region_sampling import Matching, ask, match
from pellucid.models.detect.truth import Truth

THING = [0.0, 0, 10, 10]


def truth(crowd: bool = False) -> Truth:
    """One picture: a thing, perhaps a crowd, and an empty place."""
    boxes = torch.tensor([[THING, [50.0, 50, 90, 90], [0.0, 0, 0, 0]]])
    return Truth(boxes, torch.tensor([[4, 0 if crowd else -1, -1]]), torch.tensor([[False, crowd, False]]))


# IoU with the thing: 1, 0.6, 0.4, 0.2, 0; the last lies in the crowd
BOXES = torch.tensor([THING, [0, 0, 10, 6], [0, 0, 10, 4], [0, 0, 10, 2], [30, 30, 40, 40], [55, 55, 65, 65.0]])


def test_by_overlap_and_in_between_is_not_asked() -> None:
    assert match(BOXES[None], truth(), Matching(0.3, 0.7)).tolist() == [[0, -2, -2, -1, -1, -1]]
    assert match(BOXES[None], truth(), Matching(0.5, 0.5)).tolist() == [[0, 0, -1, -1, -1, -1]]


def test_the_best_box_of_a_thing_is_its_even_when_it_is_bad() -> None:
    weak = BOXES[3:]
    assert match(weak[None], truth(), Matching(0.3, 0.7)).tolist() == [[-1, -1, -1]]
    assert match(weak[None], truth(), Matching(0.3, 0.7, force_best=True)).tolist() == [[0, -1, -1]]


def test_a_crowd_is_no_thing_and_what_lies_in_it_no_background() -> None:
    assert match(BOXES[None], truth(crowd=True), Matching()).tolist() == [[0, 0, -1, -1, -1, -2]]
    half_out = torch.tensor([[[40.0, 50, 59.9, 90], [40.0, 50, 60.1, 90]]])  # 49.7 % and 50.2 % of them in the crowd
    assert match(half_out, truth(crowd=True), Matching()).tolist() == [[-1, -2]]
    whole = torch.tensor([[[50.0, 50, 90, 90]]])
    assert match(whole, truth(crowd=True), Matching(0.3, 0.7, force_best=True)).tolist() == [[-2]]


@pytest.mark.parametrize("n_boxes", [1, 3])
def test_a_batch_with_too_many_pairs_is_matched_picture_by_picture(
    monkeypatch: pytest.MonkeyPatch, n_boxes: int
) -> None:
    torch.manual_seed(0)
    low = torch.rand(3, 5, 2) * 40
    several = Truth(torch.cat([low, low + 20], 2), torch.randint(-1, 4, (3, 5)), torch.rand(3, 5) < 0.3)
    low = torch.rand(n_boxes, 50, 2) * 40
    boxes = torch.cat([low, low + 20], 2)
    at_once = match(boxes, several, Matching(0.3, 0.5, force_best=True))
    compared, box_iou = [], region_sampling.box_iou

    def noted(a: Tensor, b: Tensor) -> Tensor:
        compared.append(box_iou(a, b))
        return compared[-1]

    monkeypatch.setattr(region_sampling, "MOST_PAIRS", 3 * 50 * 5 - 1)
    monkeypatch.setattr(region_sampling, "box_iou", noted)
    assert match(boxes, several, Matching(0.3, 0.5, force_best=True)).equal(at_once)
    assert [each.shape for each in compared] == [(1, 50, 5)] * 3


def test_a_thing_that_stands_in_a_crowd_is_found_there() -> None:
    person, crowd = [60.0, 60, 70, 70], [50.0, 50, 90, 90]
    both = Truth(torch.tensor([[person, crowd]]), torch.tensor([[4, 4]]), torch.tensor([[False, True]]))
    assert match(torch.tensor([[person, [75.0, 75, 85, 85]]]), both, Matching()).tolist() == [[0, -2]]


def test_the_box_of_a_crowd_is_not_asked_even_where_it_lies_on_a_thing() -> None:
    both = Truth(torch.tensor([[THING, [0.0, 0, 10, 12]]]), torch.tensor([[4, 4]]), torch.tensor([[False, True]]))
    asked = ask(torch.zeros(1, 0, 4), torch.zeros(1, 0, dtype=torch.bool), both, Matching(positive_share=1.0), False)
    assert asked.thing.tolist() == [[0, -2]] and asked.boxes_xyxy.tolist() == [[THING, [0] * 4]]


@pytest.mark.parametrize("at_random", [True, False])
def test_things_come_first_background_fills_up_and_true_boxes_are_asked_too(at_random: bool) -> None:
    there = torch.ones(1, 6, dtype=torch.bool)
    asked = ask(BOXES[None], there, truth(), Matching(sampled=4, positive_share=0.5), at_random)
    assert asked.boxes_xyxy.shape == (1, 4, 4) and asked.thing.tolist() == [[0, 0, -1, -1]]
    few = ask(BOXES[None, 4:5], there[:, :1], truth(), Matching(sampled=8), at_random)
    assert few.thing.tolist() == [[0, -1, -2, -2]]  # the true box itself; R + M = 4 places, of which two are empty
    assert few.boxes_xyxy.tolist() == [[THING, [30, 30, 40, 40], [0] * 4, [0] * 4]]


def test_places_without_a_proposal_are_never_asked() -> None:
    there = torch.tensor([[False, False, False, False, True, False]])
    asked = ask(BOXES[None], there, truth(), Matching(sampled=9, positive_share=1.0), False)
    assert sorted(asked.thing[0].tolist(), reverse=True) == [0, -1] + [-2] * 7


def test_numbers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="low, high must be 0 <= low <= high <= 1"):
        Matching(0.7, 0.3)
    with pytest.raises(ConfigError, match="sampled must be 1 or more, got 0"):
        Matching(sampled=0)
    with pytest.raises(ConfigError, match="positive_share must be above 0"):
        Matching(positive_share=0)
