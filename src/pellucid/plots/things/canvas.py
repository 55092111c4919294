"""The picture that is drawn on, and names on coloured patches. Letters: M things."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pellucid.core.errors import DataError
from pellucid.plots.palette import oklab
from pellucid.plots.things.letters import with_letters

SHOWN = 256  # pixels that the shorter side of a drawing has at least
LONGEST = 8192  # pixels of the longer side beyond which nothing is enlarged, however thin
LETTERS = (11, 28)  # smallest size of letters, and the largest but on large pictures
LINE = 130  # pixels of the shorter side for each of a line's width
THICK = 6  # pixels of a line from which on it grows more slowly
LARGE = {"letters": 42, "line": 300}  # pixels of the shorter side for each, of pictures that are looked at made smaller
COVERED = 0.3  # share of the drawing that names may cover
DARK = 0.62  # lightness in OKLab below which a colour takes white letters
Box = tuple[float, float, float, float]


@dataclass
class Canvas:
    """A picture that was enlarged by a whole factor if it was small, with the means to draw on it.

    Attributes:
        image: RGB.
        factor: pixels of the drawing for each of the picture.
        line: width of lines.
        tags: where names stand already.
    """

    image: Image.Image
    factor: int
    line: int
    tags: list[Box] = field(default_factory=list)

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)


def canvas(image: Any) -> Canvas:
    """A canvas with a copy of the picture.

    Args:
        image: PIL image, or array (H, W), (H, W, 1) or (H, W, 3) uint8.

    Raises:
        DataError: an array of another shape or type.
    """
    if not isinstance(image, Image.Image):
        array = np.asarray(image)
        array = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
        if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,)) or 0 in array.shape:
            raise DataError(f"A picture is (H, W), (H, W, 1) or (H, W, 3) uint8, got {array.dtype} {array.shape}.")
        image = Image.fromarray(array)
    factor = max(1, min(-(-SHOWN // min(image.size)), LONGEST // max(image.size)))
    size = (image.width * factor, image.height * factor)
    shown = image.convert("RGB").resize(size, Image.Resampling.NEAREST)
    side = min(shown.size)
    return Canvas(shown, factor, max(1, round(max(min(THICK, side / LINE), side / LARGE["line"]))))


def write_names(
    on: Canvas, names: Sequence[str], boxes: np.ndarray, colours: np.ndarray, shorter: Sequence[str] | None = None
) -> None:
    """Write a name at each box, on a patch of its colour, where it covers no other name if there is such a place.

    Args:
        names: M texts.
        boxes: (M, 4) left, top, right, bottom in pixels of the drawing.
        colours: (M, 3) uint8.
        shorter: M texts to be written where the names would cover too much, for as many of the first as there is room;
            None writes all names, whatever they cover.
    """
    side = min(on.image.size)
    letters = round(max(LETTERS[0], min(LETTERS[1], side / 26), side / LARGE["letters"]))
    every = [" ".join(name.split()) for name in (*names, *(shorter or ()))]
    font, every = with_letters(every, letters)
    draw, tall = on.draw, letters + max(4, letters // 4)
    written = _that_fit(on, every[: len(names)], every[len(names) :] if shorter is not None else None, font, tall)
    for name, box, colour in zip(written, boxes.tolist(), np.asarray(colours), strict=False):
        patch = _place(on, box, font.getlength(name) + 6, tall)
        on.tags.append(patch)
        draw.rectangle((patch[0], patch[1], patch[2] - 1, patch[3] - 1), fill=_rgb(colour))
        draw.text((patch[0] + 3, (patch[1] + patch[3]) / 2), name, fill=ink_on(colour), font=font, anchor="lm")


def ink_on(colour: Any) -> str:
    """White on dark colours, black on light ones."""
    return "white" if oklab(colour)[0] < DARK else "black"


def _that_fit(on: Canvas, names: Sequence[str], shorter: Sequence[str] | None, font: Any, tall: int) -> list[str]:
    """The names; where they cover too much, the first of the shorter ones."""
    room = COVERED * on.image.width * on.image.height
    if shorter is None or sum(font.getlength(name) + 6 for name in names) * tall <= room:
        return list(names)
    covered = np.cumsum([(font.getlength(name) + 6) * tall for name in shorter])
    return list(shorter[: max(1, int((covered <= room).sum()))])


def _place(on: Canvas, box: Sequence[float], wide: float, tall: float) -> Box:
    """Above the box, in it, or below it; of all, where it covers the least of other names, first come first."""
    left, top, right, bottom = box
    places = [
        (x, y)
        for y in (top - tall, top, bottom, bottom - tall, (top + bottom - tall) / 2)
        for x in (left, right - wide, (left + right - wide) / 2)
    ]
    tags = np.array(on.tags).reshape(-1, 4)
    best, least = (0.0, 0.0, wide, tall), float("inf")
    for x, y in places:
        x = min(max(0, x), max(0, on.image.width - wide))
        y = min(max(0, y), max(0, on.image.height - tall))
        patch = (x, y, x + wide, y + tall)
        shared = np.minimum(tags[:, 2:], patch[2:]) - np.maximum(tags[:, :2], patch[:2])
        covered = float(shared.clip(0).prod(axis=1).sum())
        if covered < least:
            best, least = patch, covered
        if not covered:
            break
    return best


def _rgb(colour: Any) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in colour)
    return red, green, blue
