"""What may be said beside `--resume`: nothing that would make another run. Imports no torch."""

from pathlib import Path
from typing import Any

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.runs.setup.config import read_file
from pellucid.runs.stored.folder import read_config


def refuse_beside_resume(**given: bool) -> None:
    """Refuse what says where or how to begin.

    Raises:
        ConfigError: one of the options was given.
    """
    names = [f"--{name}" for name, is_given in given.items() if is_given]
    if names:
        raise ConfigError(
            f"--resume goes on with a run as it was begun, and takes no {' or '.join(names)}. Leave it out."
        )


def changes_of(folder: Path, config: str | Path | None, changes: dict[str, Any]) -> dict[str, Any]:
    """Every setting that was stated beside `--resume`: those of a config file, then single ones.

    Raises:
        ConfigError: the file cannot be used.
    """
    kind = type(read_config(folder)[0])
    return {**settings.stated(kind, read_file(config), str(config)), **changes}


def refuse_changes(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """A resumed run keeps its settings.

    Raises:
        ConfigError: a setting differs; the message names each with both values.
    """
    different = [f"{name} {before[name]!r} -> {now[name]!r}" for name in before if now[name] != before[name]]
    if different:
        raise ConfigError(
            f"Resuming {folder} cannot change its settings ({'; '.join(different)}), since the result would be neither "
            "run. Resume without them, or train anew."
        )
