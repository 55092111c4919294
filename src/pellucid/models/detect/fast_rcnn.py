"""Fast R-CNN: regions that others proposed, all judged on maps that are computed once a picture.

Girshick 2015, "Fast R-CNN" (https://arxiv.org/abs/1504.08083). R-CNN runs a network over each region; this one runs it
over the picture and pools what each region needs from its maps, so that thousands of regions cost little more than one.
Small enough for a processor, and on a pyramid, as `faster_rcnn.py`; RoI Pool as in the paper, or RoI Align.

Letters: C channels, K classes.
"""

from typing import Literal

from torch import nn

from pellucid.models.detect.faster_rcnn import WIDTH, judging
from pellucid.models.detect.maps import PyramidMaps, body
from pellucid.models.detect.roi_heads import RoiHeads
from pellucid.models.detect.two_stage import TwoStage


def fast_rcnn(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """Fast R-CNN with RoI Pool; regions come as `proposals_xyxy`."""
    return _fast(n_classes, channels, image_size, backbone, "pool")


def fast_rcnn_align(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """Fast R-CNN with RoI Align, which does not snap regions to cells."""
    return _fast(n_classes, channels, image_size, backbone, "align")


def _fast(
    n_classes: int, channels: int, image_size: tuple[int, int], backbone: str, how: Literal["align", "pool"]
) -> TwoStage:
    maps = PyramidMaps(body(backbone, channels, image_size), WIDTH, norm=True, coarser=False)
    return TwoStage(n_classes, maps, None, RoiHeads(n_classes, maps.width, judging(image_size, how)))
