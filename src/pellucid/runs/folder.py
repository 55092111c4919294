"""The run folder: what lies where, and how it is made and read."""

import importlib.metadata
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pellucid
from pellucid.core import config as settings
from pellucid.core.errors import ConfigError, RunError
from pellucid.core.files import cannot_write, write_text
from pellucid.tasks import CONFIGS

CONFIG = "config.toml"
WEIGHTS = "model.safetensors"
LAST = "last"
METRICS = "metrics.jsonl"
TIMING = "timing.jsonl"
DOCTOR = "doctor.json"
SPLIT = "split.json"
OPENINGS = "test_openings.jsonl"
TEST = "test.safetensors"
EXAMPLES = "examples"
REPORT = "report.html"


@dataclass(frozen=True)
class Story:
    """The `[run]` table of `config.toml`: what was asked for, outside the settings."""

    task: str
    data: str
    version: str = pellucid.__version__


def reserve(out: str | Path | None, source: str, model: str, overwrite: bool) -> Path:
    """Make the folder of a new run: `out`, or `runs/<data>-<model>` with the next free number.

    Raises:
        RunError: `out` holds something already, and `overwrite` was not said.
        WriteError: no permission.
    """
    if out is None:
        stem = re.sub(r"[^\w.-]+", "-", f"{source}-{model}").strip("-").lower() or "run"
        folder = next(
            f for n in range(1, 1_000_000) if not (f := Path("runs") / f"{stem}{'' if n == 1 else f'-{n}'}").exists()
        )
    else:
        folder = Path(out)
        if folder.exists() and not folder.is_dir():
            raise RunError(f"{folder} is a file; --out needs a folder that is new or empty.")
        if folder.exists() and any(folder.iterdir()) and not overwrite:
            raise RunError(
                f"{folder} exists already. Choose another --out, go on with --resume {folder}, or say --overwrite."
            )
    if overwrite and folder.exists():
        _clear(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(cannot_write(folder, error)) from error
    return folder


def _clear(folder: Path) -> None:
    """Remove what an earlier run wrote there, and nothing else."""
    for name in (CONFIG, WEIGHTS, METRICS, TIMING, DOCTOR, SPLIT, OPENINGS, TEST, REPORT):
        (folder / name).unlink(missing_ok=True)
    for part in (LAST, EXAMPLES, "nonfinite"):
        for file in (folder / part).glob("*"):
            file.unlink()


def write_config(folder: Path, cfg: Any, story: Story) -> None:
    """Write `config.toml`: the `[run]` table, then every setting."""
    import tomli_w

    write_text(folder / CONFIG, tomli_w.dumps({"run": vars(story)}) + "\n" + settings.to_toml(cfg))


def read_config(folder: Path) -> tuple[Any, Story]:
    """The config and story of a run.

    Raises:
        RunError: this is no run folder.
        ConfigError: its `config.toml` has an unknown setting or a value that does not fit.
    """
    path = Path(folder) / CONFIG
    if not path.exists():
        known = ", ".join(str(each) for each in list_runs(Path("runs"))[:5])
        hint = f" Runs here: {known}." if known else " Train one with: pellucid train DATA"
        raise RunError(f"{folder} is no run folder: it has no {CONFIG}.{hint}")
    content = settings.read_toml(path.read_text(encoding="utf-8"), str(path))
    story = content.pop("run", None)
    if not isinstance(story, dict) or not {"task", "data"} <= story.keys():
        raise ConfigError(f"{path} has no [run] table with task and data. It was not written by pellucid train.")
    if story["task"] not in CONFIGS:
        raise ConfigError(f"{path}: unknown task {story['task']!r}. Choose from: {', '.join(CONFIGS)}.")
    return settings.from_dict(CONFIGS[story["task"]], content, str(path)), Story(**story)


def list_runs(root: Path) -> list[Path]:
    """Every run folder below `root`, newest first."""
    found = [path.parent for path in Path(root).glob(f"**/{CONFIG}")] if Path(root).is_dir() else []
    return sorted(found, key=lambda folder: (folder / CONFIG).stat().st_mtime, reverse=True)


def versions() -> dict[str, str]:
    """What a result depends on: versions of Python and of the packages that compute it."""
    names = ("torch", "numpy", "pillow", "simplejpeg")
    return {
        "pellucid": pellucid.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in names},
    }
