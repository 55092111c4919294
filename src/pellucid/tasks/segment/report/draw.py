"""The picture, its true and its predicted classes side by side."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from pellucid.plots.grid import grid
from pellucid.plots.overlay import hatch, outline_mask, overlay_mask
from pellucid.plots.palette import palette
from pellucid.tasks.segment.loss import IGNORE
from pellucid.tasks.segment.report.seen import Patch, View, Window

PANEL = 100  # pixels of the longer side of a panel; three of them fit into what a page stores of a picture
TINT = 0.5
WHITE = np.full((2, 3), 255, dtype=np.uint8)

WHOLE: Window = (slice(None), slice(None))


def side_by_side(
    view: View, classes: Sequence[str], window: Window = WHOLE, marked: np.ndarray | None = None
) -> Image.Image:
    """Three panels: the picture; the truth, and the answer, as colours over a grey one. Hatched is what does not count.

    A class called background stays clear. On grey, no thing's own colour is taken for that of a class.

    Args:
        window: rows and columns that are shown.
        marked: (H, W) bool, what gets a white outline in the first panel.
    """
    image = view.image[window]
    true, called = (np.ascontiguousarray(each[window]) for each in (view.true, view.called))
    clear = clear_classes(classes)
    colours = palette(len(classes))
    plain = _as_image(image)
    panels = [plain.convert("RGB")]
    if marked is not None:
        panels = [outline_mask(plain, marked[window].astype(np.int64), WHITE, clear=[0])]
    for mask in (true, called):
        drawn = overlay_mask(plain.convert("L"), mask, colours, alpha=TINT, clear=clear)
        panels.append(outline_mask(drawn, mask, colours, clear=clear))
    panels[1:] = [hatch(panel, true == IGNORE, gap=4) if (true == IGNORE).any() else panel for panel in panels[1:]]
    return grid([_fitted(panel) for panel in panels], columns=3, captions=("picture", "true", "predicted"))


def patch_side_by_side(patch: Patch, classes: Sequence[str]) -> Image.Image:
    """The same of a patch and what lies around it."""
    return side_by_side(patch.view, classes, around(patch.window, patch.view.true.shape), patch.mask)


def clear_classes(classes: Sequence[str]) -> list[int]:
    """Classes that are left uncoloured: those called background."""
    return [k for k, name in enumerate(classes) if name.lower() == "background"]


def around(window: Window, shape: Sequence[int], least: int = 24) -> Window:
    """A window with some of what lies around it: a third of its longer side, and at least `least` pixels in all."""
    sides = []
    longest = max(part.stop - part.start for part in window)
    side = max(least, longest + 2 * (longest // 3))
    for part, size in zip(window, shape, strict=True):
        start = (part.start + part.stop - side) // 2
        start = max(0, min(start, size - side))
        sides.append(slice(start, min(size, start + side)))
    return sides[0], sides[1]


def _as_image(image: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(image[:, :, 0] if image.shape[2] == 1 else image))


def _fitted(panel: Image.Image) -> Image.Image:
    """As large as a panel is: small ones by a whole factor, pixel by pixel."""
    longest = max(panel.size)
    if longest <= PANEL:
        factor = PANEL // longest
        return panel.resize((panel.width * factor, panel.height * factor), Image.Resampling.NEAREST)
    scale = PANEL / longest
    return panel.resize((max(1, round(panel.width * scale)), max(1, round(panel.height * scale))), Image.Resampling.BOX)
