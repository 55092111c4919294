"""Ask why the number that counts is no better than chance, when an evaluation finds it so."""

import math
from typing import Any

from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.core.task import Task
from pellucid.core.verdict import Verdict
from pellucid.data.prepare import Splits
from pellucid.doctor.why_zero import judge_input
from pellucid.ops.normalise import normalise

POOR = 0.25  # of the way from chance to 1: above it, no single mistake spoils the labels
LOOKED_AT = 256  # pictures whose input is measured


def explain(
    task: Task, facts: DataFacts, summary: dict[str, Any], records: dict[str, Tensor], splits: Splits, role: Any
) -> list[Verdict]:
    """The likely cause of a number near chance; nothing where it is well above, or where its chance is not known.

    Args:
        facts: of the model, with the preprocessing and the classes of its training.
        summary, records: what the evaluation found.
        splits, role: the pictures it was measured on.
    """
    metric = task.metric
    chance = task.chance(facts).get(metric.name, math.nan)
    if not metric.higher_is_better or not records or summary[metric.name] >= chance + POOR * (1 - chance):
        return []
    if math.isnan(chance):
        return []
    return _judge_input(facts, splits, role) or task.explain(summary, records, facts)


def _judge_input(facts: DataFacts, splits: Splits, role: Any) -> list[Verdict]:
    """Of data that was standardised: only there are mean and deviation of training known."""
    if facts.preprocess.mode != "standardise" or not len(splits.split.role(role)):
        return []
    seen = normalise(splits.sample(role, LOOKED_AT, seed=0), facts.preprocess)  # (n, C, H, W)
    return judge_input(seen.mean((0, 2, 3)).tolist(), seen.std((0, 2, 3)).tolist())
