"""RetinaNet on ResNet-50 as torchvision has it, tensor by tensor and number by number.

Lin et al. 2017, "Focal Loss" (https://arxiv.org/abs/1708.02002), in the form of https://github.com/pytorch/vision
(BSD-3-Clause), whose published COCO weights it takes: anchors on the corners of cells, rounded to whole pixels, one
output of each anchor that means nothing, and a backbone whose norms stand still.

Letters: C channels, K classes.
"""

from torch import nn

from pellucid.models.detect.found import Limits
from pellucid.models.detect.frozen_resnet import WHOLE, frozen_resnet50
from pellucid.models.detect.retinanet import PyramidBackbone, RetinaNet

FINEST, WIDTH = 8, 256  # stride of the finest map that is read; M of all maps
LIMITS = Limits(score=0.05, iou=0.5, most=300)


def retinanet_resnet50_fpn(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """34,014,999 parameters for COCO's 90 classes."""
    maps = PyramidBackbone(frozen_resnet50(channels, image_size), FINEST, WIDTH, norm=False, whole=WHOLE)
    return RetinaNet(n_classes, maps, published=True, limits=LIMITS)
