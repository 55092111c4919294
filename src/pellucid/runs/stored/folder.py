"""The run folder: what lies where, and how it is made and read."""

import contextlib
import errno
import functools
import importlib.metadata
import itertools
import os
import platform
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pellucid
from pellucid.core import config as settings
from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError, RunError, WriteError
from pellucid.core.files import cannot_write, read_text, write_text
from pellucid.tasks import CONFIGS

CONFIG = "config.toml"
WEIGHTS = "model.safetensors"
LAST = "last"
METRICS = "metrics.jsonl"
TIMING = "timing.jsonl"
LAYERS = "layers.jsonl"
DOCTOR = "doctor.json"
SPLIT = "split.json"
OPENINGS = "test_openings.jsonl"
TEST = "test.safetensors"
CHOICES = "choices.csv"
RATE_FINDER = "rate_finder.json"
RATE_PICTURE = "rate_finder.svg"
EXAMPLES = "examples"
REPORT = "report.html"
CHALLENGES = "challenges.json"
CHALLENGES_PAGE = "challenges.html"
NONFINITE = "nonfinite"
SNAPSHOTS = "snapshots"
FILES = (
    CONFIG,
    WEIGHTS,
    METRICS,
    TIMING,
    LAYERS,
    DOCTOR,
    SPLIT,
    OPENINGS,
    TEST,
    CHOICES,
    REPORT,
    RATE_FINDER,
    RATE_PICTURE,
    CHALLENGES,
    CHALLENGES_PAGE,
)
PARTS = (LAST, EXAMPLES, NONFINITE, SNAPSHOTS)
RUNS = Path("runs")
# Keys of `models.published.packaged.PACKAGED`, which brings torch: a mistyped folder is told of without waiting for it.
PACKAGED = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


@dataclass(frozen=True)
class Story:
    """The `[run]` table of `config.toml`: what was asked for, outside the settings."""

    task: str
    data: str
    version: str = pellucid.__version__


def require_free(out: str | Path | None, overwrite: bool) -> None:
    """Refuse a run folder that cannot be made, before any time is spent on it. Nothing is written.

    Raises:
        RunError: `out` holds a run and `overwrite` was not said, or holds something that is no run.
        WriteError: no permission, or a file stands in the way.
    """
    folder = RUNS if out is None else Path(out)
    if out is not None and folder.is_file():
        raise RunError(f"{folder} is a file; --out needs a folder that is new or empty.")
    above = next(part for part in (folder, *folder.absolute().parents) if part.exists())
    if not above.is_dir():
        raise WriteError(cannot_write(folder, NotADirectoryError(errno.ENOTDIR, "")))
    if not os.access(above, os.W_OK | os.X_OK):
        raise WriteError(cannot_write(folder, PermissionError(errno.EACCES, "")))
    if out is None or not folder.is_dir() or is_leftover(folder):
        return
    if not is_run(folder):
        raise RunError(f"{folder} holds something that is no run. Choose another --out; nothing in it was changed.")
    if not overwrite:
        raise RunError(
            f"{folder} exists already. Choose another --out, go on with --resume {folder}, or say --overwrite."
        )


def create(out: str | Path | None, source: str, model: str) -> Path:
    """Make the folder of a new run: `out`, emptied of an earlier one, or `runs/<data>-<model>` with a free number.

    Raises:
        WriteError: no permission.
    """
    try:
        if out is not None:
            folder = Path(out)
            folder.mkdir(parents=True, exist_ok=True)
            clear(folder)
            return folder
        stem = re.sub(r"[^\w.-]+", "-", f"{source}-{model}").strip("-.").lower() or "run"
        for number in itertools.count(1):
            folder = RUNS / (stem if number == 1 else f"{stem}-{number}")
            with contextlib.suppress(FileExistsError):  # taken, perhaps by a run that started this moment
                folder.mkdir(parents=True)
                return folder
    except OSError as error:
        raise WriteError(cannot_write(folder, error)) from error
    raise AssertionError("there is always a next number")


def clear(folder: Path) -> None:
    """Remove what a run wrote there, and nothing else."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    for part in PARTS:
        for file in (folder / part).glob("*"):
            file.unlink()
        if (folder / part).is_dir() and not any((folder / part).iterdir()):
            (folder / part).rmdir()
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove the half-written files of a process that was killed."""
    for place in (folder, *(folder / part for part in PARTS)):
        for file in place.glob(".*.tmp"):
            file.unlink(missing_ok=True)


def is_run(folder: Path) -> bool:
    """Whether a run was started there: its config is written last, when all that resuming needs is on disk."""
    try:
        return isinstance(tomllib.loads((folder / CONFIG).read_text(encoding="utf-8")).get("run"), dict)
    except (OSError, ValueError):
        return False


def is_leftover(folder: Path) -> bool:
    """Whether it is empty, or holds only what a run wrote that was killed before it began."""
    names = {path.name for path in folder.iterdir()}
    return CONFIG not in names and all(name in (*FILES, *PARTS) or name.endswith(".tmp") for name in names)


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
        if Path(folder).is_file():
            raise RunError(
                f"{folder} is a file, not a run folder. A weights file can predict, and be measured on DATA."
            )
        if not Path(folder).exists() and str(folder) in PACKAGED:
            raise RunError(
                f"{folder} is a packaged model, not a run: it can predict, and be measured on DATA whose classes it "
                "knows."
            )
        known = ", ".join(str(each) for each in list_runs(RUNS)[:5])
        hint = f" Runs here: {known}." if known else " Train one with: pellucid train DATA"
        what = f"it has no {CONFIG}" if Path(folder).exists() else "it does not exist"
        raise RunError(f"{folder} is no run folder: {what}.{hint}")
    content = settings.read_toml(read_text(path), str(path))
    story = content.pop("run", None)
    known_fields = Story.__dataclass_fields__.keys()
    if not isinstance(story, dict) or not {"task", "data"} <= story.keys() <= known_fields:
        raise ConfigError(f"{path} has no [run] table with task and data. It was not written by pellucid train.")
    if story["task"] not in CONFIGS:
        raise ConfigError(f"{path}: {unknown(str(story['task']), CONFIGS, 'task')}")
    return settings.from_dict(CONFIGS[story["task"]], content, str(path)), Story(**story)


def list_runs(root: Path) -> list[Path]:
    """Every run folder below `root`, newest first."""
    found = [path.parent for path in Path(root).glob(f"**/{CONFIG}") if is_run(path.parent)]
    return sorted(found, key=lambda folder: (folder / CONFIG).stat().st_mtime, reverse=True)


@functools.cache
def versions() -> dict[str, str]:
    """What a result depends on: versions of Python and of the packages that compute it."""
    names = ("torch", "numpy", "pillow", "simplejpeg")
    return {
        "pellucid": pellucid.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in names},
    }
