"""Pictures that are looked at again for a report, each of them once. V is what a task keeps of a picture."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

V = TypeVar("V")
AT_ONCE = 16  # pictures that go through the model together


class Once(Generic[V]):
    """Views of pictures by their position in the split.

    Args:
        look: positions -> batch and outputs, as `core.task.Task` says. Its `name(position)`, if it has one, says what
            the data calls a picture; else that is its number.
        views: (positions, pictures (n, H, W, C) uint8, batch, outputs) -> a view of each.
    """

    def __init__(
        self,
        look: Callable[[Sequence[int]], tuple[Any, Any]],
        views: Callable[[Sequence[int], np.ndarray, Mapping[str, Any], Mapping[str, Any]], Iterable[V]],
    ) -> None:
        self._look, self._of_batch = look, views
        self.name: Callable[[int], str] = getattr(look, "name", "picture {}".format)
        self._views: dict[int, V] = {}

    def __call__(self, indices: Sequence[int]) -> list[V]:
        """Views in the order asked for."""
        new = [index for index in dict.fromkeys(indices) if index not in self._views]
        for start in range(0, len(new), AT_ONCE):
            some = new[start : start + AT_ONCE]
            batch, outputs = self._look(some)
            images = batch["image"].permute(0, 2, 3, 1).round().clamp(0, 255).byte().cpu().numpy()
            self._views |= zip(some, self._of_batch(some, images, batch, outputs), strict=True)
        return [self._views[index] for index in indices]
