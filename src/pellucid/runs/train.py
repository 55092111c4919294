"""`train`: from data to a run folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from pellucid.core import config as settings
from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError, DataError
from pellucid.core.progress import Progress, Style, make_progress
from pellucid.core.verdict import Verdict
from pellucid.data.load import load
from pellucid.data.prepare import Splits
from pellucid.data.source import Source
from pellucid.doctor.skipped import judge_skipped
from pellucid.runs import folder as files
from pellucid.runs.assemble import choose_metric, make_job, settle_device
from pellucid.runs.config import make_config, spec_of
from pellucid.runs.examples import write_examples
from pellucid.runs.folder import Story
from pellucid.runs.report import write_report
from pellucid.runs.run import Run
from pellucid.runs.same_data import check_same_data, reload_spec, write_split
from pellucid.runs.settings import Settings
from pellucid.tasks import CONFIGS, get_task
from pellucid.training import checkpoint, loop
from pellucid.training.config import COURSE_DEFAULTS
from pellucid.training.job import Job
from pellucid.training.optim import check_scaling, resolve_lr


def train(
    data: Any = None,
    *,
    task: str = "auto",
    out: str | Path | None = None,
    config: str | Path | None = None,
    resume: str | Path | None = None,
    overwrite: bool = False,
    progress: Style = "auto",
    **changes: Unpack[Settings],
) -> Run:
    """Train a model and return its run.

    Args:
        data: what `pellucid.load` takes: a folder, a CSV or .npz file, the name of a known set, arrays.
        task: `classify`, `segment`, or `auto`: by the labels the data has.
        out: the run folder; None makes `runs/<data>-<model>`.
        config: a TOML file with settings; keywords win over it.
        resume: a run folder to go on with, exactly where it stopped. Takes no other settings.
        overwrite: replace what lies in `out`.
        progress: `auto`, `bar`, `lines`, `quiet` or `json`.
        changes: any setting, such as `model="resnet18", epochs=20, lr=0.1`.

    Raises:
        PellucidError: one of its kinds, in one line, for everything a user can cause.
    """
    shown = make_progress(progress)
    if resume is not None:
        return resume_run(Path(resume), dict(changes), shown, data)
    if data is None:
        raise ConfigError("train needs data: a folder, a file, the name of a known set, or arrays.")
    source = load(data, group=changes.get("group", ""), strict=changes.get("strict", False))
    name = source.kind if task == "auto" else task
    cfg: Any = make_config(choose(name, CONFIGS, "task"), config, dict(changes))
    return start(source, cfg, name, spec_of(data), shown, out, overwrite)


def start(
    source: Source,
    cfg: Any,
    task_name: str,
    spec: str,
    progress: Progress,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> Run:
    """Train on a loaded source with a complete config."""
    task = get_task(task_name)
    device, cfg = settle_device(cfg)
    splits = task.make_data(cfg, source, progress)
    cfg = task.resolve(cfg, splits.facts)
    lr, lr_note = resolve_lr(cfg.optim, cfg.train.batch)
    lr_stated = cfg.optim.lr > 0
    cfg = replace(cfg, optim=replace(cfg.optim, lr=lr))
    metric = choose_metric(task, cfg)
    cfg = replace(cfg, train=replace(cfg.train, metric=metric.name))
    if splits.facts.n_train == 0:
        raise DataError(f"{source.name}: no training records. Name some `train`, or lower --val-fraction.")
    folder = files.reserve(out, source.name, cfg.model.model, overwrite)
    files.write_config(folder, cfg, Story(task_name, spec))
    write_split(folder, splits)
    job = make_job(task, cfg, splits, folder, device, progress)
    job.verdicts += [*rate_verdicts(lr_stated, cfg), *judge_skipped(splits.problems), *course_verdict(cfg)]
    loop.write_verdicts(job)
    announce(job, lr_note)
    return finish(job, splits, source)


def resume_run(folder: Path, changes: dict[str, Any], progress: Progress, data: Any = None) -> Run:
    """Go on with a run where its newest intact checkpoint stands.

    Raises:
        ConfigError: `changes` would make it another run.
        DataError: the data is not what the run was started with.
        WeightsError: no checkpoint is intact.
    """
    cfg, story = files.read_config(folder)
    refuse_changes(cfg, changes, folder)
    source = load(
        data if data is not None else reload_spec(story, folder), group=cfg.data.group, strict=cfg.data.strict
    )
    task = get_task(story.task)
    device, cfg = settle_device(cfg)
    splits = task.make_data(cfg, source, progress)
    check_same_data(folder, splits)
    job = make_job(task, cfg, splits, folder, device, progress)
    state, damaged = checkpoint.load(folder / files.LAST)
    job.load_state_dict(state)
    for sentence in damaged:
        progress.say(f"Using the checkpoint before: {sentence}")
    progress.say(f"Resuming {folder} at step {job.step} of {job.total_steps}.")
    return finish(job, splits, source)


def finish(job: Job, splits: Splits, source: Source) -> Run:
    """Train to the end, store examples, write the report."""
    loop.train(job)
    loop.write_verdicts(job)
    run = Run(job.folder, splits=splits, source=source)
    write_examples(run, splits, source)
    write_report(run, splits)
    job.progress.say(f"Run folder: {job.folder}\nReport: {job.folder / files.REPORT}")
    job.progress.event("done", {"run": str(job.folder), "report": str(job.folder / files.REPORT)})
    return run


def refuse_changes(cfg: Any, changes: dict[str, Any], folder: Path) -> None:
    """A resumed run keeps its settings.

    Raises:
        ConfigError: one of `changes` differs from the run's config.
    """
    now = settings.flat(settings.change(cfg, changes))
    before = settings.flat(cfg)
    different = [f"{name} {before[name]!r} -> {now[name]!r}" for name in changes if now[name] != before[name]]
    if different:
        raise ConfigError(
            f"Resuming {folder} cannot change its settings ({'; '.join(different)}), since the result would be neither "
            "run. Resume without them, or train anew."
        )


def rate_verdicts(stated: bool, cfg: Any) -> list[Verdict]:
    """Whether a rate that was scaled with the batch stays within what was shown to work."""
    return [] if stated else [check_scaling(cfg.train.batch)]


def course_verdict(cfg: Any) -> list[Verdict]:
    """Say which of the course's defaults are in use, when they were asked for."""
    if not cfg.train.defaults:
        return []
    values = settings.flat(cfg)
    used = ", ".join(f"{name} {values[name]}" for name in COURSE_DEFAULTS)
    said = f"ReLU, batch norm and He initialisation (in {values['model']}); {used}"
    return [Verdict("course-defaults", "info", f"Recommended defaults in use: {said}")]


def announce(job: Job, lr_note: str) -> None:
    """Say, before any time is spent, what will be done."""
    facts, cfg = job.facts, job.cfg
    size = "x".join(map(str, facts.preprocess.size))
    job.progress.say(
        f"{facts.source}: {facts.n_classes} classes, {facts.n_train} train / {facts.n_val} val / {facts.n_test} test, "
        f"{size} px, {'grey' if facts.preprocess.channels == 1 else 'RGB'}."
    )
    n_parameters = sum(parameter.numel() for parameter in job.model.parameters())
    job.progress.say(
        f"{cfg.model.model}: {n_parameters:,} parameters on {job.device} in {job.precision}, "
        f"{cfg.train.threads} threads; {cfg.optim.optimiser}, lr {lr_note.rstrip('.')}, {cfg.schedule.schedule}, "
        f"{cfg.train.epochs} epochs of {len(job.train)} steps."
    )
    for note in getattr(job.model.net, "notes", ()):
        job.progress.say(note)
    for verdict in (v for v in job.verdicts if v.status != "pass"):
        job.progress.say(verdict.sentence())
