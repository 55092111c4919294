"""Which pictures are neighbours depends on the space in which one looks.

500 clothes in any colour on textures are looked up among 3,000 others, by L2. Among pixels, pictures are near when
they are about as bright and as red in the same places: neighbours share a background, and only one in five is the same
kind, where chance would give one in ten. In the space of HOG, where only the directions of edges in each part of the
picture are left, most of the five nearest are the same kind of clothing. The distance is the same one; the space makes
its neighbours mean something.

The table gives the share of the right kind among the five nearest (precision@5), and of right answers when they vote.
The picture looks up two of the queries in both spaces. A trained net's last layer is such a space too, and a better
one.

    python recipes/classic/neighbours_in_feature_space.py
"""

from functools import cache

import numpy as np

from pellucid.classic.features.color_histogram import color_histogram
from pellucid.classic.features.hog import hog
from pellucid.classic.neighbours.search import nearest
from pellucid.classic.neighbours.vote import vote
from pellucid.data.scenes import CLASSES, fashion_sprites, make_crop
from pellucid.plots import svg
from pellucid.plots.classic.neighbours import neighbours
from pellucid.report.embed import data_uri

SIDE, MEMORY, QUERIES, K, DRAWN = 32, 3000, 500, 5, (1, 3)
SPACES = {
    "pixels": lambda x: x.reshape(len(x), -1),
    "colours": lambda x: color_histogram(x, (8, 4, 4), joint=True),
    "HOG": lambda x: hog(x, block=2),
}


@cache
def crops(role: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, 3, 32, 32) uint8 and classes (N,), from 1."""
    seed = 0 if role == "train" else 1
    both = [make_crop(np.random.default_rng([seed, i]), fashion_sprites(role), SIDE) for i in range(n)]
    return np.stack([image for image, _ in both]).transpose(0, 3, 1, 2).copy(), np.array([label for _, label in both])


def found(space: str) -> np.ndarray:
    """The five nearest in memory (queries, 5), the nearest first."""
    make = SPACES[space]
    return nearest(make(crops("test", QUERIES)[0]), make(crops("train", MEMORY)[0]), K)[1]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """precision@5 and accuracy in each space; neighbours of two queries."""
    memory, labels = crops("train", MEMORY)
    queries, truth = crops("test", QUERIES)
    rows, all_found = [], {}
    for space in SPACES:
        all_found[space] = found(space)
        right = labels[all_found[space]] == truth[:, None]  # (queries, 5)
        winners, _ = vote(labels[all_found[space]], len(CLASSES))
        cells = [right.mean(), right[:, 0].mean(), np.mean(winners == truth)]
        rows.append([space, *(f"{cell:.1%}" for cell in cells)])
    parts, top = [svg.text(0, 18, "Five nearest neighbours among pixels and by HOG", "title")], 30.0
    for query in DRAWN:
        shown = {space: all_found[space][query] for space in ("pixels", "HOG")}
        names = ["", *(name.split("/")[0] for name in CLASSES[1:])]
        picture = queries[query].transpose(1, 2, 0)
        sheet = neighbours(picture, int(truth[query]), memory.transpose(0, 2, 3, 1), labels, shown, names)
        tall = 480 * sheet.height / sheet.width
        parts.append(svg.image(0, top, 480, tall, data_uri(sheet, exact=True), f"neighbours of query {query}"))
        top += tall + 6
    label = "Neighbours by pixels share colours, neighbours by HOG are the same kind of clothing."
    return (
        ["space", f"precision@{K}", "nearest right", f"vote of {K} right"],
        rows,
        svg.document(480, top, label, parts),
    )


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
