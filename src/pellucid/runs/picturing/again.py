"""Have the model look at some pictures of an evaluation once more, for what was not recorded of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.data.loader import Loader
from pellucid.data.prepare import Splits
from pellucid.nn.precision import as_float32, device_of
from pellucid.runs.stored.trained import Trained


class LookAgain:
    """`look(indices) -> (batch, outputs)` of pictures of a split, in the given order, in fp32; `look.name(index)`.

    Where an evaluation computes in bf16, what it recorded of a picture may differ from this in the last digits. Where
    the data tells things apart, the batch has `box_label` (N, M) int64, the class of each, filled up with -1.
    """

    def __init__(self, trained: Trained, splits: Splits, role: Any) -> None:
        self._trained, self._splits, self._device = trained, splits, device_of(trained.model)
        self._usual = splits.loader(role, 1, whole_canvas=getattr(trained.model, "whole_canvas", False))

    def name(self, index: int) -> str:
        """What the data calls a picture, mostly its file."""
        return self._splits.names[int(self._usual.rows[index])]

    def __call__(self, indices: Sequence[int]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        trained, splits, usual = self._trained, self._splits, self._usual
        rows = usual.rows[list(indices)]
        batches = Loader(splits.pack, rows, max(len(rows), 1), device=self._device, transform=usual.transform)
        batch = next(iter(batches.epoch(0)))
        was_training = trained.model.training
        trained.model.eval()
        try:
            with torch.inference_mode():
                outputs = as_float32(trained.model(batch))
        finally:
            trained.model.train(was_training)
        if splits.objects is not None and "box_label" not in batch:
            labels = [torch.from_numpy(np.array(splits.objects[row].labels, dtype=np.int64)) for row in rows]
            batch["box_label"] = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-1)
        return batch, outputs
