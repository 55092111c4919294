"""Parts of a batch, whatever its keys are: what all its tensors count along their first side is samples."""

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pellucid.nn.precision import as_float32, autocast
from pellucid.training.job import Job

Batch = Mapping[str, Tensor]


def n_samples(batch: Batch) -> int:
    """N: the length that most tensors of the batch share."""
    lengths = Counter(len(value) for value in batch.values() if value.dim())
    return lengths.most_common(1)[0][0] if lengths else 0


def take(batch: Batch, rows: Sequence[int] | Tensor) -> dict[str, Tensor]:
    """The same batch with only these samples, in this order; what does not count samples is handed on."""
    n = n_samples(batch)
    chosen = torch.as_tensor(rows, dtype=torch.long)
    return {
        name: value[chosen.to(value.device)] if value.dim() and len(value) == n else value
        for name, value in batch.items()
    }


def first_batch(job: Job) -> dict[str, Tensor]:
    """The first batch that training will see."""
    return next(iter(job.train.epoch(0)))


def outputs_of(job: Job, batch: Batch) -> dict[str, Tensor]:
    """What the model says, as its losses get it."""
    with autocast(job.device, job.precision):
        outputs = job.model(batch)
    return as_float32(outputs)


def losses_of(job: Job, batch: Batch) -> dict[str, Tensor]:
    """Each loss of a batch."""
    return job.task.compute_loss(outputs_of(job, batch), batch, job.cfg)


def total_of(losses: Mapping[str, Tensor]) -> Tensor:
    """What is descended: the sum of all losses, a scalar."""
    return torch.stack(list(losses.values())).sum()


def train_mode(job: Job) -> None:
    """The mode of a whole training: what is ever trained is, what its plan freezes to the end is frozen."""
    job.model.train()
    if job.plan:
        job.plan.enter(job.cfg.train.epochs - 1)
