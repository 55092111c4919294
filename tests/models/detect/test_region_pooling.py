"""Regions of a pyramid are pooled one at a time, each from the map that its size says."""

import pytest
import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.models.detect import build
from pellucid.models.detect.region_pooling import Pooling, pool_regions
from pellucid.models.detect.roi_heads import RoiHeads
from pellucid.models.detect.two_stage import TwoStage
from pellucid.ops.regions import roi_align, roi_pool

SIDES = (20.0, 200.0, 27.9, 28.0, 60.0, 55.9, 111.9, 112.0)  # with 112 for stride 16, in no order
STRIDES = (4, 16, 4, 4, 8, 4, 8, 16)


def scene() -> tuple[dict[int, Tensor], Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    maps = {s: torch.randn(2, 3, 208 // s, 208 // s, generator=generator) for s in (4, 8, 16)}
    boxes = torch.tensor([[5.0, 7, 5 + side, 7 + side] for side in SIDES])
    return maps, boxes, torch.arange(len(SIDES)) % 2


@pytest.mark.parametrize("how", ["align", "align_max", "pool"])
def test_each_region_from_the_map_of_its_size(how: str) -> None:
    maps, boxes, picture = scene()
    pooling = Pooling(5, how, canonical=112.0)  # type: ignore[arg-type]
    pooled = pool_regions(maps, boxes, picture, pooling)
    for r, stride in enumerate(STRIDES):
        one, n = boxes[r : r + 1], picture[r : r + 1]
        if how == "pool":
            expected = roi_pool(maps[stride], one, n, 5, 1 / stride)
        else:
            expected = roi_align(maps[stride], one, n, 5, 1 / stride, mode="max" if how == "align_max" else "mean")
        torch.testing.assert_close(pooled[r : r + 1], expected)


def test_no_region_is_no_pooling_and_every_map_has_a_gradient() -> None:
    maps, boxes, picture = scene()
    assert pool_regions(maps, boxes[:0], picture[:0], Pooling(5)).shape == (0, 3, 5, 5)
    for each in maps.values():
        each.requires_grad_()
    pool_regions(maps, boxes[:1], picture[:1], Pooling(5)).sum().backward()
    assert [bool(each.grad.any()) for each in maps.values() if each.grad is not None] == [True, False, False]


def test_which_detector_pools_how() -> None:
    """Mask R-CNN stands on Faster R-CNN, with RoI Align; Fast R-CNN is to be had with either."""
    hows = {}
    for name in ("fast_rcnn", "fast_rcnn_align", "faster_rcnn", "mask_rcnn"):
        with torch.device("meta"):
            net = build(name, 3, 3, (64, 64))
        assert isinstance(net, TwoStage) and isinstance(net.roi_heads, RoiHeads)
        judging = net.roi_heads.judging
        hows[name] = (judging.pooling.how, judging.fine_pooling.how, net.rpn is not None)
        assert judging.pooling.canonical == 64, "a thing as large as the picture reads the coarsest map"
    assert hows == {
        "fast_rcnn": ("pool", "align", False),
        "fast_rcnn_align": ("align", "align", False),
        "faster_rcnn": ("align", "align", True),
        "mask_rcnn": ("align", "align", True),
    }


def test_unknown_ways_are_refused() -> None:
    with pytest.raises(ConfigError, match="how must be align, align_max, pool"):
        Pooling(7, "warp")  # type: ignore[arg-type]
