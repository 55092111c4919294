"""Boxes with names, and keypoints, drawn over pictures of any size. Letters: M things, K classes, P keypoints."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from pellucid.core.shapes import require_shape
from pellucid.plots.things.canvas import Canvas, canvas, ink_on, write_names
from pellucid.plots.things.classes import class_colours

HIDDEN, SEEN = 1, 2  # how keypoints are marked, as COCO does


def draw_boxes(
    image: Any, boxes_xyxy: Any, labels: Any, names: Sequence[str], scores: Any = None, colours: Any = None
) -> Image.Image:
    """Boxes in the colours of their classes, each with its class's name.

    Args:
        image: PIL image, or array (H, W), (H, W, 1) or (H, W, 3) uint8. A small one is enlarged by a whole factor.
        boxes_xyxy: (M, 4) left, top, right, bottom in pixels of the picture, where pixel i covers [i, i + 1].
        labels: (M,) whole numbers, indices into names.
        names: K class names.
        scores: (M,) from 0 to 1, written behind the name; None for boxes that are known.
        colours: (K, 3) uint8; None takes those of the palette, so that a class always has the same.

    Raises:
        DataError: shapes do not fit, or a label has no name.
    """
    on = canvas(image)
    boxes = np.asarray(boxes_xyxy, dtype=np.float64).reshape(-1, 4) * on.factor
    require_shape(np.asarray(labels), "M", "labels", M=len(boxes))
    own = class_colours(labels, names, colours)  # (M, 3)
    told = [names[int(label)] for label in labels]
    if scores is not None:
        require_shape(np.asarray(scores), "M", "scores", M=len(boxes))
        told = [f"{name} {float(score):.2f}" for name, score in zip(told, scores, strict=True)]
    order = outline_boxes(on, boxes, own)
    write_names(on, [told[i] for i in order], boxes[order], own[order])
    return on.image


def outline_boxes(on: Canvas, boxes: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Draw boxes (M, 4), in pixels of the drawing, in their colours (M, 3); returns (M,) the order they were drawn in.

    The small ones come last, so that they stay to be seen, and their lines take at most a quarter of their sides.
    """
    order = np.argsort(-_areas(boxes), kind="stable")
    draw = on.draw
    for i in order.tolist():
        left, top, right, bottom = boxes[i].tolist()
        inner = (left, top, max(left, right - 1), max(top, bottom - 1))  # Pillow draws the last pixel too
        line = max(1, min(on.line, int(min(right - left, bottom - top) / 4)))
        if line > 1:  # an edge around the line, for grounds of its own colour
            edge = (inner[0] - 1, inner[1] - 1, inner[2] + 1, inner[3] + 1)
            draw.rectangle(edge, outline=ink_on(colours[i]))
        draw.rectangle(inner, outline=tuple(colours[i].tolist()), width=line)
    return order


def draw_keypoints(image: Any, keypoints: Any, labels: Any, names: Sequence[str], colours: Any = None) -> Image.Image:
    """Points in the colours of their things' classes: full where they are seen, rings where they are hidden.

    Args: as `draw_boxes`, and
        keypoints: (M, P, 3): x, y in pixels of the picture, and 0 = not marked (not drawn), 1 = hidden, 2 = seen.

    Raises:
        DataError: shapes do not fit, or a label has no name.
    """
    on = canvas(image)
    points = np.asarray(keypoints, dtype=np.float64)
    require_shape(points, "M P three", "keypoints", M=len(np.asarray(labels)), three=3)
    own = class_colours(labels, names, colours)
    draw, radius = on.draw, 2.5 * on.line + 2
    for i, j in np.argwhere(points[..., 2] > 0):
        x, y = points[i, j, :2] * on.factor
        spot, colour = (x - radius, y - radius, x + radius, y + radius), tuple(own[i].tolist())
        if points[i, j, 2] == SEEN:
            draw.ellipse(spot, fill=colour, outline="white", width=1)
        else:
            draw.ellipse(spot, outline="white", width=on.line + 2)
            draw.ellipse(spot, outline=colour, width=on.line)
    return on.image


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
