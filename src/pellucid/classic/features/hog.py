"""Histograms of oriented gradients (HOG): which way the edges run, cell by cell.

Two forms share everything up to the cells:

* `block=None`, the form taught in CS231n: the cells themselves. 32x32 pixels, cells of 8, 9 orientations: 144 values.
* `block=2`, Dalal & Triggs 2005: cells are gathered in overlapping blocks, each scaled to unit length, so that lighting
  drops out. 640x480 pixels: 59 x 79 blocks x 2 x 2 cells x 9 orientations.
"""

import math
from typing import Any

import torch
from torch import Tensor

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.ops.colour import rgb_to_grey
from pellucid.ops.filters.border import empty
from pellucid.ops.pictures import Pictures, as_planes
from pellucid.plots.classic.orientations import orientations as draw_orientations

# N pictures, C channels, H x W pixels, R x S cells, K orientations

CHUNK = 1 << 18  # pixels worked on at a time: their gradients, angles and bins stay in the cache
EPSILON = 1e-5  # added to the length of a block, so that a flat one stays 0
CLIP = 0.2  # of the hysteresis (Lowe 2004): no single edge rules a block

NORMS = ("l2-hys", "l2", "l1", "l1-sqrt", "none")
COLOURS = ("strongest", "grey")


def hog(
    x: Pictures,
    cell: int = 8,
    orientations: int = 9,
    block: int | None = None,
    norm: str = "l2-hys",
    colour: str | None = None,
) -> Any:
    """HOG features of one picture or of a batch.

    With `block` the values are those of `skimage.feature.hog` (`pixels_per_cell=(cell, cell)`, `cells_per_block=(block,
    block)`, `block_norm=norm`; for colour `channel_axis`). Without, they are its histograms before normalisation, which
    is `hog_feature` of the CS231n assignments put right: that one takes the mean filter's value at the middle of each
    cell, which is our mean over the cell to the last bit, but turns angles by 90 degrees and drops those that leave
    0..180, where they are taken modulo 180 here; takes forward differences, where central ones are symmetric; and
    weighs blue with 0.144 in place of 0.114.

    Args:
        x: pictures. The scale of their values matters to the cells and to very flat blocks only.
        cell: side of a cell in pixels. Pixels right and below that fill no cell are left out.
        orientations: bins between 0 and 180 degrees; see `cell_histograms`.
        block: side of a block in cells, or None for the cells themselves.
        norm: of a block: "l2-hys" (unit length, clipped at 0.2, unit length again), "l2", "l1", "l1-sqrt", "none".
        colour: "strongest" (each pixel's gradient is that of the channel where it is largest) or "grey" (of the luma).
            None means "grey" for cells and "strongest" for blocks, as their sources do.

    Returns:
        (D,) for one picture, (N, D) for a batch, of floats: float64 for float64, else float32.
        D = R S K, or (R - block + 1) (S - block + 1) block^2 K.

    Raises:
        ConfigError: a setting that does not exist or is out of range.
        DataError: no pictures, or too small for one block.
    """
    planes = as_planes(x)
    choose(norm, dict.fromkeys(NORMS), "norm")
    hog_shape(planes.tensor.shape[-2:], cell, orientations, block)
    cells = _cells(planes.tensor, cell, orientations, colour or ("strongest" if block else "grey"))
    return planes.back_each(cells.flatten(1) if block is None else normalised_blocks(cells, block, norm).flatten(1))


def hog_shape(size: tuple[int, ...], cell: int = 8, orientations: int = 9, block: int | None = None) -> tuple[int, ...]:
    """The axes `hog` flattens: (R, S, K), or with blocks (rows, columns, block, block, K).

    Args:
        size: (H, W).

    Raises:
        ConfigError: a setting out of range.
        DataError: `size` does not hold one block.
    """
    for name, number in (("cell", cell), ("orientations", orientations), ("block", 1 if block is None else block)):
        require(isinstance(number, int) and number >= 1, name, "a whole number of at least 1", number)
    height, width = size
    side = cell * (block or 1)
    if min(height, width) < side:
        inside = f" in blocks of {block}x{block}" if block else ""
        raise DataError(
            f"HOG with cells of {cell}x{cell} pixels{inside} needs pictures of at least {side}x{side} pixels, "
            f"got {height}x{width}. Use larger pictures or smaller cells."
        )
    rows, columns = height // cell, width // cell
    if block is None:
        return rows, columns, orientations
    return rows - block + 1, columns - block + 1, block, block, orientations


def cell_histograms(x: Pictures, cell: int = 8, orientations: int = 9, colour: str = "grey") -> Any:
    """How much gradient each cell holds in each orientation: (R, S, K), or (N, R, S, K) for a batch.

    The gradient is the central difference `x[i + 1] - x[i - 1]`, 0 at the border. Its angle `arctan2(dy, dx)` modulo
    180 degrees picks bin k of [180 k / K, 180 (k + 1) / K); its length counts. A cell holds the mean over its pixels.
    For uint8 and up to 12 orientations bins are exact: no rounding moves a gradient across an edge between two.

    Raises:
        ConfigError, DataError: as `hog`.
    """
    planes = as_planes(x)
    hog_shape(planes.tensor.shape[-2:], cell, orientations)
    return planes.back_each(_cells(planes.tensor, cell, orientations, colour))


def hog_picture(x: Pictures, cell: int = 8, orientations: int = 9, colour: str = "grey") -> str:
    """What HOG sees of one picture: SVG with a star of lines in each cell, along the edges, the stronger the darker.

    Args:
        x: (H, W) or (C, H, W).

    Raises:
        ConfigError, DataError: as `hog`; or a batch.
    """
    if as_planes(x).rank == 4:
        raise DataError(f"A drawing of HOG takes one picture, (H, W) or (C, H, W), got shape {tuple(x.shape)}.")
    cells = torch.as_tensor(cell_histograms(x, cell, orientations, colour)).cpu()
    return draw_orientations(cells.numpy(), label=f"HOG in cells of {cell}x{cell} pixels")


