"""Keypoint R-CNN: Faster R-CNN whose second stage also says where the keypoints of what it finds are.

He et al. 2017, "Mask R-CNN" (https://arxiv.org/abs/1703.06870), section 5: a heat map of 56 x 56 for each keypoint, the
same for all classes. Small enough for a processor: two convolutions of 64 maps in place of eight of 512.

Letters: C channels, K classes, P keypoints.
"""

from torch import nn

from pellucid.core.config import require
from pellucid.models.detect.faster_rcnn import faster, judging, proposing, pyramid


def keypoint_rcnn(
    n_classes: int,
    channels: int,
    image_size: tuple[int, int],
    backbone: str = "",
    n_keypoints: int = 1,
    n_proposals: int = 100,
) -> nn.Module:
    """Keypoint R-CNN on a pyramid; other arguments as of `faster_rcnn`.

    Raises:
        ConfigError: there is no keypoint to find.
    """
    require(n_keypoints >= 1, "n_keypoints", "1 or more, which the data has to have", n_keypoints)
    maps = pyramid(backbone, channels, image_size)
    return faster(n_classes, image_size, maps, proposing(n_proposals), judging(image_size), n_keypoints=n_keypoints)
