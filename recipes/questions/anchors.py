"""What are anchors, and why several shapes at every place?

An anchor is not a chosen point but a box that is there before any picture is seen: the same few shapes around every
cell of a feature map. For each of them the detector answers two questions: is an object here, and how must this box
move and stretch to fit it? A box can be mended, but only if it is near: in training, an anchor answers for an object
when their IoU is at least 0.5 or so. (Faster R-CNN asks 0.7, or to be the best there is.)

So the shapes must be such that every object has one close by. The table throws boxes of many sizes and shapes into a
picture of 256 × 256 pixels with a cell every 16. One square covers a third of them, three shapes of its size less than
half, squares of three sizes most: size matters more than shape. Nine anchors, three sizes in three shapes, cover
nearly all. The price: nine times the boxes to judge, nearly all of them background.

    python recipes/questions/anchors.py
"""

import numpy as np

from pellucid.plots.curves import curves

SIDE, STRIDE, OBJECTS = 256, 16, 1000
SIZES, SHAPES = (48.0, 80.0, 136.0), (0.5, 1.0, 2.0)  # side of a square of equal area; height / width


def anchors(sizes: tuple[float, ...], shapes: tuple[float, ...]) -> np.ndarray:
    """Boxes (cells · K, 4) as x1, y1, x2, y2 around the middle of every cell."""
    middle = np.arange(STRIDE / 2, SIDE, STRIDE)
    x, y = (grid.ravel() for grid in np.meshgrid(middle, middle))
    boxes = []
    for size in sizes:
        for shape in shapes:
            w, h = size / np.sqrt(shape), size * np.sqrt(shape)
            boxes.append(np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1))
    return np.concatenate(boxes)


def objects() -> np.ndarray:
    """Random boxes inside the picture: areas from 36² to 170² pixels, heights from 0.4 to 2.5 times the width."""
    rng = np.random.default_rng(0)
    size, shape = np.exp(rng.uniform(*np.log([36, 170]), OBJECTS)), np.exp(rng.uniform(*np.log([0.4, 2.5]), OBJECTS))
    extent = np.stack([size / np.sqrt(shape), size * np.sqrt(shape)], axis=1)
    extent = extent[(extent < SIDE).all(axis=1)]
    corner = rng.random(extent.shape) * (SIDE - extent)
    return np.concatenate([corner, corner + extent], axis=1)


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union (A, B) of boxes (A, 4) and (B, 4)."""
    low, high = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    both = (high - low).clip(0).prod(axis=2)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (a, b))
    return both / (area_a[:, None] + area_b - both)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Share of objects with a close anchor, for several sets of shapes."""
    sets = {
        "1: one square": anchors(SIZES[1:2], SHAPES[1:2]),
        "3: one size, three shapes": anchors(SIZES[1:2], SHAPES),
        "3: three squares": anchors(SIZES, SHAPES[1:2]),
        "9: three of each": anchors(SIZES, SHAPES),
    }
    truth, rows, lines = objects(), [], {}
    levels = np.linspace(0, 1, 101)
    for name, boxes in sets.items():
        best = iou(truth, boxes).max(axis=1)
        shares = [np.mean(best >= level) for level in (0.5, 0.7)]
        rows.append([name, str(len(boxes)), *(f"{share:.3f}" for share in shares), f"{best.mean():.3f}"])
        lines[name] = (levels, [np.mean(best >= level) for level in levels])
    picture = curves(lines, "Objects that have an anchor close by", "IoU asked for", "share of objects")
    return ["anchors a cell", "boxes", "IoU ≥ 0.5", "IoU ≥ 0.7", "mean best IoU"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
