"""Cut one window out of each of some pictures, each at its own place."""

import torch
from numpy.lib.stride_tricks import as_strided
from torch import Tensor


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
    pixels = images.permute(0, 2, 3, 1).contiguous()  # (M, H, W, C)
    m, height, width, c = pixels.shape
    h, w = size
    if images.device.type == "cpu":
        array = pixels.numpy()
        step_c = array.itemsize  # counted here: an axis of size 1 may report any stride
        step_w, step_h, step_m = (step_c * size for size in (c, c * width, c * width * height))
        places = as_strided(  # NumPy copies line by line where torch copies number by number
            array,
            (m, height - h + 1, width - w + 1, h, w * c),
            (step_m, step_h, step_w, step_h, step_c),
            writeable=False,
        )
        cut = torch.from_numpy(places[rows.numpy(), top.numpy(), left.numpy()])  # (N, h, w*C)
        return cut.view(len(rows), h, w, c).permute(0, 3, 1, 2)
    device = images.device
    down = (top[:, None] + torch.arange(h)).to(device)  # (N, h)
    across = (left[:, None] + torch.arange(w)).to(device)  # (N, w)
    return pixels[rows.to(device)[:, None, None], down[:, :, None], across[:, None, :]].permute(0, 3, 1, 2)


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