def _cells(pictures: Tensor, cell: int, orientations: int, colour: str) -> Tensor:
    """(N, C, H, W) -> (N, R, S, K), a few pictures at a time."""
    choose(colour, dict.fromkeys(COLOURS), "colour")
    n, channels, height, width = pictures.shape
    if colour == "grey" and channels not in (1, 3):
        raise DataError(f"HOG of grey takes pictures with 1 or 3 channels, got {channels}. Use colour='strongest'.")
    step = max(1, CHUNK // (height * width))
    parts = []
    for start in range(0, n, step):
        part = pictures[start : start + step]
        size = (height // cell * cell, width // cell * cell)
        dx, dy, length = _gradient(rgb_to_grey(_floats(part)) if colour == "grey" else part, size)
        parts.append(_histograms(dx, dy, length, cell, orientations))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _floats(pixels: Tensor) -> Tensor:
    return pixels.to(torch.float64 if pixels.dtype == torch.float64 else torch.float32)


def _gradient(pictures: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Across, down and length of the channel where the gradient is longest, the first among equals.

    Returns:
        Each (N, *size), contiguous: of the pixels from the upper left corner on.
    """
    dx, dy, squares = _differences(_floats(pictures[:, 0]), size)
    for channel in range(1, pictures.shape[1]):  # one after the other: a third of the memory, three times as fast
        other_dx, other_dy, other = _differences(_floats(pictures[:, channel]), size)
        longer = (other > squares).to(dx.dtype)
        dx.lerp_(other_dx, longer)  # exact: the weight is 0 or 1
        dy.lerp_(other_dy, longer)
        torch.maximum(squares, other, out=squares)
    return dx, dy, squares.sqrt_()


def _differences(plane: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Central differences (N, *size) across and down, 0 at the border, and the sum of their squares."""
    rows, columns = size
    dx, dy, squares = empty((3, len(plane), rows, columns), plane.dtype, plane.device)
    for axis, seen, change in ((2, plane[:, :rows], dx), (1, plane[:, :, :columns], dy)):
        n = change.shape[axis]
        inner = max(0, min(n - 1, seen.shape[axis] - 2))  # pixels with a neighbour on both sides, from the second on
        if inner:
            ahead, behind = seen.narrow(axis, 2, inner), seen.narrow(axis, 0, inner)
            torch.sub(ahead, behind, out=change.narrow(axis, 1, inner))
        change.select(axis, 0).zero_()
        change.narrow(axis, inner + 1, n - inner - 1).zero_()
    return dx, dy, torch.mul(dx, dx, out=squares).addcmul_(dy, dy)


def _histograms(dx: Tensor, dy: Tensor, length: Tensor, cell: int, orientations: int) -> Tensor:
    """Gradients (N, H, W), H and W multiples of the cell -> (N, R, S, K)."""
    n, height, width = dx.shape
    rows, columns, bins = height // cell, width // cell, 2 * orientations + 1
    # Angles of -180..180 degrees fall in 2K + 1 bins and are folded afterwards, when there are few numbers. The hair
    # that is added undoes rounding at the edges between bins; two gradients of uint8 differ by far more.
    hair = 1e-7 * bins if dx.dtype == torch.float32 else 1e-15 * bins
    angle = torch.atan2(dy, dx, out=empty(dx.shape, dx.dtype, dx.device))
    scaled = angle.mul_(orientations / math.pi).add_(orientations + hair)
    down, across = (torch.arange(size, device=dx.device).div_(cell, rounding_mode="floor") for size in (height, width))
    first = (down[:, None] * columns + across).mul_(bins).to(torch.int32)  # bin of each pixel's cell
    # By way of int32, where conversion and sum take a third of the time.
    place = empty(dx.shape, torch.int64, dx.device).copy_(scaled.to(torch.int32).add_(first))
    counts = torch.zeros((n, rows * columns * bins), dtype=dx.dtype, device=dx.device)
    counts.scatter_add_(1, place.view(n, -1), length.view(n, -1))
    counts = counts.view(n, rows, columns, bins)
    folded = counts[..., :orientations] + counts[..., orientations:-1]
    folded[..., 0] += counts[..., -1]  # exactly 180 degrees is 0 degrees
    return folded.div_(cell * cell)


def normalised_blocks(cells: Tensor, block: int, norm: str = "l2-hys") -> Tensor:
    """Overlapping blocks of cells, each brought to the same size.

    Args:
        cells: (N, R, S, K).

    Returns:
        (N, R - block + 1, S - block + 1, block, block, K).
    """
    rows, columns = cells.shape[1] - block + 1, cells.shape[2] - block + 1
    blocks = cells.unfold(1, block, 1).unfold(2, block, 1).permute(0, 1, 2, 4, 5, 3)  # a view
    values = blocks.reshape(cells.shape[0], rows, columns, -1)  # (N, rows, columns, block^2 K)
    if norm == "l2-hys":
        values = _unit(_unit(values).clamp_max_(CLIP))
    elif norm == "l2":
        values = _unit(values)
    elif norm in ("l1", "l1-sqrt"):  # no value is negative
        values = values / (values.sum(-1, keepdim=True) + EPSILON)
        values = values.sqrt_() if norm == "l1-sqrt" else values
    return values.view(blocks.shape)


def _unit(values: Tensor) -> Tensor:
    squares = torch.linalg.vector_norm(values, dim=-1, keepdim=True).square_()
    return values / squares.add_(EPSILON**2).sqrt_()
