"""`train`: from data to a run folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from pellucid.core.errors import ConfigError
from pellucid.core.progress import Progress, Style, make_progress
from pellucid.core.verdict import Verdict
from pellucid.data.load import spec_of
from pellucid.data.prepare import Splits
from pellucid.data.source import Source
from pellucid.doctor.gate import pass_gate
from pellucid.doctor.skipped import judge_skipped
from pellucid.runs.fit import start_fit
from pellucid.runs.resume import resume_run
from pellucid.runs.run import Run
from pellucid.runs.setup.asked import read_asked
from pellucid.runs.setup.assemble import check_names, data_line
from pellucid.runs.setup.course import course_verdict
from pellucid.runs.setup.finish import finish, resumable
from pellucid.runs.setup.prepared import learn_pictures, prepare_run, search_rate
from pellucid.runs.setup.resume_rules import changes_of, refuse_beside_resume
from pellucid.runs.setup.settings import Settings
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.folder import Story
from pellucid.runs.stored.rate_finder import write_found
from pellucid.runs.stored.same_data import write_split
from pellucid.tasks import get_task
from pellucid.training import checkpoint, loop
from pellucid.training.job import Job
from pellucid.training.memory.back_off import verdict_at_start
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
        refuse_beside_resume(task=task != "auto", out=out is not None, overwrite=overwrite)
        return resume_run(Path(resume), changes_of(Path(resume), config, dict(changes)), shown, data)
    if data is None:
        raise ConfigError("train needs data: a folder, a file, the name of a known set, or arrays.")
    asked = read_asked(data, task, config, changes)
    return start(asked.source, asked.cfg, asked.task, spec_of(asked.source), shown, out, overwrite)


def start(
    source: Source,
    cfg: Any,
    task_name: str,
    spec: str,
    progress: Progress,
    out: str | Path | None = None,
    overwrite: bool = False,
    judged: bool = False,
) -> Run:
    """Train on a loaded source with a complete config. The run folder appears when nothing can be refused any more.

    Args:
        judged: the caller has looked for leaks in this very split, so that nobody needs to look again.
    """
    check_names(get_task(task_name), cfg)
    files.require_free(out, overwrite)
    ready = prepare_run(source, cfg, task_name, progress)
    task, splits = ready.task, ready.splits
    leaks = [] if judged else pass_gate(splits, source, ready.cfg.data.allow_leaks)
    if ready.fitted:
        return start_fit(task, ready.cfg, splits, source, out, Story(task_name, spec), progress, leaks)
    ready = search_rate(learn_pictures(ready, progress), progress)
    job = ready.job(progress)
    job.verdicts += [*rate_verdicts(job.cfg), *judge_skipped(splits.problems), *course_verdict(job.cfg, job.model)]
    job.verdicts += [*ready.verdicts(), *verdict_at_start(job), *leaks]
    job.folder = files.create(out, source.name, job.cfg.model.model)
    with resumable(job.folder):
        if ready.found:
            write_found(job.folder, ready.found)
        _write_beginning(job, splits, Story(task_name, spec))
        announce(job, ready.rate_note, ready.about_weights())
        return finish(job, splits, source)


def _write_beginning(job: Job, splits: Splits, story: Story) -> None:
    """Everything that resuming needs, and the config last: a folder with a config can always be gone on with."""
    try:
        write_split(job.folder, splits)
        loop.write_verdicts(job)
        checkpoint.save(job.folder / files.LAST, job.step, job.state_dict())
        files.write_config(job.folder, job.cfg, story)
    except BaseException:
        if not files.is_run(job.folder):
            files.clear(job.folder)
            if not any(job.folder.iterdir()):
                job.folder.rmdir()
        raise


def rate_verdicts(cfg: Any) -> list[Verdict]:
    """Whether a rate that was scaled with the batch stays within what was shown to work. Other rates are the user's."""
    scaled, _ = resolve_lr(replace(cfg.optim, lr=0.0), cfg.train.batch)
    return [check_scaling(cfg.train.batch)] if cfg.optim.lr == scaled else []


def announce(job: Job, lr_note: str, about_weights: Sequence[str] = ()) -> None:
    """Say, before any time is spent, what will be done."""
    facts, cfg = job.facts, job.cfg
    job.progress.say(data_line(facts))
    n_parameters = sum(parameter.numel() for parameter in job.model.parameters())
    job.progress.say(
        f"{cfg.model.model}: {n_parameters:,} parameters on {job.device} in {job.precision}, "
        f"{_count(cfg.train.threads, 'thread')}; {cfg.optim.optimiser}, lr {lr_note.rstrip('.')}, "
        f"{job.schedule.name}, {_count(cfg.train.epochs, 'epoch')} of {_count(len(job.train), 'step')}."
    )
    plan = job.plan.sentences(cfg.train.epochs) if job.plan else ()
    average = (job.average.sentence(),) if job.average else ()
    for note in (*getattr(job.model.net, "notes", ()), *about_weights, *plan, *average):
        job.progress.say(note)
    for verdict in (v for v in job.verdicts if v.status != "pass"):
        job.progress.say(verdict.sentence())
        job.progress.event("verdict", verdict.as_dict())


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
