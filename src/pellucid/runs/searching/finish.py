"""When all is tried: the winner as a config file and as a run, the report, and what it all says."""

import shutil
from pathlib import Path

from pellucid.core import config as settings
from pellucid.core.files import write_text
from pellucid.core.progress import Progress
from pellucid.runs.report import write_report
from pellucid.runs.run import Run
from pellucid.runs.searching import folder as files
from pellucid.runs.searching.page import write_page
from pellucid.runs.searching.study import Study
from pellucid.runs.searching.trial import Trainer, settings_text
from pellucid.runs.stored import folder as run_files
from pellucid.runs.stored.examples import write_examples
from pellucid.runs.stored.folder import Story
from pellucid.runs.stored.same_data import write_split
from pellucid.training.search.storage.lock import KernelLock
from pellucid.training.search.tried import Tried

KEPT = (run_files.WEIGHTS, run_files.METRICS, run_files.TIMING, run_files.DOCTOR)


def finish(study: Study, trainer: Trainer, progress: Progress) -> None:
    """Write `best.toml`, `best/` and `report.html`, and say where they are.

    Raises:
        RunError: no trial has a score.
    """
    best = study.best
    lock = KernelLock(str(study.folder / files.FINISH))
    lock.acquire()  # two processes of one search may come here at once
    try:
        text = settings_text(trainer.folder, best.name)
        write_text(study.folder / files.BEST_CONFIG, best_toml(study, best, text))
        _keep_run(study, trainer, best, text)
        path = write_page(study)
    finally:
        lock.release()
    verdicts = study.verdicts
    progress.say(f"Best: {best.words()}. Validation {study.metric.name} {best.value:.4f} ({best.name}).")
    for verdict in verdicts:
        progress.say(verdict.sentence())
        progress.event("verdict", verdict.as_dict())
    config = study.folder / files.BEST_CONFIG
    progress.say(f"Train it longer: pellucid train DATA --config {config} --epochs 40 --schedule cosine")
    progress.say(f"Search folder: {study.folder}\nReport: {path}")
    progress.event(
        "done",
        {
            "study": str(study.folder),
            "report": str(path),
            "best": {name: list(v) if isinstance(v, tuple) else v for name, v in best.settings.items()},
            study.metric.name: best.value,
        },
    )


def best_toml(study: Study, best: Tried, text: str) -> str:
    """The winner's settings as a file for `pellucid train --config`, with what it says of itself on top."""
    epochs = study.begun.options.fine_epochs if best.stage == "fine" else study.begun.options.coarse_epochs
    head = [
        f"# The best of {len(study.trials)} trials: {best.words()}.",
        f"# Validation {study.metric.name} {best.value:.4f} after {epochs} epochs at a rate that was not decayed.",
        "# As it stands this repeats that trial. For the final training add, say, --epochs 40 --schedule cosine",
    ]
    return "\n".join(head) + "\n\n" + text


def _keep_run(study: Study, trainer: Trainer, best: Tried, text: str) -> None:
    """Make the winner a run of its own, with examples to verify and a report; nothing where no weights were kept."""
    place = study.folder / files.BEST
    origin = trainer.folder / best.name
    if not (origin / run_files.WEIGHTS).exists():
        return
    if run_files.is_run(place) and (place / run_files.REPORT).exists() and _same(origin, place):
        return
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in KEPT:
        if (origin / name).exists():
            shutil.copy2(origin / name, place / name)
    told = study.begun.told
    cfg = settings.from_dict(type(study.begun.cfg), settings.read_toml(text, str(origin)), str(origin))
    borrowed, given = trainer.task.borrow(cfg)
    splits = trainer.splits(borrowed, given)[0]
    write_split(place, splits)
    run_files.write_config(place, cfg, Story(told.task, told.data))
    run = Run(place, splits=splits, source=trainer.source, device=str(study.begun.cfg.train.device))
    write_examples(run, splits, trainer.source)
    write_report(run, splits)


def _same(origin: Path, place: Path) -> bool:
    return (origin / run_files.WEIGHTS).read_bytes() == (place / run_files.WEIGHTS).read_bytes()
