"""Pictures that a trained net sees alike are mostly of the same kind.

1,000 clothes in any colour on textures, no piece twice, are looked up among each other: for each its five nearest of
the other 999, by L2. None of them was seen in training. Three spaces are asked: pixels, HOG, and the 128 numbers that
the last layer of a small convolutional net reads after it has been trained for half a minute on 3,000 other clothes.

Among pixels, neighbours share a background, and fewer than one in five is the same kind, where chance would give one
in ten. HOG leaves colours out, so that outlines count, but a texture has edges too. The net was told nothing but
names, and had to find out by itself what makes no difference to them: colours, textures, places. Two of three
neighbours in its last layer are the same kind, and most of the others are confusions that people would understand, a
coat beside a pullover. It is learning that did it: with its first, random weights the same layer is a space no better
than pixels.

The table gives the share of the right kind among the five nearest (precision@5) and how often the nearest is right.
The picture looks up two of the queries.

    python recipes/classic/neighbours_of_the_last_layer.py  # half a minute
"""

from functools import cache

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from pellucid.classic.features.hog import hog
from pellucid.classic.neighbours.search import nearest
from pellucid.data.scenes import CLASSES, Sprites, fashion_sprites, make_crop
from pellucid.models import create
from pellucid.models.features import deep_features
from pellucid.plots import svg
from pellucid.plots.classic.neighbours import neighbours
from pellucid.report.embed import data_uri

SIDE, TRAIN, QUERIES, K, DRAWN = 32, 3000, 1000, 5, (1, 3)
EPOCHS, BATCH = 6, 50


@cache
def crops(role: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, 3, 32, 32) uint8, the i-th of the i-th piece of clothing, and classes (N,), from 1."""
    seed, sprites = 0 if role == "train" else 1, fashion_sprites(role)
    both = [make_crop(np.random.default_rng([seed, i]), only(sprites, i), SIDE) for i in range(n)]
    return np.stack([image for image, _ in both]).transpose(0, 3, 1, 2).copy(), np.array([label for _, label in both])


def only(sprites: Sprites, i: int) -> Sprites:
    return Sprites(sprites.shade[[i]], sprites.coverage[[i]], sprites.labels[[i]])


def as_input(images: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(images).float() - 128) / 64


@cache
def untrained() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return create("convnet", len(CLASSES) - 1, 3, (SIDE, SIDE)).eval()


@cache
def trained() -> nn.Module:
    """The net after a few epochs on training crops."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = create("convnet", len(CLASSES) - 1, 3, (SIDE, SIDE))
    images, labels = crops("train", TRAIN)
    x, y = as_input(images), torch.from_numpy(labels - 1)
    optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, total_iters=EPOCHS * TRAIN // BATCH)
    generator = torch.Generator().manual_seed(0)
    for _ in range(EPOCHS):
        for rows in torch.randperm(TRAIN, generator=generator).split(BATCH):
            optimiser.zero_grad()
            cross_entropy(net(x[rows]), y[rows]).backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def last_layer(net: nn.Module, images: np.ndarray) -> np.ndarray:
    """(N, 128): what the layer that names the classes reads."""
    return torch.cat([deep_features(net, part) for part in as_input(images).split(200)]).numpy()


SPACES = {
    "pixels": lambda x: x.reshape(len(x), -1),
    "HOG": lambda x: hog(x, block=2),
    "last layer, untrained": lambda x: last_layer(untrained(), x),
    "last layer": lambda x: last_layer(trained(), x),
}


def found(space: str) -> np.ndarray:
    """The five nearest of the other queries (queries, 5), the nearest first."""
    features = SPACES[space](crops("test", QUERIES)[0])
    index = nearest(features, features, K + 1)[1]
    others = index != np.arange(QUERIES)[:, None]  # each finds itself, and not always first when two are equal
    others[others.all(1), -1] = False
    return index[others].reshape(QUERIES, K)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """precision@5 in each space; neighbours of two queries."""
    pictures, truth = crops("test", QUERIES)
    rows, all_found = [], {}
    for space in SPACES:
        all_found[space] = found(space)
        right = truth[all_found[space]] == truth[:, None]  # (queries, 5)
        rows.append([space, f"{right.mean():.1%}", f"{right[:, 0].mean():.1%}"])
    parts, top = [svg.text(0, 18, "Five nearest neighbours in three spaces", "title")], 30.0
    names = ["", *(name.split("/")[0] for name in CLASSES[1:])]
    for query in DRAWN:
        shown = {space: all_found[space][query] for space in ("pixels", "HOG", "last layer")}
        picture = pictures[query].transpose(1, 2, 0)
        sheet = neighbours(picture, int(truth[query]), pictures.transpose(0, 2, 3, 1), truth, shown, names)
        tall = 480 * sheet.height / sheet.width
        parts.append(svg.image(0, top, 480, tall, data_uri(sheet, exact=True), f"neighbours of query {query}"))
        top += tall + 6
    label = "Neighbours in the last layer of a trained net are the same kind of clothing."
    return ["space", f"precision@{K}", "nearest right"], rows, svg.document(480, top, label, parts)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(22) for cell in row))
