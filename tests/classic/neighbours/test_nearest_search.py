"""The search is brute force in float64, only faster: same neighbours, same distances, ties by index."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors

from pellucid.classic.neighbours import search
from pellucid.classic.neighbours.best import Best
from pellucid.classic.neighbours.screens import Absolute, Codes, Floats, Integers, Screen
from pellucid.classic.neighbours.search import nearest
from pellucid.core.errors import ConfigError, DataError

Found = tuple[np.ndarray, np.ndarray]


def by_brute_force(queries: np.ndarray, memory: np.ndarray, k: int, distance: str) -> Found:
    """All differences at once, in float64, then sorted by distance and index."""
    differences = queries.astype(np.float64)[:, None] - memory.astype(np.float64)[None]
    all_of_them = np.abs(differences).sum(axis=2) if distance == "l1" else np.sqrt((differences**2).sum(axis=2))
    indices = np.stack([np.lexsort((np.arange(len(memory)), row)) for row in all_of_them])[:, :k]
    return np.take_along_axis(all_of_them, indices, axis=1), indices


def same(found: Found, wanted: Found) -> None:
    np.testing.assert_array_equal(found[1], wanted[1])
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12, atol=1e-12)


def by_screen(screen: Screen, queries: torch.Tensor, memory: torch.Tensor, k: int, block_mb: float = 64) -> Any:
    best = Best(len(queries), k, screen.rank, queries.device)
    assert search._search(screen, queries, memory, best, block_mb)
    return screen.distances(best.ranks).numpy(), best.indices.numpy()


# ----------------------------------------------------------------------------------------- the same as brute force


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
    found = nearest(queries, memory, k, distance)
    same(found, by_brute_force(queries, memory, k, distance))
    assert found[0].dtype == np.float64 and found[1].dtype == np.int64


rows = st.integers(1, 6).flatmap(
    lambda d: st.tuples(
        arrays(np.uint8, st.tuples(st.integers(1, 6), st.just(d)), elements=st.sampled_from([0, 1, 2, 128, 255])),
        arrays(np.uint8, st.tuples(st.integers(1, 150), st.just(d)), elements=st.sampled_from([0, 1, 2, 128, 255])),
    )
)


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(1, 5), st.sampled_from(["l1", "l2"]), st.sampled_from([np.uint8, np.float32, np.float64]))
def test_ties_go_to_the_lower_index(both: Found, k: int, distance: str, dtype: type) -> None:
    """Few different numbers: most distances occur many times, and are exact in every type."""
    queries, memory = both[0].astype(dtype), both[1].astype(dtype)
    k = min(k, len(memory))
    same(nearest(queries, memory, k, distance), by_brute_force(queries, memory, k, distance))


@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_duplicates_over_many_tiles(dtype: type, distance: str) -> None:
    memory = np.zeros((9000, 4), dtype)
    memory[[17, 5000, 8999]] = 200
    distances, indices = nearest(np.full((2, 4), 200, dtype), memory, 5, distance)
    assert indices.tolist() == [[17, 5000, 8999, 0, 1]] * 2
    assert distances[:, :3].max() == 0 and np.isfinite(distances).all()


@pytest.mark.parametrize("length", [1024, 1025, 1032, 3000])
def test_bytes_are_exact_at_their_extremes(length: int) -> None:
    """White against black: the largest sums there are; one pixel differs by one."""
    memory = np.zeros((70, length), np.uint8)
    memory[41, 0] = 1
    distances, indices = nearest(np.full((1, length), 255, np.uint8), memory, 2)
    assert indices.tolist() == [[41, 0]]
    assert np.round(distances**2).tolist() == [[length * 255**2 - 255**2 + 254**2, length * 255**2]]


def test_rows_too_long_for_sums_in_32_bits() -> None:
    memory = np.zeros((65, 33000), np.uint8)
    memory[3, :] = 255
    memory[4, -1] = 1
    distances, indices = nearest(np.zeros((1, 33000), np.uint8), memory, 65)
    assert indices[0, [0, -2, -1]].tolist() == [0, 4, 3]
    assert distances[0, -1] == pytest.approx(255 * np.sqrt(33000), rel=1e-15)


def normal_rows() -> tuple[np.ndarray, np.ndarray]:
    """40 queries and 3000 rows of memory."""
    rng = np.random.default_rng(2)
    return rng.normal(size=(40, 144)).astype(np.float32), rng.normal(size=(3000, 144)).astype(np.float32)


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_neighbours_are_those_of_scikit_learn(distance: str) -> None:
    queries, memory = normal_rows()
    theirs = NearestNeighbors(n_neighbors=5, algorithm="brute", metric=distance).fit(memory.astype(float))
    same(nearest(queries, memory, 5, distance), theirs.kneighbors(queries.astype(float)))


def test_neighbours_are_those_of_faiss() -> None:
    faiss = pytest.importorskip("faiss", reason="faiss-cpu comes with the extra `bench`")
    queries, memory = normal_rows()
    index = faiss.IndexFlatL2(144)
    index.add(memory)
    distances, indices = nearest(queries, memory, 5)
    squares, theirs = index.search(queries, 5)
    np.testing.assert_array_equal(indices, theirs)
    np.testing.assert_allclose(distances**2, squares, rtol=1e-5)


# ------------------------------------------------------------------------------------------------ bounds that hold


def spread(kind: str, size: tuple[int, int], seed: int) -> torch.Tensor:
    """Rows that are hard for one screen or the other."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=size)
    kinds: dict[str, Callable[[], np.ndarray]] = {
        "noise": lambda: noise,
        "far from zero": lambda: noise + 1e5,
        "tiny": lambda: noise * 1e-20,
        "heavy tails": lambda: noise * np.exp(3 * rng.normal(size=size)),
        "sparse": lambda: noise * (rng.random(size) < 0.03),
        "on a line": lambda: noise[:, :1] * np.ones(size) + 1e-6 * noise,
        "constant": lambda: np.full(size, 0.1),
    }
    return torch.from_numpy(kinds[kind]())


