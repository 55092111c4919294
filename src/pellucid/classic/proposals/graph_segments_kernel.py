"""Joining pixels to pieces and counting in them by compiled loops; imported only where numba is installed. E edges."""

import numpy as np

from pellucid.ops.compiled import kernel

DIGIT_BITS, DIGITS = 11, 2048  # numbers are sorted by so many bits at a time


@kernel
def lightest_first(bits: np.ndarray) -> np.ndarray:
    """(E,) int64: the stable order of floats that are not negative, given as their bits (uint64): smallest first."""
    n = len(bits)
    order, other = np.arange(n), np.empty(n, np.int64)
    keys, moved = bits.copy(), np.empty(n, np.uint64)
    starts = np.empty(DIGITS, np.int64)
    for low in range(0, 64, DIGIT_BITS):
        shift = np.uint64(low)
        starts[:] = 0
        for i in range(n):
            starts[(keys[i] >> shift) & np.uint64(DIGITS - 1)] += 1
        total = 0
        for digit in range(DIGITS):
            total, starts[digit] = total + starts[digit], total
        for i in range(n):
            which = (keys[i] >> shift) & np.uint64(DIGITS - 1)
            there = starts[which]
            starts[which] = there + 1
            moved[there] = keys[i]
            other[there] = order[i]
        keys, moved = moved, keys
        order, other = other, order
    return order


@kernel
def root(parent: np.ndarray, node: int) -> int:
    """The node that stands for a piece; the way to it is halved for those who ask next."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@kernel
def joined(
    first: np.ndarray, second: np.ndarray, weight: np.ndarray, order: np.ndarray, n: int, scale: float, least: int
) -> np.ndarray:
    """(n,) int64, as `graph_segments.joined`, of edges (E,) that come in this order."""
    parent, size = np.arange(n), np.ones(n, np.int64)
    bears = np.full(n, scale)
    heavy = np.empty((len(order), 2), np.int64)
    n_heavy = 0
    for edge in order:
        a, b, w = root(parent, first[edge]), root(parent, second[edge]), weight[edge]
        if a == b:
            continue
        if w <= bears[a] and w <= bears[b]:
            if size[a] < size[b]:
                a, b = b, a
            parent[b] = a
            size[a] += size[b]
            bears[a] = w + scale / size[a]
        else:
            heavy[n_heavy, 0], heavy[n_heavy, 1] = a, b
            n_heavy += 1
    for i in range(n_heavy):
        a, b = root(parent, heavy[i, 0]), root(parent, heavy[i, 1])
        if a != b and (size[a] < least or size[b] < least):
            if size[a] < size[b]:
                a, b = b, a
            parent[b] = a
            size[a] += size[b]
    for node in range(n):
        parent[node] = root(parent, node)
    return parent


@kernel
def counted(values: np.ndarray, pieces: np.ndarray, counts: np.ndarray) -> None:
    """Add to counts (R, P, bins) how often the values (P, pixels) of a piece, in [0, 1), fall into each of the bins."""
    bins = counts.shape[2]
    for plane in range(len(values)):
        for pixel in range(len(pieces)):
            which = min(max(int(values[plane, pixel] * bins), 0), bins - 1)
            counts[pieces[pixel], plane, which] += 1
