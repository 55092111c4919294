"""Pictures at the same distance from a photograph need not look equally like it.

Shift a photograph by a few pixels, darken it, put a grey box over its middle, or sprinkle noise: with the right
strength all four are at exactly the same L2 distance from the original, and a nearest-neighbour search cannot tell
them apart. We can: the shifted one is the same picture, the one with the box has lost what it showed. A distance
between pixels compares what is at the same place, and knows nothing of what is beside it.

Where the others go depends on the shift: the table sets the strength of every change so that it matches the shift of
its row. Already two pixels of shift are as far as a picture in which much is gone.

(The photograph is china.jpg of scikit-learn, by danielbuechele, CC BY 2.0.)

    python recipes/classic/pixel_distances_fail.py
"""

from collections.abc import Callable

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from pellucid.plots import svg
from pellucid.report.embed import data_uri

SIDE, SHIFTS, DRAWN = 96, (1, 2, 4), 2
Change = Callable[[np.ndarray, float], np.ndarray]


def photograph() -> np.ndarray:
    """(96, 96, 3) float64 in 0..255."""
    square = Image.fromarray(load_sample_image("china.jpg")).crop((100, 20, 500, 420))
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS), dtype=np.float64)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b))


def shifted(picture: np.ndarray, pixels: int) -> np.ndarray:
    """Moved to the right; the left border is repeated."""
    return np.pad(picture, ((0, 0), (pixels, 0), (0, 0)), mode="edge")[:, :SIDE]


def darkened(picture: np.ndarray, strength: float) -> np.ndarray:
    return (1 - strength) * picture


def boxed(picture: np.ndarray, strength: float) -> np.ndarray:
    """A grey box over the middle; its side goes with the strength, the last pixels of its rim are mixed in."""
    place = np.abs(np.arange(SIDE) - (SIDE - 1) / 2)
    reach = np.clip(strength * SIDE / 2 - place + 0.5, 0, 1)
    cover = np.outer(reach, reach)[:, :, None]
    return cover * 128 + (1 - cover) * picture


def sprinkled(picture: np.ndarray, strength: float) -> np.ndarray:
    """Grey noise of one sign a pixel, kept within 0..255."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (SIDE, SIDE, 1))
    return np.clip(picture + 255 * strength * signs, 0, 255)


CHANGES: dict[str, Change] = {"darkened": darkened, "boxed": boxed, "noise": sprinkled}


def strength_for(change: Change, picture: np.ndarray, wanted: float) -> float:
    """The strength in 0..1 at which a change is that far away, by bisection: every change grows with its strength."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if distance(change(picture, middle), picture) < wanted else (low, middle)
    return low


def versions(pixels: int) -> dict[str, tuple[np.ndarray, float]]:
    """Each change with its picture and strength, all of them as far from the photograph as its shift."""
    picture = photograph()
    moved = shifted(picture, pixels)
    found = {"shifted": (moved, float(pixels))}
    for name, change in CHANGES.items():
        strength = strength_for(change, picture, distance(moved, picture))
        found[name] = (change(picture, strength), strength)
    return found


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Distances and strengths for three shifts; the original and the changes of the second one."""
    picture, rows = photograph(), []
    for pixels in SHIFTS:
        for name, (changed, strength) in versions(pixels).items():
            shown = f"{strength:g} px" if name == "shifted" else f"{strength:.0%}"
            rows.append([name, shown, f"{distance(changed, picture):.3f}", f"{np.abs(changed - picture).sum():,.0f}"])
    shown = {"original": picture, **{name: changed for name, (changed, _) in versions(DRAWN).items()}}
    parts = [svg.text(0, 18, "The four changes are equally far from the original", "title")]
    for k, (name, pixels_of) in enumerate(shown.items()):
        image = Image.fromarray(np.round(pixels_of).astype(np.uint8))
        parts.append(svg.image(97 * k, 52, 92, 92, data_uri(image, exact=True), name))
        parts.append(svg.text(97 * k, 44, name, "soft"))
    label = "A photograph, shifted, darkened, with a grey box, with noise: all four at one L2 distance."
    return ["change", "strength", "L2 distance", "L1 distance"], rows, svg.document(480, 148, label, parts)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(14) for cell in row))
