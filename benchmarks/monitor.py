"""What the monitor costs: steps that it looks at beside steps that it does not.

    python benchmarks/monitor.py [--quick] [--rounds 7]

The same job, batch and weights for both, on one thread; they take turns. One step of so many is looked at, so the
overhead of a run is what a look adds, divided by that number. The bits of both are compared before anything is timed.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timing
import torch
from short_runs import small_job
from torch import Tensor

from pellucid.ops.memory import freed_memory_kept
from pellucid.training.health.monitor.history import History
from pellucid.training.health.monitor.monitor import Monitor
from pellucid.training.job import Job
from pellucid.training.step import gradient_step

ALLOWED, AIM = 0.02, 0.005  # of a step
USUAL_STEPS = 3_000  # of a run; it is looked at every hundredth step


@dataclass(frozen=True)
class Case:
    """A network with its pictures.

    Attributes:
        steps: of one turn.
    """

    title: str
    model: str
    side: int
    channels: int
    batch: int
    steps: int


CASES = {
    "mlp": Case("mlp, 28x28 grey, batch 128", "mlp", 28, 1, 128, 100),
    "convnet": Case("convnet, 28x28 grey, batch 128", "convnet", 28, 1, 128, 3),
    "resnet18": Case("ResNet-18, 32x32 RGB, batch 64", "resnet18", 32, 3, 64, 1),
    "vit_small": Case("vit_small, 32x32 RGB, batch 8", "vit_small", 32, 3, 8, 1),
}


def make(case: Case, folder: Path) -> tuple[Job, dict[str, Tensor]]:
    """A job on noise, and one batch of it."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (4 * case.batch, case.side, case.side, case.channels), dtype=np.uint8)
    labels = np.arange(len(pictures)) % 10
    data = {"images": pictures if case.channels == 3 else pictures[..., 0], "labels": labels}
    settings = {"model": case.model, "batch": case.batch, "precision": "auto", "epochs": 3, "augment": False}
    job = small_job(folder, data, **settings)
    job.model.train()
    return job, next(iter(job.train.epoch(0)))


def stepper(job: Job, batch: dict[str, Tensor], looked_at: bool, steps: int) -> Callable[[], float]:
    """Takes `steps` steps; the loss of the last."""
    monitor = Monitor(job.model, USUAL_STEPS)
    monitor.is_due = lambda step: looked_at  # type: ignore[method-assign]

    def turn() -> float:
        monitor.history, total = History(), 0.0  # no run has so many looks as all turns together
        for step in range(steps):
            with monitor.watching(step, 1e-5):
                total = gradient_step(job, batch, 1e-5).total
            monitor.judge_step(step, 1e-5, total)
        return total

    return turn


def plain(job: Job, batch: dict[str, Tensor], steps: int) -> Callable[[], float]:
    """The same without a monitor."""

    def turn() -> float:
        total = 0.0
        for _ in range(steps):
            with nullcontext():
                total = gradient_step(job, batch, 1e-5).total
        return total

    return turn


def variants(case: Case, folder: Path) -> dict[str, Callable[[], Any]]:
    """Each with a job of its own, all of them equal."""
    jobs = {name: make(case, folder / name) for name in ("off", "between looks", "looked at")}
    return {
        "off": plain(*jobs["off"], case.steps),
        "between looks": stepper(*jobs["between looks"], looked_at=False, steps=case.steps),
        "looked at": stepper(*jobs["looked at"], looked_at=True, steps=case.steps),
    }


def measure(case: Case, rounds: int) -> dict[str, timing.Timed]:
    """Time the variants; ends the program when they did not do the same."""
    with tempfile.TemporaryDirectory() as folder, freed_memory_kept():
        times = timing.interleave(variants(case, Path(folder)), rounds, warmups=2)
    losses = {timed.output for timed in times.values()}
    if len(losses) != 1:
        sys.exit(f"{case.title}: the monitor changed the loss: {losses}")
    return times


def overhead(times: dict[str, timing.Timed], every: int) -> tuple[float, float]:
    """What a look adds to its step, and what the monitor adds to a run, both as shares of a step."""
    look = timing.ratio(times["looked at"], times["off"]) - 1
    between = timing.ratio(times["between looks"], times["off"]) - 1
    return look, max(between, 0.0) * (every - 1) / every + look / every


def row(case: Case, times: dict[str, timing.Timed], every: int) -> list[str]:
    """Of the table."""
    look, whole = overhead(times, every)
    between = timing.ratio(times["between looks"], times["off"]) - 1
    verdict = "aim met" if whole <= AIM else "met" if whole <= ALLOWED else "MISSED"
    step = times["off"].median() / case.steps
    return [
        case.title,
        f"{1e3 * step:.1f}",
        f"{look:.0%}",
        f"{between:.2%}",
        f"{look / every:.2%}",
        f"{whole:.2%}",
        verdict,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds of the mlp; no result file")
    asked = parser.parse_args()
    timing.use_one_core()
    torch.set_num_threads(1)
    every = Monitor(torch.nn.Linear(1, 1), USUAL_STEPS).every
    names, rounds = (["mlp"], 2) if asked.quick else (list(CASES), asked.rounds)
    rows = []
    for name in names:
        rows.append(row(CASES[name], measure(CASES[name], rounds), every))
        print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
    header = [
        "case",
        "CPU ms a step",
        "a look adds",
        "other steps",
        "looks, per step",
        "in all",
        f"at most {ALLOWED:.0%}",
    ]
    about = (
        f"Processor time, medians of the rounds' ratios ({rounds} rounds). A run of {USUAL_STEPS} steps is looked at "
        f"every {every} steps; shorter ones more often, at least every 8 steps, longer ones more seldom. *A look adds* "
        "is beside one step without a monitor; *other steps* is what the monitor costs where it does not look, mostly "
        f"noise; *in all* is the sum of both (aim {AIM:.1%}). The losses of all variants are the same to the bit."
    )
    parts = [about, timing.table(header, rows)]
    print("\n\n".join(parts))
    if not asked.quick:
        command = f"python benchmarks/monitor.py --rounds {rounds}"
        timing.write_result("monitor", "Cost of the monitor", command, ["torch", "numpy"], parts)


if __name__ == "__main__":
    main()
