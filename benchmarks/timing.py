"""Side-by-side timing: the rules that all benchmarks here share.

Variants take turns, round after round, so that what else the machine does falls on all of them alike. One thread on
one core is the verdict. The clock is the processor's own time; wall time stands beside it. The figure that counts is
the median of the ratios of the rounds, so compare ratios between machines, never seconds.
"""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import torch

from pellucid.core.files import write_text

RESULTS = Path(__file__).parent / "results"
DISTURBED = 1.15  # a round in which wall time exceeds processor time by more than this was disturbed


@dataclass
class Timed:
    """Seconds of one variant, one number a round, and what its last round returned."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    output: Any = None

    def median(self, clock: Literal["cpu", "wall"] = "cpu") -> float:
        return statistics.median(self.cpu if clock == "cpu" else self.wall)

    @property
    def disturbed(self) -> int:
        """Rounds in which something else had the core."""
        return sum(wall > DISTURBED * cpu for wall, cpu in zip(self.wall, self.cpu, strict=True))


def use_one_core() -> None:
    """One thread on one core, for this process and all libraries in it."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def interleave(
    variants: Mapping[str, Callable[[], Any]],
    rounds: int = 7,
    warmups: int = 1,
    say: bool = True,
    after: Callable[[], object] = lambda: None,
) -> dict[str, Timed]:
    """Run all variants in turn, `warmups` rounds that do not count and `rounds` that do.

    `after` follows each run and is not timed: it clears away what the run left.
    """
    times = {name: Timed() for name in variants}
    for number in range(-warmups, rounds):
        for name, run in variants.items():
            wall, cpu = time.perf_counter(), time.process_time()
            output = run()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            after()
            if number >= 0:
                times[name].cpu.append(cpu)
                times[name].wall.append(wall)
                times[name].output = output
        if say:
            print(f"round {number + 1} of {rounds}" if number >= 0 else "warm-up", file=sys.stderr, flush=True)
    return times


def ratio(slow: Timed, fast: Timed, clock: Literal["cpu", "wall"] = "cpu") -> float:
    """How many times faster `fast` is: the median over the rounds of slow / fast."""
    pairs = zip(slow.cpu, fast.cpu, strict=True) if clock == "cpu" else zip(slow.wall, fast.wall, strict=True)
    return statistics.median(a / b for a, b in pairs)


def gemm_gflops(dtype: torch.dtype, side: int = 2048, repeats: int = 3) -> float:
    """Best matrix-product rate of this core right now, in GFLOP/s: what other days' results are compared through."""
    a, b = torch.ones(side, side, dtype=dtype), torch.ones(side, side, dtype=dtype)
    best = float("inf")
    for _ in range(repeats + 1):
        start = time.process_time()
        a @ b
        best = min(best, time.process_time() - start)
    return 2 * side**3 / best / 1e9


def machine() -> str:
    """One line: processor, cores, load, and the rates of a matrix product on one core."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    rates = f"{gemm_gflops(torch.float32):.0f} fp32 and {gemm_gflops(torch.bfloat16):.0f} bf16 GFLOP/s"
    return f"{model}, {os.cpu_count()} cores, {load}; matrix product 2048 on one core {rates}"


def versions(packages: Sequence[str]) -> str:
    """`torch 2.13.0, pillow 13.0.0`; a package that is not there says so."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed, left out")
    return ", ".join(found)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A markdown table. Numbers are aligned to the right."""
    marks = ["---:" if rows and _is_number(rows[0][column]) else "---" for column in range(len(header))]
    lines = [header, marks, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write_result(name: str, title: str, command: str, packages: Sequence[str], parts: Sequence[str]) -> Path:
    """Write `benchmarks/results/NAME.md`: how it was made, then the parts. Prints the path."""
    made = [
        f"# {title}",
        f"Made by `{command}` on {date.today().isoformat()}; not edited by hand.",
        f"Machine: {machine()}. Python {platform.python_version()}, {versions(packages)}.",
    ]
    path = RESULTS / f"{name}.md"
    write_text(path, "\n\n".join([*made, *parts]) + "\n")
    print(path)
    return path


def _is_number(cell: object) -> bool:
    return str(cell).replace(".", "", 1).replace(",", "").removesuffix("x").strip().isdigit()