KINDS = ["noise", "far from zero", "tiny", "heavy tails", "sparse", "on a line"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", [Codes, Floats, Absolute])
def test_no_screen_loses_a_neighbour(way: Any, kind: str, dtype: torch.dtype) -> None:
    queries, memory = spread(kind, (12, 50), 0).to(dtype), spread(kind, (4500, 50), 1).to(dtype)
    screen = way(memory, queries)
    screen.worth = 1.0
    distances, _ = by_screen(screen, queries, memory, 7)
    wanted, _ = by_brute_force(queries.numpy(), memory.numpy(), 7, "l1" if way is Absolute else "l2")
    np.testing.assert_allclose(distances, wanted, rtol=1e-12)


@pytest.mark.parametrize("way", [Codes, Floats, Absolute, Integers])
def test_rows_below_the_bound_are_no_nearer(way: Any) -> None:
    """What a screen promises, for all pairs: bound and reach, at the true distances of the pairs themselves."""
    queries, memory = spread("noise", (9, 37), 3).float(), spread("noise", (130, 37), 4).float()
    if way is Integers:
        queries, memory = ((60 * rows + 128).clamp(0, 255).to(torch.uint8) for rows in (queries, memory))
    screen = Integers(37) if way is Integers else way(memory, queries)
    a, b = screen.queries(queries), screen.memory(memory)
    scores = screen.scores(a, b)[:, :130].clone()
    differences = queries.double()[:, None] - memory.double()
    true = differences.abs().sum(dim=2) if way is Absolute else differences.square().sum(dim=2)
    for column in range(130):
        worst = true[:, column].to(screen.rank)
        assert bool(
            (true[scores < screen.bound(a, b, worst)[:, None]] >= _spread_out(worst, scores, screen, a, b)).all()
        )
        reach = screen.reach(a, b, scores[:, column])[:, None]
        assert bool((true < reach)[scores >= scores[:, column : column + 1]].all())


def _spread_out(worst: torch.Tensor, scores: torch.Tensor, screen: Screen, a: Any, b: Any) -> torch.Tensor:
    left_out = scores < screen.bound(a, b, worst)[:, None]
    return worst[:, None].expand_as(scores)[left_out].double() * (1 - 1e-12)


def test_codes_are_given_up_where_they_say_nothing() -> None:
    """Pairs that differ in the seventh digit: 255 levels cannot tell them apart, and float32 takes over."""
    queries, memory = spread("heavy tails", (600, 40), 5).float(), spread("heavy tails", (4500, 40), 6).float()
    codes = Codes(memory, queries)
    assert not search._search(codes, queries, memory, Best(600, 5, codes.rank, queries.device), 64)
    same(nearest(queries.numpy(), memory.numpy(), 5), by_screen(Floats(memory, queries), queries, memory, 5))


def test_codes_are_kept_where_they_do() -> None:
    queries, memory = spread("noise", (600, 40), 5).float(), spread("noise", (4500, 40), 6).float()
    clusters = 20 * spread("noise", (10, 40), 7).float()
    queries, memory = (rows + clusters[torch.arange(len(rows)) % 10] for rows in (queries, memory))
    codes = Codes(memory, queries)
    codes.worth = 0.2  # a cluster is a tenth of all
    wanted = by_screen(codes, queries, memory, 5)
    same(nearest(queries.numpy(), memory.numpy(), 5), wanted)


def test_constant_rows() -> None:
    memory = spread("constant", (200, 5), 0).numpy()
    distances, indices = nearest(memory[:3], memory, 4)
    assert distances.max() == 0 and indices.tolist() == [[0, 1, 2, 3]] * 3


# ---------------------------------------------------------------------------------------- kinds of input, and memory


@pytest.mark.parametrize("block_mb", [1e-6, 0.1, 5.0, 1000.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_size_of_blocks_changes_nothing(block_mb: float, dtype: type) -> None:
    rng = np.random.default_rng(8)
    queries, memory = (rng.integers(0, 9, (n, 6)).astype(dtype) for n in (15, 700))
    same(nearest(queries, memory, 9, block_mb=block_mb), by_brute_force(queries, memory, 9, "l2"))


def test_tensors_give_tensors() -> None:
    memory = torch.arange(10.0)[:, None].requires_grad_()
    distances, indices = nearest(torch.tensor([[3.2]]), memory, 2)
    assert isinstance(distances, torch.Tensor) and indices.tolist() == [[3, 4]]
    assert distances.dtype == torch.float64 and not distances.requires_grad
    torch.testing.assert_close(distances, torch.tensor([[0.2, 0.8]], dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.bool])
def test_other_types_are_searched_as_the_numbers_they_are(dtype: torch.dtype) -> None:
    memory = torch.tensor([[1, 1], [0, 1], [0, 0]]).to(dtype)
    assert nearest(memory, memory, 1)[1].tolist() == [[0], [1], [2]]


def test_bytes_against_floats() -> None:
    memory = np.array([[200, 0], [10, 10]], np.uint8)
    assert nearest(np.array([[10.4, 9.0], [190.0, -3.0]]), memory, 1)[1].tolist() == [[1], [0]]


def test_odd_strides_and_read_only_arrays_are_left_as_they_are() -> None:
    memory = np.random.default_rng(0).normal(size=(50, 4))[::-1, ::-1]
    memory.setflags(write=False)
    before = memory.copy()
    same(nearest(memory[:3], memory, 5), by_brute_force(before[:3], before, 5, "l2"))
    np.testing.assert_array_equal(memory, before)


def test_autocast_does_not_reach_inside() -> None:
    rng = np.random.default_rng(1)
    queries, memory = (torch.from_numpy(rng.integers(0, 256, (n, 2000), dtype=np.uint8)) for n in (4, 70))
    wanted = by_brute_force(queries.numpy(), memory.numpy(), 3, "l1")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = nearest(queries, memory, 3, "l1")
    same((found[0].numpy(), found[1].numpy()), wanted)


# -------------------------------------------------------------------------------------------------- a user's distance


def edits(a: str, b: str) -> int:
    """Letters to insert, delete or replace that make one word of the other."""
    line = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        before, line[0] = line[0], i
        for j, other in enumerate(b, 1):
            before, line[j] = line[j], min(line[j] + 1, line[j - 1] + 1, before + (letter != other))
    return line[-1]


def test_words_by_the_edits_between_them() -> None:
    distances, indices = nearest(["kitten"], ["sitting", "mitten", "dog", "bitten"], 3, edits)
    assert distances.tolist() == [[1, 1, 3]] and indices.tolist() == [[1, 3, 0]]


def test_a_function_of_rows() -> None:
    rng = np.random.default_rng(4)
    queries, memory = rng.normal(size=(3, 5)), rng.normal(size=(40, 5))
    same(nearest(queries, memory, 4, lambda a, b: np.abs(a - b).sum()), by_brute_force(queries, memory, 4, "l1"))


# --------------------------------------------------------------------------------------------------------- refusals

HERE = np.zeros((4, 2))


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: nearest(HERE, HERE, 5),
            ConfigError,
            "k must be a whole number from 1 to the 4 samples in memory, got 5",
        ),
        (lambda: nearest(HERE, HERE, 0), ConfigError, "k must be a whole number from 1 to the 4 samples"),
        (lambda: nearest(HERE, HERE, 1.5), ConfigError, "k must be a whole number"),  # type: ignore[arg-type]
        (lambda: nearest(HERE, HERE, 5, edits), ConfigError, "k must be a whole number from 1 to the 4 samples"),
        (lambda: nearest(HERE, HERE, 1, "l3"), ConfigError, "Unknown distance 'l3'.*Choose from: l1, l2"),
        (lambda: nearest(HERE, HERE, 1, block_mb=0), ConfigError, "block_mb must be above 0, got 0"),
        (lambda: nearest(HERE[0], HERE, 1), DataError, r"queries must be \(rows, numbers\) and not empty"),
        (lambda: nearest(HERE, HERE[None], 1), DataError, r"memory must be .* Pictures are flattened with .reshape"),
        (lambda: nearest(HERE[:0], HERE, 1), DataError, "queries must be"),
        (lambda: nearest([[1.0]], HERE, 1), DataError, "queries must be a NumPy array or a torch tensor, got list"),
        (lambda: nearest(HERE[:, :1], HERE, 1), DataError, r"rows of one length on one device, got \(4, 1\) on cpu"),
        (lambda: nearest(HERE, HERE + np.nan, 1), DataError, "memory holds NaN or infinity"),
        (lambda: nearest(HERE + np.inf, HERE, 1), DataError, "queries holds NaN or infinity"),
        (lambda: nearest(HERE.astype(complex), HERE, 1), DataError, "queries must be uint8, integers or floating"),
        (lambda: nearest(torch.ones(1, 2) * 1j, HERE, 1), DataError, "queries must be uint8, integers or floating"),
        (lambda: nearest(HERE, HERE, 1, lambda a, b: float("nan")), DataError, "distance gave NaN between query 0"),
        (lambda: nearest([], ["a"], 1, edits), DataError, "queries must be a sequence that is not empty, got list"),
    ],
)
def test_refusals(make: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        make()
    assert "\n" not in str(caught.value)
