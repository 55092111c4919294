"""Faster R-CNN: a network that proposes regions and judges them, trained as one.

Ren et al. 2015, "Faster R-CNN" (https://arxiv.org/abs/1506.01497). On the maps of a pyramid (Lin et al. 2017,
https://arxiv.org/abs/1612.03144), or on one map as in the paper. Made small enough to be trained on a processor: narrow
maps, 64 regions of a picture to learn from in place of 256 or 512, RoI Align in place of RoI Pool, and batch norm in
the pyramid.

Letters: C channels, K classes.
"""

import math
from dataclasses import replace
from typing import Literal

from torch import nn

from pellucid.models.detect.maps import Maps, OneMap, PyramidMaps, body, body_upto
from pellucid.models.detect.region_pooling import Pooling
from pellucid.models.detect.roi_heads import Judging, RoiHeads
from pellucid.models.detect.rpn import Proposing, RegionProposals
from pellucid.models.detect.two_stage import TwoStage

WIDTH = 64  # M of all maps that regions are read from
ONE_STRIDE = 8  # of the single map: half of the paper's, whose things were larger
ANCHOR_CELLS, MOST_ANCHOR_CELLS = 2, 4  # side of a stride's least anchors in its cells: in small and in large pictures
CANONICAL = 224  # px, see `Pooling`; smaller in smaller pictures
SMALL_SIDE = 128  # px; from twice this on pictures are large


def pyramid(backbone: str, channels: int, image_size: tuple[int, int]) -> PyramidMaps:
    """The maps that detectors of this package's own read."""
    return PyramidMaps(body(backbone, channels, image_size), WIDTH, norm=True, coarser=True)


def anchor_sizes(maps: Maps, image_size: tuple[int, int]) -> dict[int, tuple[float, ...]]:
    """Stride -> sides of anchors in pixels: two an octave, from 16 px in pictures of 128 px, 32 px in large ones.

    The finest of several maps proposes nothing: most of the cells are there, and regions are pooled from it all the
    same. A single map has all anchors.
    """
    cells = ANCHOR_CELLS * min(max(min(image_size) / SMALL_SIDE, 1.0), MOST_ANCHOR_CELLS / ANCHOR_CELLS)
    strides = maps.strides[1:] if len(maps.strides) > 2 else maps.strides
    if len(strides) == 1:
        return {strides[0]: tuple(cells * strides[0] * factor for factor in (1.0, 2.0, 4.0, 8.0))}
    return {stride: (cells * stride, math.sqrt(2) * cells * stride) for stride in strides}


def faster(
    n_classes: int,
    image_size: tuple[int, int],
    maps: Maps,
    proposing: Proposing,
    judging: Judging,
    masks: bool = False,
    n_keypoints: int = 0,
) -> TwoStage:
    """Both stages on given maps, with anchors that fit the pictures; also the ground of Mask R-CNN."""
    rpn = RegionProposals(maps.width, anchor_sizes(maps, image_size), proposing)
    return TwoStage(n_classes, maps, rpn, RoiHeads(n_classes, maps.width, judging, masks, n_keypoints))


def faster_rcnn(
    n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "", n_proposals: int = 100
) -> nn.Module:
    """Faster R-CNN on a pyramid.

    Args:
        n_proposals: regions of a picture that the second stage looks at outside training.
    """
    maps = pyramid(backbone, channels, image_size)
    return faster(n_classes, image_size, maps, proposing(n_proposals), judging(image_size))


def faster_rcnn_plain(
    n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "", n_proposals: int = 100
) -> nn.Module:
    """Faster R-CNN on one map of stride 8, as before pyramids; arguments as of `faster_rcnn`."""
    maps = OneMap(body_upto(backbone, channels, image_size, ONE_STRIDE), WIDTH)
    return faster(n_classes, image_size, maps, proposing(n_proposals), judging(image_size))


def proposing(n_proposals: int) -> Proposing:
    """The usual way with another number of proposals outside training."""
    usual = Proposing()
    before = max(usual.before[1], 3 * n_proposals)
    return replace(usual, before=(usual.before[0], before), after=(usual.after[0], n_proposals))


def judging(image_size: tuple[int, int], how: Literal["align", "align_max", "pool"] = "align") -> Judging:
    """The usual way, with maps chosen so that the coarsest is for things as large as the picture."""
    canonical = float(min(CANONICAL, *image_size))
    return Judging(pooling=Pooling(7, how, canonical=canonical), fine_pooling=Pooling(14, canonical=canonical))
