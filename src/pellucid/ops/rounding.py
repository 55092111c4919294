"""From float pixels to bytes."""

import numpy as np
import torch
from torch import Tensor


def round_into(out: Tensor, values: Tensor) -> None:
    """Write values, rounded to even and clipped to 0..255, into `out`. `values` are changed.

    On the CPU by NumPy, whose conversion takes a fifth of the time of torch's; where the orders in memory differ, a
    channel at a time, since bytes are cheaper to reorder than floats.

    Args:
        out: uint8, of the shape of values: (N, C, H, W), channels last in memory, or any shape and contiguous.
        values: float32, in the same order, or (N, C, H, W) and contiguous.
    """
    values.round_().clamp_(0, 255)
    if out.device.type != "cpu":
        out.copy_(values)
        return
    if out.stride() == values.stride():
        np.copyto(out.numpy(), values.numpy(), casting="unsafe")
        return
    as_bytes = torch.from_numpy(values.numpy().astype(np.uint8))
    if out.dim() != 4:
        out.copy_(as_bytes)
        return
    for channel in range(out.shape[1]):
        np.copyto(out[:, channel].numpy(), as_bytes[:, channel].numpy())
