"""How should k and the distance be chosen?

Never by the score on the training samples: with k = 1 every sample is its own nearest neighbour, the accuracy is
exactly 1, and nothing has been said about other samples. And not by the score on the test samples: it is measured on
few of them and so is partly luck, the best of 12 candidates is the luckiest, and what it scored is believed although it
will not be seen again. Both are wrong for the same reason: the number that chose is no longer a measurement.

Two ways are sound. Set a part of the training samples apart and choose there; or let each of five parts be the one
that is set apart, once each, and choose by the mean (cross-validation: five times the work, a steadier choice, for
little data). Then look at the test samples a single time. In the table, means over 20 draws of 300 training and 40
test pictures, one label in five drawn anew by lot: what each way believed, and what 1,000 fresh pictures said. The
sound ways miss the truth to either side, and by little on average; the wrong ones believe too much.

    python recipes/classic/choosing_hyperparameters.py
"""

import numpy as np

from pellucid.classic.neighbours.knn import KNearestNeighbors
from pellucid.data.assets import fashion_mini
from pellucid.plots.bars import bars
from pellucid.training.selection.four_ways import WAYS, Way, four_ways

GRID = {"k": [25, 15, 9, 5, 3, 1], "distance": ["l2", "l1"]}  # smooth ones first: they win ties
SIZES = {"train": 300, "test": 40, "fresh": 1000}
DRAWS, WRONG_LABELS = 20, 0.2


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Fashion pictures of 7 x 7 pixels, (N, 49) uint8, and their classes (N,)."""
    images, labels = fashion_mini.read()["train"]
    small = images.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4))
    return small.reshape(len(small), -1).astype(np.uint8), labels


def draw(X: np.ndarray, y: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Samples to train on, to test on, and fresh ones; some labels are wrong in all of them."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(X))[: sum(SIZES.values())]
    noisy = np.where(rng.random(len(rows)) < WRONG_LABELS, rng.integers(0, 10, len(rows)), y[rows])
    ends = np.cumsum(list(SIZES.values()))[:-1]
    return list(zip(np.split(X[rows], ends), np.split(noisy, ends), strict=True))


def choices(draws: int = DRAWS) -> dict[str, list[Way]]:
    """Way -> what it did on each draw."""
    X, y = pictures()
    found: dict[str, list[Way]] = {name: [] for name in WAYS}
    for seed in range(draws):
        train, test, fresh = draw(X, y, seed)
        for way in four_ways(KNearestNeighbors, GRID, train, test, fresh, seed=seed):
            found[way.name].append(way)
    return found


def experiment() -> tuple[list[str], list[list[str]], str]:
    """What each way chose, believed and got."""
    rows, means = [], {"believed": [], "on fresh pictures": []}
    for name, ways in choices().items():
        believed, fresh = (np.array([getattr(way, which) for way in ways]) for which in ("believed", "fresh"))
        gap, ks = believed - fresh, [way.settings["k"] for way in ways]
        error = gap.std(ddof=1) / np.sqrt(len(gap))
        cells = [f"{believed.mean():.3f}", f"{fresh.mean():.3f}", f"{gap.mean():+.3f} ± {error:.3f}"]
        rows.append([name, "sound" if ways[0].is_sound else "wrong", f"{np.median(ks):g}", *cells])
        means["believed"].append(believed.mean())
        means["on fresh pictures"].append(fresh.mean())
    labels = [f"{row[0]} ({row[1]})" for row in rows]
    picture = bars(means, labels, "Accuracy that each way believed, and what it was", top=1.0)
    return ["chosen by", "", "median k", "believed", "on fresh pictures", "believed too much"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
    X, y = pictures()
    for way in four_ways(KNearestNeighbors, GRID, *draw(X, y, 0)):
        print(way.verdict.sentence())
