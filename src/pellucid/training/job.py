"""What one training run is made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from pellucid.core.facts import DataFacts
from pellucid.core.progress import Progress
from pellucid.core.task import Metric, Task
from pellucid.core.verdict import Verdict
from pellucid.training.averages.average import Average
from pellucid.training.health.monitor.monitor import Monitor
from pellucid.training.schedule import Schedule
from pellucid.training.stopping import EarlyStopping
from pellucid.training.transfer.plan import Plan


class Batches(Protocol):
    """A loader, as far as the loop knows it."""

    def __len__(self) -> int: ...

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]: ...


@dataclass
class Job:
    """The fixed parts of a run and the parts that change with every step.

    Attributes:
        task, cfg, facts: what is learned, with which settings, about which data.
        model: takes a batch, gives outputs; already on `device`.
        optimiser, schedule, average, best: the changing state beside the weights.
        plan: what is frozen in which epoch; None trains everything.
        monitor: watches some of the steps; None watches none.
        parts: in how many parts a batch goes through the model; grows when memory ends.
        train, val: batches; `val` is None without a validation split.
        folder: the run folder.
        about: what is written beside the weights, given the best epoch and its value.
        epoch, step_in_epoch, step: the position: the next thing to do is that step of that epoch.
        loss_sum, n_losses: running sums of this epoch's training loss.
    """

    task: Task
    cfg: Any
    facts: DataFacts
    model: nn.Module
    optimiser: torch.optim.Optimizer
    schedule: Schedule
    average: Average | None
    metric: Metric
    best: EarlyStopping
    train: Batches
    val: Batches | None
    folder: Path
    about: Callable[[], dict[str, Any]]
    device: torch.device
    precision: Literal["fp32", "bf16"]
    progress: Progress
    plan: Plan | None = None
    monitor: Monitor | None = None
    parts: int = 1
    verdicts: list[Verdict] = field(default_factory=list)
    epoch: int = 0
    step_in_epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    n_losses: int = 0

    @property
    def total_steps(self) -> int:
        return self.cfg.train.epochs * len(self.train)

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes, for an exact continuation."""
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "best": self.best.state_dict(),
            "monitor": self.monitor.state_dict() if self.monitor else None,
            "position": [self.epoch, self.step_in_epoch, self.step],
            "sums": [self.loss_sum, self.n_losses],
            "parts": self.parts,
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
            "threads": torch.get_num_threads(),
            "verdicts": [verdict.as_dict() for verdict in self.verdicts],
            "about": self.about(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state made by `state_dict` of the same job."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        _lay_out_like_parameters(self.optimiser)
        self.schedule.load_state_dict(state["schedule"])
        if self.average:
            self.average.load_state_dict(state["average"] if "average" in state else state["ema"])  # as older runs say
        self.best.load_state_dict(state["best"])
        if self.monitor and state.get("monitor"):  # checkpoints of older runs have none
            self.monitor.load_state_dict(state["monitor"])
        self.epoch, self.step_in_epoch, self.step = state["position"]
        self.loss_sum, self.n_losses = state["sums"]
        self.parts = state.get("parts", self.parts)  # checkpoints of older runs have none
        torch.set_rng_state(state["rng"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state_all(state["cuda_rng"])
        torch.set_num_threads(state["threads"])
        self.verdicts = [Verdict(**verdict) for verdict in state["verdicts"]]


def _lay_out_like_parameters(optimiser: torch.optim.Optimizer) -> None:
    """Give every moment the memory layout of its parameter.

    Files hold tensors row by row, image weights lie channels-last, and a fused step walks through both in the
    order of memory: without this it would pair weights with the moments of others.
    """
    for parameter, moments in optimiser.state.items():
        for name, value in moments.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
