"""How many threads, and how they wait: a training step while others keep every core busy.

    python benchmarks/threads.py [--quick] [--rounds 7]

The same step of a small network in processes that take turns: with torch's own setting (a thread on each core, which
spins while it waits for the others), with one thread, and with Pellucid's policy (threads that look for the others for
a moment and then sleep, one for each core that others leave free when training begins). Wall time is what counts here.
"""

import sys

if sys.argv[-1:] in (["ours"], ["brief"]):
    import pellucid  # noqa: F401 - first, since it says how threads wait before torch starts them

import argparse
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import timing
import torch
import torch.nn.functional as F
from small_cnn import small_cnn
from workers import Turn, Worker, clean_environment, serve, take_turns

from pellucid.core.device import choose_threads, has_fast_bf16, set_threads

BATCH, SIZE, LR = 128, 28, 1e-4
STEPS = 3  # steps whose losses are compared
SECONDS = 1.5  # of a turn: the system favours a process that has rested, for about as long as a short turn
SETTLE = 4.0  # s that the others have to start
TOLERANCE = 0.01  # between losses; threads change the order of sums
NOISE = 1.1  # what two measurements of the same thing may differ by on a busy machine
FOLD = 3.0  # times as fast as torch's own setting ours has to be beside another training

# name -> what the process finds in its environment
VARIANTS: dict[str, dict[str, str]] = {
    "naive": {},
    "one": {"OMP_NUM_THREADS": "1"},
    "asleep": {"OMP_WAIT_POLICY": "PASSIVE"},
    "brief": {},
    "ours": {},
}
MEANINGS = {
    "naive": "torch's own: a thread on each core, spinning",
    "one": "one thread",
    "asleep": "a thread on each core, asleep while waiting",
    "brief": "a thread on each core, waiting as Pellucid's do",
    "ours": "Pellucid's policy",
}


def make_step(fast: bool) -> Callable[[], float]:
    """A step of training that returns its loss; in bf16, channels last and fused when it is to be `fast`."""
    torch.manual_seed(0)
    x, y = torch.randn(BATCH, 1, SIZE, SIZE), torch.randint(0, 10, (BATCH,))
    net = small_cnn(10, 1, (SIZE, SIZE))
    if fast:
        net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(net.parameters(), lr=LR, fused=fast)

    def step() -> float:
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=fast and has_fast_bf16("cpu")):
            logits = net(x)
        loss = F.cross_entropy(logits.float(), y)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def work(variant: str) -> None:
    """The process of one variant. A step returns its loss and the number of threads."""
    if variant == "ours":
        set_threads(choose_threads())
    step = make_step(fast=True)
    serve(lambda: (step(), torch.get_num_threads()))


def train_forever() -> None:
    """Somebody else's training: a plain loop, with torch's own threads."""
    step = make_step(fast=False)
    while True:
        step()


@contextmanager
def busy_processes(command: Sequence[str], n: int) -> Iterator[None]:
    """`n` processes that never rest, within this block."""
    words = [sys.executable, *command]
    processes = [subprocess.Popen(words, env=clean_environment()) for _ in range(n)]
    try:
        time.sleep(SETTLE if n else 0.0)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Result:
    """Times of all variants; of their first steps the losses, and the number of threads."""

    times: dict[str, timing.Timed]
    losses: dict[str, list[float]]
    threads: dict[str, int]


def measure(rounds: int, seconds: float, command: Sequence[str] = (), n: int = 0) -> Result:
    """All variants in turn, beside `n` processes of that command."""
    with busy_processes(command, n), ExitStack() as stack:
        workers, first = {}, {}
        for name, environment in VARIANTS.items():
            workers[name] = stack.enter_context(Worker([str(Path(__file__)), "--work", name], environment))
            first[name] = workers[name].ask(STEPS).output  # now, so that the policy does not see the next one start
        turns: dict[str, Callable[[], Turn]] = {
            name: partial(worker.ask, seconds=seconds) for name, worker in workers.items()
        }
        times = take_turns(turns, rounds)
    losses = {name: [loss for loss, _ in steps] for name, steps in first.items()}
    return Result(times, losses, {name: steps[0][1] for name, steps in first.items()})


def check(result: Result) -> str:
    """All variants took the same steps; the program ends when they did not."""
    losses = result.losses
    apart = [abs(a - b) for each in losses.values() for a, b in zip(each, losses["one"], strict=True)]
    if not all(each <= TOLERANCE for each in apart):  # NaN too
        sys.exit(f"Losses differ: {losses}")
    return f"Losses of the first {STEPS} steps differ by at most {max(apart):.4f} (allowed {TOLERANCE})."


def section(title: str, result: Result, floor: float) -> str:
    """A table and its verdicts."""
    rows, times = [], result.times
    for name, timed in times.items():
        cells = [result.threads[name], f"{1e3 * timed.median('wall'):.0f}", f"{1e3 * timed.median():.0f}"]
        folds = [f"{timing.ratio(times[peer], timed, 'wall'):.2f}" for peer in ("naive", "one")]
        rows.append([MEANINGS[name], *cells, *folds])
    header = ["setting", "threads", "wall ms a step", "CPU ms a step", "times the first (wall)", "times one thread"]
    slower = timing.ratio(times["ours"], times["one"], "wall")
    lines = [f"- ours takes {slower:.2f} of one thread's time, at most {NOISE} (noise): {_verdict(slower <= NOISE)}"]
    if floor:
        fold = timing.ratio(times["naive"], times["ours"], "wall")
        lines.append(
            f"- ours is {fold:.1f} times as fast as torch's own setting, floor {floor}: {_verdict(fold >= floor)}"
        )
    return "\n\n".join([f"## {title}", timing.table(header, rows), "\n".join(lines), check(result)])


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one short round; no result file")
    parser.add_argument("--work", metavar="VARIANT", help=argparse.SUPPRESS)
    parser.add_argument("--rival", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.rival:
        train_forever()
    if asked.work:
        work(asked.work)
        return
    rounds, seconds = (1, 0.2) if asked.quick else (asked.rounds, SECONDS)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    about = (
        f"{cores} cores; a small CNN, 28x28 grey, batch {BATCH}, bf16 where the processor is fast with it; {rounds} "
        f"rounds of {seconds:g} s. Wall time of a step, medians; ratios are medians of the rounds' ratios. Whatever "
        "else the machine did is in it: the first table is worth something on a quiet machine only."
    )
    spin, rival = ("-c", "while True: pass"), (str(Path(__file__)), "--rival")
    parts = [
        about,
        section("Nothing else started", measure(rounds, seconds), 0.0),
        section("Beside another training, a plain loop", measure(rounds, seconds, rival, 1), FOLD),
        section(f"Beside {cores} processes that only count", measure(rounds, seconds, spin, cores), 0.0),
    ]
    print("\n\n".join(parts))
    if not asked.quick:
        timing.write_result("threads", "Threads", f"python benchmarks/threads.py --rounds {rounds}", ["torch"], parts)


if __name__ == "__main__":
    main()
