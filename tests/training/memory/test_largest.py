"""Which batch is settled on, from made times and memories whose answer is known."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pellucid.core.errors import OutOfMemory
from pellucid.training.memory.largest import Trial, choose_size, try_sizes
from pellucid.training.memory.room import Growth, available_bytes, peak_bytes


def machine(overhead: float, each: float, room: int = 10**9) -> Callable[[int], float]:
    """A step takes `overhead` and `each` a picture; more than `room` pictures do not fit."""

    def step(size: int) -> float:
        if size > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return overhead + each * size

    return step


def sizes(trials: list[Trial]) -> list[int]:
    return [trial.batch for trial in trials]


def test_it_doubles_while_that_pays_and_takes_the_smallest_of_equals() -> None:
    """rate(b) = b / (1 + b / 64) approaches 64; 5 % below that of the last one tried is reached at some b."""
    trials = try_sizes(machine(1.0, 1 / 64), most=10**6)
    assert sizes(trials) == [8 * 2**k for k in range(len(trials))]
    rates = [trial.rate for trial in trials]
    assert rates == [pytest.approx(b / (1 + b / 64)) for b in sizes(trials)]
    # doubling b gains (1 + b/64) / (1/2 + b/64) - 1 of half that; below 5 % twice in a row ends it
    best, idle = rates[0], 0
    for rate in rates[1:-1]:
        idle = 0 if rate > best * 1.05 else idle + 1
        best = max(best, rate)
        assert idle < 2
    chosen = choose_size(trials)
    assert all(t.rate < 0.95 * max(rates) for t in trials if t.batch < chosen)


def test_no_gain_at_all_keeps_the_first() -> None:
    trials = try_sizes(machine(0.0, 1.0), most=10**6)
    assert sizes(trials) == [8, 16, 32]
    assert choose_size(trials) == 8


def test_memory_ends_it() -> None:
    trials = try_sizes(machine(10.0, 0.0, room=100), most=10**6)
    assert sizes(trials) == [8, 16, 32, 64, 128]
    assert trials[-1].seconds is None and trials[-1].sentence() == "batch 128: not enough memory"
    assert choose_size(trials) == 64
    assert trials[0].sentence() == "batch 8: 1 pictures/s"


def test_it_stops_at_what_leaves_enough_steps() -> None:
    assert sizes(try_sizes(machine(10.0, 0.0), most=33)) == [8, 16, 32]
    assert sizes(try_sizes(machine(10.0, 0.0), most=3)) == [3]


def test_it_goes_down_where_eight_do_not_fit() -> None:
    trials = try_sizes(machine(1.0, 0.0, room=2), most=64)
    assert sizes(trials) == [8, 4, 2]
    assert choose_size(trials) == 2


def test_one_picture_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OutOfMemory) as caught:
        try_sizes(machine(1.0, 0.0, room=0), most=64)
    assert str(caught.value) == "Not enough memory for one picture. Use a smaller --image-size or another --model."


def test_a_size_for_which_there_is_no_room_is_not_tried() -> None:
    answers = iter([True, True, False])
    seen: list[int] = []

    def step(size: int) -> float:
        seen.append(size)
        return 10.0

    trials = try_sizes(step, 10**6, lambda: next(answers))
    assert seen == [8, 16, 32] and sizes(trials) == [8, 16, 32, 64] and choose_size(trials) == 32


def test_other_errors_are_passed_on() -> None:
    def step(size: int) -> float:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        try_sizes(step, 64)


def test_what_is_left_is_the_least_of_machine_and_container(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       16000 kB\nMemAvailable:    8000 kB\n")
    assert available_bytes(meminfo, tmp_path / "none") == 8000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5000\n")
    assert available_bytes(meminfo, tmp_path) == 8000 * 1024
    (tmp_path / "memory.max").write_text("6000\n")
    assert available_bytes(meminfo, tmp_path) == 1000
    (tmp_path / "memory.max").write_text("4000\n")
    assert available_bytes(meminfo, tmp_path) == 0
    meminfo.write_text("nothing of use\n")
    assert available_bytes(meminfo, tmp_path) is None
    assert available_bytes(tmp_path / "missing", tmp_path) is None


def test_growth_foresees_twice_the_last_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    from pellucid.training.memory import room

    peaks = iter([100, 150, 250, 250])
    left = iter([101, 199, 0])
    monkeypatch.setattr(room, "peak_bytes", lambda: next(peaks))
    monkeypatch.setattr(room, "available_bytes", lambda: next(left))
    growth = Growth()
    assert growth.has_room()  # 50 more than before: 100 next, of 101
    assert not growth.has_room()  # 100 more: 200 next, of 199
    assert growth.has_room()  # no growth at all fits anywhere


def test_this_process_has_a_peak() -> None:
    peak = peak_bytes()
    assert peak is None or peak > 2**20
