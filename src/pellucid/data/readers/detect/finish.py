"""What every reader of boxes ends with: pictures and things become a `Source`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError
from pellucid.data.readers.detect.pictures import Pictures
from pellucid.data.readers.detect.things import Things
from pellucid.data.readers.listing import Root, parent_groups
from pellucid.data.source import Card, Problem, Source

SAY_LITTLE = ("not-an-image", "no-split")  # kinds of problems


def detection_source(
    path: Path,
    root: Root,
    pictures: Pictures,
    things: Things,
    classes: tuple[str, ...],
    group: str,
    problems: list[Problem],
    groups: np.ndarray | None = None,
    hint: str = " Its annotations list no thing.",
) -> Source:
    """A data set of pictures with things in them.

    Args:
        path: what the user named.
        group: "folder" makes a group of each folder of pictures; "" makes none.
        groups: where the annotations say them.
        hint: what is said where nothing is in any picture and no record is broken.

    Raises:
        DataError: no picture is left, or nothing is in any of them.
        ConfigError: another `group`.
    """
    name = root.folder.resolve().name or str(root.folder)
    if not len(pictures):
        raise DataError(f"{path}: no picture can be used.{most_common(problems) or ' It names none.'}")
    if not len(things):
        raise DataError(f"{path}: nothing is in any of the {len(pictures):,} pictures.{most_common(problems) or hint}")
    return Source(
        name=name,
        images=pictures.paths,
        names=pictures.names,
        classes=classes,
        objects=things.objects(pictures.sizes_hw, problems, name),
        roles=np.array(pictures.roles, dtype="<U5"),
        groups=parent_groups(pictures.names, group) if groups is None else groups,
        problems=problems,
        card=Card(title=name, origin=str(path)),
    )


def most_common(problems: Sequence[Problem]) -> str:
    """How many problems of each kind there are, and the first of those that say the most; "" without any."""
    counts = Counter(problem.kind for problem in problems).most_common()
    if not counts:
        return ""
    first = min(problems, key=lambda problem: problem.kind in SAY_LITTLE)  # min takes the first of equals
    said = f" ({', '.join(f'{count:,} {kind}' for kind, count in counts)})" if len(problems) > 1 else ""
    return f" The first of {len(problems):,} problems{said}: {first.record}: {first.reason.rstrip('.')}."
