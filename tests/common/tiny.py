"""The smallest data set of each task: arrays whose answer can be seen with the naked eye."""

import numpy as np

from pellucid.data.source import Source

SIZE = 16


def classify(n: int = 24, channels: int = 3) -> Source:
    """Pictures whose left half (class 0), right half (1) or middle (2) is bright."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    images = rng.integers(0, 40, (n, SIZE, SIZE, channels), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        start = {0: 0, 1: SIZE // 2, 2: SIZE // 4}[int(label)]
        image[:, start : start + SIZE // 2] += 180
    names = [f"picture {k}" for k in range(n)]
    return Source("halves", images, names, ("left", "right", "middle"), labels=labels)


def segment(n: int = 24, channels: int = 3) -> Source:
    """A bright square on a dark ground; the last row of every mask is to be ignored."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 40, (n, SIZE, SIZE, channels), dtype=np.uint8)
    masks = np.zeros((n, SIZE, SIZE), dtype=np.uint8)
    for k in range(n):
        top, left = rng.integers(0, SIZE // 2, 2)
        images[k, top : top + SIZE // 2, left : left + SIZE // 2] += 180
        masks[k, top : top + SIZE // 2, left : left + SIZE // 2] = 1
    masks[:, -1] = 255
    names = [f"picture {k}" for k in range(n)]
    return Source("squares", images, names, ("ground", "square"), masks=masks)


SOURCES = {"classify": classify, "segment": segment}
