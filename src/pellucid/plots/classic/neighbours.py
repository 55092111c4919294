"""A query and its nearest pictures, in one space a row: right ones framed green, wrong ones red."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.plots.grid import LETTERS, VISIBLE
from pellucid.plots.things.letters import with_letters

GREEN, RED, GREY = (0, 158, 115), (213, 94, 0), (130, 130, 130)  # told apart by the colour-blind too
FRAME, PAD = 3, 6

# N pictures of memory, k neighbours


def neighbours(
    query: Any,
    label: int,
    memory: Any,
    labels: Any,
    nearest: Mapping[str, Any],
    names: Sequence[str],
) -> Image.Image:
    """Draw the query, and beside it its neighbours: a row for each space they were sought in.

    Args:
        query: (H, W) or (H, W, 3) uint8.
        label: its class.
        memory: (N, H, W) or (N, H, W, 3) uint8, the pictures among which was sought.
        labels: (N,) their classes.
        nearest: space ("pixels", "HOG") -> (k,) rows of memory, the nearest first.
        names: of the classes; written below each picture, with "not" before a wrong one.

    Returns:
        RGB image.

    Raises:
        DataError: sizes do not fit, or a row or class does not exist.
    """
    query, memory, labels = np.asarray(query), np.asarray(memory), np.asarray(labels)
    rows = {space: np.asarray(found, dtype=np.int64) for space, found in nearest.items()}
    _check(query, label, memory, labels, rows, names)
    factor = max(1, VISIBLE // max(query.shape[:2]))
    tall, wide = (side * factor + 2 * FRAME for side in query.shape[:2])
    line = tall + LETTERS + 8 + PAD
    font, spaces = with_letters(list(rows), LETTERS)
    gutter = PAD + round(max((font.getlength(space) for space in spaces), default=0)) + PAD
    most = max((len(found) for found in rows.values()), default=0)
    sheet = Image.new("RGB", (gutter + (1 + most) * (wide + PAD) + PAD, PAD + max(1, len(rows)) * line), "white")
    for number, (space, found) in enumerate(zip(spaces, rows.values(), strict=True)):
        y = PAD + number * line
        ImageDraw.Draw(sheet).text((PAD, y + tall / 2), space, fill="black", font=font, anchor="lm")
        _put(sheet, query, factor, (gutter, y), GREY, names[label])
        for place, row in enumerate(found, 1):
            right, name = bool(labels[row] == label), names[labels[row]]
            x = gutter + PAD + place * (wide + PAD)
            _put(sheet, memory[row], factor, (x, y), GREEN if right else RED, name if right else f"not: {name}")
    return sheet


def _put(
    sheet: Image.Image,
    pixels: np.ndarray,
    factor: int,
    corner: tuple[int, int],
    colour: tuple[int, int, int],
    caption: str,
) -> None:
    """One picture, enlarged, in its frame, with its caption below."""
    picture, (x, y) = Image.fromarray(pixels).convert("RGB"), corner
    picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    wide, tall = picture.width + 2 * FRAME, picture.height + 2 * FRAME
    draw, (font, (caption,)) = ImageDraw.Draw(sheet), with_letters([caption], LETTERS)
    draw.rectangle((x, y, x + wide - 1, y + tall - 1), fill=colour)
    sheet.paste(picture, (x + FRAME, y + FRAME))
    while font.getlength(caption) > wide and len(caption) > 1:
        caption = caption[:-1].rstrip()
    draw.text((x + wide / 2, y + tall + 2), caption, fill="black", font=font, anchor="ma")


def _check(
    query: np.ndarray,
    label: int,
    memory: np.ndarray,
    labels: np.ndarray,
    rows: Mapping[str, np.ndarray],
    names: Sequence[str],
) -> None:
    require_shape(labels, "N", "labels", N=len(memory))
    good = query.ndim == 2 or (query.ndim == 3 and query.shape[2] == 3)
    if not good or memory.dtype != np.uint8 or query.dtype != np.uint8 or memory.shape[1:] != query.shape:
        raise DataError(
            f"query must be (H, W) or (H, W, 3) uint8 and memory (N, ...) of the same, got {query.shape} of "
            f"{query.dtype} and {memory.shape} of {memory.dtype}."
        )
    for space, found in rows.items():
        require_shape(found, "k", f"nearest in {space}")
        wrong = found[(found < 0) | (found >= len(memory))]
        if len(wrong):
            raise DataError(f"nearest in {space} names row {wrong[0]}, but memory has {len(memory)} pictures.")
    worst = max(int(label), int(labels.max(initial=0)))
    if worst >= len(names):
        raise DataError(f"Class {worst} has no name: {len(names)} names were given.")
