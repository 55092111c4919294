"""Several views of each picture, whose answers are averaged in testing.

Ten crops: Krizhevsky, Sutskever, Hinton 2012 (https://papers.nips.cc/paper/4824), section 4.1: the four corners and the
middle, and their mirror images. Fifty: He et al. 2015 (arXiv 1512.03385), section 3.4: ten at each of five scales.

Letters: N pictures, C channels, H x W pixels of the canvas, h x w of a crop.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.data.canvas import resize

TEN = 10
RESNET_SCALES = (224, 256, 384, 480, 640)  # short sides, for crops of 224


def resnet_scales(size: tuple[int, int]) -> tuple[int, ...]:
    """The five short sides of the ResNet recipe for crops of any size: 224 becomes the shorter side of `size`."""
    return tuple(max(min(size), round(scale * min(size) / RESNET_SCALES[0])) for scale in RESNET_SCALES)


def ten_crops(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Four corners (top left, top right, bottom left, bottom right), the middle, then the mirror images of these five.

    Args:
        images: (N, C, H, W), any dtype.
        size: h, w of the crops; at most H, W.

    Returns:
        (N, 10, C, h, w). Crop i + 5 is crop i mirrored.

    Raises:
        ConfigError: a crop is larger than the pictures.
    """
    height, width = images.shape[2:]
    h, w = size
    if not (0 < h <= height and 0 < w <= width):
        raise ConfigError(
            f"Crops must be from 1x1 to {height}x{width} pixels, the size of the pictures, got {h}x{w}. "
            "Use smaller crops or larger scales."
        )
    down, right = height - h, width - w
    corners = ((0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2))
    five = torch.stack([images[:, :, top : top + h, left : left + w] for top, left in corners], 1)  # (N, 5, C, h, w)
    return torch.cat([five, five.flip(4)], 1)


def many_crops(images: Tensor, size: tuple[int, int], scales: Sequence[int] = ()) -> Iterator[Tensor]:
    """Ten crops of each picture at each scale, one scale at a time, so that memory holds ten crops a picture.

    The mean over all crops of all scales of the softmax is the recipe's answer; every picture has 10 * len(scales).

    Args:
        images: (N, C, H, W) uint8, whole canvases.
        size: h, w of the crops.
        scales: what the pictures' shorter side is resized to, each; none is the canvas as it is. `RESNET_SCALES` has
            the recipe's for 224, `resnet_scales` those for other sizes.

    Yields:
        (N, 10, C, h, w) uint8, in the order of `ten_crops`.

    Raises:
        ConfigError: a crop is larger than the pictures at some scale.
    """
    height, width = images.shape[2:]
    for scale in scales or (min(height, width),):
        shape = tuple(round(side * scale / min(height, width)) for side in (height, width))
        if shape[0] < size[0] or shape[1] < size[1]:
            raise ConfigError(
                f"At scale {scale} the pictures are {shape[0]}x{shape[1]} pixels, which holds no crop of "
                f"{size[0]}x{size[1]}. Use scales of {min(size)} or more, or smaller crops."
            )
        yield ten_crops(images if shape == (height, width) else resize(images, (shape[0], shape[1])), size)
