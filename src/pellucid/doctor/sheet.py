"""Pictures of what was found: a contact sheet of a finding's rows or pairs."""

import numpy as np
from PIL import Image

from pellucid.data.pack import Pack
from pellucid.doctor.finding import Finding
from pellucid.plots.grid import grid

SHOWN = 24  # pictures at most
COLUMNS = 8


def sheet(finding: Finding, pack: Pack, shown: int = SHOWN, columns: int = COLUMNS) -> Image.Image | None:
    """The clearest cases with a caption each; the two pictures of a pair side by side. None for a finding without any.

    Args:
        shown: pictures at most.
        columns: pictures in a row, even for pairs.
    """
    if finding.pairs:
        pairs = finding.pairs[: max(1, shown // 2)]
        rows = [row for pair in pairs for row in pair]
        notes = list(finding.notes) + [""] * len(pairs)
        captions = [text for pair, note in zip(pairs, notes, strict=False) for text in (pack.names[pair[0]], note)]
        columns += columns % 2
    else:
        rows = list(finding.rows[:shown])
        captions = list(finding.notes[: len(rows)]) or [pack.names[row] for row in rows]
    if not rows:
        return None
    return grid([picture(pack, row) for row in rows], columns, captions=captions)


def picture(pack: Pack, row: int) -> Image.Image:
    """One row of a pack without its padding."""
    height, width = (int(side) for side in pack.targets["valid_hw"][row])
    values = np.array(pack.images[row, :height, :width])
    return Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
