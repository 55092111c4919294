"""What a detector found, drawn over its picture: outlines, boxes, keypoints and names. M things, H x W the picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.ops.masks.rle import Rle, paint
from pellucid.plots.things.boxes import outline_boxes
from pellucid.plots.things.canvas import Canvas, canvas, write_names
from pellucid.plots.things.classes import class_colours

TINT = 0.45
WIDEST = 4  # pixels of an outline


def draw_found(
    image: Any,
    boxes_xyxy: Any,
    labels: Any,
    names: Sequence[str],
    scores: Any,
    masks: Sequence[Rle] | None = None,
    keypoints: Any = None,
    colours: Any = None,
) -> Image.Image:
    """All that is known of each thing, in the colour of its class, which is the same in every picture.

    Where outlines overlap, the thing that comes first lies on top. Where names would cover too much of the picture they
    go without scores, and then only the first things have one.

    Args:
        image: PIL image, or array (H, W), (H, W, 1) or (H, W, 3) uint8. A small one is enlarged by a whole factor.
        boxes_xyxy: (M, 4) in pixels of the picture, where pixel i covers [i, i + 1]; the surest thing first.
        labels: (M,) whole numbers, indices into names.
        names: K class names.
        scores: (M,) from 0 to 1.
        masks: M run-length codes of the picture's size, or None.
        keypoints: (M, P, 3): x, y, score, or None.
        colours: (K, 3) uint8; None takes those of the palette.

    Raises:
        DataError: shapes do not fit, or a label has no name.
    """
    on = canvas(image)
    boxes = np.asarray(boxes_xyxy, dtype=np.float64).reshape(-1, 4)
    scores = np.asarray(scores, dtype=np.float64)
    require_shape(np.asarray(labels), "M", "labels", M=len(boxes))
    require_shape(scores, "M", "scores", M=len(boxes))
    own = class_colours(labels, names, colours)  # (M, 3)
    if masks is not None:
        _tint(on, masks, own)
    outline_boxes(on, boxes * on.factor, own)
    if keypoints is not None:
        _points(on, np.asarray(keypoints, dtype=np.float64), own)
    plain = [names[int(label)] for label in labels]
    told = [f"{name} {score:.2f}" for name, score in zip(plain, scores.tolist(), strict=True)]
    write_names(on, told, boxes * on.factor, own, shorter=plain)
    return on.image


def _tint(on: Canvas, masks: Sequence[Rle], own: np.ndarray) -> None:
    """Tint and outline each thing, in the window of its mask alone: pictures are large, things are mostly small."""
    pixels = np.array(on.image)
    height, width = pixels.shape[0] // on.factor, pixels.shape[1] // on.factor
    owner = np.zeros((height, width), dtype=np.int32)  # 1 for the first thing
    for number in range(len(masks), 0, -1):
        mask = masks[number - 1]
        if (mask.height, mask.width) != (height, width):
            raise DataError(f"Masks must be {height}x{width} as the picture is, got {mask.height}x{mask.width}.")
        paint(owner, mask, number)
    line = min(on.line, WIDEST)
    for number, (mask, colour) in enumerate(zip(masks, own, strict=True), 1):
        left, top, right, bottom = mask.box_xyxy
        inside = owner[top:bottom, left:right] == number
        inside = inside.repeat(on.factor, axis=0).repeat(on.factor, axis=1)  # (h, w) in pixels of the drawing
        window = pixels[top * on.factor : bottom * on.factor, left * on.factor : right * on.factor]
        inner = np.pad(inside, 1)
        for _ in range(line):  # each round peels one more pixel off
            core = inner[1:-1, 1:-1] & inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
            inner = np.pad(core, 1)
        mixed = (1 - TINT) * window[inside] + TINT * colour
        window[inside] = np.floor(mixed + 0.5).astype(np.uint8)
        window[inside & ~inner[1:-1, 1:-1]] = colour
    on.image = Image.fromarray(pixels)


def _points(on: Canvas, keypoints: np.ndarray, own: np.ndarray) -> None:
    """Discs with a white edge."""
    require_shape(keypoints, "M P three", "keypoints", M=len(own), three=3)
    draw, radius = on.draw, 1.5 * on.line + 1
    for points, colour in zip(keypoints, own, strict=True):
        for x, y in (points[:, :2] * on.factor).tolist():
            spot = (x - radius, y - radius, x + radius, y + radius)
            draw.ellipse(spot, fill=tuple(colour.tolist()), outline="white", width=max(1, on.line // 2))
