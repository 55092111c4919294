"""Greedy suppression as a compiled loop; imported only where numba is installed. Letters: D boxes, best first.

A box whose IoU with another exceeds t is at most 1 / t times as wide and as high, and its centre is near. So kept
boxes are put into cells by size and place, and a box is compared with those of a few cells only. Cells are looked up
in a table by a hash; what falls together by chance costs a comparison and changes nothing.
"""

import math

import numpy as np

from pellucid.ops.compiled import kernel

FEW = 512  # boxes up to which all are compared, eight at a time
TOGETHER = 32  # comparisons without looking at the outcome, so that they can be done at a time
LEAST_PRUNED = 0.1  # smaller thresholds have so many cells near that all boxes of a class are compared
SLACK = 1.001  # bounds are this much wider, so that rounding loses no pair


@kernel
def cell(level: int, column: int, row: int, mask: int) -> int:
    """Where in the table a cell is; integers overflow as they like."""
    key = level * 7046029254386353131 ^ column * 3935559000370003845 ^ row * 2685821657736338717
    key = (key ^ (key >> 29)) * 1865811235122147685
    return (key >> 24) & mask


@kernel
def reach(side: float, longest: float, t: float) -> float:
    """How far the centre of a box, at most `longest` in this direction, can be from that of one of this side."""
    other = min(side / t, longest)
    if other <= side:
        return SLACK * ((side + other) / 2 - t * side)
    return SLACK * max((1 - t) * side, side / 2 + other * (0.5 - t))


@kernel
def place(x: float, size: float) -> int:
    """The cell in which x lies; all that is far away lies in one."""
    return math.floor(min(max(x / size, -1e12), 1e12))


@kernel
def by_key(keys: np.ndarray) -> np.ndarray:
    """(D,) int64: the stable order of uint32 keys, smallest first. Counts eleven bits at a time."""
    n = len(keys)
    order, other = np.arange(n), np.empty(n, np.int64)
    starts = np.empty(2049, np.int64)
    for shift in (0, 11, 22):
        starts[:] = 0
        for i in range(n):
            starts[((keys[i] >> shift) & 2047) + 1] += 1
        for digit in range(2048):
            starts[digit + 1] += starts[digit]
        for i in range(n):
            digit = (keys[order[i]] >> shift) & 2047
            other[starts[digit]] = order[i]
            starts[digit] += 1
        order, other = other, order
    return order


@kernel
def by_group(groups: np.ndarray, order: np.ndarray, n_groups: int, starts: np.ndarray) -> np.ndarray:
    """(D,) int64: places of `order`, group by group; fills starts (n_groups + 1,), where each group begins."""
    starts[:] = 0
    for i in range(len(order)):
        starts[groups[order[i]] + 1] += 1
    for group in range(n_groups):
        starts[group + 1] += starts[group]
    following = starts[:-1].copy()
    places = np.empty(len(order), np.int64)
    for i in range(len(order)):
        group = groups[order[i]]
        places[following[group]] = i
        following[group] += 1
    return places


@kernel
def overlaps_one(corners: np.ndarray, area: float, others: np.ndarray, n: int, threshold: float) -> bool:
    """Whether a box overlaps one of the first n of `others` (5, D): corners and area, one row each.

    Rows are looked at TOGETHER at a time, so what follows the first n in them must be boxes without area. Written with
    `if` in place of `min` and `max`, which the compiler then turns into instructions for eight numbers.
    """
    x1, y1, x2, y2 = corners[0], corners[1], corners[2], corners[3]
    nothing = area - area
    for begin in range(0, n, TOGETHER):
        end = begin + TOGETHER
        left, top, areas = others[0, begin:end], others[1, begin:end], others[4, begin:end]
        right, bottom = others[2, begin:end], others[3, begin:end]
        found = 0
        for k in range(TOGETHER):
            w = (right[k] if right[k] < x2 else x2) - (left[k] if left[k] > x1 else x1)
            h = (bottom[k] if bottom[k] < y2 else y2) - (top[k] if top[k] > y1 else y1)
            both = (w if w > nothing else nothing) * (h if h > nothing else nothing)
            found += 1 if both / (area + areas[k] - both) > threshold else 0
        if found:
            return True
    return False


@kernel
def overlaps_near(
    corners: np.ndarray, area: float, others: np.ndarray, newest: np.ndarray, older: np.ndarray, threshold: float
) -> bool:
    """The same for those in cells near to it; newest (cells,) and older (D,) are lists of boxes, one a cell."""
    x1, y1, x2, y2 = corners[0], corners[1], corners[2], corners[3]
    wide, high = float(x2 - x1), float(y2 - y1)
    x, y, t = (float(x1) + x2) / 2, (float(y1) + y2) / 2, float(threshold)
    longest = max(wide, high)
    for level in range(math.frexp(longest * t / SLACK)[1], math.frexp(longest / t * SLACK)[1] + 1):
        size = math.ldexp(1.0, level)  # boxes of this level are half as large to as large
        dx, dy = reach(wide, size, t), reach(high, size, t)
        for row in range(place(y - dy, size), place(y + dy, size) + 1):
            for column in range(place(x - dx, size), place(x + dx, size) + 1):
                k = newest[cell(level, column, row, len(newest) - 1)]
                while k >= 0:
                    w = min(x2, others[2, k]) - max(x1, others[0, k])
                    h = min(y2, others[3, k]) - max(y1, others[1, k])
                    if w > 0 and h > 0:
                        both = w * h
                        if both / (area + others[4, k] - both) > threshold:
                            return True
                    k = older[k]
    return False


@kernel
def suppress(
    boxes: np.ndarray, order: np.ndarray, places: np.ndarray, starts: np.ndarray, threshold: float, kept: np.ndarray
) -> None:
    """Set kept (D,), place by place of `order`, the best first.

    Groups are as from `by_group`. The threshold has the dtype of the boxes (D, 4).
    """
    longest = (starts[1:] - starts[:-1]).max()
    others = np.zeros((5, longest + TOGETHER), boxes.dtype)
    older = np.empty(longest, np.int32)
    bits = 4
    while (1 << bits) < 2 * longest:
        bits += 1
    newest = np.empty(1 << bits, np.int32)
    for group in range(len(starts) - 1):
        n = 0
        others[:, : starts[group + 1] - starts[group] + TOGETHER] = 0
        in_cells = starts[group + 1] - starts[group] > FEW and threshold >= LEAST_PRUNED
        if in_cells:
            newest[:] = -1
        for i in range(starts[group], starts[group + 1]):
            corners = boxes[order[places[i]]]
            kept[places[i]] = True
            wide, high = corners[2] - corners[0], corners[3] - corners[1]
            area = wide * high
            if not (wide > 0 and high > 0 and 0 < area < np.inf):
                continue  # nothing, or no number: overlaps no other
            if in_cells and n > FEW:
                found = overlaps_near(corners, area, others, newest, older, threshold)
            else:
                found = overlaps_one(corners, area, others, n, threshold)
            if found:
                kept[places[i]] = False
                continue
            others[:4, n] = corners
            others[4, n] = area
            if in_cells:
                level = math.frexp(float(max(wide, high)))[1]
                size = math.ldexp(1.0, level)
                x, y = (float(corners[0]) + corners[2]) / 2, (float(corners[1]) + corners[3]) / 2
                mine = cell(level, place(x, size), place(y, size), len(newest) - 1)
                older[n], newest[mine] = newest[mine], n
            n += 1
