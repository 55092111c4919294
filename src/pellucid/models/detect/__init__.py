"""Detectors: `(N, C, H, W)` standardised pixels -> boxes, classes and scores, some with masks or keypoints."""

from collections.abc import Callable

from torch import nn

from pellucid.models.detect.fast_rcnn import fast_rcnn, fast_rcnn_align
from pellucid.models.detect.faster_rcnn import faster_rcnn, faster_rcnn_plain
from pellucid.models.detect.keypoint_rcnn import keypoint_rcnn
from pellucid.models.detect.localizer import localizer
from pellucid.models.detect.mask_rcnn import mask_rcnn
from pellucid.models.detect.published_rcnn import (
    fasterrcnn_resnet50_fpn,
    keypointrcnn_resnet50_fpn,
    maskrcnn_resnet50_fpn,
)
from pellucid.models.detect.published_retinanet import retinanet_resnet50_fpn
from pellucid.models.detect.published_ssd import ssd300_vgg16
from pellucid.models.detect.rcnn import USUAL_BACKBONE, rcnn
from pellucid.models.detect.retinanet import retinanet
from pellucid.models.detect.rfcn import rfcn
from pellucid.models.detect.sliding_window import sliding_window
from pellucid.models.detect.ssd import ssd
from pellucid.models.detect.yolo import yolo
from pellucid.models.detect.yolo_grid import yolo_grid

# name -> (n_classes, channels, image_size, backbone="") -> network, see `detector.Detector`. The backbone is a network
# of the zoo whose feature maps are used, "" is the detector's usual one; those made of one piece take no such argument.
MODELS: dict[str, Callable[..., nn.Module]] = {
    "localizer": localizer,
    "sliding_window": sliding_window,
    "rcnn": rcnn,
    "fast_rcnn": fast_rcnn,
    "fast_rcnn_align": fast_rcnn_align,
    "faster_rcnn": faster_rcnn,
    "faster_rcnn_plain": faster_rcnn_plain,
    "rfcn": rfcn,
    "yolo_grid": yolo_grid,
    "yolo": yolo,
    "ssd": ssd,
    "retinanet": retinanet,
    "mask_rcnn": mask_rcnn,
    "keypoint_rcnn": keypoint_rcnn,
    "fasterrcnn_resnet50_fpn": fasterrcnn_resnet50_fpn,
    "retinanet_resnet50_fpn": retinanet_resnet50_fpn,
    "ssd300_vgg16": ssd300_vgg16,
    "maskrcnn_resnet50_fpn": maskrcnn_resnet50_fpn,
    "keypointrcnn_resnet50_fpn": keypointrcnn_resnet50_fpn,
}

# those of them that torchvision has, whose published weights they take
PUBLISHED: tuple[str, ...] = (
    "fasterrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn",
    "ssd300_vgg16",
    "maskrcnn_resnet50_fpn",
    "keypointrcnn_resnet50_fpn",
)

# name -> the backbone it has unless told; "" is an encoder of its own. Only these take one
BACKBONES: dict[str, str] = {
    "localizer": "",
    "rcnn": USUAL_BACKBONE,
    "fast_rcnn": "",
    "fast_rcnn_align": "",
    "faster_rcnn": "",
    "faster_rcnn_plain": "",
    "rfcn": "",
    "yolo_grid": "",
    "yolo": "",
    "ssd": "",
    "retinanet": "",
    "mask_rcnn": "",
    "keypoint_rcnn": "",
}

# networks that learn outlines, and so need data that has them
MASKS: tuple[str, ...] = ("mask_rcnn", "maskrcnn_resnet50_fpn")

# networks that learn keypoints where the data has them, and take `n_keypoints`
KEYPOINTS: tuple[str, ...] = ("localizer", "keypoint_rcnn", "keypointrcnn_resnet50_fpn")

# those of them that cannot do without
ALWAYS_KEYPOINTS: tuple[str, ...] = ("keypoint_rcnn", "keypointrcnn_resnet50_fpn")

# networks that take `box_loss`, by which they compare boxes
BOX_LOSS: tuple[str, ...] = ("localizer",)

# networks that propose regions themselves, and take `n_proposals`, how many of them are judged
COUNTED: tuple[str, ...] = ("faster_rcnn", "faster_rcnn_plain", "rfcn", "mask_rcnn", "keypoint_rcnn")

# networks that look only where they are told: their data brings proposals
PROPOSED: tuple[str, ...] = ("rcnn", "fast_rcnn", "fast_rcnn_align")

# networks whose last layers are fitted in one go, to features of a network that was trained before
FITTED: tuple[str, ...] = ("rcnn",)


def build(
    name: str,
    n_classes: int,
    channels: int,
    image_size: tuple[int, int],
    backbone: str = "",
    n_keypoints: int = 0,
    box_loss: str = "",
    n_proposals: int = 0,
) -> nn.Module:
    """A fresh detector.

    Args:
        name: of a detector in `MODELS`.
        n_classes: K, without background.
        channels: C of the pictures.
        image_size: height and width of the pictures in pixels.
        backbone: a network of the zoo, of the detectors in `BACKBONES`; "" is the usual one.
        n_keypoints: of a thing, of the detectors in `KEYPOINTS`; others have none.
        box_loss: of the detectors in `BOX_LOSS`; "" is the usual one, which all others have.
        n_proposals: of the detectors in `COUNTED`; 0 is the usual number, which all others have.
    """
    more = {"backbone": backbone} if backbone else {}
    points = {"n_keypoints": n_keypoints} if name in KEYPOINTS else {}
    loss = {"box_loss": box_loss} if box_loss and name in BOX_LOSS else {}
    count = {"n_proposals": n_proposals} if n_proposals and name in COUNTED else {}
    return MODELS[name](n_classes, channels, image_size, **more, **points, **loss, **count)
