"""What must not happen before training: pictures, or groups, that are trained on and tested on."""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.verdict import Verdict
from pellucid.data.prepare import Splits
from pellucid.data.source import ROLES, Source
from pellucid.doctor.copies.find import equal_copies, too_little
from pellucid.doctor.copies.judge import judge_copies
from pellucid.doctor.copies.near import describe_rows, near_copies
from pellucid.doctor.copies.pairs import Copy
from pellucid.doctor.finding import Finding
from pellucid.doctor.published import is_published
from pellucid.doctor.sides.groups import judge_groups

LEAKS = ("leaked-duplicates", "leaked-groups")  # the rules of this gate
NEAR_UP_TO = 1 << 30  # bytes of pictures that are compared beyond equality; to read more would take long


def find_leaks(splits: Splits, source: Source) -> tuple[list[Finding], list[Verdict]]:
    """Copies and groups across splits, as quickly as training can wait for.

    Equal, nearly equal and left-right mirrored pictures; `examine` looks for more. Pictures in no split do not count.

    Returns:
        what leaks, and what is to be said of how far was looked.
    """
    sides: dict[str, np.ndarray] = {role: splits.split.role(role) for role in ROLES}
    labels, classes = splits.pack.targets.get("label"), splits.facts.classes
    findings = [] if source.groups is None else judge_groups([source.groups[row] for row in splits.pack.rows], sides)
    if sum(len(rows) > 0 for rows in sides.values()) < 2:
        return findings, []
    copies, said = _copies(splits, np.sort(np.concatenate(list(sides.values()))))
    found = judge_copies(copies, sides, splits.names, labels, classes, published=is_published(source))
    return [*findings, *(finding for finding in found if finding.verdict.rule in LEAKS)], said


def _copies(splits: Splits, rows: np.ndarray) -> tuple[list[Copy], list[Verdict]]:
    pack = splits.pack
    copies, kept = equal_copies(pack, rows)
    too_many = pack.images.nbytes > NEAR_UP_TO
    if too_many or too_little(len(kept), int(pack.targets["valid_hw"][kept].min())):
        evidence = f"only equal pictures were looked for among {len(rows):,}, to lose no time"
        said = [Verdict("leaked-duplicates", "info", evidence, "", "look for others with pellucid check")]
        return copies, said if too_many else []
    return copies + near_copies(pack, describe_rows(pack, kept), upside_down=False), []


def pass_gate(splits: Splits, source: Source, allowed: bool = False) -> list[Verdict]:
    """What is to be said of leaks before training.

    Args:
        allowed: say it, but let the training begin.

    Raises:
        DataError: something leaks; the message names the worst and what can be done. A published data set is trained on
            with its leaks, so that results can be compared.
    """
    findings, said = find_leaks(splits, source)
    if not allowed and (failed := [finding.verdict for finding in findings if finding.verdict.status == "fail"]):
        raise DataError(
            f"Nothing was trained, since {failed[0].evidence}: validation or test would look too good. Remove copies, "
            "give what belongs together one group (--group), or train all the same with --allow-leaks. For pictures of "
            "them: pellucid check."
        )
    return [*(finding.verdict for finding in findings), *said]
