"""The split that is stored with a run, and whether the data still is what it was."""

import json
from pathlib import Path

from pellucid.core.errors import DataError, RunError
from pellucid.core.files import write_json
from pellucid.data.prepare import Splits
from pellucid.data.source import ROLES
from pellucid.runs import folder as files
from pellucid.runs.folder import Story


def write_split(folder: Path, splits: Splits) -> None:
    """Write which record lies in which split, by name."""
    names = _names(splits)
    write_json(folder / files.SPLIT, {"digest": splits.split.digest, **names})


def check_same_data(folder: Path, splits: Splits) -> None:
    """Refuse data whose records are not those the run was started with.

    Raises:
        DataError: pictures were added, removed or renamed since.
    """
    stored = json.loads((folder / files.SPLIT).read_text(encoding="utf-8"))
    names = _names(splits)
    if {role: stored[role] for role in names} == names:
        return
    before = {name for role in names for name in stored[role]}
    now = {name for role in names for name in names[role]}
    raise DataError(
        f"The data of {folder} has changed since it was trained: {len(now - before)} records are new, "
        f"{len(before - now)} are gone. Restore the data, or name a data set to evaluate on."
    )


def reload_spec(story: Story, folder: Path) -> str:
    """What to load to have the run's data again.

    Raises:
        RunError: the run was trained on arrays in memory.
    """
    if not story.data:
        raise RunError(f"{folder} was trained on arrays in memory, which are not stored. Pass the data again.")
    return story.data


def _names(splits: Splits) -> dict[str, list[str]]:
    return {role: [splits.names[row] for row in splits.split.role(role)] for role in ROLES}
