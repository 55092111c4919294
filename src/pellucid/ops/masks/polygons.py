"""Masks as outlines along the edges of their pixels, and outlines filled to a mask again.

Outline and back gives the same mask, bit for bit. Filling goes by the centres of the pixels; it is not the
rasterising of pycocotools, which draws outlines five times enlarged and rounds.

Letters: H, W the mask, V corners, P corners of one outline, E edges, S crossings of edges and rows.
"""

from collections.abc import Sequence

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape

FARTHEST = 1_000_000_000  # pixels from the first one: more is no place in a picture
RIGHT, DOWN, LEFT, UP = range(4)  # where an edge leads; the mask is at its right hand

# Which of the four pixels around a corner are inside (1 above left, 2 above right, 4 below left, 8 below right)
# -> from where the outline comes and where it leads. Pixels that touch by a corner are two parts: always to the right.
TURNS: dict[int, tuple[tuple[int, int], ...]] = {
    0b0001: ((DOWN, LEFT),),
    0b0010: ((LEFT, UP),),
    0b0100: ((RIGHT, DOWN),),
    0b1000: ((UP, RIGHT),),
    0b1001: ((DOWN, LEFT), (UP, RIGHT)),
    0b0110: ((LEFT, UP), (RIGHT, DOWN)),
    0b1110: ((RIGHT, UP),),
    0b1101: ((DOWN, RIGHT),),
    0b0111: ((LEFT, DOWN),),
    0b1011: ((UP, LEFT),),
}


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The closed outlines of a mask, one for each part and each hole, from the topmost on.

    Args:
        mask: (H, W); everything but 0 is inside. Pixels hang together by their sides, not by their corners.

    Returns:
        (P, 2) int32 each: corners x, y of the pixel grid (0..W, 0..H), from the topmost, of these the leftmost, on;
        the last is not the first again. Around a part they go clockwise as seen, around a hole the other way, so
        `signed_area` tells which is which, and the sum of all is the number of pixels.

    Raises:
        DataError: another number of axes.
    """
    mask = np.asarray(mask)
    require_shape(mask, "H W", "mask")
    corners, following = _linked(mask != 0)
    if not len(corners):
        return []
    first = _first_of_ring(following)  # (V,)
    order = np.lexsort((_steps_from(first, following), first))
    starts = np.flatnonzero(np.diff(first[order])) + 1
    return np.split(corners[order], starts)


def signed_area(outline: np.ndarray) -> float:
    """Area inside one outline (P, 2): positive where it goes clockwise as seen, y downwards, so negative for holes."""
    x, y = np.asarray(outline, dtype=np.float64).T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def parts(mask: np.ndarray) -> list[list[np.ndarray]]:
    """The outlines of a mask by part: of each part its outer one first, then those of its holes; see `outlines`."""
    rings = outlines(mask)
    if not rings:
        return []
    at = np.concatenate(rings).astype(np.int64)  # (V, 2)
    to = at[_next(rings)]
    starts = np.cumsum([0, *(len(ring) for ring in rings[:-1])])
    is_hole = np.add.reduceat(at[:, 0] * to[:, 1] - to[:, 0] * at[:, 1], starts) < 0  # twice the signed area
    part_of = np.cumsum(~is_hole) - 1
    found = [[ring] for ring, hole in zip(rings, is_hole, strict=True) if not hole]
    holes = np.flatnonzero(is_hole).tolist()
    # Left of a hole's first corner stands its part. The next outline to the left of that is the part's outer one, or
    # one of its holes; such a hole begins higher, or on the same row further left, so it has its part already.
    for i, beside in zip(holes, _left_of([rings[i][0] for i in holes], rings, np.shape(mask)), strict=True):
        part_of[i] = part_of[beside]
        found[part_of[i]].append(rings[i])
    return found


def fill(polygons: Sequence[np.ndarray], height: int, width: int) -> np.ndarray:
    """Pixels whose centre lies inside an odd number of polygons: (H, W) bool. What reaches outside is cut off.

    Args:
        polygons: (P, 2) or flat (2 * P,) numbers each: x, y, where pixel i covers [i, i + 1]. Holes are polygons
            too. A centre on an edge belongs to the inside that lies right of or below it.

    Raises:
        DataError: not pairs of numbers within a thousand million pixels, or fewer than three corners.
    """
    from_x, from_y, to_x, to_y = _edges(polygons)  # (E,)
    top, bottom = np.minimum(from_y, to_y), np.maximum(from_y, to_y)
    first = np.clip(np.ceil(top - 0.5), 0, height).astype(np.int64)  # rows whose centre lies in [top, bottom)
    behind = np.clip(np.ceil(bottom - 0.5), 0, height).astype(np.int64)
    times = behind - first
    edge = np.repeat(np.arange(len(times)), times)  # (S,)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(times) - times, times) + first[edge]
    slope = (to_x - from_x)[edge] / (to_y - from_y)[edge]  # an edge along a row crosses no centre, so none is 0
    crossing = from_x[edge] + (row + 0.5 - from_y[edge]) * slope
    column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)  # the first pixel right of it
    toggles = np.bincount(row * (width + 1) + column, minlength=height * (width + 1))
    return (np.cumsum(toggles.reshape(height, width + 1), axis=1)[:, :width] & 1).astype(bool)


def _linked(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (V, 2) int32 x, y, from the topmost on, and the number (V,) of the corner that follows each."""
    around = np.zeros((inside.shape[0] + 1, inside.shape[1] + 1), dtype=np.uint8)  # of each corner of the grid
    for bit, (down, right) in enumerate(((1, 1), (1, 0), (0, 1), (0, 0))):
        around[down : down + inside.shape[0], right : right + inside.shape[1]] |= inside.astype(np.uint8) << bit
    has_turn = np.isin(np.arange(16), list(TURNS))
    places = np.flatnonzero(has_turn[around])  # row by row
    codes = around.ravel()[places]
    turns = np.array([len(TURNS.get(code, ())) for code in range(16)])
    pairs = np.array([(TURNS.get(code, ()) * 2 + ((-1, -1),) * 2)[:2] for code in range(16)])  # (16, 2, 2)
    number = np.repeat(np.arange(len(places)), turns[codes])  # (V,)
    second = np.concatenate([[False], number[1:] == number[:-1]]).astype(np.int64) if len(number) else number
    came, leads = pairs[codes[number], second].T  # (V,) each
    y, x = np.divmod(places[number], around.shape[1])
    following = np.empty(len(number), dtype=np.int64)
    for way in (RIGHT, DOWN, LEFT, UP):
        # Edges of one line and way do not overlap: in the order along the line, beginnings and ends go in pairs.
        begin, end = np.flatnonzero(leads == way), np.flatnonzero(came == way)
        if way in (DOWN, UP):
            begin, end = begin[np.lexsort((y[begin], x[begin]))], end[np.lexsort((y[end], x[end]))]
        following[begin] = end
    return np.stack([x, y], axis=1).astype(np.int32), following


