"""Gradient clipping: a gradient longer than a threshold is shortened to it, its direction kept.

Formula:
    g ← g · min(1, c / |g|),  |g| = √(Σ g²) over all arrays together

Derivation:
    Near a cliff of the loss the gradient may be a thousand times its usual length, and one step undoes a hundred.
    Scaling keeps the direction: |g · c / |g|| = c. Clipping every entry by itself, or every array by its own norm,
    would turn it. The length is that of all arrays as one vector, because they make one step together.

Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from pellucid.core.errors import ConfigError, DataError

Gradients = TypeVar("Gradients", np.ndarray, dict[str, np.ndarray])


def clip_by_norm(gradients: Gradients, max_norm: float) -> tuple[Gradients, float]:
    """Shorten gradients whose length is above `max_norm`.

    Args:
        gradients: one array of any shape, or name -> array; they are not changed.
        max_norm: the threshold, above 0.

    Returns:
        The gradients (copies where they were shortened), and the length before.

    Raises:
        ConfigError: the threshold is not above 0.
        DataError: a gradient is NaN or infinite, and so has no direction to keep.
    """
    if not max_norm > 0:
        raise ConfigError(f"max_norm must be above 0, got {max_norm}.")
    norm = global_norm(gradients)
    if norm <= max_norm:
        return gradients, norm
    scale = max_norm / norm
    shortened: Any = (
        {name: gradient * scale for name, gradient in gradients.items()}
        if isinstance(gradients, dict)
        else gradients * scale
    )
    return shortened, norm


def global_norm(gradients: np.ndarray | Mapping[str, np.ndarray]) -> float:
    """The length of all arrays as one vector; 0 for none.

    Raises:
        DataError: a gradient is NaN or infinite.
    """
    named = gradients if isinstance(gradients, Mapping) else {"": gradients}
    largest = 0.0
    for name, gradient in named.items():
        here = float(np.max(np.abs(gradient), initial=0.0))
        if not np.isfinite(here):
            raise DataError(
                f"The gradient{name and ' of ' + name} has entries that are not finite: lower the learning rate."
            )
        largest = max(largest, here)
    if largest == 0:
        return 0.0
    # Relative to the largest entry no square overflows, even where the length of float32 numbers would.
    squares = sum(float(np.sum((np.asarray(g, dtype=np.float64) / largest) ** 2)) for g in named.values())
    return largest * float(np.sqrt(squares))
