"""Whether "nothing in particular" is a class, and should be."""

from collections.abc import Sequence

import numpy as np

from pellucid.core.verdict import Verdict
from pellucid.doctor.finding import Finding

NOTHING = ("background", "backgroundgoogle", "bg", "noobject")
NOT_KNOWN = ("void", "ignore", "ignored", "unlabeled", "unlabelled", "unknown", "undefined")


def judge_background(classes: Sequence[str], counts: np.ndarray, pixels: bool, ignored: bool = False) -> list[Finding]:
    """Class names that mean "nothing" or "not known" where they would be learned like any other class.

    Args:
        classes: K names.
        counts: (K,) pictures, or pixels of masks, of each.
        pixels: whether they are classes of masks, where background is a class if it is named.
        ignored: whether some pixels have no class (255).
    """
    plain = [plain_name(name) for name in classes]
    unknown = [classes[k] for k, name in enumerate(plain) if name in NOT_KNOWN]
    nothing = [classes[k] for k, name in enumerate(plain) if name in NOTHING]
    if unknown:
        what = "pixels" if pixels else "pictures"
        cure = "give those pixels 255, which is ignored" if pixels else "leave the label empty, or remove the pictures"
        n = _count(classes, counts, unknown[0])
        evidence = f"the class {unknown[0]!r} would be trained like any other: {n:,} {what}"
        cause = "a list of classes that names what has no class"
        return [Finding(Verdict("background-class", "warn", evidence, cause, cure))]
    if len(nothing) > 1:
        evidence = f"{len(nothing)} classes mean background: {', '.join(map(repr, nothing))}"
        cause = "two lists of classes that were joined"
        return [Finding(Verdict("background-class", "warn", evidence, cause, "make them one class"))]
    if nothing and not pixels:
        n = _count(classes, counts, nothing[0])
        evidence = (
            f"{nothing[0]!r} is one of {len(classes)} classes, with {n:,} pictures: it would be learned like any other"
        )
        cause = "a list of classes made for detection, or a folder of left-overs"
        cure = "remove it if it is a left-over; rename it (say, to other) if pictures of nothing else are meant"
        return [Finding(Verdict("background-class", "warn", evidence, cause, cure))]
    if pixels and not nothing and not ignored and len(classes) == 1:
        evidence = f"masks name one class, {classes[0]}, and no background"
        return [
            Finding(Verdict("background-class", "warn", evidence, "background was left out of the list", "name it"))
        ]
    return []


def plain_name(name: str) -> str:
    """Letters alone, small."""
    return "".join(letter for letter in name.lower() if letter.isalpha())


def _count(classes: Sequence[str], counts: np.ndarray, name: str) -> int:
    return int(counts[list(classes).index(name)])
