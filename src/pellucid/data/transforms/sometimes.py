"""Transforms that are applied to some pictures, or to some batches."""

from dataclasses import dataclass

import torch

from pellucid.data.transforms.batch import Batch, Transform, draw_whole


@dataclass(frozen=True)
class Sometimes:
    """Apply `step` to each picture with probability `p`. The step must keep the size and the keys."""

    step: Transform
    p: float = 0.5

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        n = len(batch["image"])
        rows = (torch.rand(n, generator=generator) < self.p).nonzero()[:, 0]
        if len(rows) == n:
            return self.step(batch, generator)
        if not len(rows):
            return batch
        part = {key: values[rows.to(values.device)] for key, values in batch.items()}
        part["image"] = part["image"].contiguous(memory_format=torch.channels_last)
        changed = self.step(part, generator)
        result = dict(batch)
        for key, values in changed.items():
            if values is not part[key]:
                result[key] = batch[key].clone()  # keeps the order in memory
                result[key][rows.to(values.device)] = values
        return result


@dataclass(frozen=True)
class Either:
    """Apply one of the steps to each batch, all equally often."""

    steps: tuple[Transform, ...]

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        chosen = int(draw_whole(torch.tensor([len(self.steps) - 1]), generator))
        return self.steps[chosen](batch, generator)
