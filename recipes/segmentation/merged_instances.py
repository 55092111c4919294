"""A class for every pixel does not say how many things there are.

Two cows that touch are one region of cow. The class map below is no network's: it is the truth, so nothing can be
learned that would mend it. Things are counted the only way a class map allows, as pieces that hang together. Where two
of one class touch, one is missed. Where a thing is seen in several pieces, because another stands before it or because
it is made so, as a sandal of straps is, too many are counted.

Counted in 100 generated scenes of 128 x 128 pixels of each difficulty, once with the ten classes of clothes, where
neighbours seldom are of one class, and once as if there were one class, as there is of cells, cows or cars. The
numbers of pieces and of things may agree and still be wrong, as the two errors cancel; so the things are followed one
by one. What tells them apart is a map of instances, which detectors with masks learn.

    python recipes/segmentation/merged_instances.py
"""

from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

from pellucid.data.scenes import Scene, stream
from pellucid.data.scenes.labels import semantic_mask
from pellucid.ops.edges.components import connected_components
from pellucid.plots import svg
from pellucid.plots.overlay import overlay_mask
from pellucid.plots.palette import palette
from pellucid.report.embed import data_uri

N, SIDE, TILE = 100, 128, 116
DIFFICULTIES = ("easy", "medium", "hard")


@dataclass
class Count:
    """Things that are seen, pieces of a class map, things that share a piece, and things in several pieces."""

    things: int = 0
    pieces: int = 0
    merged: int = 0
    split: int = 0

    def __iadd__(self, other: "Count") -> "Count":
        self.things, self.pieces = self.things + other.things, self.pieces + other.pieces
        self.merged, self.split = self.merged + other.merged, self.split + other.split
        return self


def pieces(classes: np.ndarray) -> np.ndarray:
    """(H, W): which piece of one class a pixel belongs to, counted from 1; 0 is background."""
    found, before = np.zeros(classes.shape, dtype=np.int64), 0
    for k in np.unique(classes[classes > 0]):
        own = connected_components(classes == k)
        found += np.where(own > 0, own + before, 0)
        before += int(own.max())
    return found


def count(classes: np.ndarray, instances: np.ndarray) -> Count:
    """How the pieces of a class map and the things in it belong together."""
    parts = pieces(classes)
    pairs = np.unique(np.stack([parts, instances])[:, instances > 0], axis=1)  # (2, pairs of a piece and a thing)
    things_of_piece = np.bincount(pairs[0])
    pieces_of_thing = np.bincount(pairs[1])
    crowded = np.isin(pairs[0], np.flatnonzero(things_of_piece > 1))
    return Count(
        things=len(np.unique(pairs[1])),
        pieces=int(parts.max()),
        merged=len(np.unique(pairs[1][crowded])),
        split=int((pieces_of_thing > 1).sum()),
    )


def scenes(difficulty: str) -> list[Scene]:
    return list(islice(stream(SIDE, difficulty, "fashion", "test"), N))


def example(found: list[Scene]) -> Scene:
    """Of the scenes with three or four things, the first in which two of one class share a piece."""
    for scene in found:
        counted = count(semantic_mask(scene), scene.instances)
        if counted.merged == 2 and 3 <= counted.things <= 4 and counted.split == 0:
            return scene
    return found[0]


def picture(scene: Scene) -> str:
    """The scene, its classes, their pieces, and its things."""
    classes = semantic_mask(scene)
    parts, colours = pieces(classes), palette(12)
    things = len(np.unique(scene.instances[scene.instances > 0]))
    maps = {"scene": None, "classes": classes, f"{parts.max()} pieces": parts, f"{things} things": scene.instances}
    drawn = [svg.text(0, 18, "The true class of every pixel does not count things", "title")]
    for k, (name, each) in enumerate(maps.items()):
        image = Image.fromarray(scene.image)
        if each is not None:
            image = overlay_mask(image.convert("L"), each.astype(np.int64), colours, alpha=0.75, clear=(0,))
        drawn.append(svg.text(121 * k, 44, name, "soft"))
        drawn.append(svg.image(121 * k, 52, TILE, TILE, data_uri(image, exact=True), name))
    label = f"A scene of {things} things, whose class map has {parts.max()} pieces, as two of one class touch."
    return svg.document(480, 172, label, drawn)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Things, pieces, and how they fail to be each other's."""
    rows, shown = [], None
    for difficulty in DIFFICULTIES:
        found = scenes(difficulty)
        shown = example(found) if difficulty == "medium" else shown
        for kind in ("ten classes", "one class"):
            total = Count()
            for scene in found:
                classes = semantic_mask(scene)
                total += count(classes if kind == "ten classes" else np.sign(classes), scene.instances)
            shares = [f"{number / total.things:.1%}" for number in (total.merged, total.split)]
            rows.append([difficulty, kind, f"{total.things:,}", f"{total.pieces:,}", *shares])
    assert shown is not None
    return ["scenes", "map of", "things", "pieces", "things merged", "things in several pieces"], rows, picture(shown)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(24) for cell in row))
