"""Thermometers never lose a neighbour in L1: their distances are at most the true ones, whatever is rounded."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from pellucid.classic.neighbours import search
from pellucid.classic.neighbours.best import Best
from pellucid.classic.neighbours.screens import Absolute
from pellucid.classic.neighbours.search import nearest
from pellucid.classic.neighbours.thermometer import Thermometer

Found = tuple[np.ndarray, np.ndarray]


def by_brute_force(queries: np.ndarray, memory: np.ndarray, k: int) -> Found:
    """SciPy's distances in float64, sorted by distance and index."""
    distances = cdist(queries.astype(np.float64), memory.astype(np.float64), "cityblock")
    indices = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, indices, axis=1), indices


def by_thermometer(queries: np.ndarray, memory: np.ndarray, k: int, bins: int = 8, block_mb: float = 64) -> Found:
    """Without giving up."""
    a, b = torch.from_numpy(queries), torch.from_numpy(memory)
    screen = Thermometer(b, a, bins)
    screen.worth = 1.0
    best = Best(len(a), k, screen.rank, a.device)
    assert search._search(screen, a, b, best, block_mb)
    return best.ranks.numpy(), best.indices.numpy()


def same(found: Found, wanted: Found) -> None:
    np.testing.assert_array_equal(found[1], wanted[1])
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12, atol=1e-12)


