"""Rows of pictures with a name at their left, under headings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw

from pellucid.plots.things.letters import cut, with_letters

SMALL, LARGE = 96, 144  # sides below and above which pictures are enlarged and reduced
PAD, LETTERS, SMALL_LETTERS, HEADING = 6, 13, 11, 18
LEFT = 150  # pixels for the names
INK, SOFT = (24, 28, 34), (105, 112, 122)


@dataclass(frozen=True)
class Strip:
    """One row.

    Attributes:
        name: at its left.
        detail: a quieter line or two below the name.
        images: of any sizes.
        captions: one a picture, below it; none leaves no room.
    """

    name: str
    detail: str
    images: Sequence[Image.Image]
    captions: Sequence[str] = ()


@dataclass(frozen=True)
class Part:
    """Rows under a heading.

    Attributes:
        title, note: the heading, and a quieter sentence below it.
        rows: in order.
        columns: what stands above each column.
    """

    title: str
    note: str
    rows: Sequence[Strip]
    columns: Sequence[str] = ()


def strips(parts: Sequence[Part]) -> Image.Image:
    """Draw the parts below each other on one white sheet.

    Tiny pictures are enlarged by a whole factor, pixel by pixel; large ones are reduced.
    """
    shown = [[[_fitting(image) for image in row.images] for row in part.rows] for part in parts]
    every = [image for rows in shown for row in rows for image in row]
    cell = max((image.width for image in every), default=SMALL) + PAD
    most = max((len(row) for rows in shown for row in rows), default=0)
    wide = LEFT + most * cell + 2 * PAD
    tall = sum(_part_height(part, rows) for part, rows in zip(parts, shown, strict=True)) + PAD
    sheet = Image.new("RGB", (max(wide, 520), tall), "white")
    top = PAD
    for part, rows in zip(parts, shown, strict=True):
        _draw_part(sheet, part, rows, top, cell)
        top += _part_height(part, rows)
    return sheet


def _part_height(part: Part, rows: list[list[Image.Image]]) -> int:
    head = HEADING + LETTERS + 5 * PAD + (LETTERS + PAD if part.columns else 0)
    return head + sum(_row_height(row, images) for row, images in zip(part.rows, rows, strict=True))


def _row_height(row: Strip, images: list[Image.Image]) -> int:
    return max((image.height for image in images), default=SMALL) + PAD + (SMALL_LETTERS + PAD if row.captions else 0)


def _draw_part(sheet: Image.Image, part: Part, rows: list[list[Image.Image]], top: int, cell: int) -> None:
    draw = ImageDraw.Draw(sheet)
    _write(draw, (2 * PAD, top + PAD), part.title, HEADING, INK)
    _write(draw, (2 * PAD, top + HEADING + 2 * PAD), part.note, LETTERS, SOFT)
    top += HEADING + LETTERS + 5 * PAD
    if part.columns:
        for k, name in enumerate(part.columns):
            middle = LEFT + k * cell + (cell - PAD) / 2
            _write(draw, (middle, top), name, SMALL_LETTERS, SOFT, anchor="ma")
        top += LETTERS + PAD
    for row, images in zip(part.rows, rows, strict=True):
        _write(draw, (2 * PAD, top + 2), row.name, LETTERS, INK)
        font, (detail,) = with_letters([row.detail], SMALL_LETTERS)
        lines = _wrapped(detail, LEFT - 3 * PAD, font)
        draw.multiline_text((2 * PAD, top + LETTERS + PAD), lines, fill=SOFT, font=font, spacing=3)
        for k, image in enumerate(images):
            left = LEFT + k * cell
            sheet.paste(image, (left, top))
            if row.captions:
                place = (left, top + image.height + 2)
                _write(draw, place, row.captions[k], SMALL_LETTERS, SOFT, room=cell - PAD)
        top += _row_height(row, images)


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    ink: tuple[int, int, int],
    room: float = float("inf"),
    anchor: str = "la",
) -> None:
    """One line, in a font that has its letters."""
    font, (line,) = with_letters([" ".join(text.split())], size)
    draw.text(place, cut(line, room, font), fill=ink, font=font, anchor=anchor)


def _fitting(image: Image.Image) -> Image.Image:
    largest = max(image.size)
    image = image.convert("RGB")
    if largest > LARGE:
        size = (max(1, round(image.width * LARGE / largest)), max(1, round(image.height * LARGE / largest)))
        return image.resize(size, Image.Resampling.LANCZOS)
    factor = max(1, SMALL // largest)
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def _wrapped(text: str, room: float, font: Any) -> str:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)
