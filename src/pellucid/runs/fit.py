"""`train` for a model that is not trained by gradient steps: fitted in one go, then the same run folder."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pellucid.core.files import append_line, write_json
from pellucid.core.progress import Progress
from pellucid.core.seed import seed_everything
from pellucid.core.task import Fitted, Task
from pellucid.core.verdict import Verdict
from pellucid.data.load import load
from pellucid.data.prepare import Splits
from pellucid.data.source import Source
from pellucid.doctor.gate import LEAKS
from pellucid.doctor.skipped import judge_skipped
from pellucid.models.weights import write_weights
from pellucid.nn.precision import place_model
from pellucid.runs.report import write_report
from pellucid.runs.run import Run
from pellucid.runs.setup.assemble import about, choose_metric, data_line, settle_device
from pellucid.runs.setup.finish import resumable
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.examples import write_examples
from pellucid.runs.stored.folder import Story
from pellucid.runs.stored.same_data import check_same_data, reload, write_split
from pellucid.training.scoring import evaluate


def start_fit(
    task: Task,
    cfg: Any,
    splits: Splits,
    source: Source,
    out: str | Path | None,
    story: Story,
    progress: Progress,
    leaks: Sequence[Verdict] = (),
) -> Run:
    """Make the run folder of a resolved config, and fit. The config is there before the work, so that it can be redone.

    Args:
        leaks: what the gate said of the data; it is kept with the run.

    Raises:
        PellucidError: one of its kinds, for everything a user can cause.
    """
    task.make_model(cfg, splits.facts)  # refuses what cannot be built, before anything is written
    folder = files.create(out, source.name, cfg.model.model)
    write_split(folder, splits)
    write_json(folder / files.DOCTOR, [verdict.as_dict() for verdict in leaks])
    files.write_config(folder, cfg, story)
    with resumable(folder, "nothing was fitted yet"):
        return _fit(task, cfg, splits, source, folder, progress, leaks)


def fit_again(task: Task, cfg: Any, folder: Path, story: Story, progress: Progress, data: Any = None) -> Run:
    """`--resume` of such a run: nothing when it is finished, else the same fit from the beginning.

    Raises:
        DataError: the data is not what the run was started with.
    """
    source = reload(story, folder, cfg) if data is None else load(data, group=cfg.data.group, strict=cfg.data.strict)
    _, cfg = settle_device(cfg)
    splits = task.make_data(cfg, source, progress)
    check_same_data(folder, splits)
    if (folder / files.REPORT).exists():
        progress.say(f"{folder} is finished; nothing was changed.")
        return Run(folder, splits=splits, source=source, device=cfg.train.device)
    files.sweep(folder)
    leaks = [
        verdict for verdict in Run(folder).verdicts if verdict.rule in LEAKS
    ]  # the gate is passed once, at the start
    with resumable(folder, "nothing was fitted yet"):
        return _fit(task, cfg, splits, source, folder, progress, leaks)


def _fit(
    task: Task, cfg: Any, splits: Splits, source: Source, folder: Path, progress: Progress, leaks: Sequence[Verdict]
) -> Run:
    fit = task.fit(cfg)
    assert fit is not None  # the caller has looked
    facts, device = splits.facts, torch.device(cfg.train.device)
    _announce(cfg, splits, progress)
    seed_everything(cfg.train.seed)
    model = place_model(task.make_model(cfg, facts), device).eval()
    start = time.perf_counter()
    fitted: Fitted = fit.run(cfg, splits, model, progress)
    seconds = {"train": time.perf_counter() - start}
    if fitted.note:
        progress.say(fitted.note)
    verdicts = [*judge_skipped(splits.problems), *fitted.verdicts, *leaks]
    _tell(verdicts, progress)
    metric, summary = choose_metric(task, cfg), dict[str, Any]()
    if facts.n_val:
        start = time.perf_counter()
        batches = splits.loader("val", 2 * cfg.train.batch, device=device)
        with progress.bar("Evaluating on val", len(batches)) as advance:
            summary, _ = evaluate(task, cfg, facts, model, batches.epoch(0), "fp32", device, advance)
        seconds["val"] = time.perf_counter() - start
        progress.say(f"Fitted in {seconds['train']:.1f} s. Validation {metric.name} {summary[metric.name]:.4f}.")
    values = {f"val_{name}": value for name, value in summary.items() if isinstance(value, (int, float))}
    kept = {name: value for name, value in values.items() if value == value}
    tensors = {name: value.detach() for name, value in model.net.state_dict().items()}  # type: ignore[union-attr]
    best = {"best_epoch": 0, "metric": metric.name, "values": kept}
    write_weights(folder / files.WEIGHTS, tensors, {**about(task, cfg, facts), **best})
    progress.event("epoch", _log(folder, kept, seconds, facts))
    write_json(folder / files.DOCTOR, [verdict.as_dict() for verdict in verdicts])
    if fitted.choices is not None:
        fitted.choices.write_csv(folder / files.CHOICES)
    run = Run(folder, splits=splits, source=source, device=str(device))
    write_examples(run, splits, source)
    write_report(run, splits)
    progress.say(f"Run folder: {folder}\nReport: {folder / files.REPORT}")
    progress.event("done", {"run": str(folder), "report": str(folder / files.REPORT)})
    return run


def _announce(cfg: Any, splits: Splits, progress: Progress) -> None:
    progress.say(data_line(splits.facts))
    progress.say(f"{cfg.model.model} on {cfg.train.device}: fitted in one go, without gradient steps over batches.")


def _tell(verdicts: list[Verdict], progress: Progress) -> None:
    for verdict in (verdict for verdict in verdicts if verdict.status != "pass"):
        progress.say(verdict.sentence())
        progress.event("verdict", verdict.as_dict())


def _log(folder: Path, values: dict[str, Any], seconds: dict[str, float], facts: Any) -> dict[str, Any]:
    """The one epoch that this was, in the form that other runs log theirs."""
    for name in (files.METRICS, files.TIMING):
        (folder / name).unlink(missing_ok=True)
    record = {"kind": "epoch", "epoch": 0, "step": 0, "train_loss": None, **values, "best": True}
    append_line(folder / files.METRICS, json.dumps(record))
    for kind, taken in seconds.items():
        n = facts.n_train if kind == "train" else facts.n_val
        rate = round(n / max(taken, 1e-9), 1)
        line = {"kind": kind, "epoch": 0, "step": 0, "seconds": round(taken, 3), "images_per_second": rate}
        append_line(folder / files.TIMING, json.dumps(line))
    return record
