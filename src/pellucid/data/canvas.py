"""Bring a picture of any shape onto a canvas of fixed size, and keep the way back.

One coordinate system everywhere: x runs from 0 at the left edge to W at the right edge, so pixel i covers
[i, i + 1] and its centre lies at i + 0.5. Boxes, keypoints and `affine` are written in it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.core.errors import DataError
from pellucid.core.preprocess import Fit, Interpolation

Resampling = Interpolation | Literal["nearest"]
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
    """Which whole-pixel window of the picture is shown, and how large, at the canvas's top left.

    With `cut_hw` the resized window is larger than the canvas, which shows its middle.
    """

    top: int
    left: int
    height: int
    width: int
    shown_hw: tuple[int, int]
    cut_hw: tuple[int, int] | None = None

    @property
    def cut(self) -> tuple[int, int]:
        """Rows and columns of the resized window above and left of the canvas: half of the rest, halves to even."""
        if self.cut_hw is None:
            return 0, 0
        return round((self.shown_hw[0] - self.cut_hw[0]) / 2), round((self.shown_hw[1] - self.cut_hw[1]) / 2)

    @property
    def affine(self) -> np.ndarray:
        """(2, 3) float32, from canvas to picture."""
        step_y, step_x = self.height / self.shown_hw[0], self.width / self.shown_hw[1]
        top, left = self.cut
        return np.array(
            [[step_x, 0, self.left + left * step_x], [0, step_y, self.top + top * step_y]],
            dtype=np.float32,
        )


def layout(original_hw: tuple[int, int], size: tuple[int, int], fit: Fit) -> Layout:
    """Where a picture of `original_hw` goes on a canvas of `size`.

    `crop` shows the middle window that has the canvas's shape, rounded to whole pixels of the picture;
    `pad` shows all of it at the top left, its sides in proportion; `own` does that with pictures that are too large,
    and keeps the others as they are; `stretch` shows all of it on all of the canvas.
    `short-side` shows what `crop` does up to a part of a pixel, but resizes all of the picture first (the longer side
    rounded down) and then cuts whole pixels of that, as the publishers of ImageNet weights do.
    """
    height, width = original_hw
    if fit == "stretch":
        return Layout(0, 0, height, width, size)
    ratio_h, ratio_w = size[0] / height, size[1] / width
    if fit in ("pad", "own"):
        scale = min(ratio_h, ratio_w) if fit == "pad" else min(ratio_h, ratio_w, 1.0)
        shown = (min(size[0], max(1, round(height * scale))), min(size[1], max(1, round(width * scale))))
        return Layout(0, 0, height, width, shown)
    scale = max(ratio_h, ratio_w)
    if fit == "short-side":
        return Layout(0, 0, height, width, _around(original_hw, size), size)
    window_h = min(height, max(1, round(size[0] / scale)))
    window_w = min(width, max(1, round(size[1] / scale)))
    return Layout((height - window_h) // 2, (width - window_w) // 2, window_h, window_w, size)


def place(
    image: np.ndarray,
    size: tuple[int, int],
    fit: Fit,
    background: tuple[int, int, int],
    mask: np.ndarray | None = None,
    interpolation: Interpolation = "bilinear",
) -> Placed:
    """Put a picture on a canvas. Pixels that need no resizing are kept bit for bit.

    Pictures are resized by bilinear or bicubic interpolation with antialiasing, masks by the nearest pixel.

    Args:
        image: (H, W, C) uint8, C = 1 or 3.
        size: height and width of the canvas.
        fit: see `layout`.
        background: RGB of the canvas where `pad` and `own` show no picture; grey canvases take its luma.
        mask: (H, W) uint8 class ids.
        interpolation: how the picture is resized.

    Raises:
        DataError: the mask has another size than the picture.
    """
    original_hw = (image.shape[0], image.shape[1])
    if mask is not None and mask.shape != original_hw:
        raise DataError(f"The mask is {_size(mask.shape)} but its picture is {_size(original_hw)}; they must be equal.")
    where = layout(original_hw, size, fit)
    shown = _window(image, where)
    if shown.shape[:2] != where.shown_hw:
        shown = _resize(shown, where.shown_hw, interpolation)
    shown = _cut(shown, where)
    shown_mask = None
    if mask is not None:
        shown_mask = _window(mask, where)
        if shown_mask.shape != where.shown_hw:
            shown_mask = _resize(shown_mask[..., None], where.shown_hw, "nearest")[..., 0]
        shown_mask = _cut(shown_mask, where)
    if shown.shape[:2] != tuple(size):
        shown = _pad(shown, size, background if image.shape[2] == 3 else (luma(background),))
        shown_mask = None if shown_mask is None else _pad(shown_mask, size, (IGNORE,))
    return Placed(
        image=shown,
        mask=shown_mask,
        valid_hw=np.array(where.cut_hw or where.shown_hw, dtype=np.int64),
        original_hw=np.array(original_hw, dtype=np.int64),
        affine=where.affine,
    )


def luma(rgb: tuple[int, int, int]) -> int:
    """Grey of a colour by ITU-R 601, as Pillow rounds it."""
    return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16


def _around(original_hw: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The picture's shape, so large that it just covers `size`; integers, since a float may fall below a whole side."""
    height, width = original_hw
    if size[0] * width >= size[1] * height:  # the canvas is the taller one: heights agree
        return size[0], max(size[1], size[0] * width // height)
    return max(size[0], size[1] * height // width), size[1]


def _cut(array: np.ndarray, where: Layout) -> np.ndarray:
    """The middle that the canvas shows of a resized window."""
    if where.cut_hw is None:
        return array
    top, left = where.cut
    return array[top : top + where.cut_hw[0], left : left + where.cut_hw[1]]


def _window(array: np.ndarray, where: Layout) -> np.ndarray:
    return array[where.top : where.top + where.height, where.left : where.left + where.width]


def _resize(array: np.ndarray, size: tuple[int, int], how: Resampling) -> np.ndarray:
    """(H, W, C) uint8 -> (h, w, C)."""
    array = np.require(array, requirements=["C", "W"])  # torch warns of arrays that are not writable
    x = torch.from_numpy(array)[None].permute(0, 3, 1, 2)  # (1, C, H, W), channels last in memory
    return resize(x, size, how)[0].permute(1, 2, 0).numpy()


def resize(images: Tensor, size: tuple[int, int], how: Resampling = "bilinear") -> Tensor:
    """Resize (N, C, H, W) uint8 to (N, C, h, w), channels last: with antialiasing, or by the nearest pixel (masks)."""
    if how == "nearest":
        return F.interpolate(images, size, mode="nearest-exact")
    height, width = images.shape[2:]
    if size[0] < height and size[1] != width:  # torch takes lines first; to shrink columns first leaves fewer of them
        images = F.interpolate(images, (size[0], width), mode=how, antialias=True, align_corners=False)
    return F.interpolate(images, size, mode=how, antialias=True, align_corners=False)


def _pad(array: np.ndarray, size: tuple[int, int], value: tuple[int, ...]) -> np.ndarray:
    """Put (H, W, ...) at the top left of a canvas filled with `value`."""
    canvas = np.empty((*size, *array.shape[2:]), dtype=np.uint8)
    canvas[...] = value
    canvas[: array.shape[0], : array.shape[1]] = array
    return canvas


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}x{shape[1]} pixels"
