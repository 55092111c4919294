"""Things in long arrays, and back."""

import numpy as np
import pytest

from pellucid.data.objects import Objects
from pellucid.data.pack.flat_objects import flatten, unflatten


def things(rng: np.random.Generator, m: int, masks: bool, n_keypoints: int) -> Objects:
    if not m:
        return Objects.empty(n_keypoints, masks)
    low = rng.uniform(-3, 10, (m, 2))
    return Objects(
        np.concatenate([low, low + rng.uniform(0.1, 20, (m, 2))], axis=1),
        rng.integers(0, 5, m),
        rng.random((m, int(rng.integers(1, 20)), 9)) < 0.5 if masks else None,
        np.concatenate([rng.normal(size=(m, n_keypoints, 2)), rng.integers(0, 3, (m, n_keypoints, 1))], axis=2)
        if n_keypoints
        else None,
        rng.random(m) < 0.5,
        rng.uniform(0, 99, m),
    )


@pytest.mark.parametrize("seed", range(5))
def test_there_and_back(seed: int) -> None:
    """Pictures without things, masks or keypoints among others, in any order."""
    rng = np.random.default_rng(seed)
    objects = [things(rng, int(rng.integers(4)), bool(rng.integers(2)), int(rng.choice([0, 3, 4]))) for _ in range(12)]
    back = unflatten({"images": np.zeros(12), **flatten(objects)})
    assert len(back) == 12 and list(back) == objects
    order = rng.permutation(12)[:5]
    assert list(back.take(order)) == [objects[i] for i in order]


def test_no_picture_at_all() -> None:
    assert list(unflatten(flatten([]))) == []
