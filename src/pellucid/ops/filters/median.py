"""The median filter: each pixel becomes the median of its window.

It is no convolution: what lies far off has no more weight than what lies just outside the middle. So it takes out
single wild pixels whole, where an average smears them, and keeps straight edges sharp.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.core.config import require
from pellucid.ops.filters.border import empty, extend
from pellucid.ops.filters.median_network import PHASES, TILE, Program, median_program
from pellucid.ops.pictures import Pictures, as_planes

# P planes of H x W pixels, a window of k x k; tiles of 2 x 2 pixels

HOST = "cpu"  # where NumPy can do the steps, whose calls cost half of what PyTorch's do
FIRST = 0 if sys.byteorder == "little" else 1  # of two bytes, the one that a number of 16 bits ends in
AT_ONCE = 1 << 22  # bytes of all planes of a program; fewer are nearer to the processor, but are more calls


def median_filter(x: Pictures, size: int = 3, border: str = "reflect") -> Pictures:
    """Replace each pixel by the median of the size x size pixels around it, each channel alone.

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W), uint8 or floating point.
        size: of the window, odd. The work grows a little faster than size^2: 2 steps a pixel for each of its pixels.
        border: beyond the edge: "reflect", "replicate" or "zero", which pulls corners to black.

    Returns:
        As x: values of x, none of them new except the border's 0.

    Raises:
        DataError: x is of a wrong rank or type, empty, or not finite.
        ConfigError: size is even or not positive, or an unknown border.
    """
    whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
    require(whole and size > 0 and size % 2 == 1, "size", "an odd whole number of pixels", size)
    planes = as_planes(x)
    tensor = planes.tensor
    half = tensor.dtype in (torch.float16, torch.bfloat16)  # slow to compare on a CPU; float32 holds them exactly
    found = _median((tensor.float() if half else tensor).flatten(0, 1), int(size), border)
    return planes.back(found.to(tensor.dtype).view(tensor.shape))


def _median(each: Tensor, size: int, border: str) -> Tensor:
    """Of planes (P, H, W). All of them, extended, are one tall picture; tiles that mix two planes do not count."""
    p, height, width = each.shape
    reach = size // 2
    margins = (reach, reach + height % TILE), (reach, reach + width % TILE)  # to whole tiles
    if size == 1:
        return extend(each, (0, 0), (0, 0), border)
    seen = extend(each, *margins, border)
    tall, wide = seen.shape[1] // TILE, seen.shape[2] // TILE  # tiles
    rows = p * tall
    slack = (reach + 1) * wide + reach  # a tile at the end looks so far, and finds nothing that counts
    phases = empty((PHASES, rows * wide + slack), seen.dtype, seen.device)
    phases[:, rows * wide :] = 0
    dealt = phases[:, : rows * wide].view(TILE, TILE, p, tall, wide)
    if seen.dtype == torch.uint8:  # pairs of neighbours as one number each: twice as fast as every other byte
        pairs = seen.view(torch.int16).view(p, tall, TILE, wide).permute(2, 0, 1, 3)
        dealt[:, FIRST].copy_(pairs)
        dealt[:, 1 - FIRST].copy_(pairs >> 8)
    else:
        dealt.copy_(seen.view(p, tall, TILE, wide, TILE).permute(2, 4, 0, 1, 3))
    medians = empty((PHASES, rows * wide), seen.dtype, seen.device)
    _run(median_program(size), phases, medians, wide, reach)
    out = torch.empty_like(each, memory_format=torch.contiguous_format)
    for phase, found in enumerate(medians.view(PHASES, p, tall, wide)):
        target = out[:, phase // TILE :: TILE, phase % TILE :: TILE]
        target.copy_(found[:, : target.shape[1], : target.shape[2]])
    return out


def _run(program: Program, phases: Tensor, medians: Tensor, wide: int, reach: int) -> None:
    """Fill medians (4, tiles) from phases (4, tiles and slack), a block of rows of `wide` tiles at a time.

    A block is one line: to look at another tile is to start elsewhere on it. Steps run to its end, past what counts.
    """
    tiles = medians.shape[1]
    slack = phases.shape[1] - tiles
    rows = max(reach + 1, AT_ONCE // (program.slots * wide * phases.element_size()) - reach)
    lines = min(rows * wide, tiles)  # of a block: what it gives
    length = lines + reach * wide + reach  # what it looks at
    slots = empty((program.slots - PHASES, length + slack), phases.dtype, phases.device)
    slots[:, length:] = 0
    is_here = phases.device.type == HOST
    steps: tuple[Any, Any] = (np.minimum, np.maximum) if is_here else (torch.minimum, torch.maximum)
    as_native: Callable[[Tensor], Any] = Tensor.numpy if is_here else Tensor.detach
    source, work = as_native(phases), as_native(slots)
    for start in range(0, tiles, lines):
        count = min(lines, tiles - start)
        n = min(length, phases.shape[1] - slack - start)
        planes = [*source[:, start:], *work]
        views = {
            (plane, down, right): planes[plane][down * wide + right : down * wide + right + n]
            for plane, down, right in program.views
        }
        for larger, first, second, slot in program.steps:
            steps[larger](views[first], views[second], out=views[slot])
        for median, (plane, down, right) in zip(medians, program.outputs, strict=True):
            first_tile = down * wide + right
            median[start : start + count] = slots[plane - PHASES, first_tile : first_tile + count]
