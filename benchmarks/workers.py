"""Variants that run in processes of their own, and take turns.

What one variant does to its process must not help or harm the next: threads that spin, memory that the C library
keeps, modules that are loaded. So each has its own process, which waits without work until it is asked. `Timed` and
the ratios are those of `timing`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import timing


@dataclass(frozen=True)
class Turn:
    """What one turn took, in seconds, and what came out."""

    cpu: float
    wall: float
    output: Any = None


class Worker:
    """A process that calls `serve` and does so many steps at a time when asked; with its own environment."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            env={**clean_environment(), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, steps: int) -> Turn:
        """One turn of so many steps; seconds are those of one step, output is what the steps returned."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(steps, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"A variant ended with code {self.process.wait()}: {' '.join(self.process.args)}")  # type: ignore[arg-type]
        return Turn(**json.loads(answer))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait()


def serve(step: Callable[[], Any]) -> None:
    """In the process of a worker: answer until the other side has heard enough."""
    for line in sys.stdin:
        steps = int(line)
        wall, cpu = time.perf_counter(), time.process_time()
        output = [step() for _ in range(steps)]
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(json.dumps({"cpu": cpu / steps, "wall": wall / steps, "output": output}), flush=True)


def run_once(command: Sequence[str]) -> Turn:
    """A process from its start to its end; its output is what it printed."""
    start = time.perf_counter()
    process = subprocess.Popen(list(command), stdout=subprocess.PIPE, text=True, env=clean_environment())
    output = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with code {process.returncode}.")
    return Turn(used.ru_utime + used.ru_stime, wall, output)


def take_turns(
    variants: Mapping[str, Callable[[], Turn]], rounds: int, warmups: int = 1, say: bool = True
) -> dict[str, timing.Timed]:
    """Like `timing.interleave`, for variants that are timed where they run."""
    times = {name: timing.Timed() for name in variants}
    for number in range(-warmups, rounds):
        for name, run in variants.items():
            turn = run()
            if number >= 0:
                times[name].cpu.append(turn.cpu)
                times[name].wall.append(turn.wall)
                times[name].output = turn.output
        if say:
            print(f"round {number + 1} of {rounds}" if number >= 0 else "warm-up", file=sys.stderr, flush=True)
    return times


def clean_environment() -> dict[str, str]:
    """The environment without what would set threads and memory for all variants alike."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MKL_", "MALLOC_"))}
