"""From uint8 pixels to the numbers a network takes."""

import numpy as np
import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.core.preprocess import Preprocess
from pellucid.ops import buffers

# N batch, C channels, H height, W width

CHUNK = 1 << 20  # numbers worked on at a time: 4 MB as float32, which stays in the cache between the passes


def normalise(image: Tensor, preprocess: Preprocess, dtype: torch.dtype = torch.float32) -> Tensor:
    """`(p - shift[c]) * scale[c]`, or `(p - mean_image) * scale[c]` where there is a mean image.

    Computed in float32 as `p * scale - shift * scale`: a product and a sum in one pass over memory.

    Args:
        image: (N, C, H, W), uint8, or floats in 0..255 (through which gradients flow).
        preprocess: shift and scale; its size matters only to the mean image.
        dtype: of the result, float32 or bfloat16.

    Returns:
        (N, C, H, W), channels last in memory.

    Raises:
        DataError: the picture has other channels than the preprocessing, or another size than the mean image.
    """
    n, c, h, w = image.shape
    if c != preprocess.channels:
        raise DataError(f"The network takes {preprocess.channels} channels, got pictures with {c}.")
    scale = torch.tensor(preprocess.scale, dtype=torch.float32)  # (C,)
    offset = -_shift(preprocess, h, w) * scale  # (C,) or (H, W, C)
    scale, offset = scale.repeat(w), offset.reshape(h, w * c) if offset.dim() == 3 else offset.repeat(w)  # (W*C,)
    rows = image.permute(0, 2, 3, 1).reshape(n, h, w * c)
    if image.dtype is torch.uint8 and image.device.type == "cpu" and not torch.compiler.is_compiling():
        result = _in_chunks(rows, scale, offset, dtype)
    else:
        scale, offset = scale.to(image.device), offset.to(image.device)
        result = torch.addcmul(offset, rows.to(torch.float32), scale).to(dtype)
    return result.view(n, h, w, c).permute(0, 3, 1, 2)


def _shift(preprocess: Preprocess, height: int, width: int) -> Tensor:
    """(C,), or (H, W, C) of a mean image."""
    if preprocess.mean_image is None:
        return torch.tensor(preprocess.shift, dtype=torch.float32)
    mean = preprocess.mean_image
    if mean.shape != (preprocess.channels, height, width):
        raise DataError(f"The mean image has shape {mean.shape}, got pictures of {height}x{width} pixels.")
    return torch.from_numpy(np.array(mean, dtype=np.float32)).permute(1, 2, 0)


def _in_chunks(rows: Tensor, scale: Tensor, offset: Tensor, dtype: torch.dtype) -> Tensor:
    """(N, H, W*C) uint8 -> the same in `dtype`, a few pictures at a time so that each stays in the cache."""
    out = buffers.empty(tuple(rows.shape), dtype)
    step = max(1, CHUNK // max(1, rows[0].numel())) if len(rows) else 1
    work = None if dtype is torch.float32 else torch.empty((step, *rows.shape[1:]))
    for start in range(0, len(rows), step):
        part, into = rows[start : start + step], out[start : start + step]
        floats = into if work is None else work[: len(part)]
        floats.copy_(part)
        torch.addcmul(offset, floats, scale, out=floats)
        if work is not None:
            into.copy_(floats)
    return out
