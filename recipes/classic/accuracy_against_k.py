"""How many neighbours, and which distance?

Ask the data, by cross-validation. One neighbour follows every mistake in the training samples, and two do the same:
when they disagree, the nearer one wins. Many neighbours blur the classes into each other. Between lies a broad top;
which k is best there, and which of the two distances, matters less than how far the folds lie apart (the bars).

The search for neighbours is done once for each distance and serves every k and every fold. What was chosen is then
scored once on test pictures, which had no part in the choice; that is the number to report.

    python recipes/classic/accuracy_against_k.py
"""

import numpy as np

from pellucid.classic.neighbours.knn import KNearestNeighbors
from pellucid.data.assets import fashion_mini
from pellucid.plots.classic.error_bars import error_bars
from pellucid.training.selection.candidates import Table, share_right
from pellucid.training.selection.neighbours import cross_validate_neighbours

KS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 50, 100)
DISTANCES = ("l2", "l1")


def pictures(role: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The first n fashion pictures of a role, halved to 14 x 14: (N, 196) uint8, and their classes (N,)."""
    images, labels = (part[:n] for part in fashion_mini.read()[role])
    small = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    return small.reshape(len(small), -1).astype(np.uint8), labels


def validated() -> Table:
    """Every k and distance on the same five folds of 2,000 training pictures."""
    return cross_validate_neighbours(KS, DISTANCES, *pictures("train", 2000))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Accuracy of the five folds for every k, and the test accuracy of the chosen one."""
    table = validated()
    curves = {distance.upper(): table.curve("k", {"distance": distance}) for distance in DISTANCES}
    of = {(row["distance"], row["k"]): f"{row['mean']:.4f} ± {row['std']:.4f}" for row in table.rows()}
    rows = [[str(k), *(of[distance, k] for distance in DISTANCES)] for k in KS]
    best = table.best.settings
    X, y = pictures("test", 1000)
    tested = share_right(y, KNearestNeighbors(**best).fit(*pictures("train", 2000)).predict(X))
    told = [f"{tested:.4f}" if distance == best["distance"] else "–" for distance in DISTANCES]
    rows.append([f"{best['k']}, on test pictures", *told])
    picture = error_bars(curves, "Five-fold accuracy of nearest neighbours", log_x=True)
    return ["k", *(distance.upper() for distance in DISTANCES)], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
