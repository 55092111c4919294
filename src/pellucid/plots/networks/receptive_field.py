"""The receptive field of one unit, drawn on the picture."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pellucid.core.errors import DataError

SIDE = 640  # px of the longer side of the drawing
TINT = np.array([255.0, 120.0, 20.0])
FRAME, INK = (232, 76, 16), (27, 39, 51)
CAPTION = 15  # px, size of letters


def draw_receptive_field(image: Any, weights: Any, box: tuple[int, int, int, int], caption: str = "") -> Image.Image:
    """Dim what a unit does not see, and tint what it sees by how many paths lead there.

    Args:
        image: PIL image, as the network gets it: of the size of `weights`.
        weights: (H, W) numbers of 0 or more: how much of the unit comes from each pixel.
        box: (top, left, bottom, right) of the frame in pixels, the last two excluded; beyond the picture is allowed.
        caption: one line below.

    Raises:
        DataError: the sizes differ, or nothing is seen.
    """
    pixels = np.asarray(image.convert("RGB"), dtype=np.float64)  # (H, W, 3)
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != pixels.shape[:2]:
        raise DataError(f"The picture is {pixels.shape[0]}x{pixels.shape[1]} px, but the field {weights.shape}.")
    if not weights.any() or weights.min() < 0:
        raise DataError("A receptive field is drawn from weights of 0 or more, and some above 0.")
    heat = np.sqrt(weights / weights.max())[..., None] * 0.62  # roots, or only the middle could be seen
    grey = 255 - 0.45 * (255 - pixels.mean(2, keepdims=True).repeat(3, 2))
    seen = (1 - heat) * pixels + heat * TINT
    drawn = Image.fromarray(np.where(weights[..., None] > 0, seen, grey).round().astype(np.uint8))
    scale = SIDE / max(drawn.size)
    large = drawn.resize((round(drawn.width * scale), round(drawn.height * scale)), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(large)
    top, left, bottom, right = (value * scale for value in box)
    corners = (max(left, 0), max(top, 0), min(right, large.width) - 1, min(bottom, large.height) - 1)
    pen.rectangle(corners, outline=FRAME, width=3)
    return _with_caption(large, caption) if caption else large


def _with_caption(image: Image.Image, caption: str) -> Image.Image:
    font = ImageFont.load_default(CAPTION)
    wide = max(image.width, round(font.getlength(caption)) + 16)
    sheet = Image.new("RGB", (wide, image.height + 2 * CAPTION), "white")
    sheet.paste(image, (0, 0))
    ImageDraw.Draw(sheet).text((8, image.height + CAPTION), caption, INK, font, anchor="lm")
    return sheet
