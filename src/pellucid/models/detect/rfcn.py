"""R-FCN: a second stage without weights of its own.

Dai et al. 2016, "R-FCN" (https://arxiv.org/abs/1605.06409). For each class and each of the S x S cells of a region a
map is computed once a picture: "the upper left of a dress is here". A region looks up each of its cells in that cell's
map, and the mean of the S x S answers is its score: so a region costs next to nothing, and place still matters. Four
more sets of maps move the box, the same for all classes.

Differs from the paper: one map of stride 8 in place of 16, as things are small; a fresh 3x3 convolution before the
maps of scores, which the paper's networks have in their last stage.

Letters: C channels, K classes, M feature maps, S cells along a side of a region.
"""

from torch import nn

from pellucid.models.detect.faster_rcnn import ONE_STRIDE, anchor_sizes, proposing
from pellucid.models.detect.maps import OneMap, body_upto
from pellucid.models.detect.position_sensitive_heads import PositionSensitiveHeads
from pellucid.models.detect.region_pooling import Pooling
from pellucid.models.detect.roi_heads import Judging
from pellucid.models.detect.rpn import RegionProposals
from pellucid.models.detect.two_stage import TwoStage

WIDTH = 128  # M: the maps of scores are made of this one alone
SIDE = 3  # S, as in the paper's figures; its best networks have 7, which would be 49 maps a class


def rfcn(
    n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "", n_proposals: int = 100
) -> nn.Module:
    """R-FCN on one map of stride 8; arguments as of `faster_rcnn`."""
    maps = OneMap(body_upto(backbone, channels, image_size, ONE_STRIDE), WIDTH)
    rpn = RegionProposals(maps.width, anchor_sizes(maps, image_size), proposing(n_proposals))
    heads = PositionSensitiveHeads(n_classes, maps.width, Judging(pooling=Pooling(SIDE)))
    return TwoStage(n_classes, maps, rpn, heads)
