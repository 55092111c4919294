"""What does a shift of two pixels do to nearest neighbours?

It costs them more than a third of their right answers, although nobody would call it another picture. 1,000 clothes of
the packaged Fashion-MNIST are looked up among 4,000 by the L2 distance of their pixels. Moved by one pixel of 28 to the
right and down, they are classified worse; by two, much worse; by three, right one time in three.

It is not the shift alone. The same pictures were darkened, which leaves every line of them in its place, and covered
with a grey box, until each is as far from its original as its shifted version (or black, which few are before three
pixels): that costs even more. What a change does to a distance says little about what it does to the meaning. So
either pictures are made alike before they are compared, or features are compared that mind such changes less.

    python recipes/classic/shift_by_a_pixel.py
"""

from functools import cache

import numpy as np

from pellucid.classic.neighbours.search import nearest
from pellucid.data.assets import fashion_mini
from pellucid.plots.curves import curves

SHIFTS, MEMORY, QUERIES = (0, 1, 2, 3), 4000, 1000


@cache
def clothes() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return fashion_mini.read()


def shifted(pictures: np.ndarray, pixels: int) -> np.ndarray:
    """Pictures (N, 28, 28) moved to the right and down, black coming in."""
    n = pictures.shape[1]
    return np.pad(pictures, ((0, 0), (pixels, 0), (pixels, 0)))[:, :n, :n]


def lengths(pictures: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum(pictures.reshape(len(pictures), -1) ** 2, axis=1))


def darkened(pictures: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Each picture darkened until it is that far from itself, at most to black."""
    return pictures * (1 - np.minimum(wanted / lengths(pictures), 1))[:, None, None]


def boxed(pictures: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """A grey box over the middle of each picture that grows ring by ring; the last one is mixed in."""
    n = pictures.shape[1]
    ring = np.maximum(*np.meshgrid(*[np.abs(np.arange(n) - (n - 1) / 2)] * 2))  # of each pixel, from the middle
    now = pictures.copy()
    for reach in np.unique(ring):
        grey = np.where(ring == reach, 128.0, now)
        so_far, gain = np.sum((now - pictures) ** 2, axis=(1, 2)), np.sum((grey - now) ** 2, axis=(1, 2))
        part = np.sqrt(np.clip((wanted**2 - so_far) / np.maximum(gain, 1e-9), 0, 1))[:, None, None]
        now = now + part * (grey - now)
    return now


def accuracy(queries: np.ndarray) -> float:
    """Share of pictures (1000, 28, 28) whose nearest one among 4,000 training pictures is of the same class."""
    images, labels = (values[:MEMORY] for values in clothes()["train"])
    _, found = nearest(np.round(queries).astype(np.uint8).reshape(QUERIES, -1), images.reshape(MEMORY, -1), 1)
    return float(np.mean(labels[found[:, 0]] == clothes()["test"][1][:QUERIES]))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Mean distance and accuracy for each shift, and for other changes of the same distances."""
    pictures = clothes()["test"][0][:QUERIES].astype(np.float64)
    found: dict[str, list[float]] = {"shifted": [], "darkened": [], "boxed": []}
    rows = []
    for pixels in SHIFTS:
        moved = shifted(pictures, pixels)
        far = lengths(moved - pictures)
        changed = {"shifted": moved, "darkened": darkened(pictures, far), "boxed": boxed(pictures, far)}
        for name, queries in changed.items():
            found[name].append(accuracy(queries))
        rows.append([f"{pixels} px", f"{far.mean():.0f}", *(f"{found[name][-1]:.1%}" for name in changed)])
    lines = {name: (np.array(SHIFTS), np.array(values)) for name, values in found.items()}
    picture = curves(lines, "Nearest neighbours after a change", "shift in pixels, and changes as far away", "accuracy")
    return ["shift", "mean L2 distance", "shifted", "darkened as far", "boxed as far"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
