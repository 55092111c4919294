"""Class masks drawn over pictures, and the key to their colours."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.plots.things.letters import with_letters


def overlay_mask(
    image: Any,
    mask: Any,
    palette: Any,
    alpha: float = 0.5,
    ignore: int = 255,
    clear: Collection[int] = (),
) -> Image.Image:
    """Tint a picture by class.

    Args:
        image: PIL image, or array (H, W), (H, W, 1) or (H, W, 3) uint8.
        mask: (H, W) whole numbers: the class of each pixel.
        palette: (K, 3) uint8 RGB; class k gets `palette[k]`.
        alpha: 0 shows only the picture, 1 only the colours.
        ignore: mask value that is left as it is.
        clear: classes that are left as they are, such as the background.

    Returns:
        RGB image of the same size; a tinted pixel is `(1 - alpha) * picture + alpha * colour`, rounded.

    Raises:
        DataError: sizes differ, or the mask holds a class without a colour.
    """
    pixels, mask, palette = _checked(image, mask, palette, ignore)
    tinted = (mask != ignore) & ~np.isin(mask, list(clear))
    mixed = (1 - alpha) * pixels[tinted] + alpha * palette[mask[tinted]]
    pixels[tinted] = np.floor(mixed + 0.5).astype(np.uint8)
    return Image.fromarray(pixels)


def outline_mask(
    image: Any, mask: Any, palette: Any, ignore: int = 255, clear: Collection[int] = (), width: int = 1
) -> Image.Image:
    """Draw the inner border of every region in the colour of its class.

    Args: as `overlay_mask`, and
        width: of the line, in pixels.

    Raises:
        DataError: as `overlay_mask`.
    """
    pixels, mask, palette = _checked(image, mask, palette, ignore)
    inner = np.ones(mask.shape, dtype=bool)
    for _ in range(width):  # each round peels one more pixel off the inside
        padded = np.pad(np.where(inner, mask, -1 - mask), 1, mode="edge")
        here = padded[1:-1, 1:-1]
        neighbours = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
        inner &= np.logical_and.reduce([here == other for other in neighbours])
    drawn = ~inner & (mask != ignore) & ~np.isin(mask, list(clear))
    pixels[drawn] = palette[mask[drawn]]
    return Image.fromarray(pixels)


def hatch(image: Any, where: Any, gap: int = 8) -> Image.Image:
    """Draw slanting lines, light beside dark, over a part of a picture: what is not known there.

    Args:
        image: PIL image, or array as `overlay_mask` takes it.
        where: (H, W) bool.
        gap: pixels from one line to the next.

    Returns:
        RGB image of the same size.

    Raises:
        DataError: sizes differ.
    """
    where = np.asarray(where, dtype=bool)
    pixels, where, _ = _checked(image, where, np.zeros((2, 3)), ignore=255)
    place = np.add.outer(np.arange(pixels.shape[0]), np.arange(pixels.shape[1])) % gap  # (H, W)
    pixels[(where == 1) & (place == 0)] = 235
    pixels[(where == 1) & (place == 1)] = 60
    return Image.fromarray(pixels)


def legend(names: Sequence[str], palette: Any, size: int = 14) -> Image.Image:
    """A column of colour patches with their names, to be put beside a drawing.

    Args:
        names: class names.
        palette: (K, 3) uint8 RGB, at least as many as names.
        size: of the letters, in pixels.
    """
    font, lines = with_letters([" ".join(name.split()) for name in names], size)
    wide = max((font.getlength(line) for line in lines), default=0)
    row = round(size * 1.6)
    sheet = Image.new("RGB", (int(wide) + 2 * row + 8, max(1, row * len(lines) + 8)), "white")
    draw = ImageDraw.Draw(sheet)
    for k, (line, colour) in enumerate(zip(lines, np.asarray(palette), strict=False)):
        top = 4 + k * row
        draw.rectangle((4, top + 2, 4 + row, top + row - 3), fill=tuple(int(value) for value in colour))
        draw.text((12 + row, top + row / 2), line, fill="black", font=font, anchor="lm")
    return sheet


def _checked(image: Any, mask: Any, palette: Any, ignore: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A writable copy of the picture as (H, W, 3) uint8, the mask as (H, W) int64, the palette as (K, 3) uint8."""
    if not isinstance(image, Image.Image):
        array = np.asarray(image, dtype=np.uint8)
        image = Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array)
    pixels = np.array(image.convert("RGB"))  # (H, W, 3)
    mask, palette = np.asarray(mask, dtype=np.int64), np.asarray(palette, dtype=np.uint8)
    require_shape(mask, "H W", "mask", H=pixels.shape[0], W=pixels.shape[1])
    require_shape(palette, "K C", "palette", C=3)
    wrong = mask[(mask != ignore) & ((mask < 0) | (mask >= len(palette)))]
    if len(wrong):
        raise DataError(
            f"The mask holds class {wrong[0]}, but the palette has {len(palette)} colours "
            f"(classes 0..{len(palette) - 1}, {ignore} = ignore)."
        )
    return pixels, mask, palette
