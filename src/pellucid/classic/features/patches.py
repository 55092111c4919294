"""Small square cut-outs of pictures: some at random, or all of them as a view."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from pellucid.core.config import is_whole, require
from pellucid.core.errors import DataError
from pellucid.ops.pictures import Pictures, as_planes

# N pictures, C channels, H x W pixels, R x S places of a patch, P side of a patch


def random_patches(x: Pictures, n: int, size: int, seed: int = 0) -> Any:
    """Cut out patches; picture, row and column are each drawn evenly, with repetition.

    Args:
        n: how many.
        size: side of a patch in pixels.
        seed: the same seed draws the same places, on any device.

    Returns:
        (n, C, size, size), of the kind and type of `x`.

    Raises:
        ConfigError: `n` or `size` below 1.
        DataError: no pictures, or smaller than a patch.
    """
    require(is_whole(n) and n >= 1, "n", "at least 1", n)
    planes = as_planes(x)
    places = _dense(planes.tensor, size, 1)
    rng = torch.Generator().manual_seed(seed)
    drawn = [torch.randint(places.shape[axis], (n,), generator=rng).to(places.device) for axis in (0, 1, 2)]
    patches = places[drawn[0], drawn[1], drawn[2]]
    return patches.numpy() if planes.is_numpy else patches


def dense_patches(x: Pictures, size: int, stride: int = 1) -> Any:
    """All patches of pictures, as a view that takes no memory; do not write to it.

    Args:
        size: side of a patch in pixels.
        stride: pixels from one patch to the next.

    Returns:
        (R, S, C, size, size) for one picture, (N, R, S, C, size, size) for a batch, with R = (H - size) // stride + 1
        and S in the same way, of the kind and type of `x`.

    Raises:
        ConfigError: `size` or `stride` below 1.
        DataError: no pictures, or smaller than a patch.
    """
    planes = as_planes(x)
    return planes.back_each(_dense(planes.tensor, size, stride))


def patch_blocks(places: Tensor, block_mb: float) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Copy a view of patches out in blocks of bounded size, as one float32 row a patch.

    Args:
        places: (N, R, S, C, P, P), of `dense_patches`.
        block_mb: megabytes a block may take; it holds one row of one picture at least.

    Yields:
        (B,) pictures, (B,) rows, and their patches (B, S, C P P).
    """
    n, rows = places.shape[:2]
    step = max(1, int(block_mb * 2**20) // max(1, 4 * places[0, 0].numel()))
    for start in range(0, n * rows, step):
        index = torch.arange(start, min(start + step, n * rows), device=places.device)
        picture, row = index.div(rows, rounding_mode="floor"), index % rows
        yield picture, row, places[picture, row].to(torch.float32).flatten(2)


def _dense(pictures: Tensor, size: int, stride: int) -> Tensor:
    """(N, C, H, W) -> (N, R, S, C, P, P), a view."""
    require(is_whole(size) and size >= 1, "patch", "at least 1 pixel", size)
    require(is_whole(stride) and stride >= 1, "stride", "at least 1 pixel", stride)
    height, width = pictures.shape[2:]
    if min(height, width) < size:
        raise DataError(
            f"Patches of {size}x{size} pixels need pictures at least as large, got {height}x{width}. Use smaller ones."
        )
    return pictures.unfold(2, size, stride).unfold(3, size, stride).permute(0, 2, 3, 1, 4, 5)
