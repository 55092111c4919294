"""Pictures on which hardly anything can be seen: too dark, too bright, or all of one colour."""

import numpy as np

from pellucid.core.verdict import Verdict
from pellucid.doctor.finding import Finding
from pellucid.doctor.pictures.measures import Measures
from pellucid.doctor.pictures.outliers import are_few, robust_z

DARK, BRIGHT = 30.0, 225.0  # grey values that nearly all pixels are below, or above
UNIFORM = 2.0  # standard deviation of grey values; a JPEG of one colour stays below
FAR = 3.0  # robust standard deviations from the rest of the set
GREY_STEP = 8.0  # the least such deviation, in grey values: sets of very even light are not split by hairs


def judge_dark(measures: Measures) -> list[Finding]:
    """Pictures whose brightest parts are nearly black, in a set whose others' are not."""
    seen = measures.spread >= UNIFORM
    found = seen & (measures.high <= DARK) & (robust_z(measures.high, GREY_STEP) < -FAR)
    notes = [f"99 % of the pixels are at most {value:.0f} of 255" for value in measures.high]
    cause = "exposure failed, or pictures with more than 8 bits were scaled wrongly"
    return _judge("dark-pictures", "nearly black", found, measures.high, notes, cause)


def judge_bright(measures: Measures) -> list[Finding]:
    """Pictures whose darkest parts are nearly white, in a set whose others' are not."""
    seen = measures.spread >= UNIFORM
    found = seen & (measures.low >= BRIGHT) & (robust_z(measures.low, GREY_STEP) > FAR)
    notes = [f"99 % of the pixels are at least {value:.0f} of 255" for value in measures.low]
    cause = "overexposed, or values were scaled wrongly"
    return _judge("bright-pictures", "nearly white", found, -measures.low, notes, cause)


def judge_uniform(measures: Measures) -> list[Finding]:
    """Pictures of one colour."""
    found = measures.spread < UNIFORM
    notes = [f"grey values differ by {value:.1f} of 255" for value in measures.spread]
    cause = "the camera cap was on, a download stopped early, or a cut missed the object"
    return _judge("uniform-pictures", "of one colour", found, measures.spread, notes, cause)


def _judge(rule: str, what: str, found: np.ndarray, rank: np.ndarray, notes: list[str], cause: str) -> list[Finding]:
    """The verdict on the pictures of `found`, the lowest `rank` first."""
    n = int(found.sum())
    if not n:
        return []
    rows = np.flatnonzero(found)
    rows = rows[np.argsort(rank[rows], kind="stable")]
    evidence = f"{n:,} of {len(found):,} pictures are {what}: {notes[rows[0]]} in the clearest"
    kept = tuple(notes[row] for row in rows)
    if not are_few(n, len(found)):
        verdict = Verdict(rule, "info", f"{evidence}; so many that the set seems to be like that")
    else:
        verdict = Verdict(rule, "warn", evidence, cause, "look at them, and remove them if they show nothing")
    return [Finding(verdict, tuple(rows.tolist()), notes=kept)]
