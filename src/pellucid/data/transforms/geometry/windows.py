"""Cut one window out of each of some pictures, each at its own place."""

import torch
from torch import Tensor

from pellucid.ops import buffers


def windows(images: Tensor, rows: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]) -> Tensor:
    """`images[rows[i], :, top[i]:top[i]+h, left[i]:left[i]+w]` for each i, copied once.

    Args:
        images: (M, C, H, W), any dtype.
        rows: (N,) int64 on the CPU, which pictures.
        top, left: (N,) int64 on the CPU; the windows lie inside the pictures.
        size: height and width of the windows.

    Returns:
        (N, C, h, w), channels last in memory.
    """
    n, (h, w) = len(rows), size
    if not n:
        return images.new_empty((0, h, w, images.shape[1])).permute(0, 3, 1, 2)
    pixels = images.permute(0, 2, 3, 1).contiguous()  # (M, H, W, C)
    m, height, width, c = pixels.shape
    # Every window there is, as a view: the one that begins at pixel p of all the pixels in a row is number p.
    n_windows = m * height * width - (h - 1) * width - (w - 1)
    every = pixels.as_strided((n_windows, h, w * c), (c, width * c, 1))
    first = (rows * height + top) * width + left  # (N,)
    shape = (n, h, w * c)
    out = buffers.empty(shape, images.dtype) if images.device.type == "cpu" else images.new_empty(shape)
    torch.index_select(every, 0, first.to(images.device), out=out)
    return out.view(n, h, w, c).permute(0, 3, 1, 2)


def mask_windows(masks: Tensor, rows: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]) -> Tensor:
    """The same of (M, H, W) -> (N, h, w)."""
    return windows(masks[:, None], rows, top, left, size)[:, 0]


def pad(images: Tensor, margin_hw: tuple[int, int], value: int | None = None) -> Tensor:
    """Add a margin on all sides of (N, C, H, W): the edge pixels drawn outwards, or `value`. Channels last."""
    n, c, height, width = images.shape
    y, x = margin_hw
    out = images.new_empty((n, height + 2 * y, width + 2 * x, c))
    pixels = images.permute(0, 2, 3, 1)
    if value is not None:
        out.fill_(value)
    out[:, y : y + height, x : x + width] = pixels
    if value is None:
        out[:, y : y + height, :x] = pixels[:, :, :1]
        out[:, y : y + height, x + width :] = pixels[:, :, -1:]
        out[:, :y] = out[:, y : y + 1]
        out[:, y + height :] = out[:, y + height - 1 : y + height]
    return out.permute(0, 3, 1, 2)
