"""How can a squared distance be negative?

By rounding. All distances between two sets of points come fastest from one matrix product, |a - b|² = |a|² - 2 ab +
|b|². Between equal points the three terms are large and should cancel exactly; each is rounded, and what is left is a
little more or a little less than 0. The root of less is not a number, and a NaN among distances is neither near nor
far: what an argmin makes of it is chance.

The table takes 200 random points of 3,072 numbers and their distances from themselves, all of which should be 0. In
float32 about a third are NaN. A maximum with 0 before the root cures that, although not the rounding: some points
keep a distance of a few hundredths from themselves. Where that matters, as for duplicates, look for candidates with
the product and then subtract them; float64 makes it smaller, and cannot rule it out.

    python recipes/classic/distances_in_one_product.py
"""

import numpy as np

from pellucid.plots.curves import curves

POINTS, NUMBERS = 200, 3072


def squares(points: np.ndarray) -> np.ndarray:
    """|a - b|² (N, N) of all pairs, by one product; may be a little below 0."""
    own = np.sum(points**2, axis=1)
    return -2 * points @ points.T + own[:, None] + own


def points_of(kind: str) -> np.ndarray:
    return np.random.default_rng(0).random((POINTS, NUMBERS)).astype(kind)


def from_themselves(kind: str, way: str) -> np.ndarray:
    """Distances (N,) of points from themselves."""
    points = points_of(kind)
    if way == "subtracted":
        return np.linalg.norm(points - points.copy(), axis=1)
    own = np.diag(squares(points))
    with np.errstate(invalid="ignore"):
        return np.sqrt(own if way == "product" else np.maximum(own, 0))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """NaN among the distances, and the largest of the others; should be 0 both."""
    rows = []
    for kind in ("float32", "float64"):
        for way in ("product", "product, clamped at 0", "subtracted"):
            found = from_themselves(kind, way)
            nan = int(np.isnan(found).sum())
            rows.append([way, kind, f"{nan} of {POINTS}", f"{np.nanmax(found):.2g}"])
    left = np.sort(np.diag(squares(points_of("float32"))))
    lines = {"float32": (np.arange(1, POINTS + 1), left), "exact": (np.array([1, POINTS]), np.zeros(2))}
    picture = curves(lines, "Squared distance of each point from itself", "rank", "|a|² - 2 aa + |a|²")
    return ["distances", "numbers", "NaN", "largest other"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(22) for cell in row))
