"""L1 depends on where the axes point, L2 does not.

Turn the axes and nothing happens to the points, only to their coordinates. L2 adds squares, and Pythagoras does not
mind the axes; L1 adds sizes along the axes themselves. The vector (1, 0) keeps its L2 length at any angle, and is up
to √2 long under L1. The neighbours follow: under L1 some points get another nearest neighbour and so another class.

So L1 is for inputs whose single entries mean something, the age and the income of a person; where entries are just
one of many bases, L2 does not care which. The table counts how many of 2,000 points change their class when the axes
are turned. Each panel shows the classes in the unturned plane: the second is the first one computed in turned axes.

    python recipes/classic/axis_dependence.py
"""

import numpy as np

from pellucid.plots import svg

ANGLES = (0, 15, 30, 45)
PLACES, SIDE = 50, 150.0  # of a panel: cells along a side, pixels


def turned(points: np.ndarray, angle_deg: float) -> np.ndarray:
    """Points (N, 2) in axes that are turned by so much."""
    c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    return points @ np.array([[c, s], [-s, c]])


def length(vector: np.ndarray, norm: str) -> float:
    return float(np.linalg.norm(vector, ord={"L1": 1, "L2": 2}[norm]))


def memory() -> tuple[np.ndarray, np.ndarray]:
    """60 points (N, 2) of three classes that overlap."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    angle = 2 * np.pi * y / 3
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(0, 0.7, (60, 2)), y


def classes(queries: np.ndarray, angle_deg: float, norm: str) -> np.ndarray:
    """The class of the nearest point in memory, measured in turned axes."""
    points, y = memory()
    differences = turned(queries, angle_deg)[:, None] - turned(points, angle_deg)  # (N, M, 2)
    sizes = np.abs(differences) if norm == "L1" else differences**2
    return y[sizes.sum(axis=2).argmin(axis=1)]


def panel(left: float, angle_deg: float, norm: str) -> list[str]:
    """The plane, coloured by class, and the points in memory."""
    grid = (np.arange(PLACES) + 0.5) * 4 / PLACES - 2
    x, y = np.meshgrid(grid, grid)
    found = classes(np.stack([x.ravel(), y.ravel()], axis=1), angle_deg, norm).reshape(x.shape)
    parts, cell = [], SIDE / PLACES
    for row, line in enumerate(found):
        starts = np.flatnonzero(np.diff(line, prepend=-1))
        for start, stop in zip(starts, [*starts[1:], PLACES], strict=True):
            top = 52 + SIDE - (row + 1) * cell
            parts.append(svg.rect(left + start * cell, top, (stop - start) * cell, cell, f"f{line[start] + 1} pale"))
    for point, label in zip(*memory(), strict=True):
        if np.abs(point).max() < 2:
            at = left + (point[0] + 2) / 4 * SIDE, 52 + SIDE - (point[1] + 2) / 4 * SIDE
            parts.append(svg.circle(*at, 2.5, f"f{label + 1}"))
    return [*parts, svg.text(left, 44, f"{norm}, axes turned by {angle_deg:g}°" if angle_deg else norm, "soft")]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Length of (1, 0) and classes that change, for each angle of the axes."""
    queries = np.random.default_rng(1).uniform(-2, 2, (2000, 2))
    rows = []
    for angle in ANGLES:
        lengths = [length(turned(np.array([[1.0, 0.0]]), angle)[0], norm) for norm in ("L1", "L2")]
        changed = [np.mean(classes(queries, angle, norm) != classes(queries, 0, norm)) for norm in ("L1", "L2")]
        rows.append([f"{angle}°", *(f"{number:.6f}" for number in lengths), *(f"{share:.1%}" for share in changed)])
    parts = [svg.text(0, 18, "Class of the nearest point", "title"), *panel(0, 0, "L1")]
    parts += [*panel(162, 45, "L1"), *panel(324, 0, "L2")]
    spoken = "Under L1 the borders between classes move when the axes are turned by 45 degrees."
    header = ["axes turned by", "L1 of (1, 0)", "L2 of (1, 0)", "classes changed, L1", "classes changed, L2"]
    return header, rows, svg.document(480, 206, spoken, parts)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
