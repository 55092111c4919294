"""The search is brute force in float64, only faster: same neighbours, same distances, ties by index."""

import numpy as np
import pytest
import torch

from pellucid.classic.neighbours.search import nearest


def by_brute_force(queries: np.ndarray, memory: np.ndarray, k: int, distance: str) -> tuple[np.ndarray, np.ndarray]:
    """All differences at once, in float64, then sorted by distance and index."""
    differences = queries.astype(np.float64)[:, None] - memory.astype(np.float64)[None]
    all_of_them = np.abs(differences).sum(axis=2) if distance == "l1" else np.sqrt((differences**2).sum(axis=2))
    indices = np.stack([np.lexsort((np.arange(len(memory)), row)) for row in all_of_them])[:, :k]
    return np.take_along_axis(all_of_them, indices, axis=1), indices


@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize(
    ("n", "m", "d", "k"), [(5, 100, 1, 5), (1, 1, 1, 1), (3, 7, 3, 7), (20, 5000, 30, 5), (7, 9000, 11, 40)]
)
def test_equals_brute_force(n: int, m: int, d: int, k: int, dtype: type, distance: str) -> None:
    rng = np.random.default_rng(n + m)
    whole = dtype == np.uint8
    queries, memory = (
        rng.integers(0, 256, size, dtype=np.uint8) if whole else rng.normal(size=size).astype(dtype)
        for size in ((n, d), (m, d))
    )
    distances, indices = nearest(queries, memory, k, distance)
    wanted, where = by_brute_force(queries, memory, k, distance)
    np.testing.assert_array_equal(indices, where)
    np.testing.assert_allclose(distances, wanted, rtol=1e-13)
    assert distances.dtype == np.float64 and indices.dtype == np.int64


def test_tensors_give_tensors() -> None:
    memory = torch.arange(10.0)[:, None]
    distances, indices = nearest(torch.tensor([[3.2]]), memory, 2)
    assert isinstance(distances, torch.Tensor) and indices.tolist() == [[3, 4]]
    torch.testing.assert_close(distances, torch.tensor([[0.2, 0.8]], dtype=torch.float64), rtol=0, atol=1e-6)
