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

FOREVER = 1e9  # s


@dataclass(frozen=True)
class Turn:
    """What one turn took, in seconds, and what came out."""

    cpu: float
    wall: float
    output: Any = None


class Worker:
    """A process that calls `serve` and takes steps when asked; with its own environment."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.command = list(command)
        self.process = subprocess.Popen(
            [sys.executable, *self.command],
            env={**clean_environment(), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, steps: int = sys.maxsize, seconds: float = FOREVER) -> Turn:
        """One turn of so many steps, or of so many seconds; what it took is of one step, output of all."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps([steps, seconds]), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"A variant ended with code {self.process.wait()}: {' '.join(self.command)}")
        return Turn(**json.loads(answer))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.__exit__(None, None, None)  # closes what it hears, and waits for it


def serve(step: Callable[[], Any]) -> None:
    """In the process of a worker: answer until the other side has heard enough."""
    for line in sys.stdin:
        steps, seconds = json.loads(line)
        output: list[Any] = []
        wall, cpu = time.perf_counter(), time.process_time()
        while len(output) < steps and time.perf_counter() - wall < seconds:
            output.append(step())
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(json.dumps({"cpu": cpu / len(output), "wall": wall / len(output), "output": output}), flush=True)


def run_once(command: Sequence[str]) -> Turn:
    """A process from its start to its end; its output is what it printed."""
    start = time.perf_counter()
    with subprocess.Popen(list(command), stdout=subprocess.PIPE, text=True, env=clean_environment()) as process:
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
    left_out = ("OMP_", "GOMP_", "KMP_", "MKL_", "MALLOC_")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
