"""Faster, Mask and Keypoint R-CNN on ResNet-50 as torchvision has them, tensor by tensor and number by number.

https://github.com/pytorch/vision (BSD-3-Clause), whose published COCO weights they take. They differ from the small
ones here in width (256 maps, 1024 hidden numbers), in the number of regions, in anchors on the corners of cells,
rounded to whole pixels, in RoI Align as first published, and in a backbone whose norms stand still. The norms' eps is
0, as the published weights were trained.

Letters: C channels, K classes (torchvision counts the background as one more), P keypoints.
"""

from torch import nn

from pellucid.models.detect.found import Limits
from pellucid.models.detect.frozen_resnet import WHOLE, frozen_resnet50
from pellucid.models.detect.maps import PyramidMaps
from pellucid.models.detect.region_pooling import Pooling
from pellucid.models.detect.region_sampling import Matching
from pellucid.models.detect.roi_heads import Judging, RoiHeads
from pellucid.models.detect.rpn import Proposing, RegionProposals
from pellucid.models.detect.two_stage import TwoStage

WIDTH = 256  # M of all maps that regions are read from
SIDES = {4: 32, 8: 64, 16: 128, 32: 256, 64: 512}  # stride -> side of its anchors in pixels
LIMITS = Limits(score=0.05, iou=0.5, most=100)
COCO_KEYPOINTS = 17

PROPOSING = Proposing(
    whole_anchors=True,
    before=(2000, 1000),
    after=(2000, 1000),
    matching=Matching(0.3, 0.7, True, sampled=256, positive_share=0.5),
)
JUDGING = Judging(
    pooling=Pooling(7, aligned=False),
    hidden=1024,
    matching=Matching(sampled=512),
    fine_pooling=Pooling(14, aligned=False),
    fine_widths=(WIDTH,) * 4,
    most_fine=None,
    candidates=None,
)
KEYPOINT_JUDGING = Judging(
    pooling=JUDGING.pooling,
    hidden=1024,
    matching=JUDGING.matching,
    fine_pooling=JUDGING.fine_pooling,
    fine_widths=(512,) * 8,
    most_fine=None,
    candidates=None,
)


def fasterrcnn_resnet50_fpn(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Ren et al. 2015 (https://arxiv.org/abs/1506.01497) on a pyramid; 41,755,286 parameters for COCO's 90 classes."""
    return _two_stage(n_classes, channels, image_size, JUDGING)


def maskrcnn_resnet50_fpn(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """He et al. 2017 (https://arxiv.org/abs/1703.06870); 44,401,393 parameters for COCO's 90 classes."""
    return _two_stage(n_classes, channels, image_size, JUDGING, masks=True)


def keypointrcnn_resnet50_fpn(
    n_classes: int, channels: int, image_size: tuple[int, int], n_keypoints: int = 0
) -> nn.Module:
    """He et al. 2017, section 5; 59,137,258 parameters for persons with COCO's 17 keypoints, which 0 stands for."""
    return _two_stage(n_classes, channels, image_size, KEYPOINT_JUDGING, n_keypoints=n_keypoints or COCO_KEYPOINTS)


def _two_stage(
    n_classes: int,
    channels: int,
    image_size: tuple[int, int],
    judging: Judging,
    masks: bool = False,
    n_keypoints: int = 0,
) -> nn.Module:
    maps = PyramidMaps(frozen_resnet50(channels, image_size), WIDTH, norm=False, coarser=True, whole=WHOLE)
    sides = {stride: (float(SIDES[stride]),) for stride in maps.strides}
    heads = RoiHeads(n_classes, WIDTH, judging, masks, n_keypoints)
    return TwoStage(n_classes, maps, RegionProposals(WIDTH, sides, PROPOSING), heads, LIMITS)
