"""Run a model over batches and summarise: validation during training, and evaluation after it."""

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pellucid.core.facts import DataFacts
from pellucid.core.progress import Advance
from pellucid.core.task import Task
from pellucid.nn.precision import as_float32, autocast


def score_all(
    task: Task,
    cfg: Any,
    model: nn.Module,
    batches: Iterable[dict[str, Tensor]],
    precision: Literal["fp32", "bf16"],
    device: torch.device,
    advance: Advance | None = None,
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Records of every picture, and the mean of each loss over pictures. The model is left in its old mode.

    Returns:
        records: name -> (N, ...) on the CPU, one row a picture, as `task.score` gives them.
        losses: name -> mean over pictures; empty when there were no batches.
    """
    was_training = model.training
    model.eval()
    parts: list[dict[str, Tensor]] = []
    sums: dict[str, float] = {}
    seen = 0
    try:
        with torch.inference_mode():
            for number, batch in enumerate(batches, start=1):
                with autocast(device, precision):
                    outputs = model(batch)
                outputs = as_float32(outputs)
                rows = {name: value.cpu() for name, value in task.score(outputs, batch).items()}
                n = len(next(iter(rows.values())))
                for name, value in task.compute_loss(outputs, batch, cfg).items():
                    sums[name] = sums.get(name, 0.0) + float(value) * n
                parts.append(rows)
                seen += n
                if advance:
                    advance(number)
    finally:
        model.train(was_training)
    records = {name: torch.cat([part[name] for part in parts]) for name in (parts[0] if parts else {})}
    return records, {name: value / seen for name, value in sums.items()}


def evaluate(
    task: Task,
    cfg: Any,
    facts: DataFacts,
    model: nn.Module,
    batches: Iterable[dict[str, Tensor]],
    precision: Literal["fp32", "bf16"],
    device: torch.device,
    advance: Advance | None = None,
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Summarise a model on some batches.

    Returns:
        summary: the task's numbers and tables, each mean loss under `loss/<name>`, their sum under `loss`.
        records: the rows it was made from.
    """
    records, losses = score_all(task, cfg, model, batches, precision, device, advance)
    summary = task.summarise(records, facts)
    summary.update({f"loss/{name}": value for name, value in losses.items()})
    summary["loss"] = sum(losses.values())
    return summary, records
