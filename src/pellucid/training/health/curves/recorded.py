"""The curve of a run folder, and what the curve doctor adds to the verdicts of its run."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.core.facts import DataFacts
from pellucid.core.files import read_lines
from pellucid.core.task import Task
from pellucid.core.verdict import Verdict
from pellucid.training.health.curves.curve import Curve, Ended, read_curve
from pellucid.training.health.curves.diagnose import diagnose
from pellucid.training.job import Job

CURVE_RULES = (
    "curve-rate-too-low",
    "curve-rate-high",
    "curve-rate-very-high",
    "curve-bad-start",
    "curve-underfit",
    "curve-overfit",
    "curve-decay-now",
    "labels-unrelated",
)
# What looks into the network knows more than what looks at its loss: after an alarm of these, curves only add a note.
INSIDE = (
    "non-finite",
    "update-ratio",
    "dead-units",
    "saturated-units",
    "vanishing-signal",
    "exploding-signal",
    "loss-spike",
    "gradients-reach-all",
    "double-softmax",
    "train-eval-slip",
    "input-normalised",
)


def recorded_curve(folder: Path, cfg: Any, task: Task, facts: DataFacts, ended: Ended = "finished") -> Curve:
    """What `metrics.jsonl` holds, and what the settings, the task and the data say beside it."""
    metric = task.judged_by(cfg)
    curve = read_curve(read_lines(folder / "metrics.jsonl", "kind", "step"), metric.name)
    weights = getattr(getattr(cfg, "transfer", None), "weights", "")
    return replace(
        curve,
        higher_is_better=metric.higher_is_better,
        expected_loss=sum(task.expected_initial_loss(cfg, facts).values()) or math.nan,
        chance=task.chance(facts).get(metric.name, math.nan),
        n_train=facts.n_train,
        n_val=facts.n_val,
        epochs=cfg.train.epochs,
        weight_decay=cfg.optim.weight_decay,
        from_weights=bool(weights),
        ended=ended,
    )


def judge_curves(job: Job) -> list[Verdict]:
    """The verdicts on the curves of a run that has come to its end."""
    ended: Ended = "early" if job.best.should_stop else "finished"
    return beside(diagnose(recorded_curve(job.folder, job.cfg, job.task, job.facts, ended)), job.verdicts)


def beside(found: Sequence[Verdict], others: Sequence[Verdict]) -> list[Verdict]:
    """The same, as notes where a check that looks into the network has raised an alarm about the same run."""
    alarmed = [verdict.rule for verdict in others if verdict.status in ("warn", "fail") and verdict.rule in INSIDE]
    if not alarmed:
        return list(found)
    said = f"see {', '.join(dict.fromkeys(alarmed))}, which says more"
    return [
        replace(verdict, status="info", cause=said) if verdict.status in ("warn", "fail") else verdict
        for verdict in found
    ]
