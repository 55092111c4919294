"""A batch gone through in parts: less memory for the same step (gradient accumulation).

Formula:
    loss of a batch = sum_p (W_p / W) loss of part p,   W = sum_p W_p

where every loss is a mean, and W_p is what the mean over part p is divided by: pictures, labelled pixels, or the sum of
their class weights, as the task's `weigh` says. Plain averages of the parts' losses, as most loops take them, are
another loss wherever parts differ in W_p. The gradient is that of the undivided batch but for rounding; batch norm
differs, since it takes mean and variance of the pictures it sees at once, and dropout draws other masks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core.task import Task

Batch = Mapping[str, Tensor]
Share = Tensor | Mapping[str, Tensor]


def batch_norms(model: nn.Module) -> list[str]:
    """Names of the layers whose training output depends on the other pictures of the part."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    return [name for name, module in model.named_modules() if isinstance(module, kinds) and module.training]


def smallest_part(model: nn.Module) -> int:
    """Pictures that a part must have: 2 where batch norm needs a variance, else 1."""
    return 2 if batch_norms(model) else 1


def most_parts(batch: Batch, smallest: int) -> int:
    """Into how many parts a batch can be cut."""
    return max(1, size(batch) // smallest)


def size(batch: Batch) -> int:
    """Pictures of a batch."""
    return len(next(iter(batch.values())))


def cut(batch: dict[str, Tensor], n_parts: int) -> list[dict[str, Tensor]]:
    """The batch in `n_parts` along the first dimension of every tensor, whose sizes differ by one picture at most."""
    if n_parts == 1:
        return [batch]
    columns = [value.tensor_split(n_parts) for value in batch.values()]
    return [dict(zip(batch, part, strict=True)) for part in zip(*columns, strict=True)]


def shares(task: Task, parts: Sequence[Batch], cfg: object) -> list[Share]:
    """W_p / W of each part, 0-dim float32, 0 where nothing counts; by name where losses weigh differently."""
    weights: list[Any] = [task.weigh(part, cfg) for part in parts]
    if not isinstance(weights[0], Mapping):
        return [*_as_shares(weights)]
    columns = {name: _as_shares([each[name] for each in weights]) for name in weights[0]}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def share_of(name: str, share: Share) -> Tensor:
    """The share of one loss."""
    return share[name] if isinstance(share, Mapping) else share


def _as_shares(weights: Sequence[Any]) -> list[Tensor]:
    stacked = torch.stack([torch.as_tensor(weight, dtype=torch.float32) for weight in weights])
    total = stacked.sum()
    return list((stacked / torch.where(total > 0, total, 1)).unbind())
