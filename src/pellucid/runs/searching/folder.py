"""The folder of a search.

config.toml     what is searched, how, and what is fixed
journal.log     every trial (unless they are in a database)
trials/NAME/    settings and measurements of each; weights of the best alone
best/           the best one as a run: predict, evaluate, verify
best.toml       its settings, for `pellucid train --config`
report.html     all on one page
"""

import contextlib
import itertools
import re
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pellucid
from pellucid.core import config as settings
from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError, RunError, WriteError
from pellucid.core.files import cannot_write, read_text, write_text
from pellucid.runs.searching.options import TuneOptions
from pellucid.runs.stored import folder as runs
from pellucid.tasks import CONFIGS
from pellucid.training.search.notation import read_space
from pellucid.training.search.space import Choice, Space

CONFIG, JOURNAL, TRIALS, BEST, BEST_CONFIG, REPORT = (
    "config.toml",
    "journal.log",
    "trials",
    "best",
    "best.toml",
    "report.html",
)
FINISH = "finish"  # the lock of whoever writes what comes last
OWN = (CONFIG, JOURNAL, f"{JOURNAL}.flock", f"{FINISH}.flock", TRIALS, BEST, BEST_CONFIG, REPORT)


@dataclass(frozen=True)
class Told:
    """The `[search]` table of `config.toml`, but for the options.

    Attributes:
        task, data: as of a run.
        name: of the search in its storage.
        own: settings that were left to the search, of those it decides for trials: see `trial.decided`.
        version: of Pellucid.
    """

    task: str
    data: str
    name: str
    own: tuple[str, ...]
    version: str = pellucid.__version__


@dataclass(frozen=True)
class Begun:
    """What `config.toml` says: the table, the options, the space, and the settings that are fixed."""

    told: Told
    options: TuneOptions
    space: Space
    cfg: Any

    def storage(self, folder: Path) -> str:
        """Where its trials are written down."""
        return self.options.storage or str(folder / JOURNAL)


def is_search(folder: Path) -> bool:
    """Whether a search was begun there."""
    try:
        return "search" in settings.read_toml(read_text(folder / CONFIG), "")
    except (ConfigError, RunError):
        return False


def create(out: str | Path | None, source: str) -> Path:
    """Make the folder of a new search: `out`, or `runs/<data>-tune` with a free number.

    Raises:
        RunError: `out` holds something.
        WriteError: no permission.
    """
    try:
        if out is not None:
            folder = Path(out)
            if folder.is_file():
                raise RunError(f"{folder} is a file; --out needs a folder that is new or empty.")
            if is_search(folder):
                raise RunError(f"{folder} holds a search. Choose another --out, or go on with it: --resume {folder}.")
            if folder.is_dir() and any(path.name not in OWN[1:] for path in folder.iterdir()):
                raise RunError(f"{folder} holds something else. Choose another --out; nothing in it was changed.")
            folder.mkdir(parents=True, exist_ok=True)
            for name in OWN[1:]:  # of a search that was killed before it began
                (folder / name).unlink(missing_ok=True)
            return folder
        stem = re.sub(r"[^\w.-]+", "-", f"{source}-tune").strip("-.").lower()
        for number in itertools.count(1):
            folder = runs.RUNS / (stem if number == 1 else f"{stem}-{number}")
            with contextlib.suppress(FileExistsError):
                folder.mkdir(parents=True)
                return folder
    except OSError as error:
        raise WriteError(cannot_write(folder, error)) from error
    raise AssertionError("there is always a next number")


def fresh_name(folder: Path) -> str:
    """A name that no other search in a shared database has."""
    return f"{folder.name}-{uuid.uuid4().hex[:8]}"


def write_beginning(folder: Path, begun: Begun) -> None:
    """Write `config.toml`, when all else that going on needs is there."""
    import tomli_w

    search = {**vars(begun.told), "own": list(begun.told.own), **asdict(begun.options)}
    space = {
        name: [list(each) if isinstance(each, tuple) else each for each in axis.options]
        if isinstance(axis, Choice)
        else axis.words()
        for name, axis in begun.space.items()
    }
    text = tomli_w.dumps({"search": search, "space": space}) + "\n" + settings.to_toml(begun.cfg)
    write_text(folder / CONFIG, text)


def read_beginning(folder: Path) -> Begun:
    """What a search was begun with.

    Raises:
        RunError: no search was begun there.
        ConfigError: its `config.toml` does not fit.
    """
    path = folder / CONFIG
    if not path.is_file():
        what = "it has no config.toml" if folder.is_dir() else "it does not exist"
        raise RunError(f"{folder} is no folder of a search: {what}. Begin one with: pellucid tune DATA")
    content = settings.read_toml(read_text(path), str(path))
    search, space = content.pop("search", None), content.pop("space", None)
    names = [*Told.__dataclass_fields__, *TuneOptions.__dataclass_fields__]
    if not isinstance(search, dict) or set(search) != set(names) or not isinstance(space, dict):
        raise RunError(f"{path} is of no search: it was not written by pellucid tune.")
    if search["task"] not in CONFIGS:
        raise ConfigError(f"{path}: {unknown(str(search['task']), CONFIGS, 'task')}")
    cfg: Any = settings.from_dict(CONFIGS[search["task"]], content, str(path))
    told = Told(**{name: search[name] for name in Told.__dataclass_fields__} | {"own": tuple(search["own"])})
    options = TuneOptions(**{name: search[name] for name in TuneOptions.__dataclass_fields__})
    return Begun(told, options, read_space(space, cfg), cfg)


def keep_weights_of(folder: Path, best: str, others: list[str]) -> None:
    """Remove the weights and checkpoints of finished trials, but the weights of the best. Folds keep none."""
    for name in others:
        place = folder / TRIALS / name
        for part in (runs.LAST, runs.NONFINITE, "snapshots"):
            for found in (place / part, *place.glob(f"fold-*/{part}")):
                shutil.rmtree(found, ignore_errors=True)
        for file in (*([place / runs.WEIGHTS] if name != best else []), *place.glob(f"fold-*/{runs.WEIGHTS}")):
            file.unlink(missing_ok=True)
