"""Pictures of an evaluation, looked at once more: what is there, what is true, what is said. Letters: H, W pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

AT_ONCE = 16  # pictures that go through the model together


@dataclass(frozen=True)
class View:
    """One picture as the network sees it.

    Attributes:
        index: position in the split.
        image: (H, W, C) uint8.
        true: (H, W) int64, class of every pixel, 255 where it does not count.
        called: (H, W) int64, class the model gives it.
    """

    index: int
    image: np.ndarray
    true: np.ndarray
    called: np.ndarray


class Seen:
    """Views of pictures by their position in the split; each goes through the model once.

    Args:
        look: positions -> batch and outputs, as `core.task.Task` says.
    """

    def __init__(self, look: Callable[[Sequence[int]], tuple[Any, Any]]) -> None:
        self._look = look
        self._views: dict[int, View] = {}

    def __call__(self, indices: Sequence[int]) -> list[View]:
        """Views in the order asked for."""
        new = [index for index in dict.fromkeys(indices) if index not in self._views]
        for start in range(0, len(new), AT_ONCE):
            some = new[start : start + AT_ONCE]
            batch, outputs = self._look(some)
            images = batch["image"].permute(0, 2, 3, 1).round().clamp(0, 255).byte().cpu().numpy()
            true, called = batch["mask"].cpu().numpy(), outputs["logits"].argmax(1).cpu().numpy()
            self._views |= {index: View(index, images[n], true[n], called[n]) for n, index in enumerate(some)}
        return [self._views[index] for index in indices]
