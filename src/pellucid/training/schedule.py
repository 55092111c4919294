"""The learning rate as a pure function of the step, so a resumed run needs no position to be restored."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError
from pellucid.core.task import Metric
from pellucid.training.config import ScheduleConfig

ONE_CYCLE_UP = 5  # the rate climbs in one of so many parts of the run
CYCLES = 3  # of `restarts`, when neither their length nor their number is stated


@dataclass(frozen=True)
class At:
    """Where a run stands behind its warm-up, in the numbers that decays are functions of.

    Attributes:
        progress: from 0 at the end of the warm-up to 1 at the end of the run.
        epochs: since the end of the warm-up.
        cuts: milestones that were reached.
        cycle: from 0 at the last restart to 1 at the next.
        gamma, power: settings.
    """

    progress: float
    epochs: float
    cuts: int
    cycle: float
    gamma: float
    power: float


def _cosine(progress: float) -> float:
    return (1 + math.cos(math.pi * progress)) / 2


DECAYS: dict[str, Callable[[At], float]] = {
    "constant": lambda at: 1.0,
    "plateau": lambda at: 1.0,
    "cosine": lambda at: _cosine(at.progress),
    "restarts": lambda at: _cosine(at.cycle),
    "linear": lambda at: 1 - at.progress,
    "one-cycle": lambda at: 1 - at.progress,
    "polynomial": lambda at: (1 - at.progress) ** at.power,
    "exponential": lambda at: at.gamma**at.progress,
    "inverse-sqrt": lambda at: 1 / math.sqrt(1 + at.epochs),
    "inverse": lambda at: 1 / (1 + at.epochs),
    "step": lambda at: at.gamma**at.cuts,
    "multi-step": lambda at: at.gamma**at.cuts,
}


def factor(
    name: str,
    step: int,
    total_steps: int,
    warmup_steps: int = 0,
    milestone_steps: Sequence[int] = (),
    gamma: float = 0.1,
    epoch_steps: int = 1,
    *,
    restart_steps: Sequence[int] = (),
    power: float = 0.9,
) -> float:
    """What the highest learning rate is multiplied by at `step`, in [0, 1].

    Warm-up climbs by equal steps from 1 / (warmup_steps + 1) at step 0 to 1 at step `warmup_steps`
    (Goyal et al. 2017, arXiv:1706.02677), whatever follows. With p from 0 at the end of the warm-up to 1
    at `total_steps`, c from 0 at one restart to 1 at the next, and e the epochs since the end of the warm-up, the
    decay is

        constant      1 (so is plateau, whose cuts depend on the metric: see `Plateau`)
        cosine        (1 + cos(pi p)) / 2           Loshchilov & Hutter 2017, arXiv:1608.03983
        restarts      (1 + cos(pi c)) / 2           the same
        linear        1 - p
        polynomial    (1 - p) ** power              with 0.9: Chen et al. 2017, arXiv:1606.00915
        one-cycle     1 - p                         over a warm-up of a fifth of the run: Smith & Topin 2017
        exponential   gamma ** p
        inverse-sqrt  1 / sqrt(1 + e)               after one epoch of warm-up: Vaswani et al. 2017
        inverse       1 / (1 + e)
        step          gamma ** (number of milestones reached); multi-step is the same

    Args:
        name: one of `SCHEDULES`.
        step: the step about to be taken, counted from 0. From `total_steps` on nothing changes by p.
        total_steps: steps of the whole run.
        warmup_steps: steps of the warm-up.
        milestone_steps: steps from which on `step` multiplies by gamma once more.
        gamma: factor of `step` and `exponential`.
        epoch_steps: steps of one epoch, the unit of `inverse` and `inverse-sqrt`.
        restart_steps: rising steps at which `restarts` begins a cycle anew, without the first; the last is the end of
            the last cycle. () makes one cycle of the run.
        power: exponent of `polynomial`.

    Raises:
        ConfigError: there is no such schedule.
    """
    if name not in DECAYS:
        raise ConfigError(unknown(name, DECAYS, "schedule"))
    since_warmup = max(step - warmup_steps, 0)
    at = At(
        progress=min(since_warmup / max(total_steps - warmup_steps, 1), 1.0),
        epochs=since_warmup / epoch_steps,
        cuts=sum(milestone <= step for milestone in milestone_steps),
        cycle=_place_in_cycle(step, warmup_steps, restart_steps or (total_steps,)),
        gamma=gamma,
        power=power,
    )
    return DECAYS[name](at) * min((step + 1) / (warmup_steps + 1), 1.0)


def _place_in_cycle(step: int, first: int, ends: Sequence[int]) -> float:
    """From 0 where a cycle begins to 1 where the next does; 1 behind the last."""
    number = bisect_right(ends, step)
    if number == len(ends):
        return 1.0
    start = ends[number - 1] if number else first
    return max(step - start, 0) / max(ends[number] - start, 1)


def cycle_ends(first: int, total: int, n_cycles: int, growth: float = 1.0, length: float = 0.0) -> tuple[int, ...]:
    """Where the cycles of `restarts` end, in steps: each is `growth` times as long as the one before.

    Args:
        first: where the first one begins.
        total: steps of the whole run.
        n_cycles: how many fill the run, when `length` is 0; the last one then ends at `total`.
        length: steps of the first one; the last one then ends at or behind `total`.

    Raises:
        ConfigError: there are fewer steps than cycles.
    """
    if not length:
        weights = [growth**k for k in range(n_cycles)]
        ends = [first + math.ceil((total - first) * part / sum(weights) - 1e-9) for part in accumulate(weights)]
    else:
        ends, reached = [], float(first)
        while not ends or ends[-1] < total:
            reached, length = reached + length, length * growth
            ends.append(max(round(reached), first + len(ends) + 1))
    if list(ends) != sorted(set(ends)) or (ends and ends[0] <= first < total):
        raise ConfigError(
            f"{n_cycles} cycles do not fit into the {max(total - first, 0)} steps behind the warm-up. Use fewer "
            "--snapshots, a smaller --cycle-growth, or more --epochs."
        )
    return tuple(ends)


@dataclass
class Plateau:
    """Cut the rate by `gamma` when the metric stops getting better.

    `patience` epochs without a better value are forgiven; the next one cuts, and the count starts again.
    This is the rule of `torch.optim.lr_scheduler.ReduceLROnPlateau` with `threshold=0`. A NaN is never
    better.

    Attributes:
        factor: what the rate is multiplied by now.
        best: best value so far; None before the first.
        n_worse: epochs since the last better value or cut.
    """

    patience: int
    gamma: float = 0.1
    higher_is_better: bool = True
    factor: float = 1.0
    best: float | None = None
    n_worse: int = 0

    def epoch_end(self, value: float) -> None:
        """Take note of the epoch's validation metric."""
        if Metric("plateau", self.higher_is_better).better(value, self.best):
            self.best, self.n_worse = value, 0
            return
        self.n_worse += 1
        if self.n_worse > self.patience:
            self.factor, self.n_worse = self.factor * self.gamma, 0

    def state_dict(self) -> dict[str, Any]:
        """What it remembers, as plain numbers."""
        return {"factor": self.factor, "best": self.best, "n_worse": self.n_worse}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        self.factor, self.best, self.n_worse = state["factor"], state["best"], state["n_worse"]


