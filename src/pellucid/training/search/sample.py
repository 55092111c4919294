"""Drawing candidates at random, each from the seed and its own number: no draw depends on those before it.

Formula:
    u ~ U(0, 1) for each setting; value = low + u (high - low), or 10**(log low + u (log high - log low))

A rate of 0.001 is to 0.01 what 0.01 is to 0.1, since updates multiply; a uniform draw from 1e-5..1e-1 would lie in the
last decade nine times of ten.

Source: CS231n notes, "Neural Networks Part 3": learning_rate = 10 ** uniform(-6, 1).
"""

from typing import Any

from pellucid.core.seed import numpy_generator
from pellucid.training.search.space import Space


def draw(space: Space, seed: int, *names: str | int) -> dict[str, Any]:
    """One candidate: setting -> value. The same seed and names give the same, whatever was drawn before.

    Each setting has a stream of its own, so that a setting more in the space leaves the others as they were.
    """
    return {
        name: axis.value(float(numpy_generator(seed, "draw", *names, name).random())) for name, axis in space.items()
    }
