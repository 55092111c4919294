"""A task of four lines, with keys of its own: fitting a line. The loop must not notice the difference."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.core.progress import Quiet
from pellucid.core.seed import generator, seed_everything
from pellucid.core.task import Metric, Task
from pellucid.training.averages.make import make_average
from pellucid.training.config import OptimConfig, ScheduleConfig, TrainConfig
from pellucid.training.job import Job
from pellucid.training.optim import make_optimiser
from pellucid.training.schedule import Schedule
from pellucid.training.stopping import EarlyStopping


@dataclass(frozen=True)
class LineConfig:
    optim: OptimConfig = field(default_factory=lambda: OptimConfig(optimiser="sgd", lr=0.05, weight_decay=0.0))
    schedule: ScheduleConfig = field(default_factory=lambda: ScheduleConfig(warmup_epochs=0))
    train: TrainConfig = field(default_factory=lambda: TrainConfig(epochs=3, batch=8, save_seconds=1e9))


class Net(nn.Module):
    """Takes a batch, with dropout inside so that the global generator matters."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"guess": self.net(batch["points"])[:, 0]}


def points(n: int, seed: int) -> dict[str, Tensor]:
    x = torch.randn(n, 2, generator=generator(seed, "points"))
    return {"points": x, "height": x @ torch.tensor([2.0, -1.0]) + 0.5}


@dataclass
class Batches:
    """Shuffled by epoch, positioned by (epoch, start), like a loader."""

    data: dict[str, Tensor]
    batch: int

    def __len__(self) -> int:
        return len(self.data["height"]) // self.batch

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        order = torch.randperm(len(self.data["height"]), generator=generator(0, "order", epoch))
        for step in range(start, len(self)):
            rows = order[step * self.batch : (step + 1) * self.batch]
            yield {name: values[rows] for name, values in self.data.items()}


def compute_loss(outputs: Any, batch: Any, cfg: Any) -> dict[str, Tensor]:
    return {"squared": (outputs["guess"] - batch["height"]).square().mean()}


TASK = Task(
    name="line",
    config=LineConfig,
    resolve=lambda cfg, facts: cfg,
    make_data=lambda *args: None,
    make_model=lambda cfg, facts: Net(),
    compute_loss=compute_loss,
    expected_initial_loss=lambda cfg, facts: {"squared": 5.25},  # E[(2x - y + 0.5)^2] = 4 + 1 + 0.25
    score=lambda outputs, batch: {"error": (outputs["guess"] - batch["height"]).abs()},
    summarise=lambda records, facts: {"error": float(records["error"].mean())},
    metrics=(Metric("error", higher_is_better=False),),
    predict=lambda *args: [],
    draw=lambda image, result: image,
    sections=lambda *args: [],
    target_score=lambda outputs, index: outputs["guess"],
)
FACTS = DataFacts("line", "made", ("a",), (1,), Preprocess((1, 1)), 64, 32, 0)


def make_job(folder: Path, cfg: LineConfig | None = None, data: dict[str, Tensor] | None = None) -> Job:
    """A fresh job, the same for the same arguments."""
    cfg = cfg or LineConfig()
    seed_everything(cfg.train.seed)
    model = Net()
    train = Batches(data or points(64, 0), cfg.train.batch)
    metric = TASK.metric
    return Job(
        task=TASK,
        cfg=cfg,
        facts=FACTS,
        model=model,
        optimiser=make_optimiser(model, cfg.optim, cfg.optim.lr),
        schedule=Schedule(cfg.schedule, cfg.optim.lr, cfg.train.epochs, len(train), metric.higher_is_better),
        average=make_average(cfg.optim, model, cfg.train.epochs, len(train)),
        metric=metric,
        best=EarlyStopping(metric, cfg.train.patience),
        train=train,
        val=Batches(points(32, 1), 32),
        folder=folder,
        about=lambda: {"task": "line"},
        device=torch.device("cpu"),
        precision="fp32",
        progress=Quiet(),
    )
