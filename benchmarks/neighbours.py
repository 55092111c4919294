"""Exact nearest neighbours, side by side with faiss and scikit-learn.

    python benchmarks/neighbours.py [--quick] [--rounds 5]

Fashion-MNIST as it is: 60,000 x 784 bytes to search, 10,000 queries, five neighbours; random bytes of the same size
where the data set is not installed. One thread on one core, in turns. Others are asked for a part of the queries: their
time grows in proportion to the number of queries. All results are compared in the same run.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy reads them when it is imported

import argparse
import ctypes
import gc
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import timing
import torch
from workers import run_once

import pellucid
from pellucid.classic.neighbours.distances import (
    compute_distances_no_loops,
    compute_distances_one_loop,
    compute_distances_two_loops,
)
from pellucid.classic.neighbours.search import TILE, nearest
from pellucid.core.errors import PellucidError

try:
    import faiss
except ImportError:
    faiss = None

try:
    from sklearn.neighbors import NearestNeighbors
except ImportError:
    NearestNeighbors = None

K = 5
OURS, FLOATS, FAISS, SKLEARN, TOPK, PRODUCT = (
    "ours, bytes",
    "ours, float32",
    "faiss IndexFlatL2",
    "scikit-learn brute",
    "torch float32 product + topk",
    "int8 product alone",
)
FLOORS = {(OURS, FAISS): (2.5, 4.0), (OURS, SKLEARN): (5.0, None), (FLOATS, FAISS): (1.0, 2.0)}  # floor and aim

Search = Callable[[np.ndarray], np.ndarray]  # queries -> indices (N, K)


@dataclass(frozen=True)
class Data:
    """memory (M, D) and queries (N, D), uint8; `name` says what they are."""

    memory: np.ndarray
    queries: np.ndarray
    name: str


@dataclass(frozen=True)
class Variant:
    """A search that has been set up, and how many of the queries it is asked for."""

    search: Search
    asked: int


def load() -> Data:
    """Fashion-MNIST where it is installed, else noise of its size."""
    try:
        source = pellucid.load("fashion-mnist")
    except PellucidError:
        return noise(60_000, 10_000, 784)
    images = np.asarray(source.images).reshape(len(source.images), -1)
    return Data(images[source.roles == "train"], images[source.roles == "test"], "Fashion-MNIST")


def noise(m: int, n: int, d: int) -> Data:
    rng = np.random.default_rng(0)
    memory, queries = (rng.integers(0, 256, (rows, d), dtype=np.uint8) for rows in (m, n))
    return Data(memory, queries, "random bytes (Fashion-MNIST is not installed)")


# ---------------------------------------------------------------------------------------------------- the variants


def variants(data: Data, part: int) -> dict[str, Variant]:
    """All that are installed; everybody but us is asked for `part` of the queries."""
    everything = len(data.queries)
    floats = data.memory.astype(np.float32)
    found = {
        OURS: Variant(lambda queries: nearest(queries, data.memory, K)[1], everything),
        FLOATS: Variant(lambda queries: nearest(queries.astype(np.float32), floats, K)[1], everything),
        TOPK: Variant(by_topk(floats), part),
        PRODUCT: Variant(product_alone(data.memory), part),
    }
    if faiss is not None:
        found[FAISS] = Variant(by_faiss(floats), part)
    if NearestNeighbors is not None:
        found[SKLEARN] = Variant(by_sklearn(floats), part)
    return found


def by_faiss(memory: np.ndarray) -> Search:
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatL2(memory.shape[1])
    index.add(memory)
    return lambda queries: index.search(queries.astype(np.float32), K)[1]


def by_sklearn(memory: np.ndarray) -> Search:
    index = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(memory)
    return lambda queries: index.kneighbors(queries.astype(np.float32), return_distance=False)


def by_topk(memory: np.ndarray) -> Search:
    """What one writes in PyTorch: blocks of |b|² - 2ab, and the smallest of each row."""
    b = torch.from_numpy(memory)
    squares = b.square().sum(dim=1)

    def search(queries: np.ndarray) -> np.ndarray:
        blocks = torch.from_numpy(queries.astype(np.float32)).split(256)
        found = [torch.addmm(squares, block, b.T, alpha=-2).topk(K, dim=1, largest=False).indices for block in blocks]
        return torch.cat(found).numpy()

    return search


def product_alone(memory: np.ndarray) -> Search:
    """The arithmetic of our search and nothing else, tile by tile: what it could be at best. It finds nothing."""
    b = torch.from_numpy(memory ^ 128).view(torch.int8)

    def search(queries: np.ndarray) -> np.ndarray:
        for block in torch.from_numpy(queries ^ 128).view(torch.int8).split(TILE[0]):
            for tile in b.split(TILE[1]):
                torch._int_mm(block, tile.T)
        return np.zeros((0, K), np.int64)

    return search


# ------------------------------------------------------------------------------------------------ turns and tables


def measure(data: Data, part: int, rounds: int) -> tuple[dict[str, timing.Timed], dict[str, np.ndarray]]:
    """Seconds for 1,000 queries of each variant, and the neighbours it found."""
    them = variants(data, part)
    runs = {name: (lambda v=each: v.search(data.queries[: v.asked])) for name, each in them.items()}  # type: ignore[misc]
    times = timing.interleave(runs, rounds)
    for name, timed in times.items():
        timed.cpu = [1000 * seconds / them[name].asked for seconds in timed.cpu]
        timed.wall = [1000 * seconds / them[name].asked for seconds in timed.wall]
    return times, {name: timed.output for name, timed in times.items()}


def agreement(data: Data, found: Mapping[str, np.ndarray]) -> list[list[str]]:
    """For each variant: the part of its rows in which all neighbours are ours, and where not, whether they are as near.

    Distances are computed again in whole numbers, which is where ties show.
    """
    rows = []
    for name, indices in found.items():
        if name not in (OURS, PRODUCT):
            same = (indices == found[OURS][: len(indices)]).all(axis=1)
            equally = sum(
                np.array_equal(squares(data, row, indices[row]), squares(data, row, found[OURS][row]))
                for row in np.flatnonzero(~same)
            )
            rows.append([name, str(len(same)), f"{same.mean():.2%}", str(int((~same).sum())), str(equally)])
    return rows


def squares(data: Data, row: int, indices: np.ndarray) -> np.ndarray:
    """Squared distances of a query to some rows, exact."""
    return np.square(data.memory[indices].astype(np.int64) - data.queries[row]).sum(axis=1)


def loops(data: Data) -> str:
    """The three forms of the course on few queries and a part of memory; they agree with each other."""
    forms = {
        "two loops": (compute_distances_two_loops, 2),
        "one loop": (compute_distances_one_loop, 20),
        "no loops": (compute_distances_no_loops, 200),
    }
    memory = data.memory[:5000]
    rows, results = [], []
    for name, (form, n) in forms.items():
        timed = timing.interleave({name: lambda f=form, m=n: f(data.queries[:m], memory)}, 1, 1, False)[name]  # type: ignore[misc]
        results.append(timed.output[:2])
        seconds = 1000 * timed.median() / n * len(data.memory) / len(memory)
        rows.append([name, str(n), f"{seconds:.1f}"])
    apart = max(float(np.abs(result - results[0]).max() / results[0].max()) for result in results)
    head = ["form", "queries timed", "s for 1,000 queries (CPU)"]
    return "\n\n".join(
        [
            "## The forms of the course",
            f"All distances of 5,000 rows in float64, without choosing the nearest; scaled to {len(data.memory):,}.",
            timing.table(head, rows),
            f"They differ by at most {apart:.0e} of the largest distance.",
        ]
    )


def peak_memory(name: str) -> str:
    """MB that a search adds to what its process holds with the data, at its highest; "-" where Linux is not there."""
    if not Path("/proc/self/clear_refs").exists():
        return "-"
    return run_once([sys.executable, str(Path(__file__)), "--peak", name]).output.split()[-1]


def print_peak(name: str) -> None:
    """The process of `peak_memory`: libraries in use, freed memory handed back, and the mark of the peak reset."""
    small, data = noise(5000, 600, 784), load()
    variants(small, 600)[name].search(small.queries)
    queries = data.queries[:2000]
    run = variants(data, 2000)[name].search
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = held("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    run(queries)
    print(f"{held('VmHWM') - before:.0f}")


def held(field: str) -> float:
    """MB of this process, from the kernel: VmRSS now, VmHWM at the highest."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def speeds(data: Data, times: Mapping[str, timing.Timed], asked: Mapping[str, int]) -> str:
    work = 2 * data.memory.size * 1000
    rows = []
    for name, timed in sorted(times.items(), key=lambda pair: pair[1].median()):
        ratios = [f"{timing.ratio(times[peer], timed):.2f}" if peer in times else "-" for peer in (FAISS, SKLEARN)]
        cells = [f"{timed.median():.3f}", f"{timed.median('wall'):.3f}", f"{work / timed.median() / 1e9:.0f}"]
        rows.append([name, f"{asked[name]:,}", *cells, *ratios])
    head = ["variant", "queries", "CPU s for 1,000", "wall s for 1,000", "GOP/s", "times faiss", "times scikit-learn"]
    return timing.table(head, rows)


