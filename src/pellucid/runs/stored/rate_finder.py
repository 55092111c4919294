"""The range test of a run that searched its rate: kept as numbers, and drawn."""

import math
from pathlib import Path

import numpy as np

from pellucid.core.errors import RunError
from pellucid.core.files import read_json, write_json, write_text
from pellucid.plots.curves import curves
from pellucid.runs.stored import folder as files
from pellucid.training.rates.finder import Found

TITLE = "Search of the rate: the loss as the rate grows"


def write_found(folder: Path, found: Found) -> None:
    """Write `rate_finder.json` and `rate_finder.svg`."""
    n, usable = len(found.losses), found.reading.n_usable
    losses = [float(loss) if math.isfinite(loss) else None for loss in found.losses]
    content = {
        "found": found.rate,
        "rates": [float(rate) for rate in found.rates[:n]],
        "losses": losses,
        "smoothed": [float(value) for value in found.reading.smoothed[:usable]],
        "tried": [
            {"rate": t.rate, "losses": [x if math.isfinite(x) else None for x in t.losses]} for t in found.trials
        ],
    }
    write_json(folder / files.RATE_FINDER, content)
    write_text(folder / files.RATE_PICTURE, draw_found(folder))


def draw_found(folder: Path) -> str:
    """The range test as SVG, from its numbers; "" for a run that did not search.

    Raises:
        RunError: the numbers are damaged.
    """
    path = folder / files.RATE_FINDER
    if not path.exists():
        return ""
    content = read_json(path)
    try:
        at = np.log10(np.array(content["rates"], dtype=np.float64))
        losses = np.array([math.nan if loss is None else loss for loss in content["losses"]])
        smoothed = np.array(content["smoothed"], dtype=np.float64)
        found = content["found"]
        best = None if found is None else (math.log10(found), float(np.interp(math.log10(found), at, losses)))
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} is damaged: it holds no range test. Restore it from a copy, or remove it.") from error
    lines = {"loss of a step": (at, losses), "smoothed": (at[: len(smoothed)], smoothed)}
    if best and len(smoothed):
        best = best[0], float(np.interp(best[0], at[: len(smoothed)], smoothed))
    return curves(lines, TITLE, x_label="log10 of the rate", y_label="training loss", best=best)
