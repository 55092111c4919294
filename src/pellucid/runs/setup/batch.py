"""`--batch auto`: measure how many pictures a second go through in batches of each size, and settle on one."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from pellucid.core.progress import Progress, Quiet
from pellucid.core.task import Task
from pellucid.data.prepare import Splits
from pellucid.runs.setup.assemble import make_job
from pellucid.training.job import Job
from pellucid.training.memory.largest import Trial, choose_size, try_sizes
from pellucid.training.memory.room import Growth
from pellucid.training.optim import set_rate
from pellucid.training.resolve import STEPS_AN_EPOCH
from pellucid.training.scoring import score_all
from pellucid.training.step import backward

STEPS, ENOUGH = 5, 0.5  # of each size at most, and seconds after which fewer will do
MOST = 4096

Clock = Callable[[], float]


def settle_batch(
    task: Task,
    cfg: Any,
    splits: Splits,
    device: torch.device,
    progress: Progress,
    weights: Mapping[str, Tensor] | None = None,
    clock: Clock = time.perf_counter,
) -> Any:
    """The config with `auto` replaced by the number it comes to; any other batch stays.

    The steps are those of a training that is thrown away, so the run is to the bit that of the number. An epoch keeps
    16 steps or more. What is measured depends on the machine; what was settled stands in the run's config.

    Raises:
        OutOfMemory: not even one picture fits.
    """
    if cfg.train.batch != "auto":
        return cfg
    random = torch.get_rng_state()
    trials = _measure(task, cfg, splits, device, weights, clock)
    if device.type == "cuda":
        torch.cuda.empty_cache()
    torch.set_rng_state(random)
    size = choose_size(trials)
    progress.say(f"--batch auto: {'; '.join(each.sentence() for each in trials)}. Takes {size}.")
    progress.event("batch", {"tried": {each.batch: round(each.rate, 1) for each in trials}, "batch": size})
    return replace(cfg, train=replace(cfg.train, batch=size))


def _measure(
    task: Task, cfg: Any, splits: Splits, device: torch.device, weights: Mapping[str, Tensor] | None, clock: Clock
) -> list[Trial]:
    job = make_job(task, replace(cfg, train=replace(cfg.train, batch=1)), splits, Path(), device, Quiet(), weights)
    job.model.train()
    most = max(1, min(MOST, splits.facts.n_train // STEPS_AN_EPOCH))
    has_room = Growth().has_room if device.type == "cpu" else lambda: True  # a GPU refuses, and goes on
    return try_sizes(lambda size: _seconds(job, splits, size, clock), most, has_room)


def _seconds(job: Job, splits: Splits, size: int, clock: Clock) -> float:
    """Median seconds of a training step, after one that does not count; and the validation batch is tried too."""
    seed = job.cfg.train.seed
    took, start = list[float](), clock()
    loader = splits.loader("train", size, seed=seed, device=job.device, training=True)
    for number in range(STEPS + 1):
        before = clock()
        for batch in loader.epoch(number % 2, number % len(loader)):
            set_rate(job.optimiser, 0.0)
            losses = backward(job, batch)
            job.optimiser.step()
            float(next(iter(losses.values())))  # waits for the device
            break
        took.append(clock() - before)
        if number and clock() - start > ENOUGH:
            break
    if splits.facts.n_val:
        batches = splits.loader("val", 2 * size, device=job.device).epoch(0)
        score_all(job.task, job.cfg, job.model, [next(iter(batches))], job.precision, job.device)
    return median(took[1:])
