"""What to say of records that had to be left out."""

from collections.abc import Sequence

from pellucid.core.verdict import Verdict
from pellucid.data.source import Problem

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
            f"{len(found)} left out as {kind}, the first of them {found[0].record}: {found[0].reason.rstrip('.')}",
            "",
            "mend or remove them, or refuse them all with --strict",
        )
        for kind, found in kinds.items()
    ]