def verdicts(times: Mapping[str, timing.Timed]) -> str:
    """Floors and aims, and how much of the product's own rate is left."""
    lines = []
    for (mine, peer), (floor, aim) in FLOORS.items():
        if peer in times:
            found = timing.ratio(times[peer], times[mine])
            goal = "" if aim is None else f"; aim {aim}: {'reached' if found >= aim else 'not reached'}"
            met = "met" if found >= floor else "MISSED"
            lines.append(f"- {mine}: {found:.2f} times {peer}; floor {floor}: {met}{goal}.")
    share = timing.ratio(times[PRODUCT], times[OURS])
    return "\n".join([*lines, f"- {OURS}: {share:.0%} of the rate of the int8 product alone, on the same tiles."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a twentieth of everything; no result file")
    parser.add_argument("--peak", metavar="VARIANT", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    timing.use_one_core()
    if asked.peak:
        print_peak(asked.peak)
        return
    data, rounds, part = load(), asked.rounds, 2000
    if asked.quick:
        data, rounds, part = Data(data.memory[:6000], data.queries[:1000], data.name), 2, 200
    times, found = measure(data, part, rounds)
    counts = {name: len(data.queries) if name in (OURS, FLOATS) else part for name in times}
    about = (
        f"{data.name}: {len(data.memory):,} x {data.memory.shape[1]} bytes, {len(data.queries):,} queries, k = {K}. "
        f"Others than ours are timed on {part:,} of the queries. Medians of {rounds} rounds; ratios are medians of the "
        "rounds' ratios, by processor time. GOP/s counts two for each of the N x M x D multiply-adds."
    )
    head = ["variant", "queries", "all neighbours as ours", "rows that differ", "of them at equal distances"]
    parts = [about, speeds(data, times, counts), verdicts(times)]
    parts += [
        "## Agreement with ours on bytes, which is exact",
        timing.table(head, agreement(data, found)),
        loops(data),
    ]
    if not asked.quick:
        peaks = [[name, peak_memory(name)] for name in times if name != PRODUCT]
        parts += ["## Memory that a search of 2,000 queries adds", timing.table(["variant", "MB at the peak"], peaks)]
    print("\n\n".join(parts))
    if not asked.quick:
        command = f"python benchmarks/neighbours.py --rounds {rounds}"
        packages = ["torch", "numpy", "faiss-cpu", "scikit-learn"]
        timing.write_result("neighbours", "Exact nearest neighbours", command, packages, parts)


if __name__ == "__main__":
    main()