@dataclass
class Schedule:
    """The learning rate of one run.

    A warm-up never takes more than half of the run: a one-epoch trial with one epoch of warm-up would
    otherwise end before it had trained at the rate that was asked for. That of one-cycle is always a fifth of the run
    (after Smith & Topin 2017, arXiv:1708.07120; without the last, slowest phase).

    Attributes:
        cfg: which schedule, and its numbers in epochs.
        highest_lr: the rate after the warm-up.
        epochs, steps_per_epoch: length of the run.
        higher_is_better: which way the metric given to `epoch_end` improves.
        warmup_steps: steps in which the rate climbs.
        milestone_steps: where `step` cuts; without stated milestones at 1/3, 2/3 and 8/9 of the run,
            which for 90 epochs is the classic 30, 60, 80.
        restart_steps: where the cycles of `restarts` end.
        plateau: what the schedule of that name remembers; the only state there is.
    """

    cfg: ScheduleConfig
    highest_lr: float
    epochs: int
    steps_per_epoch: int
    higher_is_better: bool = True
    warmup_steps: int = field(init=False)
    milestone_steps: tuple[int, ...] = field(init=False)
    restart_steps: tuple[int, ...] = field(init=False)
    plateau: Plateau = field(init=False)

    def __post_init__(self) -> None:
        total = self.total_steps
        asked = round(self.cfg.warmup_epochs * self.steps_per_epoch)
        self.warmup_steps = total // ONE_CYCLE_UP if self.cfg.schedule == "one-cycle" else min(asked, total // 2)
        self.milestone_steps = tuple(epoch * self.steps_per_epoch for epoch in self.cfg.milestones) or tuple(
            -(-total * part // 9)  # rounded up, so that no cut comes before the first step
            for part in (3, 6, 8)
        )
        self.restart_steps = self._cycles()
        self.plateau = Plateau(self.cfg.plateau_patience, self.cfg.gamma, self.higher_is_better)

    @property
    def total_steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    def _cycles(self) -> tuple[int, ...]:
        if self.name != "restarts":
            return ()
        n_cycles = self.cfg.snapshots or max(min(CYCLES, self.total_steps - self.warmup_steps), 1)
        length = self.cfg.cycle_epochs * self.steps_per_epoch
        return cycle_ends(self.warmup_steps, self.total_steps, n_cycles, self.cfg.cycle_growth, length)

    @property
    def name(self) -> str:
        """The schedule of the settings; snapshots are kept at the ends of cosine cycles."""
        return "restarts" if self.cfg.snapshots else self.cfg.schedule

    @property
    def snapshot_steps(self) -> tuple[int, ...]:
        """After how many steps the weights are kept."""
        return self.restart_steps if self.cfg.snapshots else ()

    def lr(self, step: int) -> float:
        """Learning rate of the step about to be taken, counted from 0 over the whole run."""
        multiplier = factor(
            self.name,
            step,
            self.total_steps,
            self.warmup_steps,
            self.milestone_steps,
            self.cfg.gamma,
            max(self.steps_per_epoch, 1),
            restart_steps=self.restart_steps,
            power=self.cfg.power,
        )
        return self.highest_lr * multiplier * self.plateau.factor

    def epoch_end(self, value: float) -> None:
        """Tell the schedule the epoch's validation metric; only `plateau` listens."""
        if self.cfg.schedule == "plateau":
            self.plateau.epoch_end(value)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know beside the step, as plain numbers."""
        return {"plateau": self.plateau.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        self.plateau.load_state_dict(state["plateau"])
