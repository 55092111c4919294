"""Pieces of a picture joined two by two, the most alike neighbours first, until one is left: every piece is a region.

Uijlings, van de Sande, Gevers and Smeulders 2013, "Selective Search for Object Recognition"
(https://doi.org/10.1007/s11263-013-0620-5), section 3. Things come in all sizes and differ from what is behind them in
one way or another, so regions are taken from every level, and alike can mean several things: of one colour, of one
texture, both small, filling each other's gaps.
"""

import heapq
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.choose import choose
from pellucid.ops import compiled
from pellucid.ops.filters.derivative import gaussian_derivative

COLOUR_BINS, TEXTURE_BINS = 25, 10  # a channel; a channel and direction
DIRECTIONS = 8
SIGMA = 1.0  # of the derivatives that texture is told by

# H x W pixels, C channels, R pieces, 2R - 1 regions, E pairs of pieces that touch


@dataclass
class Regions:
    """R pieces, and room for the R - 1 regions that are joined of them.

    Attributes:
        boxes_xyxy: (2R - 1, 4) float64.
        size: (2R - 1,) float64, pixels.
        colour: (2R - 1, C * 25) float64, how often each bin occurs, 1 in all.
        texture: (2R - 1, C * 80) float64 likewise.
        area: pixels of the picture.
    """

    boxes_xyxy: np.ndarray
    size: np.ndarray
    colour: np.ndarray
    texture: np.ndarray
    area: int


def by_colour(regions: Regions, one: int, others: np.ndarray) -> np.ndarray:
    """What two histograms of colours share, 0..1."""
    return np.minimum(regions.colour[one], regions.colour[others]).sum(1)


def by_texture(regions: Regions, one: int, others: np.ndarray) -> np.ndarray:
    """What two histograms of slopes share, 0..1."""
    return np.minimum(regions.texture[one], regions.texture[others]).sum(1)


def by_size(regions: Regions, one: int, others: np.ndarray) -> np.ndarray:
    """1 for two that are small; so regions grow all over the picture at one pace."""
    return 1 - (regions.size[one] + regions.size[others]) / regions.area


def by_fill(regions: Regions, one: int, others: np.ndarray) -> np.ndarray:
    """1 where the box around both holds nothing else."""
    a, b = regions.boxes_xyxy[one], regions.boxes_xyxy[others]
    around = np.maximum(a[2:], b[:, 2:]) - np.minimum(a[:2], b[:, :2])  # (others, 2)
    return 1 - (around.prod(1) - regions.size[one] - regions.size[others]) / regions.area


ALIKE = {"colour": by_colour, "texture": by_texture, "size": by_size, "fill": by_fill}


def grouped_boxes(image: np.ndarray, pieces: np.ndarray, alike: Sequence[str] = tuple(ALIKE)) -> np.ndarray:
    """Boxes of all regions: of the pieces, then of what is joined of them, in that order.

    Args:
        image: (H, W, C) float64 in 0..255, whose colours and slopes are compared.
        pieces: (H, W) int64, numbers 0..R-1.
        alike: which of `ALIKE` count; their sum decides.

    Returns:
        (2R - 1, 4) float64 x1, y1, x2, y2; the last is all of the picture.
    """
    measures = [choose(name, ALIKE, "likeness") for name in alike]
    regions = _measured(image, pieces)
    n = int(pieces.max()) + 1
    beside: list[set[int]] = [set() for _ in range(2 * n - 1)]  # of each region those that touch it
    for a, b in _touching(pieces, n).tolist():
        beside[a].add(b)
        beside[b].add(a)
    queue: list[tuple[float, int, int]] = []  # how unlike, and the two; of equal ones the first pair is joined

    def compare(one: int, others: Collection[int]) -> None:
        places = np.array(list(others), dtype=np.int64)
        score = sum((measure(regions, one, places) for measure in measures), np.zeros(len(places)))
        for other, each in zip(others, score.tolist(), strict=True):
            heapq.heappush(queue, (-each, min(one, other), max(one, other)))

    for one in range(n):
        compare(one, [other for other in beside[one] if other > one])
    for new in range(n, 2 * n - 1):
        a, b = heapq.heappop(queue)[1:]
        while b not in beside[a]:  # one of them has been joined to another since
            a, b = heapq.heappop(queue)[1:]
        _join(regions, a, b, new)
        beside[new] = (beside[a] | beside[b]) - {a, b}
        beside[a] = beside[b] = set()
        for other in beside[new]:
            beside[other] = (beside[other] - {a, b}) | {new}
        compare(new, beside[new])
    return regions.boxes_xyxy


