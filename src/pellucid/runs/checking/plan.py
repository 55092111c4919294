"""`--plan`: say what would be trained, and draw the rate of every step, before any time is spent."""

from pathlib import Path
from typing import Any

from pellucid.core.errors import ConfigError
from pellucid.core.files import write_text
from pellucid.core.progress import Progress
from pellucid.data.source import Source
from pellucid.plots.curves import curves
from pellucid.runs.setup.course import course_verdict
from pellucid.runs.setup.prepared import learn_pictures, prepare_run, search_rate
from pellucid.runs.train import announce, rate_verdicts
from pellucid.training.job import Job

MOST_MARKS = 12  # more cannot be told apart


def draw_plan(source: Source, cfg: Any, task: str, path: Path, progress: Progress) -> None:
    """Announce a run and draw its learning rate. Nothing is trained but what `--find-lr` tries; no folder is made.

    Raises:
        ConfigError: the model is not trained by steps, or the picture is no .svg.
        WriteError: the picture cannot be written.
    """
    if path.suffix.lower() != ".svg":
        raise ConfigError(f"--plan draws an .svg, which every browser opens, got {path.name}.")
    ready = prepare_run(source, cfg, task, progress)
    if ready.fitted:
        raise ConfigError(f"--plan means nothing for model {ready.cfg.model.model}, fitted in one go. Leave it out.")
    if ready.searches:
        ready = search_rate(learn_pictures(ready, progress), progress)
    job = ready.job(progress)
    job.verdicts += [*rate_verdicts(job.cfg), *course_verdict(job.cfg, job.model), *ready.verdicts()]
    announce(job, ready.rate_note, ready.about_weights())
    for sentence in describe(job):
        progress.say(sentence)
    write_text(path, draw_rates(job))
    progress.say(f"Plan: {path}. Nothing was trained.")
    progress.event("plan", {"picture": str(path), "steps": job.total_steps, "lr": job.schedule.highest_lr})


def describe(job: Job) -> list[str]:
    """The course of the rate in words."""
    schedule, steps = job.schedule, len(job.train)
    said = []
    if schedule.warmup_steps:
        first, n = schedule.lr(0), schedule.warmup_steps
        said.append(
            f"Warm-up: {n:,} steps ({n / max(steps, 1):.3g} epochs) from {first:.2g} to {schedule.highest_lr:.2g}."
        )
    if job.total_steps:
        said.append(f"The last step is made at {schedule.lr(job.total_steps - 1):.2g}.")
    if schedule.name == "plateau":
        said.append("Cuts come when the metric stops getting better; none is drawn, since none is known yet.")
    return said


def draw_rates(job: Job) -> str:
    """The rate of every step as SVG, over epochs, with what happens when marked.

    Where stages have rates of their own, the first stage's is drawn too, from when it is trained.
    """
    schedule, steps, total = job.schedule, max(len(job.train), 1), job.total_steps
    at = [step / steps for step in range(total)]
    rates = [schedule.lr(step) for step in range(total)]
    lines = {"rate": (at, rates)}
    if job.plan and job.plan.cfg.layer_decay < 1:
        lowest, _ = job.plan.rates()[0]
        lines = {"last stage": (at, rates), "first stage": (at, [rate * lowest for rate in rates])}
    title = f"Learning rate of {job.cfg.title}: {schedule.name}, {job.cfg.train.epochs} epochs of {steps:,} steps"
    return curves(lines, title, x_label="epoch", y_label="rate", marks=marks(job)[:MOST_MARKS])


def marks(job: Job) -> list[tuple[float, str]]:
    """(epoch, what happens there), in order of time."""
    schedule, steps, epochs = job.schedule, max(len(job.train), 1), job.cfg.train.epochs
    found: list[tuple[float, str]] = []
    if schedule.warmup_steps:
        found.append((schedule.warmup_steps / steps, "warm-up ends"))
    if schedule.name == "step":
        found += [(at / steps, f"x {schedule.cfg.gamma:g}") for at in schedule.milestone_steps if at < job.total_steps]
    found += [(at / steps, "restart") for at in schedule.restart_steps if at < job.total_steps]
    if job.plan:
        trained = [job.plan.n_trained(epoch) for epoch in range(epochs)]
        count = len(job.plan.stages)
        found += [
            (float(epoch), f"{trained[epoch]} of {count} stages")
            for epoch in range(1, epochs)
            if trained[epoch] > trained[epoch - 1]
        ]
    return sorted(found)
