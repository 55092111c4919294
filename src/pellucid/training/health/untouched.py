"""Try something on a job, and leave no trace of it."""

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.training.job import Job


@contextmanager
def untouched(job: Job) -> Iterator[None]:
    """Within this block steps may be taken; afterwards everything is as it was, to the bit.

    That is: weights, buffers and gradients of the model, its modes and what is frozen; moments and rates of the
    optimiser; the position; and the generators of Python, NumPy and torch. Blocks may lie within each other.
    """
    position = dict(vars(job))
    verdicts = list(job.verdicts)
    model = _Model(job)
    state = {p: {name: _copy(value) for name, value in moments.items()} for p, moments in job.optimiser.state.items()}
    groups = [dict(group) for group in job.optimiser.param_groups]
    try:
        with generators_kept():
            yield
    finally:
        vars(job).update(position)
        job.verdicts[:] = verdicts
        model.put_back()
        job.optimiser.state = defaultdict(dict, state)
        for group, before in zip(job.optimiser.param_groups, groups, strict=True):
            group.clear()
            group.update(before)


@contextmanager
def generators_kept() -> Iterator[None]:
    """Afterwards the global generators of Python, NumPy and torch stand where they stood."""
    python, numpy, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(torch_state)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)


class _Model:
    """What a model holds, kept aside."""

    def __init__(self, job: Job) -> None:
        self.tensors = [*job.model.parameters(), *job.model.buffers()]
        self.values = [tensor.detach().clone() for tensor in self.tensors]
        self.gradients = [(p, p.grad, p.requires_grad) for p in job.model.parameters()]
        self.modes = [(module, module.training) for module in job.model.modules()]
        for p, _, _ in self.gradients:
            p.grad = None  # what is tried makes gradients of its own

    @torch.no_grad()
    def put_back(self) -> None:
        for tensor, value in zip(self.tensors, self.values, strict=True):
            tensor.copy_(value)
        for p, gradient, trained in self.gradients:
            p.requires_grad_(trained)
            p.grad = gradient
        for module, training in self.modes:
            module.training = training


def _copy(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value
