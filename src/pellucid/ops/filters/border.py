"""What a filter sees beyond the edge of a picture: zeros, its mirror image, or its last pixel again.

Each border but zero is a rule by which a position outside is one inside, so all of them work for any distance, also
beyond pictures that are smaller than the filter.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from pellucid.core.choose import choose


def _inside(position: Tensor, n: int) -> Tensor:
    return torch.where((position >= 0) & (position < n), position, -1)


def _mirrored(position: Tensor, n: int) -> Tensor:
    period = max(1, 2 * (n - 1))  # there and back, without the two ends again
    there = position % period
    return torch.minimum(there, (period - there) % period) if n > 1 else there


def _nearest(position: Tensor, n: int) -> Tensor:
    return position.clamp(0, n - 1)


BORDERS: dict[str, Callable[[Tensor, int], Tensor]] = {"zero": _inside, "reflect": _mirrored, "replicate": _nearest}


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


def extend(planes: Tensor, rows: tuple[int, int], columns: tuple[int, int], border: str) -> Tensor:
    """Planes (..., H, W) with so many more rows above and below, and columns left and right: a copy.

    Raises:
        ConfigError: an unknown border.
    """
    (top, bottom), (left, right) = rows, columns
    height, width = planes.shape[-2:]
    down, across = inside(height, top, bottom, border), inside(width, left, right, border)
    out = planes.new_zeros((*planes.shape[:-2], top + height + bottom, left + width + right))
    middle = out[..., top : top + height, :]
    middle[..., left : left + width] = planes
    if border != "zero":  # columns first: the rows beyond then bring the corners with them
        down, across = down.to(planes.device), across.to(planes.device)
        middle[..., :left] = planes[..., across[:left]]
        middle[..., left + width :] = planes[..., across[left + width :]]
        out[..., :top, :] = middle[..., down[:top], :]
        out[..., top + height :, :] = middle[..., down[top + height :], :]
    return out
