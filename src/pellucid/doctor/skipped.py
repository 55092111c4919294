"""What to say of records that had to be left out."""

from collections.abc import Sequence

from pellucid.core.verdict import Verdict
from pellucid.data.source import Problem


def judge_skipped(problems: Sequence[Problem]) -> list[Verdict]:
    """One verdict for each kind of problem: how many, and the first of them."""
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.kind, []).append(problem)
    return [
        Verdict(
            "skipped-records",
            "warn",
            f"{len(found)} left out as {kind}, the first of them {found[0].record}: {found[0].reason.rstrip('.')}",
            "",
            "mend or remove them, or refuse them all with --strict",
        )
        for kind, found in kinds.items()
    ]
