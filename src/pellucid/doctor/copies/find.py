"""All copies of a pack: equal, nearly equal, mirrored, and parts."""

import numpy as np

from pellucid.core.progress import Progress, Quiet
from pellucid.data.pack import Pack
from pellucid.data.pack.equal import first_equal
from pellucid.doctor.copies import parts
from pellucid.doctor.copies.near import FEWEST, describe_rows, near_copies
from pellucid.doctor.copies.pairs import Copy

SMALLEST = 8  # pixels of the shorter side below which pictures of different things look alike
TELLING = 64  # pixels from which two pictures can be compared without others beside them
NEAR_UP_TO = 200_000  # pictures; more are compared to the bit only


def find_copies(pack: Pack, rows: np.ndarray, progress: Progress | None = None) -> tuple[list[Copy], str]:
    """Pairs of copies among `rows`, and what was not looked for, as half a sentence; "" when everything was.

    Of more than two equal pictures, each is paired with the first; only the first is compared further.
    """
    progress = progress or Quiet()
    copies, kept = equal_copies(pack, rows)
    if not len(kept):
        return copies, ""
    shortest = int(pack.targets["valid_hw"][kept].min())
    if why := too_little(len(kept), shortest) or (len(kept) > NEAR_UP_TO and f"more than {NEAR_UP_TO:,} pictures"):
        return copies, f"only equal pictures were looked for among {why}"
    with progress.bar("Looking for copies", 3) as advance:
        described = describe_rows(pack, kept)
        advance(1)
        copies += near_copies(pack, described)
        advance(2)
        if shortest < parts.SMALLEST or len(described.rows) > parts.MOST:
            return copies, "parts cut from other pictures were not looked for: " + (
                f"pictures below {parts.SMALLEST} px do not tell"
                if shortest < parts.SMALLEST
                else f"the set has more than {parts.MOST:,} pictures"
            )
        known = {(copy.first, copy.second) for copy in copies}
        copies += parts.find_parts(pack, described.rows, known)
        advance(3)
    return copies, ""


def too_little(n: int, shortest: int) -> str:
    """Why pictures cannot be told from copies by more than equality, in words; "" when they can."""
    if shortest < SMALLEST:
        return f"pictures below {SMALLEST} px"
    return f"fewer than {FEWEST} small pictures" if n < FEWEST and shortest < TELLING else ""


def equal_copies(pack: Pack, rows: np.ndarray) -> tuple[list[Copy], np.ndarray]:
    """Every row that equals an earlier one to the bit, with the first of its kind; and the rows without those."""
    images = np.asarray(pack.images)
    everything = len(rows) == len(images)
    first = first_equal(images if everything else images[rows])
    new = first == np.arange(len(rows))
    return [Copy(int(rows[first[i]]), int(rows[i]), "equal") for i in np.flatnonzero(~new)], rows[new]
