"""What train, check and tune begin with: data and settings as somebody stated them, in Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.core.choose import choose
from pellucid.data.load import load
from pellucid.data.source import Source
from pellucid.runs.setup.config import how_to_read, make_config, read_file
from pellucid.tasks import CONFIGS


@dataclass(frozen=True)
class Asked:
    """Data that was read, and its settings, not yet resolved.

    Attributes:
        source: the records.
        task: its name.
        cfg: every setting: defaults, the file, then what was stated.
        content: what the file says, by section.
    """

    source: Source
    task: str
    cfg: Any
    content: dict[str, Any]


def read_asked(data: Any, task: str, config: str | Path | None, changes: Mapping[str, Any]) -> Asked:
    """Read data and settings. How data was grouped when it was loaded becomes a setting, so that it is found again.

    Args:
        data: what `pellucid.load` takes.
        task: its name, or `auto`: by the labels the data has.
        config: a TOML file with settings; None for none.
        changes: settings that win over it.

    Raises:
        PellucidError: one of its kinds, in one line, for everything a user can cause.
    """
    content = read_file(config)
    group, strict = how_to_read(content, dict(changes))
    source = load(data, group=group, strict=strict, task=task)
    name = source.kind if task == "auto" else task
    stated = {**({"group": source.group} if source.group else {}), **changes}
    cfg: Any = make_config(choose(name, CONFIGS, "task"), content, stated, str(config))
    return Asked(source, name, cfg, content)
