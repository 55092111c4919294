"""What an epoch costs, from some steps of a training that is thrown away."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from pellucid.core.progress import Quiet
from pellucid.data.source import Source
from pellucid.runs.setup.prepared import prepare_run
from pellucid.training.scoring import score_all
from pellucid.training.step import gradient_step

STEPS = 8  # measured at most
ENOUGH = 3.0  # seconds, after which fewer will do

Clock = Callable[[], float]


def epoch_cost(cfg: Any, source: Source, clock: Clock = time.process_time) -> tuple[float, int]:
    """CPU seconds of an epoch of a classifier, validation included, and how many steps it has."""
    job = prepare_run(source, cfg, "classify", Quiet()).job(Quiet())
    job.model.train()
    took, start = list[float](), clock()
    for batch in job.train.epoch(0):
        before = clock()
        gradient_step(job, batch, 0.0)
        took.append(clock() - before)
        if len(took) > STEPS or (len(took) > 2 and clock() - start > ENOUGH):
            break
    steps = len(job.train)
    seconds = median(took[1:] or took) * steps  # the first step also makes what the others use again
    if job.val is not None:
        before = clock()
        score_all(job.task, job.cfg, job.model, [next(iter(job.val.epoch(0)))], job.precision, job.device)
        seconds += (clock() - before) * len(job.val)
    return seconds, steps
