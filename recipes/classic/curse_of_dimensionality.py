"""Why do nearest neighbours need so many samples?

To have a sample in every quarter of a side takes 4 samples on a line, 4 · 4 = 16 in a square, 64 in a cube, and 4^d in
d dimensions. A small picture has hundreds or thousands of dimensions, so its neighbourhood is always empty.

Two more ways to see it, with 1,000 points spread evenly in a cube. The one per cent of the points that are around a
query fill a cube of side 0.01^(1/d): in 100 dimensions that is nearly the whole range of every coordinate, and not
near in any sense. And distances grow alike: the nearest point is almost as far away as the farthest, so which one is
the nearest says little. (Real pictures lie close to something with fewer dimensions, which is why neighbours work on
them at all.)

    python recipes/classic/curse_of_dimensionality.py
"""

import numpy as np

from pellucid.plots.curves import curves

DIMENSIONS = (1, 2, 3, 10, 100, 784)
POINTS, QUERIES, BINS = 1000, 100, 80


def samples_for_density(d: int, per_side: int = 4) -> int:
    """Samples that put one into each cell of a grid with so many cells along each side."""
    return per_side**d


def distances(d: int, seed: int = 0) -> np.ndarray:
    """L2 distances (queries, points) between points spread evenly in the unit cube."""
    rng = np.random.default_rng(seed)
    points, queries = rng.random((POINTS, d)), rng.random((QUERIES, d))
    return np.stack([np.linalg.norm(points - query, axis=1) for query in queries])


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Samples for a density, side of a neighbourhood, nearest against farthest; how distances spread."""
    rows, lines = [], {}
    for d in DIMENSIONS:
        far = distances(d)
        nearest, farthest = far.min(axis=1).mean(), far.max(axis=1).mean()
        samples = samples_for_density(d)
        shown = f"{samples:,}" if d <= 10 else f"4^{d}"
        rows.append([str(d), shown, f"{0.01 ** (1 / d):.3f}", f"{nearest:.3f}", f"{nearest / farthest:.3f}"])
        if d in (1, 3, 100, 784):
            counts, edges = np.histogram(far / far.mean(), bins=BINS, range=(0, 2.5))
            lines[f"d = {d}"] = ((edges[:-1] + edges[1:]) / 2, counts / counts.max())
    title = "Distances between random points"
    picture = curves(lines, title, "distance / mean distance", "frequency, most = 1")
    return ["d", "samples for the same density", "side of 1 %", "nearest", "nearest / farthest"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(28) for cell in row))
