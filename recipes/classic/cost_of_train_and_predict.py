"""What do nearest neighbours cost to train, and what to ask?

Training only keeps the samples and sorts their labels: no arithmetic on pixels, however many there are. Asking looks
at every one of them: the multiply-adds grow in proportion, and the time nearly so. That is the wrong way round. A
classifier is trained once and asked for ever, so a model that learns slowly and answers quickly is worth more; a
linear classifier on the same pictures needs one product with its ten templates, whatever it was trained on.

The counts in the table follow from the sizes, and the script checks the search against them: it asks a distance of its
own and counts the calls. The picture shows processor time to predict one picture by the quick search, which scores as
many pairs by one product, measured when it was made. Both axes are logarithmic, so that cost in proportion is a line
of slope 1.

    python recipes/classic/cost_of_train_and_predict.py
"""

import time

import numpy as np

from pellucid.classic.neighbours.knn import KNearestNeighbors
from pellucid.classic.neighbours.search import nearest
from pellucid.plots.curves import curves

SIZES = (10_000, 20_000, 40_000, 80_000, 160_000)
QUERIES, LENGTH, CLASSES = 500, 784, 10


def samples(n: int) -> tuple[np.ndarray, np.ndarray]:
    """As many random rows of the length of a small picture, and random classes: cost does not depend on them."""
    rng = np.random.default_rng(n)
    return rng.integers(0, 256, (n, LENGTH), dtype=np.uint8), rng.integers(0, CLASSES, n)


def counted_distances(n: int) -> int:
    """How many distances the search asks for to answer one query among n samples, counted one by one."""
    calls = 0

    def distance(a: float, b: float) -> float:
        nonlocal calls
        calls += 1
        return abs(a - b)

    nearest([0.5], np.arange(float(n)), 1, distance)
    return calls


def seconds(n: int, repeats: int = 3) -> tuple[float, float]:
    """Processor time to fit n samples and to predict QUERIES, the best of a few."""
    X, y = samples(n)
    Q, _ = samples(QUERIES)
    fits, predictions = [], []
    for _ in range(repeats):
        start = time.process_time()
        classifier = KNearestNeighbors(k=5).fit(X, y)
        middle = time.process_time()
        classifier.predict(Q)
        fits.append(middle - start)
        predictions.append(time.process_time() - middle)
    return min(fits), min(predictions)


def slope(sizes: np.ndarray, costs: np.ndarray) -> float:
    """Of the line through the logarithms: 1 is in proportion, 0 is constant."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Work to train and to predict one picture, for training sets of growing size; the picture is of the time."""
    rows = []
    for n in SIZES:
        distances = counted_distances(n)
        rows.append([f"{n:,}", "0", f"{distances:,}", f"{distances * LENGTH:,}", f"{CLASSES * LENGTH:,}"])
    times = np.array([seconds(n) for n in SIZES])
    per_query = 1e6 * times[:, 1] / QUERIES
    grows = slope(np.array(SIZES), per_query)
    lines = {
        "predict one picture": (np.log10(SIZES), per_query),
        "in proportion": (np.log10(SIZES), per_query[-1] * np.array(SIZES) / SIZES[-1]),
    }
    title = f"Time to predict: slope {grows:.1f}"
    picture = curves(lines, title, "training samples, log10", "µs", log_y=True)
    header = [
        "training samples",
        "multiply-adds to train",
        "distances for one picture",
        "multiply-adds for one picture",
        "linear classifier",
    ]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(29) for cell in row))
    found = [seconds(n) for n in SIZES]
    print(f"seconds to fit {[round(fit, 4) for fit, _ in found]}, to predict {[round(asked, 3) for _, asked in found]}")
    print(f"slope of predict {slope(np.array(SIZES), np.array([asked for _, asked in found])):.2f}")
