"""What published detectors do otherwise than ours: candidates, filled pictures, and anchors that stand closer."""

import pytest
import torch

from pellucid.models.detect import PUBLISHED, build
from pellucid.models.detect.fill_up import fill_up, steps
from pellucid.models.detect.found import Limits
from pellucid.models.detect.pick import pick, surest_of_classes, surest_of_maps
from pellucid.models.detect.retinanet import RetinaNet
from pellucid.models.detect.two_stage import TwoStage
from pellucid.nn.normalisation.frozen import FrozenBatchNorm2d


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


def places(anchors: torch.Tensor, start: int, per_cell: int, cells: tuple[int, int]) -> tuple[list[float], list[float]]:
    """Centres of the anchors of one map, down and across, from its first row and column."""
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    of_map = centres[start : start + per_cell * cells[0] * cells[1]].view(*cells, per_cell, 2)
    return of_map[:2, 0, 0, 1].tolist(), of_map[0, :2, 0, 0].tolist()


def test_both_stages_of_published_networks_use_those_steps() -> None:
    with torch.device("meta"):
        two_stage, retina = (build(name, 2, 3, (224, 224)) for name in PUBLISHED[:2])
    assert isinstance(two_stage, TwoStage) and isinstance(retina, RetinaNet) and two_stage.rpn is not None
    filled_hw = (800, 1088)
    maps = {s: torch.zeros(1, 1, -(-filled_hw[0] // s), -(-filled_hw[1] // s)) for s in (4, 8, 16, 32, 64, 128)}
    coarsest = maps[64]
    found = two_stage.rpn._anchors(64, coarsest, filled_hw)
    assert places(found, 0, 3, (13, 17)) == ([0, 61], [0, 64])
    every = retina.anchors({s: each for s, each in maps.items() if s >= 8})
    start = 9 * sum(maps[s].shape[-2] * maps[s].shape[-1] for s in (8, 16, 32))
    assert places(every, start, 9, (13, 17)) == ([0, 61], [0, 64])
    assert places(every, start + 9 * 13 * 17, 9, (7, 9)) == ([0, 114], [0, 120])


@pytest.mark.parametrize("name", PUBLISHED)
def test_norms_stand_still_as_published_weights_were_trained(name: str) -> None:
    with torch.device("meta"):
        net = build(name, 2, 3, (64, 64))
    norms = [module for module in net.modules() if isinstance(module, FrozenBatchNorm2d)]
    assert len(norms) == (0 if name == "ssd300_vgg16" else 53) and all(norm.eps == 0 for norm in norms)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in net.modules())
