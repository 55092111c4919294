"""Pictures of any kind in, the same kind out: the door of every filter and feature.

A picture is (H, W), (C, H, W) or a batch (N, C, H, W); uint8 in 0..255 or floating point; of NumPy or PyTorch. Inside,
all of them are one batch of planes.
"""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from pellucid.core.errors import DataError

# N pictures, C channels, H x W pixels

Pictures: TypeAlias = "np.ndarray | Tensor"
TYPES = ("uint8", "float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class Planes:
    """One batch, and the way back.

    Attributes:
        tensor: (N, C, H, W) uint8 or floating point, on the device the pictures were on; shares their memory.
        rank: of the pictures that came: 2, 3 or 4.
        is_numpy: whether they came as an array.
    """

    tensor: Tensor
    rank: int
    is_numpy: bool

    def back(self, result: Tensor) -> Any:
        """A result (N, C, ...) in the form the pictures came in: axes that were added are taken away."""
        shaped = result if self.rank == 4 else result[0] if self.rank == 3 else result[0, 0]
        return shaped.numpy() if self.is_numpy else shaped

    def back_each(self, result: Tensor) -> Any:
        """A result (N, ...) with one entry a picture and no axis of channels: a batch of them, or the only one."""
        shaped = result if self.rank == 4 else result[0]
        return shaped.numpy() if self.is_numpy else shaped


def as_planes(pictures: Pictures, name: str = "picture", channels: tuple[int, ...] = ()) -> Planes:
    """Check pictures and bring them to (N, C, H, W).

    Args:
        name: what they are, for messages.
        channels: how many channels are allowed; empty allows any number.

    Raises:
        DataError: they are no array or tensor, of another rank or type, empty, of another number of channels, or not
            finite.
    """
    require_array(pictures, name)
    is_numpy = isinstance(pictures, np.ndarray)
    rank = pictures.ndim
    if rank not in (2, 3, 4):
        raise DataError(f"{name} must be (H, W), (C, H, W) or (N, C, H, W), got shape {tuple(pictures.shape)}.")
    kind = pictures.dtype.name if isinstance(pictures, np.ndarray) else str(pictures.dtype).removeprefix("torch.")
    if kind not in TYPES:
        raise DataError(f"{name} must be uint8 or floating point, got {pictures.dtype}. Convert it first.")
    tensor = torch.from_numpy(_native(pictures)) if isinstance(pictures, np.ndarray) else pictures.detach()
    if tensor.numel() == 0:
        raise DataError(f"{name} is empty: shape {tuple(pictures.shape)} has no pixels.")
    batch = tensor[(None,) * (4 - rank)]
    if channels and batch.shape[1] not in channels:
        allowed = " or ".join(map(str, channels))
        raise DataError(
            f"{name} must have {allowed} channels in (N, C, H, W), got {batch.shape[1]} (shape "
            f"{tuple(pictures.shape)}). Channels come first: numpy.moveaxis(picture, -1, -3) puts them there."
        )
    if tensor.dtype != torch.uint8 and not _finite(tensor):
        raise DataError(f"{name} holds NaN or infinity. Replace such pixels first, as numpy.nan_to_num does.")
    return Planes(batch, rank, is_numpy)


def require_array(given: object, name: str) -> None:
    """Refuse what is no array, or does not hold a number at each place.

    Raises:
        DataError: no NumPy array or torch tensor; sparse, masked, or of torch's device "meta".
    """
    kind = type(given).__name__
    if not isinstance(given, (np.ndarray, Tensor)):
        raise DataError(f"{name} must be a NumPy array or a torch tensor, got {kind}. Use numpy.asarray(...) first.")
    if isinstance(given, np.ma.MaskedArray):
        raise DataError(f"{name} is a {kind}, whose mask would not be seen. Use .filled(...) first.")
    if isinstance(given, Tensor) and given.layout != torch.strided:
        raise DataError(f"{name} is a sparse tensor. Use .to_dense() first.")
    if isinstance(given, Tensor) and given.is_meta:
        raise DataError(f"{name} is a tensor of the device meta, which holds no numbers.")


def _native(array: np.ndarray) -> np.ndarray:
    """An array torch can share: of the machine's byte order, without negative strides, writable."""
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    usable = native.flags.writeable and all(step >= 0 for step in native.strides)
    return native if usable else native.copy()


def _finite(tensor: Tensor) -> bool:
    """Whether all pixels are finite. One that is not shows in their sum, which is twenty times as fast to find; only a
    sum that is itself too large leaves the question open.
    """
    return math.isfinite(tensor.sum().item()) or bool(torch.isfinite(tensor).all())


def as_before(result: Tensor, before: Tensor) -> Tensor:
    """Floating-point planes in the type of the planes they came from; uint8 by rounding half up, within 0..255."""
    if before.dtype == torch.uint8:
        return (result + 0.5).clamp_(0, 255.499).to(torch.uint8)
    return result.to(before.dtype)
