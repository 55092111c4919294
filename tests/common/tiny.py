"""The smallest data set of each task: arrays whose answer can be seen with the naked eye."""

import numpy as np

from pellucid.data.objects import Objects
from pellucid.data.source import Source

SIZE = 16
LARGER = 32  # of pictures with boxes: detectors halve them more often


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


def detect(n: int = 24, channels: int = 3) -> Source:
    """One or two bright things on a dark ground, wide (class 0) or tall (1); every sixth picture is empty."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 40, (n, LARGER, LARGER, channels), dtype=np.uint8)
    objects = []
    for k in range(n):
        boxes, labels = [], []
        for half in range(k % 6 and 1 + k % 2):
            label = int(rng.integers(2))
            width, height = ((14, 7), (7, 14))[label]
            left, top = int(rng.integers(LARGER - width)), int(rng.integers(2)) + half * LARGER // 2
            images[k, top : top + height, left : left + width] += 180
            boxes.append((left, top, left + width, top + height))
            labels.append(label)
        objects.append(Objects(np.array(boxes).reshape(-1, 4), np.array(labels, dtype=np.int64)))
    names = [f"picture {k}" for k in range(n)]
    return Source("bars", images, names, ("wide", "tall"), objects=objects)


SOURCES = {"classify": classify, "segment": segment, "detect": detect}
SIDES = {"classify": SIZE, "segment": SIZE, "detect": LARGER}
