"""True and found boxes on one picture, in colours that say what is right, wrong and missed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pellucid.plots.overlay import outline_mask, overlay_mask
from pellucid.plots.palette import palette
from pellucid.plots.things.boxes import draw_boxes
from pellucid.tasks.detect.report.seen import View

# Okabe & Ito 2008: told apart by colour-blind people too
RIGHT, WRONG, MISSED, TRUE = (0, 114, 178), (213, 94, 0), (240, 228, 66), (0, 158, 115)
KEY = (("found, right", RIGHT), ("found, wrong", WRONG), ("missed", MISSED), ("what is there instead", TRUE))
SHOWN = 300  # pixels of the longer side from which on a drawing is not made larger
TINT = 0.45


@dataclass(frozen=True)
class Drawn:
    """A box in pixels of the file, what is written at it, and its colour."""

    box_xyxy: np.ndarray
    text: str
    colour: tuple[int, int, int]


def boxes_on(view: View, things: Sequence[Drawn]) -> Image.Image:
    """The picture with these boxes; a small one is enlarged by a whole factor."""
    image = _as_image(view.image)
    boxes = view.here(np.array([thing.box_xyxy for thing in things]).reshape(-1, 4))
    height, width = view.image.shape[:2]
    boxes = boxes.clip(0, (width, height, width, height))
    colours = np.array([thing.colour for thing in things], dtype=np.uint8).reshape(-1, 3)
    return draw_boxes(image, boxes, np.arange(len(things)), [thing.text for thing in things], colours=colours)


def masks_on(view: View, least: float) -> Image.Image:
    """The picture with the outlines that were found with a score from `least` on, each in a colour of its own."""
    assert view.found_masks is not None and view.found_scores is not None
    image = _as_image(view.image)
    shown = np.flatnonzero((view.found_scores > 0) & (view.found_scores >= least))
    ids = np.zeros(view.image.shape[:2], np.int64)
    for number, row in enumerate(shown[::-1], start=1):  # the surest last, on top
        ids[view.found_masks[row]] = number
    factor = max(1, SHOWN // max(image.size))
    large = image.convert("RGB").resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    ids = ids.repeat(factor, axis=0).repeat(factor, axis=1)
    colours = np.concatenate([np.zeros((1, 3), np.uint8), palette(max(1, len(shown)))])
    tinted = overlay_mask(large.convert("L"), ids, colours, alpha=TINT, ignore=-1, clear=(0,))
    return outline_mask(tinted, ids, colours, ignore=-1, clear=(0,))


def _as_image(image: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(image[:, :, 0] if image.shape[2] == 1 else image))