def _join(regions: Regions, a: int, b: int, new: int) -> None:
    boxes, size = regions.boxes_xyxy, regions.size
    boxes[new] = [*np.minimum(boxes[a, :2], boxes[b, :2]), *np.maximum(boxes[a, 2:], boxes[b, 2:])]
    size[new] = size[a] + size[b]
    for histogram in (regions.colour, regions.texture):
        histogram[new] = (size[a] * histogram[a] + size[b] * histogram[b]) / size[new]


def _measured(image: np.ndarray, pieces: np.ndarray) -> Regions:
    n = int(pieces.max()) + 1
    flat = pieces.ravel()
    size = np.bincount(flat, minlength=n).astype(np.float64)
    boxes = np.empty((n, 4))
    y, x = np.divmod(np.arange(flat.size), pieces.shape[1])
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], np.arange(n))
    for column, reduce, places in (
        (0, np.minimum, x),
        (1, np.minimum, y),
        (2, np.maximum, x + 1),
        (3, np.maximum, y + 1),
    ):
        boxes[:, column] = reduce.reduceat(places[order], starts)
    colour = _histograms(image / 256, flat, n, COLOUR_BINS)
    texture = _histograms(_slopes(image), flat, n, TEXTURE_BINS)
    rest = n - 1
    return Regions(
        np.concatenate([boxes, np.zeros((rest, 4))]),
        np.concatenate([size, np.zeros(rest)]),
        np.concatenate([colour, np.zeros((rest, colour.shape[1]))]),
        np.concatenate([texture, np.zeros((rest, texture.shape[1]))]),
        flat.size,
    )


def _histograms(planes: np.ndarray, flat: np.ndarray, n: int, bins: int) -> np.ndarray:
    """(n, P * bins), 1 in all of a row, of planes (H, W, P) in [0, 1)."""
    if compiled.has_numba():
        from pellucid.classic.proposals import graph_segments_kernel

        each = np.zeros((n, planes.shape[2], bins))
        graph_segments_kernel.counted(np.moveaxis(planes, 2, 0).reshape(-1, len(flat)), flat, each)
    else:
        values = np.clip((planes.reshape(-1, planes.shape[2]) * bins).astype(np.int64), 0, bins - 1)  # (H * W, P)
        cells = (flat[:, None] * planes.shape[2] + np.arange(planes.shape[2])) * bins + values
        each = np.bincount(cells.ravel(), minlength=n * planes.shape[2] * bins).astype(np.float64)
    counts = each.reshape(n, planes.shape[2] * bins)
    return counts / counts.sum(1, keepdims=True)


def _slopes(image: np.ndarray) -> np.ndarray:
    """(H, W, 8 C) in [0, 1): how steep every channel rises in each of eight directions, 0 where it falls."""
    planes = np.moveaxis(image, 2, 0)
    across, down = (np.asarray(gaussian_derivative(planes, SIGMA, axis=axis)) for axis in (1, 0))
    angles = np.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
    rises = [np.maximum(across * math.cos(angle) + down * math.sin(angle), 0) for angle in angles]
    stacked = np.moveaxis(np.concatenate(rises), 0, 2)
    return stacked / max(float(stacked.max()) * (1 + 1e-9), 1e-12)


def _touching(pieces: np.ndarray, n: int) -> np.ndarray:
    """(E, 2) int64: which pieces share a side of a pixel, each pair once, the smaller number first."""
    found = []
    for a, b in ((pieces[:, :-1], pieces[:, 1:]), (pieces[:-1], pieces[1:])):
        found.append((np.minimum(a, b) * n + np.maximum(a, b))[a != b])
    return np.stack(np.divmod(np.unique(np.concatenate(found)), n), axis=1)
