"""What a segmenter said, drawn on the picture."""

import numpy as np
from PIL import Image

from pellucid.plots.overlay import hatch, legend, outline_mask, overlay_mask
from pellucid.plots.palette import palette
from pellucid.tasks.segment.loss import IGNORE
from pellucid.tasks.segment.prediction.result import BACKGROUND, SegmentResult

SHOWN_WIDTH = 256
TINT = 0.5
OUTLINE = 400  # px of the picture's shorter side for every pixel of an outline's width


def draw(image: Image.Image, result: SegmentResult) -> Image.Image:
    """The picture (at least 256 px wide) tinted by class, each region in an outline of its colour; classes and shares.

    Under the tint the picture is grey, so that the colour is the class's alone and not that of a thing. A class called
    background stays as it is; hatched is what the model did not look at.
    """
    colours = palette(len(result.classes))
    clear = [k for k, name in enumerate(result.classes) if name.lower() == BACKGROUND]
    factor = max(1, SHOWN_WIDTH // image.width)
    shown = image.convert("RGB").resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    mask = result.mask.repeat(factor, axis=0).repeat(factor, axis=1)
    named = (mask != IGNORE) & ~np.isin(mask, clear)
    shown.paste(shown.convert("L").convert("RGB"), mask=Image.fromarray(named))
    shown = overlay_mask(shown, mask, colours, alpha=TINT, clear=clear)
    shown = outline_mask(shown, mask, colours, clear=clear, width=max(1, min(mask.shape) // OUTLINE))
    shown = hatch(shown, mask == IGNORE)
    shares = result.shares
    present = [k for k, name in enumerate(result.classes) if name in shares and k not in clear]
    key = legend([f"{result.classes[k]} {shares[result.classes[k]]:.1%}" for k in present], colours[present])
    sheet = Image.new("RGB", (max(shown.width, key.width), shown.height + key.height), "white")
    sheet.paste(shown)
    sheet.paste(key, (0, shown.height))
    return sheet