def codes(screen: Thermometer, queries: torch.Tensor, memory: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of all pairs: the distance of the codes, and the most that scale * sqrt(L1) may fall short of it."""
    a, b = screen.queries(queries), screen.memory(memory)
    between = torch.cdist(
        a.codes.double(), b.codes[: len(memory)].double(), compute_mode="donot_use_mm_for_euclid_dist"
    )
    return between, a.error[:, None] + b.error[None, : len(memory)]


def spread(kind: str, size: tuple[int, int], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=size)
    return {
        "noise": noise,
        "far from zero": noise + 1e5,
        "tiny": noise * 1e-20,
        "too tiny for codes": noise * 1e-35,
        "heavy tails": noise * np.exp(3 * rng.normal(size=size)),
        "sparse": noise * (rng.random(size) < 0.03),
        "features of all sizes": noise * np.logspace(-6, 6, size[1]),
        "constant features": np.where(np.arange(size[1]) % 3 == 0, noise, 0.1),
        "constant": np.full(size, 0.1),
    }[kind]


KINDS = [
    "noise", "far from zero", "tiny", "too tiny for codes", "heavy tails", "sparse", "features of all sizes",
    "constant features", "constant",
]  # fmt: skip


@pytest.mark.parametrize("bins", [8, 16, 32])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_never_above_the_true_distance(kind: str, dtype: type, bins: int) -> None:
    """Queries twice as far out as memory: what lies outside all bins counts for nothing."""
    queries, memory = 2 * spread(kind, (20, 37), 0).astype(dtype), spread(kind, (150, 37), 1).astype(dtype)
    screen = Thermometer(torch.from_numpy(memory), torch.from_numpy(queries), bins)
    between, error = codes(screen, torch.from_numpy(queries), torch.from_numpy(memory))
    true = cdist(queries.astype(np.float64), memory.astype(np.float64), "cityblock")
    assert bool((between.numpy() <= screen.scale * np.sqrt(true) + error.numpy()).all())


def test_of_black_and_white_it_is_the_true_distance() -> None:
    """Full and empty bins lose nothing."""
    rng = np.random.default_rng(0)
    queries, memory = (torch.from_numpy(255 * rng.integers(0, 2, (n, 50), dtype=np.uint8)) for n in (5, 90))
    screen = Thermometer(memory, queries, 8)
    between, _ = codes(screen, queries, memory)
    true = torch.cdist(queries.double(), memory.double(), p=1)
    torch.testing.assert_close((between / screen.scale).square(), true, rtol=0.03, atol=0)  # each code is rounded down


def test_more_bins_come_nearer() -> None:
    rng = np.random.default_rng(1)
    queries, memory = (torch.from_numpy(rng.integers(0, 256, (n, 60), dtype=np.uint8)) for n in (20, 200))
    true = torch.cdist(queries.double(), memory.double(), p=1)
    shares = []
    for bins in (8, 16, 32):
        screen = Thermometer(memory, queries, bins)
        shares.append(float(((codes(screen, queries, memory)[0] / screen.scale).square() / true).mean()))
    # Of numbers that are uniform in a range of 1, |a - b| has the mean 1/3. What bins of width 1/T lose of it is 1/(3T)
    # where a and b are in different bins, and 1/(6T) where they are in one, which is so for 1/T of them.
    assert shares == pytest.approx([1 - (1 - 1 / (2 * bins)) / bins for bins in (8, 16, 32)], abs=0.02)


rows = st.integers(1, 11).flatmap(
    lambda d: st.tuples(
        arrays(np.uint8, st.tuples(st.integers(1, 6), st.just(d)), elements=st.sampled_from([0, 1, 2, 128, 255])),
        arrays(np.uint8, st.tuples(st.integers(1, 150), st.just(d)), elements=st.sampled_from([0, 1, 2, 128, 255])),
    )
)


@settings(max_examples=80, deadline=None)
@given(rows, st.integers(1, 5), st.sampled_from([8, 16, 32]), st.sampled_from([np.uint8, np.float32, np.float64]))
def test_ties_go_to_the_lower_index(both: Found, k: int, bins: int, dtype: Any) -> None:
    """Few different numbers: most distances occur many times, and are exact in every type."""
    queries, memory = both[0].astype(dtype), both[1].astype(dtype)
    k = min(k, len(memory))
    same(by_thermometer(queries, memory, k, bins), by_brute_force(queries, memory, k))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize(
    ("n", "m", "d", "k"), [(5, 300, 1, 5), (1, 1, 1, 1), (70, 9, 3, 9), (200, 6000, 30, 5), (9, 9000, 13, 300)]
)
def test_equals_brute_force(n: int, m: int, d: int, k: int, dtype: type) -> None:
    rng = np.random.default_rng(n + m)
    queries, memory = (rng.integers(0, 256, size).astype(dtype) for size in ((n, d), (m, d)))
    same(by_thermometer(queries, memory, k), by_brute_force(queries, memory, k))


@pytest.mark.parametrize("kind", KINDS)
def test_no_neighbour_is_lost(kind: str) -> None:
    queries, memory = spread(kind, (12, 50), 2).astype(np.float32), spread(kind, (4500, 50), 3).astype(np.float32)
    wanted = by_brute_force(queries, memory, 7)
    np.testing.assert_allclose(by_thermometer(queries, memory, 7)[0], wanted[0], rtol=1e-12)


@pytest.mark.parametrize("block_mb", [1e-6, 0.1, 5.0, 33.0])
def test_the_size_of_blocks_changes_nothing(block_mb: float) -> None:
    rng = np.random.default_rng(4)
    queries, memory = (rng.integers(0, 9, (n, 700), dtype=np.uint8) for n in (70, 900))
    same(by_thermometer(queries, memory, 9, block_mb=block_mb), by_brute_force(queries, memory, 9))


def test_sums_that_32_bits_do_not_hold() -> None:
    rng = np.random.default_rng(5)
    queries, memory = (rng.integers(0, 256, (n, 1100), dtype=np.uint8) for n in (3, 130))
    memory[40:43] = queries
    found = by_thermometer(queries, memory, 4, bins=32)
    same(found, by_brute_force(queries, memory, 4))
    assert found[1][:, 0].tolist() == [40, 41, 42]


def test_tried_where_there_is_much_to_do_and_given_up_where_it_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Near neighbours are found by 8 bins; for noise in many dimensions everything is tried, and nothing lost."""
    used: list[tuple[type, bool]] = []
    inner = search._search

    def noted(screen: Any, *others: Any) -> bool:
        used.append((type(screen), inner(screen, *others)))
        return used[-1][1]

    monkeypatch.setattr(search, "_search", noted)
    rng = np.random.default_rng(6)
    centres = rng.integers(20, 230, (40, 100))
    near = (centres[np.arange(3000) % 40] + rng.integers(0, 20, (3000, 100))).astype(np.uint8)
    same(nearest(near[:100], near, 3, "l1"), by_brute_force(near[:100], near, 3))
    assert used == [(Thermometer, True)]
    used.clear()
    noise = rng.normal(size=(3000, 400)).astype(np.float32)
    same(nearest(noise[:100] + 0.01, noise, 100, "l1"), by_brute_force(noise[:100] + np.float32(0.01), noise, 100))
    assert used[-1] == (Absolute, True) and used[0] == (Thermometer, False)
