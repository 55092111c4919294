"""Pictures of a shape or size that differs from all others."""

import numpy as np

from pellucid.core.verdict import Verdict
from pellucid.doctor.finding import Finding
from pellucid.doctor.pictures.outliers import are_few

LONG = 3.0  # times as long for its width as the usual picture, and as a square
SMALL = 4.0  # times as small, in length


def judge_sizes(original_hw: np.ndarray) -> list[Finding]:
    """Pictures that are very long or very small beside the others.

    Args:
        original_hw: (N, 2) height and width of the files, in pixels.
    """
    height, width = original_hw.astype(np.float64).T
    aspect, side = np.log(width / height), np.log(np.sqrt(width * height))
    off_shape = np.minimum(np.abs(aspect - np.median(aspect)), np.abs(aspect))
    below = np.median(side) - side
    far = np.maximum(off_shape / np.log(LONG), below / np.log(SMALL))
    found = np.flatnonzero(far > 1)
    if not len(found):
        return []
    rows = found[np.argsort(-far[found], kind="stable")]
    usual = np.median(original_hw, axis=0)
    notes = tuple(f"{width[row]:.0f} x {height[row]:.0f} px" for row in rows)
    evidence = (
        f"{len(rows):,} of {len(far):,} pictures are much longer or smaller than the others, which have about "
        f"{usual[1]:.0f} x {usual[0]:.0f} px; the oddest has {notes[0]}"
    )
    if not are_few(len(rows), len(far)):
        verdict = Verdict("odd-sizes", "info", f"{evidence}; so many that the set seems to be like that")
    else:
        cause = "icons, banners or cut-outs among photographs; little of them is left at the size of training"
        verdict = Verdict("odd-sizes", "warn", evidence, cause, "look at them, and remove or crop them")
    return [Finding(verdict, tuple(rows.tolist()), notes=notes)]
