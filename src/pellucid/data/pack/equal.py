"""Which pictures are the same to the bit."""

import numpy as np

# N pictures, D bytes of each, W words of eight bytes

CHUNK = 1 << 22  # bytes hashed at a time, so that they still lie in the cache
SEED = 20_180_909  # of the multipliers; the result does not depend on it


def first_equal(images: np.ndarray) -> np.ndarray:
    """(N,) int64: for each picture the first row that has the same bytes; its own row when there is none before it.

    A sum of words times fixed random odd numbers sorts out what differs; what has the same sum is compared byte by
    byte. Pictures of one colour are never called equal to another: two blank pages are no copy of one photo.

    Args:
        images: (N, ...) uint8.
    """
    n = len(images)
    first = np.arange(n)
    if n < 2:
        return first
    sums, varied = _sums(images)
    order = np.argsort(sums, kind="stable")
    same = np.flatnonzero((sums[order][1:] == sums[order][:-1]) & varied[order][1:])
    for position in same.tolist():
        before, row = int(order[position]), int(order[position + 1])
        if np.array_equal(images[before], images[row]):
            first[row] = first[before]
    return first


def _sums(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) uint64 that are equal for equal pictures, and (N,) bool: whether a picture has more than one value."""
    n, size = len(images), int(np.prod(images.shape[1:]))
    words = -(-size // 8)
    factors = np.random.default_rng(SEED).integers(0, 2**64, words, dtype=np.uint64) | np.uint64(1)
    sums, varied = np.empty(n, np.uint64), np.empty(n, bool)
    step = max(1, CHUNK // max(size, 1))
    for start in range(0, n, step):
        block = np.ascontiguousarray(images[start : start + step]).reshape(-1, size)
        varied[start : start + step] = (block != block[:, :1]).any(axis=1)
        padded = block if size % 8 == 0 else np.pad(block, ((0, 0), (0, -size % 8)))
        values = np.ascontiguousarray(padded).view(np.uint64)
        mixed = values ^ (values >> np.uint64(29))  # else the high bytes of a word would count for little
        sums[start : start + step] = (mixed * factors).sum(axis=1)
    return sums, varied
