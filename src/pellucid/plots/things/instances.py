"""Instances drawn over pictures of any size: each thing in a colour of its own. Letters: H, W the picture, M things."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.ops.masks.rle import encode_each
from pellucid.plots.overlay import outline_mask, overlay_mask
from pellucid.plots.palette import palette
from pellucid.plots.things.canvas import canvas, write_names

TINT = 0.5
WIDEST = 4  # pixels of an outline: each takes a look at the whole mask


def draw_instances(image: Any, ids: Any, labels: Any, names: Sequence[str]) -> Image.Image:
    """Every thing tinted and outlined in a colour of its own, with its number and its class's name.

    Args:
        image: PIL image, or array (H, W), (H, W, 1) or (H, W, 3) uint8. A small one is enlarged by a whole factor.
        ids: (H, W) whole numbers: 0 is background, i the pixels of thing i.
        labels: (M,) class of things 1 to M, indices into names.
        names: class names.

    Raises:
        DataError: shapes do not fit, a number has no label, or a label no name.
    """
    on = canvas(image)
    ids, labels = np.asarray(ids), np.asarray(labels, dtype=np.int64)
    require_shape(ids, "H W", "ids", H=on.image.height // on.factor, W=on.image.width // on.factor)
    if ids.min(initial=0) < 0 or ids.max(initial=0) > len(labels):
        raise DataError(f"There are {len(labels)} labels for things 1 to {len(labels)}, got number {ids.max()}.")
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(names):
        raise DataError(f"There are {len(names)} class names, got labels from {labels.min()} to {labels.max()}.")
    colours = np.concatenate([np.zeros((1, 3), dtype=np.uint8), palette(max(1, len(labels)))])
    large = ids.astype(np.int64).repeat(on.factor, axis=0).repeat(on.factor, axis=1)
    tinted = overlay_mask(on.image, large, colours, alpha=TINT, ignore=-1, clear=(0,))
    on.image = outline_mask(tinted, large, colours, ignore=-1, clear=(0,), width=min(on.line, WIDEST))
    masks = encode_each(ids.astype(np.int64), len(labels))
    present = np.flatnonzero([mask.area for mask in masks])
    boxes = np.array([masks[i].box_xyxy for i in present], dtype=np.float64).reshape(-1, 4) * on.factor
    write_names(on, [f"{i + 1} {names[labels[i]]}" for i in present], boxes, colours[present + 1])
    return on.image
