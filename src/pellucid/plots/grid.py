"""Contact sheets: many pictures in one."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from pellucid.core.errors import DataError
from pellucid.plots.things.letters import cut, with_letters

VISIBLE = 96  # pixels below which a picture is enlarged
LETTERS = 11


def grid(
    images: Sequence[Image.Image], columns: int = 8, pad: int = 4, captions: Sequence[str] | None = None
) -> Image.Image:
    """Lay pictures out in rows, each in the middle of a cell of the same size.

    When even the largest picture is tiny (28 x 28), all are enlarged by the same whole factor, pixel by
    pixel, so that they can be seen and nothing is blurred.

    Args:
        images: any sizes and modes.
        columns: pictures in a row.
        pad: white pixels around every cell.
        captions: one short text below each picture.

    Returns:
        RGB image; a small white one when there are no pictures.

    Raises:
        DataError: there are not as many captions as pictures.
    """
    if captions is not None and len(captions) != len(images):
        raise DataError(f"A sheet of {len(images)} pictures needs as many captions, got {len(captions)}.")
    largest = max((max(image.size) for image in images), default=1)
    factor = max(1, VISIBLE // max(1, largest))
    shown = [_enlarged(image, factor) for image in images]
    columns = max(1, min(columns, len(shown)))
    rows = -(-len(shown) // columns)
    wide = max((image.width for image in shown), default=1)
    tall = max((image.height for image in shown), default=1)
    below = LETTERS + 6 if captions is not None else 0
    size = (pad + columns * (wide + pad), pad + rows * (tall + below + pad))
    sheet = Image.new("RGB", (max(1, size[0]), max(1, size[1])), "white")
    draw = ImageDraw.Draw(sheet)
    font, lines = with_letters([" ".join(caption.split()) for caption in captions or ()], LETTERS)
    for k, image in enumerate(shown):
        left, top = pad + k % columns * (wide + pad), pad + k // columns * (tall + below + pad)
        sheet.paste(image, (left + (wide - image.width) // 2, top + (tall - image.height) // 2))
        if captions is not None:
            place = (left + wide / 2, top + tall + 2)
            draw.text(place, cut(lines[k], wide, font), fill="black", font=font, anchor="ma")
    return sheet


def _enlarged(image: Image.Image, factor: int) -> Image.Image:
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("RGB").resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