def _first_of_ring(following: np.ndarray) -> np.ndarray:
    """(V,): the smallest number on the ring of each corner. Looks twice as far in each round."""
    first, ahead = np.arange(len(following)), following
    for _ in range(len(following).bit_length()):
        first = np.minimum(first, first[ahead])
        ahead = ahead[ahead]
    return first


def _steps_from(first: np.ndarray, following: np.ndarray) -> np.ndarray:
    """(V,): how many steps after the first corner of its ring each comes. Goes twice as far in each round."""
    stands = first == np.arange(len(first))
    ahead = np.where(stands, first, following)
    left = np.where(stands, 0, 1)  # steps until the ring is closed
    for _ in range(len(first).bit_length()):
        left = left + left[ahead]
        ahead = ahead[ahead]
    return np.where(stands, 0, len(first) - left)  # the more are left, the earlier it comes


def _left_of(corners: Sequence[np.ndarray], rings: Sequence[np.ndarray], shape: tuple[int, ...]) -> list[int]:
    """Of each corner: the number of the ring whose upright edge is the next to its left, one row below the corner."""
    if not corners:
        return []
    at = np.concatenate(rings)  # (V, 2)
    to = at[_next(rings)]
    ring = np.repeat(np.arange(len(rings)), [len(one) for one in rings])
    top, tall = np.minimum(at[:, 1], to[:, 1]), np.abs(at[:, 1] - to[:, 1])
    edge = np.repeat(np.arange(len(at)), tall)  # one row of an edge each
    row = np.arange(len(edge)) - np.repeat(np.cumsum(tall) - tall, tall) + top[edge]
    owner = np.full((shape[0], shape[1] + 1), -1, dtype=np.int32)
    owner[row, at[edge, 0]] = ring[edge]
    last = np.maximum.accumulate(np.where(owner >= 0, np.arange(shape[1] + 1), 0), axis=1)
    x, y = np.array(corners).T
    return owner[y, last[y, x - 1]].tolist()


def _edges(polygons: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The edges of all polygons: x and y of both ends, (E,) float64 each."""
    rings = [_corners(polygon) for polygon in polygons]
    at = np.concatenate(rings) if rings else np.zeros((0, 2))
    is_near = np.abs(at) <= FARTHEST  # False for NaN
    if not is_near.all():
        raise DataError(f"Polygons are pairs x, y of numbers up to {FARTHEST:,}, got {at[~is_near][0]}.")
    to = at[_next(rings)]
    return at[:, 0], at[:, 1], to[:, 0], to[:, 1]


def _corners(polygon: np.ndarray) -> np.ndarray:
    """One polygon as (P, 2) float64."""
    points = np.asarray(polygon, dtype=np.float64)
    if points.ndim == 1 and points.size % 2 == 0:
        points = points.reshape(-1, 2)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise DataError(f"A polygon is three or more pairs x, y of numbers, got shape {points.shape}.")
    return points


def _next(rings: Sequence[np.ndarray]) -> np.ndarray:
    """Of each corner of all rings, one ring behind the other: the place of the one that follows it on its ring."""
    sizes = np.array([len(ring) for ring in rings], dtype=np.int64)
    ends = np.cumsum(sizes)
    following = np.arange(1, sizes.sum() + 1)
    following[ends - 1] = ends - sizes
    return following
