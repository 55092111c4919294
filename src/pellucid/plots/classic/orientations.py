"""Which way edges run, cell by cell: a star of lines in each cell."""

import math
from typing import Any

import numpy as np

from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.plots import svg

# R x S cells, K orientations

LEVELS = 16  # of opacity; one path each, which keeps a picture of 40,000 lines small
FAINT = 3  # the first that is drawn: below 2.5 % of the strongest there is only noise, and most of the lines


def orientations(cells: Any, side: float = 16.0, label: str = "Strength of edges by orientation") -> str:
    """Draw histograms of orientations, as `scikit-image` does: lines run along the edges, across the gradient.

    Args:
        cells: (R, S, K) strengths from 0 up; bin k holds gradients of 180 k / K up to 180 (k + 1) / K degrees, x to the
            right and y down. Opacity is the square root of the strength, which keeps weak edges visible.
        side: of a cell in units of the drawing, which is S * side wide and R * side high.
        label: what a screen reader says.

    Returns:
        SVG in the colour of the text around it. A picture without any gradient gives an empty one.

    Raises:
        DataError: not three axes, negative strengths or none that are numbers.
        ConfigError: `side` is not above 0.
    """
    strengths = np.asarray(cells, dtype=np.float64)
    require_shape(strengths, "R S K", "histograms of orientations")
    require(0 < side < math.inf, "side", "above 0", side)
    if not np.isfinite(strengths).all() or strengths.min(initial=0) < 0:
        raise DataError("histograms of orientations must be numbers from 0 up.")
    rows, columns, bins = strengths.shape
    opacity = np.sqrt(strengths / (strengths.max(initial=0) or 1.0))
    level = np.ceil(opacity * LEVELS - 0.5).astype(int)
    theta = np.pi * (np.arange(bins) + 0.5) / bins
    reach = 0.44 * side  # a little air between cells
    across, down = -np.sin(theta) * reach, np.cos(theta) * reach
    parts = []
    for ink in range(FAINT, LEVELS + 1):
        runs = []
        for row, column, k in np.argwhere(level == ink):
            x, y = (column + 0.5) * side, (row + 0.5) * side
            runs.append([(x - across[k], y - down[k]), (x + across[k], y + down[k])])
        if runs:
            style = f'stroke="currentColor" stroke-width="{svg.number(side / 12)}" opacity="{ink / LEVELS:.2g}"'
            parts.append(f"<g {style}>{svg.path(runs, 'spoke')}</g>")
    return svg.document(columns * side, rows * side, label, parts)
