"""What is handed on of all places and classes."""

import torch

from pellucid.models.detect.found import Limits
from pellucid.models.detect.pick import pick

BOXES = torch.tensor([[-2.0, 1, 5, 9], [0, 1, 5, 9], [4, 4, 30, 40], [50, 50, 60, 60]])


def test_suppressed_class_by_class_and_cut_to_the_picture() -> None:
    scores = torch.zeros(2, 4, 2)
    scores[0, 0] = torch.tensor([0.9, 0.3])  # two classes at one place
    scores[0, 1] = torch.tensor([0.8, 0.0])  # hides behind the first one
    scores[1, 2, 1], scores[1, 3, 0] = 0.5, 1.0  # the last box lies outside
    found = pick(BOXES.expand(2, 4, 4), scores, Limits(score=0.2, most=3), (20, 12))
    assert found.labels.tolist() == [[0, 1, -1], [1, -1, -1]]
    assert torch.equal(found.scores, torch.tensor([[0.9, 0.3, 0], [0.5, 0, 0]]))
    assert found.boxes_xyxy[0].tolist() == [[0, 1, 5, 9], [0, 1, 5, 9], [0, 0, 0, 0]]
    assert found.boxes_xyxy[1].tolist() == [[4, 4, 12, 20], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_the_surest_of_each_picture_where_there_are_too_many() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(3, 50, 4, generator=generator)
    corner = 20 * torch.arange(50.0)[:, None].expand(50, 2)
    boxes = torch.cat([corner, corner + 10], 1)  # none touches another
    found = pick(boxes.expand(3, 50, 4), scores, Limits(most=7), (2000, 2000))
    best = scores.flatten(1).topk(7)
    assert torch.equal(found.scores, best.values)
    assert torch.equal(found.labels, best.indices % 4)
    assert torch.equal(found.boxes_xyxy[..., 0], 20.0 * (best.indices // 4))


def test_a_thing_hides_none_of_another_picture_or_class_and_the_least_score_counts() -> None:
    """The same box as class 1 of the first picture, class 0 of the second and both in the third."""
    scores = torch.zeros(3, 1, 2)
    scores[0, 0, 1], scores[1, 0, 0], scores[2, 0] = 0.9, 0.5, torch.tensor([0.5, 0.7])
    found = pick(BOXES[None, 1:2].expand(3, 1, 4), scores, Limits(score=0.5, most=2), (20, 20))
    assert found.labels.tolist() == [[1, -1], [0, -1], [1, 0]]


def test_of_no_pictures_nothing_is_handed_on() -> None:
    for candidates in (10, None):
        found = pick(torch.zeros(0, 4, 4), torch.zeros(0, 4, 2), Limits(most=3), (20, 20), candidates)
        assert found.boxes_xyxy.shape == (0, 3, 4) and found.labels.shape == (0, 3)


def test_a_box_for_every_class() -> None:
    boxes = torch.arange(2 * 3 * 2 * 2.0).view(1, 6, 2, 2)
    boxes = torch.cat([boxes, boxes + 5], -1).reshape(1, 3, 4, 4)  # (N, A, K, 4)
    scores = torch.zeros(1, 3, 4)
    scores[0, 2, 1] = 1
    found = pick(boxes, scores, Limits(most=1), (100, 100))
    assert torch.equal(found.boxes_xyxy[0, 0], boxes[0, 2, 1])


def test_nothing_is_sure_enough_and_nan_is_nothing() -> None:
    scores = torch.tensor([0.0, float("nan")]).view(1, 2, 1)
    found = pick(BOXES[None, 1:3], scores, Limits(most=2), (20, 20))
    assert found.labels.tolist() == [[-1, -1]]
    assert not found.scores.any()
    assert not found.boxes_xyxy.any()
