"""A picture cut into pieces of even colour, by joining neighbouring pixels from the most alike on.

Felzenszwalb and Huttenlocher 2004, "Efficient Graph-Based Image Segmentation"
(https://doi.org/10.1023/B:VISI.0000022288.19776.77). Pixels are the nodes of a graph, and an edge between two
neighbours weighs as much as their colours differ. Two pieces are joined when the lightest edge between them is no
heavier than what each of them bears: its own heaviest joining edge, and `scale` over its size on top. So a smooth piece
stops at a faint outline and a textured one does not, and small pieces are joined more readily than large ones.
"""

from collections.abc import Sequence

import numpy as np

from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.ops import compiled
from pellucid.ops.filters.gaussian import gaussian_filter
from pellucid.ops.pictures import Pictures, as_planes

# H x W pixels, C channels, E edges, P pixels in all


def graph_segments(image: Pictures, scale: float = 100.0, sigma: float = 0.8, least: int = 20) -> np.ndarray:
    """Number the pieces of a picture.

    Args:
        image: (H, W) or (C, H, W), uint8 or floats of any range; `scale` is in the units of its values.
        scale: how readily pieces are joined; more makes them larger.
        sigma: of the Gaussian that the picture is smoothed with first, in pixels; 0 smooths nothing.
        least: pieces of fewer pixels are joined to the neighbour that is most alike at their border.

    Returns:
        (H, W) int64: the number of each pixel's piece, 0, 1, ... in the order in which a scan row by row meets them.

    Raises:
        DataError: not one picture, or NaN in it.
        ConfigError: a number out of range.
    """
    require(scale >= 0, "scale", "0 or positive", scale)
    require(sigma >= 0, "sigma", "0 (no smoothing) or positive", sigma)
    require(least >= 0, "least", "0 or positive", least)
    planes = _planes(image, sigma)
    first, second, weight = neighbours(planes)
    roots = _joined(first, second, weight, planes.shape[0] * planes.shape[1], scale, least)
    _, where, number = np.unique(roots, return_index=True, return_inverse=True)
    rank = np.empty(len(where), dtype=np.int64)
    rank[np.argsort(where)] = np.arange(len(where))
    return rank[number].reshape(planes.shape[:2])


def _planes(image: Pictures, sigma: float) -> np.ndarray:
    """(H, W, C) float64, smoothed."""
    planes = as_planes(image)
    if len(planes.tensor) != 1:
        raise DataError(f"Pieces are those of one picture, (H, W) or (C, H, W), got {tuple(planes.tensor.shape)}.")
    values = planes.tensor.double()
    smooth = gaussian_filter(values, sigma) if sigma else values
    return np.moveaxis(smooth[0].cpu().numpy(), 0, 2)


def neighbours(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair of pixels that touch by a side or a corner, once.

    Returns:
        (E,) int64 and (E,) int64 flat places of the two, and (E,) float64, the distance of their colours.
    """
    height, width = planes.shape[:2]
    places = np.arange(height * width).reshape(height, width)
    firsts, seconds, weights = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
        there = (slice(down, height), slice(max(0, right), width + min(0, right)))
        firsts.append(places[here].ravel())
        seconds.append(places[there].ravel())
        weights.append(np.sqrt(((planes[here] - planes[there]) ** 2).sum(2)).ravel())
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(weights)


def _joined(first: np.ndarray, second: np.ndarray, weight: np.ndarray, n: int, scale: float, least: int) -> np.ndarray:
    """As `joined`, of edges (E,) in any order; compiled where that is possible."""
    if compiled.has_numba():
        from pellucid.classic.proposals import graph_segments_kernel

        order = graph_segments_kernel.lightest_first(weight.view(np.uint64))
        return graph_segments_kernel.joined(first, second, weight, order, n, float(scale), least)
    order = np.argsort(weight, kind="stable")
    return joined(first[order].tolist(), second[order].tolist(), weight[order].tolist(), n, scale, least)


def joined(
    first: Sequence[int], second: Sequence[int], weight: Sequence[float], n: int, scale: float, least: int
) -> np.ndarray:
    """Join nodes over edges, which come lightest first.

    One edge after another, as what the next may do depends on what the last did. Plain lists: of them Python reads an
    item in a third of the time of an array's.

    Returns:
        (n,) int64: a node of the same piece, the same for all of them.
    """
    parent, size = list(range(n)), [1] * n
    bears = [float(scale)] * n  # a piece's own heaviest edge, and scale / size
    heavy = []  # edges between pieces that were not joined
    for a, b, w in zip(first, second, weight, strict=True):
        while parent[a] != a:
            parent[a] = a = parent[parent[a]]
        while parent[b] != b:
            parent[b] = b = parent[parent[b]]
        if a == b:
            continue
        if w <= bears[a] and w <= bears[b]:
            if size[a] < size[b]:
                a, b = b, a
            parent[b] = a
            size[a] += size[b]
            bears[a] = w + scale / size[a]
        else:
            heavy.append((a, b))
    for a, b in heavy:
        while parent[a] != a:
            a = parent[a]
        while parent[b] != b:
            b = parent[b]
        if a != b and (size[a] < least or size[b] < least):
            if size[a] < size[b]:
                a, b = b, a
            parent[b] = a
            size[a] += size[b]
    roots = np.asarray(parent, dtype=np.int64)
    while (roots[roots] != roots).any():
        roots = roots[roots]
    return roots
