"""From defaults, a file and stated settings to one config. Imports no torch."""

from pathlib import Path
from typing import Any, TypeVar

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.training.config import COURSE_DEFAULTS

Config = TypeVar("Config")


def make_config(kind: type[Config], file: str | Path | None, changes: dict[str, Any]) -> Config:
    """Defaults, then the course's defaults when asked for, then the file, then `changes`.

    Raises:
        ConfigError: the file is missing or no TOML, a setting is unknown, or a value does not fit.
    """
    cfg = kind()
    if changes.get("defaults"):
        cfg = settings.change(cfg, COURSE_DEFAULTS)
    if file is not None:
        path = Path(file)
        if not path.is_file():
            raise ConfigError(f"No config file {path}. Every run folder holds one: config.toml.")
        content = settings.read_toml(path.read_text(encoding="utf-8"), str(path))
        content.pop("run", None)  # a run's own config.toml also says which data it was
        cfg = settings.change(cfg, settings.stated(kind, content, str(path)))
    return settings.change(cfg, changes)


def spec_of(data: Any) -> str:
    """How the data is written down in the run, so that it can be found again; "" for arrays in memory."""
    if isinstance(data, (str, Path)):
        return str(Path(data).resolve()) if Path(data).exists() else str(data)
    return ""
