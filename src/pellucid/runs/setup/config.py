"""From defaults, a file and stated settings to one config. Imports no torch."""

from pathlib import Path
from typing import Any, TypeVar

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.core.files import read_text
from pellucid.training.config import COURSE_DEFAULTS

Config = TypeVar("Config")


def read_file(file: str | Path | None) -> dict[str, Any]:
    """The sections of a config file, without the `[run]` table of a run's own; {} for none.

    Raises:
        ConfigError: it is missing or no TOML.
        RunError: it must not be read.
    """
    if file is None:
        return {}
    path = Path(file)
    if not path.is_file():
        raise ConfigError(f"No config file {path}. Every run folder holds one: config.toml.")
    content = settings.read_toml(read_text(path), str(path))
    content.pop("run", None)
    return content


def make_config(kind: type[Config], content: dict[str, Any], changes: dict[str, Any], where: str = "") -> Config:
    """Defaults, then the course's defaults when asked for, then the content of a file, then `changes`.

    Args:
        content: what `read_file` returned.
        where: name of that file, for messages.

    Raises:
        ConfigError: a setting is unknown, or a value does not fit.
    """
    cfg = kind()
    if changes.get("defaults"):
        cfg = settings.change(cfg, COURSE_DEFAULTS)
    stated = settings.stated(kind, content, where)
    try:
        cfg = settings.change(cfg, stated)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return settings.change(cfg, changes)


def how_to_read(content: dict[str, Any], changes: dict[str, Any]) -> tuple[str, bool]:
    """`group` and `strict`, which the reader of the data needs before its task, and so its config, is known.

    Raises:
        ConfigError: one of them has the wrong type.
    """
    data = content.get("data", {})
    stated = {**(data if isinstance(data, dict) else {}), **changes}
    group, strict = stated.get("group", ""), stated.get("strict", False)
    if not isinstance(group, str) or not isinstance(strict, bool):
        raise ConfigError(f"group is text and strict is true or false, got {group!r} and {strict!r}.")
    return group, strict
