"""What to say of records that had to be left out."""

from collections.abc import Sequence

from pellucid.core.verdict import Verdict
from pellucid.data.source import Problem

KEPT = ("bad-area", "begins-at-zero", "mixed-outlines")  # what is told, though nothing is left out
CAUSES = {
    "missing": "files were moved or renamed, or the list is of another copy of the data",
    "outside-root": "paths of another machine, or links",
    "unreadable": "a copy or a download that stopped early",
    "empty": "a copy or a download that stopped early",
    "damaged": "a copy or a download that stopped early",
    "not-an-image": "a file that is something else than its ending says",
    "size-mismatch": "pictures were resized or turned after they were annotated",
    "unknown-image": "lists of two versions of the data",
    "unknown-class": "a list of classes shorter than the labels, or labels that count from 1",
    "bad-label": "labels of another form, such as predictions with their scores",
    "bad-box": "corner and size, or x and y, taken for each other; or a click by accident",
    "duplicate": "lists that were put together, or a file saved twice",
    "duplicate-id": "lists that were put together, and not numbered anew",
    "two-splits": "splits that were drawn twice",
    "begins-at-zero": "a tool that counts pixels from 0, where VOC counts from 1",
}
OF_FILES = ("missing", "unreadable", "empty", "not-an-image", "too-large", "damaged", "unsupported", "not-a-mask")


def judge_skipped(problems: Sequence[Problem]) -> list[Verdict]:
    """One verdict for each kind of problem: how many, and the first of them.

    `unreadable-files` when the file itself cannot be used (the kinds of `data.image_file`), `skipped-records` when a
    table, a mask or a folder says something about a picture that cannot be.
    """
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.kind, []).append(problem)
    return [
        Verdict(
            "unreadable-files" if kind in OF_FILES else "skipped-records",
            "warn",
            f"{len(found)} {'kept, but marked' if kind in KEPT else 'left out as'} {kind}, the first of them "
            f"{found[0].record}: {found[0].reason.rstrip('.')}",
            CAUSES.get(kind, ""),
            "mend or remove them, or refuse them all with --strict",
        )
        for kind, found in kinds.items()
    ]
