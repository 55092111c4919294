"""`check`: look at data, and at a model that is to be trained on it, before any time is spent on training."""

import time
from pathlib import Path
from typing import Any, Unpack

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.core.progress import Progress, Style, make_progress
from pellucid.data.source import Source
from pellucid.doctor.examine import examine
from pellucid.runs.checking.checked import Checked
from pellucid.runs.checking.cross_validated import cross_validated
from pellucid.runs.checking.of_run import check_run
from pellucid.runs.setup.asked import read_asked
from pellucid.runs.setup.prepared import learn_pictures, prepare_run
from pellucid.runs.setup.settings import Settings
from pellucid.runs.stored import folder as files
from pellucid.training.health.preflight import preflight


def check(
    data: Any = None,
    *,
    task: str = "auto",
    config: str | Path | None = None,
    progress: Style = "auto",
    **changes: Unpack[Settings],
) -> Checked:
    """Look at a data set, and with `model` at a network that is to be trained on it; or at a finished run.

    Args:
        data: what `pellucid.load` takes, or a run folder.
        task: `classify`, `segment`, or `auto`: by the labels the data has.
        config: a TOML file with settings; keywords win over it.
        progress: `auto`, `bar`, `lines`, `quiet` or `json`.
        changes: any setting of `train`. With `model` (a name, or `auto`) the network is checked too.

    Raises:
        PellucidError: one of its kinds, in one line, for everything a user can cause.
    """
    shown = make_progress(progress)
    if is_run(data):
        refuse_beside_run(data, [*changes, *(["config"] if config else []), *(["task"] if task != "auto" else [])])
        return check_run(Path(data), shown)
    if data is None:
        raise ConfigError("check needs data: a folder, a file, the name of a known set, arrays, or a run folder.")
    asked = read_asked(data, task, config, changes)
    with_model = "model" in changes or "model" in asked.content.get("model", {})
    return check_source(asked.source, asked.cfg, asked.task, with_model, shown)


def check_source(source: Source, cfg: Any, task: str, with_model: bool, progress: Progress) -> Checked:
    """Check a loaded source with a complete config; the network too when `with_model`.

    The network is checked without augmentation, so that what it sees is what lies in the data.
    """
    begun = time.monotonic()
    plain: Any = settings.change(cfg, {"augment": False, "find_lr": False})
    ready = prepare_run(source, plain, task, progress)
    if with_model and ready.fitted:
        raise ConfigError(
            f"Model {ready.cfg.model.model} is fitted in one go, and has no training to look at beforehand. Leave "
            "--model out, or name a network."
        )
    seconds = {"reading": time.monotonic() - begun}
    begun = time.monotonic()
    probabilities = cross_validated(ready.splits, ready.cfg.train.seed, progress)
    findings = examine(ready.splits, source, probabilities=probabilities, progress=progress)
    seconds["data"] = time.monotonic() - begun
    if not with_model:
        return Checked(source.name, findings, splits=ready.splits, seconds=seconds)
    begun = time.monotonic()
    ready = learn_pictures(ready, progress)
    verdicts = preflight(lambda: ready.job(progress), progress)
    seconds["preflight"] = time.monotonic() - begun
    title = f"{source.name} with {ready.cfg.title}"
    return Checked(title, findings, verdicts, splits=ready.splits, seconds=seconds)


def is_run(data: Any) -> bool:
    """Whether it names a run folder."""
    return isinstance(data, (str, Path)) and bool(str(data)) and files.is_run(Path(data))


def refuse_beside_run(run: Any, stated: list[str]) -> None:
    """A run has its settings.

    Raises:
        ConfigError: something was stated.
    """
    if stated:
        name = stated[0].replace("_", "-")
        raise ConfigError(
            f"{run} is a run, whose settings are fixed: leave out --{name}. To check the data with a model, give DATA."
        )
