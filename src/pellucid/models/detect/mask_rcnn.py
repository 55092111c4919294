"""Mask R-CNN: Faster R-CNN whose second stage also draws the outline of what it finds.

He et al. 2017, "Mask R-CNN" (https://arxiv.org/abs/1703.06870): Faster R-CNN with RoI Align, which does not snap
regions to cells, and a third head with a mask of 28 x 28 for each class. Small enough for a processor: two convolutions
of 64 maps in the mask head in place of four of 256, and 4 regions of a picture to learn outlines from: as many as there
are things, usually.

Letters: C channels, K classes.
"""

from torch import nn

from pellucid.models.detect.faster_rcnn import faster, judging, proposing, pyramid


def mask_rcnn(
    n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "", n_proposals: int = 100
) -> nn.Module:
    """Mask R-CNN on a pyramid; arguments as of `faster_rcnn`."""
    maps = pyramid(backbone, channels, image_size)
    return faster(n_classes, image_size, maps, proposing(n_proposals), judging(image_size), masks=True)
