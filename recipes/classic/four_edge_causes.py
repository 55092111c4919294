"""What makes an edge, and can Canny's detector tell the causes apart?

Four things: the surface turns (its normal jumps), something lies in front of something else (depth jumps), the paint
changes (colour), or the light does (a shadow). The scene below has one of each and nothing else: two walls that meet
in a corner, a plate in front of the left one, painted and lit like it, a painted spot on the right wall, and a shadow
on the left one. As the scene is computed, so is the truth: an edge is where that one quantity jumps.

Canny finds all four, and hardly anything that is none of them. Level one quantity, so that it is the same everywhere,
and its edge alone is gone: that was the cause. But the detector does not say which is which. All it sees is a jump of
brightness, and each of the four is just that. The plate shows why: it is brighter than the wall only because the lamp
is nearer to it. With the sun for a lamp both are equally bright, and the edge of the plate is still there in the scene,
but not in the picture.

    python recipes/classic/four_edge_causes.py
"""

from functools import cache

import numpy as np
from PIL import Image

from pellucid.ops.edges.canny import canny
from pellucid.ops.edges.components import connected_components
from pellucid.plots import svg
from pellucid.report.embed import data_uri

HEIGHT, WIDTH, CORNER = 120, 180, 110  # pixels; the column in which the walls meet
CAUSES = {"normal": "surface normal", "depth": "depth", "colour": "colour", "light": "illumination"}


def quantities() -> dict[str, np.ndarray]:
    """Maps (120, 180): cosine between normal and light, depth in metres, albedo, share of the lamp's light."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    plate = (np.abs(y - 36) < 20) & (np.abs(x - 40) < 24)
    spot = np.hypot(y - 60, x - 146) < 20
    return {
        "normal": np.where(x < CORNER, 0.9, 0.5),
        "depth": np.where(plate, 4.0, 5.0),
        "colour": np.where(spot, 0.75, 0.35),
        "light": np.where(np.hypot((y - 92) / 15, (x - 58) / 40) < 1, 0.4, 1.0),
    }


def rendered(maps: dict[str, np.ndarray], sun: bool = False) -> np.ndarray:
    """The scene (120, 180) uint8 with some noise: Lambert's law, and light that thins out with the distance squared."""
    near = 1.0 if sun else (4 / maps["depth"]) ** 2
    brightness = maps["colour"] * maps["normal"] * maps["light"] * near
    noise = np.random.default_rng(0).normal(0, 0.005, brightness.shape)
    return np.round(255 * np.clip(2.2 * brightness + noise, 0, 1)).astype(np.uint8)


def jumps(values: np.ndarray) -> np.ndarray:
    """(120, 180) bool: pixels on both sides of every jump of a map."""
    marks = np.zeros(values.shape, dtype=bool)
    down, across = np.diff(values, axis=0) != 0, np.diff(values, axis=1) != 0
    for side, step in ((marks[:-1], down), (marks[1:], down), (marks[:, :-1], across), (marks[:, 1:], across)):
        side |= step
    return marks


def near(marks: np.ndarray) -> np.ndarray:
    """Marks and the pixels around them."""
    wide = np.pad(marks, 1)
    return np.any([wide[i : i + HEIGHT, j : j + WIDTH] for i in range(3) for j in range(3)], axis=0)


def found(truth: np.ndarray, edges: np.ndarray) -> float:
    """Share of the true edge, without the rim of the picture, that has a detected pixel within one pixel."""
    return float(near(edges)[1:-1, 1:-1][truth[1:-1, 1:-1]].mean())


@cache
def detected(levelled: str = "", sun: bool = False) -> np.ndarray:
    """Edges of the scene, with one quantity the same everywhere."""
    maps = quantities()
    if levelled:
        maps[levelled] = np.full_like(maps[levelled], maps[levelled][0, 0])
    return canny(rendered(maps, sun), 1.0, 0.15, 0.3)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """How much of each edge is found: in the scene, without its cause, and with the sun for a lamp."""
    maps, edges = quantities(), detected()
    truths = {cause: jumps(maps[cause]) for cause in CAUSES}
    rows = []
    for cause, name in CAUSES.items():
        truth = truths[cause]
        shares = [found(truth, each) for each in (edges, detected(cause), detected(sun=True))]
        rows.append([name, f"{truth.sum()}", *(f"{share:.1%}" for share in shares)])
    alone = edges & ~near(np.any(list(truths.values()), axis=0))
    rows.append(["none of them", "", f"{alone.sum() / edges.sum():.1%}", "", ""])
    shown = {"scene": rendered(maps), "edges": np.where(edges, 0, 255).astype(np.uint8)}
    shown |= {"with the sun for a lamp": rendered(maps, True)}
    shown |= {"its edges": np.where(detected(sun=True), 0, 255).astype(np.uint8)}
    parts = [svg.text(0, 18, "Four causes of edges", "title")]
    for k, (name, pixels) in enumerate(shown.items()):
        left, top = 244 * (k % 2), 52 + 186 * (k // 2)
        parts.append(svg.image(left, top, 236, 157, data_uri(Image.fromarray(pixels), exact=True), name))
        parts.append(svg.text(left, top - 8, name, "soft"))
    label = f"A scene with four kinds of edges; Canny finds all of them, in {connected_components(edges).max()} lines."
    header = ["cause of the edge", "pixels", "found", "found without the cause", "found in sunlight"]
    return header, rows, svg.document(480, 396, label, parts)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(24) for cell in row))
