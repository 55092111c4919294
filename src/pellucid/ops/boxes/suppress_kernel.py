"""Greedy suppression as a compiled loop; imported only where numba is installed. Letters: D boxes, best first.

A box whose IoU with another exceeds t is at most 1 / t times as wide and as high, and its centre is near. So kept
boxes are put into cells by size and place, and a box is compared with those of a few cells only. Cells are looked up
in a table by a hash; what falls together by chance costs a comparison and changes nothing.
"""

import math

import numpy as np

from pellucid.ops.compiled import kernel

DIGITS = 2048  # of the numbers that are sorted by: eleven bits each
FEW = 512  # boxes up to which all are compared, eight at a time
TOGETHER = 16  # comparisons without looking at the outcome, so that they can be done at a time
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
def by_score(bits: np.ndarray) -> np.ndarray:
    """(D,) int64: the stable order of float32 numbers, given as their bits (uint32): largest first, NaN last.

    A key in the upper and the place in the lower half of a number are moved together, by eleven bits at a time.
    """
    n = len(bits)
    starts = np.zeros((3, DIGITS), np.int64)
    these, those = np.empty(n, np.uint64), np.empty(n, np.uint64)
    for i in range(n):
        each = bits[i]
        if each & np.uint32(0x7FFFFFFF) > np.uint32(0x7F800000):
            key = np.uint32(0xFFFFFFFF)  # NaN
        elif each == np.uint32(0x80000000):
            key = np.uint32(0x7FFFFFFF)  # -0 is 0
        elif each >> np.uint32(31):
            key = each  # the more negative, the larger the bits
        else:
            key = each ^ np.uint32(0x7FFFFFFF)
        starts[0, key & np.uint32(DIGITS - 1)] += 1
        starts[1, (key >> np.uint32(11)) & np.uint32(DIGITS - 1)] += 1
        starts[2, key >> np.uint32(22)] += 1
        these[i] = (np.uint64(key) << np.uint64(32)) | np.uint64(i)
    for turn in range(3):
        total = 0
        for digit in range(DIGITS):
            total, starts[turn, digit] = total + starts[turn, digit], total
        shift = np.uint64(32 + 11 * turn)
        for i in range(n):
            which = (these[i] >> shift) & np.uint64(DIGITS - 1)
            those[starts[turn, which]] = these[i]
            starts[turn, which] += 1
        these, those = those, these
    return (these & np.uint64(0xFFFFFFFF)).astype(np.int64)


@kernel
def by_group(
    boxes: np.ndarray, groups: np.ndarray, order: np.ndarray, n_groups: int, starts: np.ndarray, grouped: np.ndarray
) -> np.ndarray:
    """(D,) int64: places of `order`, group by group.

    Fills starts (n_groups + 1,), where each group begins, and grouped (D, 4), the boxes at those places.
    """
    starts[:] = 0
    for i in range(len(order)):
        starts[groups[i] + 1] += 1
    for group in range(n_groups):
        starts[group + 1] += starts[group]
    following = starts[:-1].copy()
    places = np.empty(len(order), np.int64)
    for i in range(len(order)):
        k = order[i]
        group = groups[k]
        here = following[group]
        following[group] = here + 1
        places[here] = i
        grouped[here, 0], grouped[here, 1] = boxes[k, 0], boxes[k, 1]
        grouped[here, 2], grouped[here, 3] = boxes[k, 2], boxes[k, 3]
    return places


@kernel
def overlaps_one(corners: np.ndarray, area: float, others: np.ndarray, n: int, threshold: float) -> bool:
    """Whether a box overlaps one of the first n of `others` (blocks, 5, TOGETHER): corners and area, one row each.

    A block is looked at as a whole, so what follows the first n in it must be boxes without area. Written with `if` in
    place of `min` and `max`, which the compiler then turns into instructions for eight numbers. As rounding keeps
    order, x / y > t can be true only where x >= t * y: divisions, which are slow, are left for blocks that have such.
    """
    x1, y1, x2, y2 = corners[0], corners[1], corners[2], corners[3]
    nothing = area - area
    for block in range((n + TOGETHER - 1) // TOGETHER):
        part = others[block]
        left, top, right, bottom, areas = part[0], part[1], part[2], part[3], part[4]
        found = np.int32(0)
        for k in range(TOGETHER):
            w = (right[k] if right[k] < x2 else x2) - (left[k] if left[k] > x1 else x1)
            h = (bottom[k] if bottom[k] < y2 else y2) - (top[k] if top[k] > y1 else y1)
            both = (w if w > nothing else nothing) * (h if h > nothing else nothing)
            found |= np.int32(both >= threshold * (area + areas[k] - both))
        if not found:
            continue
        found = np.int32(0)
        for k in range(TOGETHER):
            w = (right[k] if right[k] < x2 else x2) - (left[k] if left[k] > x1 else x1)
            h = (bottom[k] if bottom[k] < y2 else y2) - (top[k] if top[k] > y1 else y1)
            both = (w if w > nothing else nothing) * (h if h > nothing else nothing)
            found |= np.int32(both / (area + areas[k] - both) > threshold)
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
                    block, slot = k // TOGETHER, k % TOGETHER
                    w = min(x2, others[block, 2, slot]) - max(x1, others[block, 0, slot])
                    h = min(y2, others[block, 3, slot]) - max(y1, others[block, 1, slot])
                    if w > 0 and h > 0:
                        both = w * h
                        if both / (area + others[block, 4, slot] - both) > threshold:
                            return True
                    k = older[k]
    return False


@kernel
def suppress(grouped: np.ndarray, places: np.ndarray, starts: np.ndarray, threshold: float, kept: np.ndarray) -> None:
    """Set kept (D,), place by place in the order of scores, the best first.

    What comes first is as from `by_group`. The threshold has the dtype of the boxes.
    """
    longest = (starts[1:] - starts[:-1]).max()
    others = np.empty((longest // TOGETHER + 1, 5, TOGETHER), grouped.dtype)
    older = np.empty(longest, np.int32)
    bits = 4
    while (1 << bits) < 2 * longest:
        bits += 1
    newest = np.empty(1 << bits, np.int32)
    for group in range(len(starts) - 1):
        n = 0
        in_cells = starts[group + 1] - starts[group] > FEW and threshold >= LEAST_PRUNED
        if in_cells:
            newest[:] = -1
        for i in range(starts[group], starts[group + 1]):
            corners = grouped[i]
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
            block, slot = n // TOGETHER, n % TOGETHER
            if slot == 0:
                others[block] = 0
            others[block, :4, slot] = corners
            others[block, 4, slot] = area
            if in_cells:
                level = math.frexp(float(max(wide, high)))[1]
                size = math.ldexp(1.0, level)
                x, y = (float(corners[0]) + corners[2]) / 2, (float(corners[1]) + corners[3]) / 2
                mine = cell(level, place(x, size), place(y, size), len(newest) - 1)
                older[n], newest[mine] = newest[mine], n
            n += 1
