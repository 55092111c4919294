"""Convolution of pictures with one kernel, and correlation, which is convolution with the kernel turned round.

    (f * g)[y, x] = sum over i, j of f[y - i, x - j] g[i, j]        (convolution: the kernel is flipped on both axes)

What deep learning calls a convolution is the correlation. Each channel of each picture is filtered alone.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor

from pellucid.core.choose import choose
from pellucid.core.errors import DataError
from pellucid.ops.filters.border import extend
from pellucid.ops.pictures import Pictures, as_planes

# N pictures, C channels, H x W pixels, kernel kh x kw

HOST = "cpu"  # where one channel leaves PyTorch's own convolution mostly idle
COLUMNS = 32  # of one matrix product: more waste multiplications with zeros, fewer do not fill the processor


# mode -> how many pixels a kernel of k needs before and after a line. "same" is the middle of "full", and of the two
# middles that an even kernel leaves, SciPy's: output i is number i + (k - 1) // 2 of "full".
MODES: dict[str, Callable[[int], tuple[int, int]]] = {
    "full": lambda k: (k - 1, k - 1),
    "same": lambda k: (k // 2, (k - 1) // 2),
    "valid": lambda k: (0, 0),
}


def convolve2d(x: Pictures, kernel: ArrayLike | Tensor, mode: str = "same", border: str = "zero") -> Pictures:
    """Convolve pictures with a kernel.

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W), uint8 or floating point.
        kernel: (kh, kw), of any sizes. Its [0, 0] is the end that meets the pixel furthest down and right.
        mode: "full" gives H + kh - 1 rows, "same" H, "valid" H - kh + 1: where the kernel lies inside the picture.
        border: beyond the edge: "zero", "reflect" (the edge pixel is not repeated) or "replicate". "valid" needs none.

    Returns:
        As x, float32 if x is uint8. Not rounded, and not held within 0..255.

    Raises:
        DataError: x or the kernel is of a wrong rank or type, empty, or not finite; in mode "valid", the kernel is
            larger than the picture.
        ConfigError: an unknown mode or border.
    """
    return _slide(x, as_kernel(kernel).flip(0, 1), mode, border)


def correlate2d(x: Pictures, kernel: ArrayLike | Tensor, mode: str = "same", border: str = "zero") -> Pictures:
    """Correlate pictures with a kernel: as `convolve2d` with the kernel turned by 180 degrees."""
    return _slide(x, as_kernel(kernel), mode, border)


def as_kernel(kernel: ArrayLike | Tensor) -> Tensor:
    """A kernel as (kh, kw) float64 on the CPU, or on the device it is on.

    Raises:
        DataError: it is no table of finite numbers, or empty.
    """
    try:
        found = kernel.detach() if isinstance(kernel, Tensor) else torch.from_numpy(np.array(kernel, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise DataError(f"kernel must be a table of numbers, got {type(kernel).__name__}: {error}.") from error
    if found.ndim != 2 or not found.numel():
        raise DataError(f"kernel must be (kh, kw) with at least one number, got shape {tuple(found.shape)}.")
    if found.is_complex() or not bool(torch.isfinite(found).all()):
        raise DataError("kernel must hold finite real numbers. Is a division by its sum, 0, behind it?")
    return found.to(torch.float64)


def _slide(x: Pictures, kernel: Tensor, mode: str, border: str) -> Pictures:
    planes = as_planes(x)
    margins = choose(mode, MODES, "mode")
    rows, columns = margins(kernel.shape[0]), margins(kernel.shape[1])
    tensor = planes.tensor
    if mode == "valid" and (kernel.shape[0] > tensor.shape[2] or kernel.shape[1] > tensor.shape[3]):
        raise DataError(
            f'mode "valid" needs a kernel inside the picture, got kernel {tuple(kernel.shape)} and picture '
            f'{tuple(tensor.shape[2:])}. Use "same" or "full".'
        )
    kind = tensor.dtype if tensor.dtype in (torch.float32, torch.float64) else torch.float32
    seen = extend(tensor.to(kind), rows, columns, border)
    found = slide(seen, kernel.to(seen))
    return planes.back(found.to(torch.float32 if tensor.dtype == torch.uint8 else tensor.dtype))


def slide(planes: Tensor, kernel: Tensor) -> Tensor:
    """Correlation where the kernel lies inside: (N, C, H, W) with (kh, kw) to (N, C, H - kh + 1, W - kw + 1).

    A convolution of one channel leaves PyTorch's CPU kernels mostly idle, and in float64 it builds a table of
    kh * kw copies of the picture. So here each row of the kernel becomes a banded matrix, which gives `COLUMNS`
    columns at a time as a matrix product of what they see. All pictures are one tall picture; rows that mix two of
    them are left out at the end.
    """
    n, c, height, width = planes.shape
    kh, kw = kernel.shape
    if planes.device.type != HOST:
        found = F.conv2d(planes.reshape(n * c, 1, height, width), kernel[None, None])
        return found.reshape(n, c, height - kh + 1, width - kw + 1)
    tall = planes.reshape(n * c * height, width)
    rows, columns = tall.shape[0] - kh + 1, width - kw + 1
    out = planes.new_empty((n * c * height, columns))
    step = min(COLUMNS, columns)
    bands = kernel.new_zeros((kh, step + kw - 1, step))
    for shift in range(kw):  # bands[i, s, t] = kernel[i, s - t]
        bands.diagonal(-shift, 1, 2)[:] = kernel[:, shift, None]
    for left in range(0, columns, step):
        right = min(left + step, columns)
        sees, band = slice(left, right + kw - 1), bands[:, : right - left + kw - 1, : right - left]
        target = out[:rows, left:right]
        torch.mm(tall[:rows, sees], band[0], out=target)
        for i in range(1, kh):
            torch.addmm(target, tall[i : i + rows, sees], band[i], out=target)
    return out.reshape(n, c, height, columns)[:, :, : height - kh + 1]
