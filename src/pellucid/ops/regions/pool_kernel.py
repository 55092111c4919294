"""The largest value of every bin as a compiled loop; imported only where numba is installed.

Letters: P rows of C channels (the places of all maps), R regions of p x q bins.
"""

import numpy as np

from pellucid.ops.compiled import kernel


@kernel
def largest(
    rows: np.ndarray,
    base: np.ndarray,
    top: np.ndarray,
    bottom: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    width: int,
    values: np.ndarray,
    places: np.ndarray,
    begin: int,
    end: int,
) -> None:
    """Fill regions begin..end of values and places (R, p, q, C) from rows (P, C): the first of equal ones, no NaN.

    base (R,) is the first row of a region's picture; top and bottom are (R, p), left and right (R, q). Written without
    `if` in the innermost loop, which the compiler then turns into instructions for eight channels.
    """
    C = rows.shape[1]
    for r in range(begin, end):
        for i in range(top.shape[1]):
            for j in range(left.shape[1]):
                best, where = values[r, i, j], places[r, i, j]
                best[:] = -np.inf
                where[:] = 0
                for y in range(top[r, i], bottom[r, i]):
                    for x in range(left[r, j], right[r, j]):
                        place = np.int32(base[r] + y * width + x)
                        row = rows[place]
                        for c in range(C):
                            better = row[c] > best[c]
                            best[c] = row[c] if better else best[c]
                            where[c] = place if better else where[c]
