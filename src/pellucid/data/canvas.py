"""Bring a picture of any shape onto a canvas of fixed size, and keep the way back.

One coordinate system everywhere: x runs from 0 at the left edge to W at the right edge, so pixel i covers
[i, i + 1] and its centre lies at i + 0.5. Boxes, keypoints and `affine` are written in it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.core.errors import DataError
from pellucid.core.preprocess import Fit

IGNORE = 255  # mask value of pixels that have no class


@dataclass(frozen=True)
class Placed:
    """A picture on its canvas.

    Attributes:
        image: (h, w, C) uint8.
        mask: (h, w) uint8 class ids, 255 where the canvas shows no picture; or None.
        valid_hw: (2,) int64, height and width of the part that is picture; it starts at the top left.
        original_hw: (2,) int64, size of the picture that was given.
        affine: (2, 3) float32, from canvas coordinates (x, y, 1) to coordinates of the given picture.
    """

    image: np.ndarray
    mask: np.ndarray | None
    valid_hw: np.ndarray
    original_hw: np.ndarray
    affine: np.ndarray


@dataclass(frozen=True)
class Layout:
    """Which whole-pixel window of the picture is shown, and how large, at the canvas's top left."""

    top: int
    left: int
    height: int
    width: int
    shown_hw: tuple[int, int]

    @property
    def affine(self) -> np.ndarray:
        """(2, 3) float32, from canvas to picture."""
        shown_h, shown_w = self.shown_hw
        return np.array(
            [[self.width / shown_w, 0, self.left], [0, self.height / shown_h, self.top]],
            dtype=np.float32,
        )


def layout(original_hw: tuple[int, int], size: tuple[int, int], fit: Fit) -> Layout:
    """Where a picture of `original_hw` goes on a canvas of `size`.

    `crop` shows the middle window that has the canvas's shape, rounded to whole pixels of the picture;
    `pad` shows all of it at the top left, its sides in proportion; `stretch` shows all of it on all of the canvas.
    """
    height, width = original_hw
    if fit == "stretch":
        return Layout(0, 0, height, width, size)
    ratio_h, ratio_w = size[0] / height, size[1] / width
    if fit == "pad":
        scale = min(ratio_h, ratio_w)
        shown = (min(size[0], max(1, round(height * scale))), min(size[1], max(1, round(width * scale))))
        return Layout(0, 0, height, width, shown)
    scale = max(ratio_h, ratio_w)
    window_h = min(height, max(1, round(size[0] / scale)))
    window_w = min(width, max(1, round(size[1] / scale)))
    return Layout((height - window_h) // 2, (width - window_w) // 2, window_h, window_w, size)


def place(
    image: np.ndarray,
    size: tuple[int, int],
    fit: Fit,
    background: tuple[int, int, int],
    mask: np.ndarray | None = None,
) -> Placed:
    """Put a picture on a canvas. Pixels that need no resizing are kept bit for bit.

    Pictures are resized by bilinear interpolation with antialiasing, masks by the nearest pixel.

    Args:
        image: (H, W, C) uint8, C = 1 or 3.
        size: height and width of the canvas.
        fit: see `layout`.
        background: RGB of the canvas where `pad` shows no picture; grey canvases take its luma.
        mask: (H, W) uint8 class ids.

    Raises:
        DataError: the mask has another size than the picture.
    """
    original_hw = (image.shape[0], image.shape[1])
    if mask is not None and mask.shape != original_hw:
        raise DataError(f"The mask is {_size(mask.shape)} but its picture is {_size(original_hw)}; they must be equal.")
    where = layout(original_hw, size, fit)
    shown = _window(image, where)
    if shown.shape[:2] != where.shown_hw:
        shown = _resize(shown, where.shown_hw, nearest=False)
    shown_mask = None
    if mask is not None:
        shown_mask = _window(mask, where)
        if shown_mask.shape != where.shown_hw:
            shown_mask = _resize(shown_mask[..., None], where.shown_hw, nearest=True)[..., 0]
    if where.shown_hw != tuple(size):
        shown = _pad(shown, size, background if image.shape[2] == 3 else (luma(background),))
        shown_mask = None if shown_mask is None else _pad(shown_mask, size, (IGNORE,))
    return Placed(
        image=shown,
        mask=shown_mask,
        valid_hw=np.array(where.shown_hw, dtype=np.int64),
        original_hw=np.array(original_hw, dtype=np.int64),
        affine=where.affine,
    )


def luma(rgb: tuple[int, int, int]) -> int:
    """Grey of a colour by ITU-R 601, as Pillow rounds it."""
    return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16


def _window(array: np.ndarray, where: Layout) -> np.ndarray:
    return array[where.top : where.top + where.height, where.left : where.left + where.width]


def _resize(array: np.ndarray, size: tuple[int, int], nearest: bool) -> np.ndarray:
    """(H, W, C) uint8 -> (h, w, C)."""
    array = np.require(array, requirements=["C", "W"])  # torch warns of arrays that are not writable
    x = torch.from_numpy(array)[None].permute(0, 3, 1, 2)  # (1, C, H, W), channels last in memory
    return resize(x, size, nearest)[0].permute(1, 2, 0).numpy()


def resize(images: Tensor, size: tuple[int, int], nearest: bool = False) -> Tensor:
    """Resize (N, C, H, W) uint8 to (N, C, h, w), channels last: bilinear with antialiasing, or nearest for masks."""
    if nearest:
        return F.interpolate(images, size, mode="nearest-exact")
    height, width = images.shape[2:]
    if size[0] < height and size[1] != width:  # torch takes lines first; to shrink columns first leaves fewer of them
        images = F.interpolate(images, (size[0], width), mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)


def _pad(array: np.ndarray, size: tuple[int, int], value: tuple[int, ...]) -> np.ndarray:
    """Put (H, W, ...) at the top left of a canvas filled with `value`."""
    canvas = np.empty((*size, *array.shape[2:]), dtype=np.uint8)
    canvas[...] = value
    canvas[: array.shape[0], : array.shape[1]] = array
    return canvas


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}x{shape[1]} pixels"
