"""What published detectors do otherwise than ours: candidates, filled pictures, and anchors that stand closer."""

import torch

from pellucid.models.detect.fill_up import fill_up, steps
from pellucid.models.detect.found import Limits
from pellucid.models.detect.pick import pick, surest_of_classes, surest_of_maps


def test_of_each_map_the_surest() -> None:
    scores = torch.tensor([[[0.1, 0.9], [0.8, 0.2], [0.3, 0.4], [0.6, 0.5]]])  # two maps of two places, two classes
    found = surest_of_maps(scores, [2, 2], 1)
    assert found.tolist() == torch.tensor([[[-1, 0.9], [-1, -1], [-1, -1], [0.6, -1]]]).tolist()
    assert torch.equal(surest_of_maps(scores, [2, 2], 9), scores)


def test_of_each_class_the_surest() -> None:
    scores = torch.tensor([[[0.1, 0.9], [0.8, 0.2], [0.3, 0.4]]])
    assert surest_of_classes(scores, 1).tolist() == torch.tensor([[[-1, 0.9], [0.8, -1], [-1, -1]]]).tolist()


def test_all_candidates_that_are_sure_enough() -> None:
    n = 1500  # more than the usual number of candidates; none touches another
    left = 2.0 * torch.arange(n)
    boxes = torch.stack([left, torch.zeros(n), left + 1, torch.ones(n)], 1)[None]
    scores = torch.linspace(0.9, 0.2, n)[None, :, None]
    limits = Limits(0.1, 0.5, 2000)
    usual = pick(boxes, scores, limits, (10, 2 * n))
    every = pick(boxes, scores, limits, (10, 2 * n), candidates=None)
    assert int((usual.labels >= 0).sum()) == 1000 and int((every.labels >= 0).sum()) == n
    none = pick(boxes, scores, Limits(0.95, 0.5, 4), (10, 2 * n), candidates=None)
    assert none.labels.tolist() == [[-1] * 4]


def test_pictures_are_filled_below_and_to_the_right() -> None:
    x = torch.ones(1, 3, 33, 64)
    filled = fill_up(x, 32)
    assert filled.shape == (1, 3, 64, 64)
    assert torch.equal(filled[..., :33, :], x) and float(filled[..., 33:, :].abs().sum()) == 0
    assert fill_up(filled, 32) is filled


def test_anchors_stand_closer_where_sides_were_rounded_up() -> None:
    assert steps((800, 1088), (200, 272)) == (4, 4)
    assert steps((800, 1088), (13, 17)) == (61, 64)  # 12.5 cells of stride 64 became 13
