"""A picture at the scale that a network's training pictures had. Letters: C channels, H x W pixels, h x w at scale."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pellucid.core.errors import ConfigError, ImageError
from pellucid.core.preprocess import Preprocess
from pellucid.data.canvas import resize
from pellucid.data.images import MAX_PIXELS, read_image


@dataclass(frozen=True)
class AtScale:
    """A picture, enlarged or made smaller.

    Attributes:
        pixels: (C, h, w) uint8.
        size: (H, W) of the picture that was given.
    """

    pixels: Tensor
    size: tuple[int, int]


def at_scale(image: Any, preprocess: Preprocess, scale: float) -> AtScale:
    """Read a picture of any kind and size.

    Args:
        image: what `data.images.read_image` takes.
        scale: pixels of the network for one of the picture.

    Raises:
        ImageError: it cannot be opened, or is too large at this scale.
    """
    pixels = read_image(image, preprocess.channels, preprocess.background)  # (H, W, C)
    size = (pixels.shape[0], pixels.shape[1])
    shown = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    if shown[0] * shown[1] > MAX_PIXELS:
        raise ImageError(
            f"{image if isinstance(image, (str, Path)) else 'the given image'} has {size[0]}x{size[1]} pixels, "
            f"which at scale {scale:g} are more than {MAX_PIXELS:,}: state a smaller --scale.",
            "too-large",
        )
    picture = torch.from_numpy(pixels).permute(2, 0, 1)[None]  # (1, C, H, W)
    if shown != size:
        picture = resize(picture, shown, preprocess.interpolation)
    return AtScale(picture[0], size)


def require_any_size(preprocess: Preprocess) -> None:
    """Refuse networks that subtract a picture of one size.

    Raises:
        ConfigError: this one does.
    """
    if preprocess.mean_image is not None:
        height, width = preprocess.size
        raise ConfigError(
            f"This network subtracts a mean image of {height}x{width} pixels, so it cannot look at tiles: use size fit."
        )
