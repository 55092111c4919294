"""Processes that take turns: what they are asked, what they answer, and what they find in their environment."""

import sys
from pathlib import Path

import pytest
import workers
from workers import Turn, Worker, run_once, take_turns

COUNTER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from workers import serve
count = 0
def step():
    global count
    count += 1
    return count, os.environ.get("OMP_NUM_THREADS"), os.environ.get("GOMP_SPINCOUNT")
serve(step)
"""


def test_a_worker_takes_as_many_steps_as_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    folder = str(Path(workers.__file__).parent)
    with Worker(["-c", COUNTER, folder], {"GOMP_SPINCOUNT": "8"}) as worker:
        first = worker.ask(2)
        assert first.output == [[1, None, "8"], [2, None, "8"]]  # what is set here does not reach it
        assert first.wall > 0
        assert worker.ask(1).output[0][0] == 3
        for_a_while = worker.ask(seconds=0.05)
        assert len(for_a_while.output) > 2
        assert for_a_while.wall * len(for_a_while.output) >= 0.05
    assert worker.process.returncode == 0


def test_a_worker_that_dies_ends_the_program() -> None:
    with (
        Worker(["-c", "import sys; sys.stdin.readline(); sys.exit(3)"], {}) as worker,
        pytest.raises(SystemExit, match="A variant ended with code 3: -c import sys"),
    ):
        worker.ask(1)


def test_a_whole_process_is_timed_with_what_it_said() -> None:
    turn = run_once([sys.executable, "-c", "print(sum(range(10**6)))"])
    assert turn.output == "499999500000\n"
    assert turn.cpu > 0
    assert turn.wall > 0
    with pytest.raises(SystemExit, match="ended with code 7"):
        run_once([sys.executable, "-c", "raise SystemExit(7)"])


def test_turns_go_round_and_warm_ups_do_not_count() -> None:
    order: list[str] = []

    def variant(name: str, seconds: float) -> Turn:
        order.append(name)
        return Turn(seconds * len(order), seconds, f"{name} {len(order)}")

    times = take_turns({"a": lambda: variant("a", 1.0), "b": lambda: variant("b", 2.0)}, 2, warmups=1, say=False)
    assert order == ["a", "b"] * 3
    assert times["a"].cpu == [3.0, 5.0]
    assert times["b"].wall == [2.0, 2.0]
    assert times["b"].output == "b 6"
