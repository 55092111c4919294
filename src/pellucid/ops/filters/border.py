"""What a filter sees beyond the edge of a picture: zeros, its mirror image, or its last pixel again.

Each border but zero is a rule by which a position outside is one inside, so all of them work for any distance, also
beyond pictures that are smaller than the filter.
"""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from pellucid.core.choose import choose
from pellucid.ops import buffers


def _inside(position: Tensor, n: int) -> Tensor:
    return torch.where((position >= 0) & (position < n), position, -1)


def _mirrored(position: Tensor, n: int) -> Tensor:
    period = max(1, 2 * (n - 1))  # there and back, without the two ends again
    there = position % period
    return torch.minimum(there, (period - there) % period) if n > 1 else there


def _nearest(position: Tensor, n: int) -> Tensor:
    return position.clamp(0, n - 1)


BORDERS: dict[str, Callable[[Tensor, int], Tensor]] = {"zero": _inside, "reflect": _mirrored, "replicate": _nearest}


@lru_cache(maxsize=64)  # asked for again with every picture of the same size; nobody writes into it
def inside(n: int, before: int, after: int, border: str) -> Tensor:
    """Which pixel stands at each of the positions -before .. n + after - 1 of a line of n pixels.

    Args:
        border: "zero"; "reflect", which does not repeat the edge pixel (dcb|abcd|cba: NumPy's "reflect", SciPy's
            "mirror"); or "replicate" (aaa|abcd|ddd).

    Returns:
        (before + n + after,) int64 in 0..n-1, and -1 where zero stands.

    Raises:
        ConfigError: an unknown border.
    """
    return choose(border, BORDERS, "border")(torch.arange(-before, n + after), n)


def extend(
    planes: Tensor, rows: tuple[int, int], columns: tuple[int, int], border: str, dtype: torch.dtype | None = None
) -> Tensor:
    """Planes (..., H, W) with so many more rows above and below, and columns left and right: a copy, of type `dtype`.

    Raises:
        ConfigError: an unknown border.
    """
    (top, bottom), (left, right) = rows, columns
    height, width = planes.shape[-2:]
    down, across = inside(height, top, bottom, border), inside(width, left, right, border)
    shape = (*planes.shape[:-2], top + height + bottom, left + width + right)
    out = empty(shape, dtype or planes.dtype, planes.device)
    if border == "zero":
        out.zero_()
    middle = out[..., top : top + height, :]
    middle[..., left : left + width] = planes
    if border != "zero":  # columns first: the rows beyond then bring the corners with them
        for place, found in ((slice(0, left), across[:left]), (slice(left + width, None), across[left + width :])):
            if len(found):
                middle[..., place] = planes.index_select(-1, found.to(planes.device))
        for place, found in ((slice(0, top), down[:top]), (slice(top + height, None), down[top + height :])):
            if len(found):
                out[..., place, :] = middle.index_select(-2, found.to(planes.device))
    return out


def empty(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Uninitialised memory: on the CPU, some that was used before, since fresh pages cost as much as a filter."""
    return buffers.empty(shape, dtype) if device.type == "cpu" else torch.empty(shape, dtype=dtype, device=device)
