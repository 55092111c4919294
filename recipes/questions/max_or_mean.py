"""Why is max pooling often better than mean pooling?

It depends on what is looked for. A unit that detects something fires strongly at the few places where it is, and is
silent elsewhere. The maximum keeps "it is here, this strongly", however large the window; the mean divides it by all
the silent places. If on the other hand a weak signal is spread over the whole window, the mean adds it up and averages
the noise away, while the maximum picks the largest noise.

The table spreads signals over more and more of 64 places in noise, equally strong for the mean of a map, and asks how
often a map with a signal scores above one without. The mean finds all of them equally well. Max is far better where
the signal sits in one to four places, and worse from eight on. Detectors in nets tend to be sparse; at the end of a
net, where means over whole maps are usual, a class leaves its mark on many places.

    python recipes/questions/max_or_mean.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.pooling.average import average_pool_forward
from pellucid.scratch.pooling.max import max_pool_forward_fast

SIDE, MAPS, TOTAL = 8, 2000, 8.0
POOL = {"pool_height": SIDE, "pool_width": SIDE, "stride": SIDE}


def maps(places: int, rng: np.random.Generator) -> np.ndarray:
    """Maps (N, 1, 8, 8) of noise in which so many places, drawn at random, share a signal of 8."""
    x = rng.standard_normal((MAPS, SIDE * SIDE))
    if places:
        order = rng.random(x.shape).argsort(axis=1)
        x += np.where(order < places, TOTAL / places, 0.0)
    return x.reshape(MAPS, 1, SIDE, SIDE)


def right(with_signal: np.ndarray, without: np.ndarray) -> float:
    """How often a map with a signal scores above one without: the area under the ROC curve."""
    scores = np.concatenate([with_signal.ravel(), without.ravel()])
    ranks = scores.argsort().argsort() + 1
    n = len(with_signal)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(without)))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Both poolings for signals from one place to all of them."""
    rng = np.random.default_rng(0)
    noise, rows, shares = maps(0, rng), [], {"max": [], "mean": []}
    numbers = (1, 2, 4, 8, 16, 32, 64)
    for places in numbers:
        signal = maps(places, rng)
        for name, pool in (("max", max_pool_forward_fast), ("mean", average_pool_forward)):
            shares[name].append(right(pool(signal, POOL)[0], pool(noise, POOL)[0]))
        both = (f"{values[-1]:.3f}" for values in shares.values())
        rows.append([str(places), f"{TOTAL / places:g}", *both])
    lines = {name: (np.log2(numbers), values) for name, values in shares.items()}
    picture = curves(lines, "Who finds the signal?", "log2 of the places it is spread over", "share found")
    return ["places of 64", "signal at each", "max pooling", "mean pooling"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
