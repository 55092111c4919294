"""`train`: from data to a run folder."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import torch

from pellucid.core import config as settings
from pellucid.core.choose import choose
from pellucid.core.device import ThreadPolicy, choose_device, choose_precision, choose_threads, set_threads
from pellucid.core.errors import ConfigError, DataError, RunError
from pellucid.core.facts import DataFacts
from pellucid.core.files import write_json
from pellucid.core.progress import Progress, Style, make_progress
from pellucid.core.seed import seed_everything
from pellucid.core.task import Metric, Task
from pellucid.core.verdict import Verdict
from pellucid.data.load import load
from pellucid.data.prepare import Splits
from pellucid.data.source import Source
from pellucid.runs import folder as files
from pellucid.runs.config import make_config, spec_of
from pellucid.runs.examples import write_examples
from pellucid.runs.folder import Story
from pellucid.runs.report import write_report
from pellucid.runs.run import Run
from pellucid.runs.settings import Settings
from pellucid.tasks import CONFIGS, get_task
from pellucid.training import checkpoint, loop
from pellucid.training.average import Ema
from pellucid.training.config import COURSE_DEFAULTS
from pellucid.training.job import Job
from pellucid.training.optim import check_scaling, make_optimiser, resolve_lr
from pellucid.training.precision import place_model
from pellucid.training.schedule import Schedule
from pellucid.training.stopping import EarlyStopping


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
    cfg = make_config(choose(name, CONFIGS, "task"), config, dict(changes))
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
    job.verdicts += [*rate_verdicts(lr_stated, cfg), *data_verdicts(splits), *course_verdict(cfg)]
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
    source = load(data if data is not None else reload_spec(story, folder), group=cfg.data.group, strict=cfg.data.strict)
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


def make_job(task: Task, cfg: Any, splits: Splits, folder: Path, device: torch.device, progress: Progress) -> Job:
    """Build model, optimiser and loaders of a resolved config."""
    seed_everything(cfg.train.seed)
    torch.use_deterministic_algorithms(cfg.train.deterministic)
    model = place_model(task.make_model(cfg, splits.facts), device)
    optimiser = make_optimiser(model, cfg.optim, cfg.optim.lr)
    batches = splits.loader("train", cfg.train.batch, seed=cfg.train.seed, device=device, training=True)
    val = splits.loader("val", 2 * cfg.train.batch, device=device) if splits.facts.n_val else None
    metric = choose_metric(task, cfg)
    return Job(
        task=task,
        cfg=cfg,
        facts=splits.facts,
        model=model,
        optimiser=optimiser,
        schedule=Schedule(cfg.schedule, cfg.optim.lr, cfg.train.epochs, len(batches), metric.higher_is_better),
        ema=Ema(model, cfg.optim.ema) if cfg.optim.ema else None,
        metric=metric,
        best=EarlyStopping(metric, cfg.train.patience),
        train=batches,
        val=val,
        folder=folder,
        about=partial(about, task, cfg, splits.facts),
        device=device,
        precision=cfg.train.precision,
        progress=progress,
    )


def about(task: Task, cfg: Any, facts: DataFacts) -> dict[str, Any]:
    """What is written beside the weights: enough to predict from the one file, and to know where it is from."""
    return {
        "task": task.name,
        "model": cfg.model.model,
        "config": settings.as_dict(cfg),
        "facts": facts.as_dict(),
        "versions": files.versions(),
    }


def settle_device(cfg: Any) -> tuple[torch.device, Any]:
    """Choose device, precision and threads, apply the threads, and write the choice into the config."""
    device = choose_device(cfg.train.device)
    precision = choose_precision(cfg.train.precision, device)
    policy: ThreadPolicy = choose_threads(cfg.train.threads)
    set_threads(policy)
    settled = replace(cfg.train, device=str(device), precision=precision, threads=policy.n_threads)
    return device, replace(cfg, train=settled)


def choose_metric(task: Task, cfg: Any) -> Metric:
    """The metric that picks the best model.

    Raises:
        ConfigError: the task has none of that name.
    """
    table = {metric.name: metric for metric in task.metrics}
    return task.metric if cfg.train.metric == "auto" else choose(cfg.train.metric, table, f"metric of {task.name}")


def write_split(folder: Path, splits: Splits) -> None:
    """Write which record lies in which split, by name."""
    names = {role: [splits.names[row] for row in splits.split.role(role)] for role in ("train", "val", "test")}
    write_json(folder / files.SPLIT, {"digest": splits.split.digest, **names})


def check_same_data(folder: Path, splits: Splits) -> None:
    """Refuse data whose records are not those the run was started with.

    Raises:
        DataError: pictures were added, removed or renamed since.
    """
    import json

    stored = json.loads((folder / files.SPLIT).read_text(encoding="utf-8"))
    names = {role: [splits.names[row] for row in splits.split.role(role)] for role in ("train", "val", "test")}
    if {role: stored[role] for role in names} == names:
        return
    before = {name for role in names for name in stored[role]}
    now = {name for role in names for name in names[role]}
    raise DataError(
        f"The data of {folder} has changed since it was trained: {len(now - before)} records are new, "
        f"{len(before - now)} are gone. Restore the data, or name a data set to evaluate on."
    )


def reload_spec(story: Story, folder: Path) -> str:
    if not story.data:
        raise RunError(f"{folder} was trained on arrays in memory, which are not stored. Pass the data again.")
    return story.data


def refuse_changes(cfg: Any, changes: dict[str, Any], folder: Path) -> None:
    now = settings.flat(settings.change(cfg, changes))
    before = settings.flat(cfg)
    different = [f"{name} {before[name]!r} -> {now[name]!r}" for name in changes if now[name] != before[name]]
    if different:
        raise ConfigError(
            f"Resuming {folder} cannot change its settings ({'; '.join(different)}), since the result would be neither "
            "run. Resume without them, or train anew."
        )


def data_verdicts(splits: Splits) -> list[Verdict]:
    """Say how many records were left out, and give the first of each kind."""
    kinds: dict[str, list[str]] = {}
    for problem in splits.problems:
        kinds.setdefault(problem.kind, []).append(f"{problem.record}: {problem.reason}")
    return [
        Verdict("skipped-records", "warn", f"{len(found)} skipped as {kind}, first {found[0]}", "", "mend or remove them, or refuse them with --strict")
        for kind, found in kinds.items()
    ]


def rate_verdicts(stated: bool, cfg: Any) -> list[Verdict]:
    """Whether a rate that was scaled with the batch stays within what was shown to work."""
    return [] if stated else [check_scaling(cfg.train.batch)]


def course_verdict(cfg: Any) -> list[Verdict]:
    if not cfg.train.defaults:
        return []
    values = settings.flat(cfg)
    used = ", ".join(f"{name} {values[name]}" for name in COURSE_DEFAULTS)
    said = f"ReLU, batch norm and He initialisation (in {values['model']}); {used}; a random search in log space is `tune`"
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
        f"{cfg.model.model}: {n_parameters:,} parameters on {job.device} in {job.precision}, {cfg.train.threads} threads; "
        f"{cfg.optim.optimiser}, lr {lr_note.rstrip('.')}, {cfg.schedule.schedule}, {cfg.train.epochs} epochs of {len(job.train)} steps."
    )
    for note in getattr(job.model.net, "notes", ()):  # type: ignore[union-attr]
        job.progress.say(note)
    for verdict in job.verdicts:
        job.progress.say(verdict.sentence())
