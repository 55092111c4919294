"""What do k and the distance do to the decision regions?

With one neighbour every sample has land of its own, wrong ones too: islands. With more neighbours an island needs a
majority of islanders, so islands vanish, the borders become smoother and the regions fewer. Where the votes are tied
there is no majority: such places are coded -1 and left white. One neighbour is never tied; as soon as several vote,
white seams run where classes meet.

The distance changes the form of the borders: for L2 they run along straight lines, half-way between two samples; for L1
they are bent, in stretches along the axes and the diagonals. The table counts connected regions on a grid of 80 x 80
places, the white ones left out: means over eight draws of 90 samples.

    python recipes/classic/decision_regions.py
"""

from collections.abc import Callable

import numpy as np

from pellucid.classic.neighbours.search import nearest
from pellucid.classic.neighbours.vote import vote
from pellucid.plots.classic.regions import UNDECIDED, around, class_map, majority, regions
from pellucid.scratch.nets.decision_regions import region_count

KS, DISTANCES, PLACES, DRAWS = (1, 3, 5, 9, 15), ("l1", "l2"), 80, 8


def samples(seed: int = 1, n: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Three overlapping clouds (n, 2) in turn, one label in ten wrong, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    X = rng.normal(size=(n, 2)) * 0.75 + np.array([[0.0, 1.2], [-1.1, -0.6], [1.1, -0.6]])[y]
    return X, np.where(rng.random(n) < 0.1, rng.integers(0, 3, n), y)


def classifier(k: int, distance: str, seed: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    """Points -> the majority of the k nearest samples, or -1."""
    X, y = samples(seed)

    def predict(points: np.ndarray) -> np.ndarray:
        _, indices = nearest(points, X, k, distance)
        return majority(vote(y[indices], 3)[1])

    return predict


def measures(k: int, distance: str, seed: int) -> tuple[int, float]:
    """Connected regions, the undecided ones left out, and the share of undecided places."""
    box = around(samples(seed)[0])
    classes = class_map(classifier(k, distance, seed), box, PLACES).ravel()
    white = classes == UNDECIDED
    apart = np.where(white, -1 - np.arange(len(classes)), classes)  # each white place a region of its own
    return region_count(lambda points: apart, box, PLACES) - int(white.sum()), float(white.mean())


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Regions and undecided places for each k and distance."""
    rows = []
    for k in KS:
        cells = [np.mean([measures(k, each, seed) for seed in range(DRAWS)], axis=0) for each in DISTANCES]
        rows.append([str(k), *(f"{count:.1f}" for count, _ in cells), *(f"{white:.3f}" for _, white in cells)])
    panels = {f"k = {k}, {name.upper()}": classifier(k, name) for name in DISTANCES for k in (1, 5, 15)}
    picture = regions(panels, *samples(), title="Whose land is it? White: nobody's, the votes are tied")
    return ["k", "regions, L1", "regions, L2", "undecided, L1", "undecided, L2"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(14) for cell in row))
