"""Slow-downs from made-up clocks."""

import pytest

from pellucid.core.verdict import Verdict
from pellucid.training.health.monitor.speed import Speed


def drive(speed: Speed, steps: int, wall: float, cpu: float, clock: list[float]) -> list[Verdict]:
    found = []
    for _ in range(steps):
        clock[0] += wall
        clock[1] += cpu
        verdict = speed.step(int(clock[2]), clock[0], clock[1])
        clock[2] += 1
        found += [verdict] if verdict else []
    return found


@pytest.mark.parametrize(
    ("cpu", "cause"), [(0.1, "the process waits"), (0.29, "the work itself has grown")], ids=["waiting", "working"]
)
def test_three_times_slower_is_told_once_with_its_cause(cpu: float, cause: str) -> None:
    speed, clock = Speed(), [100.0, 7.0, 0.0]
    assert drive(speed, 600, 0.1, 0.1, clock) == []
    (verdict,) = drive(speed, 600, 0.3, cpu, clock)
    assert (verdict.rule, verdict.status) == ("slow-down", "warn")
    assert cause in verdict.cause
    assert "a step takes 0.3 s, usual in this run are 0.1 s" in verdict.evidence


def test_small_changes_and_short_hiccups_are_not() -> None:
    speed, clock = Speed(), [0.0, 0.0, 0.0]
    assert drive(speed, 600, 0.1, 0.1, clock) == []
    assert drive(speed, 300, 0.19, 0.1, clock) == []
    assert drive(speed, 5, 3.0, 0.1, clock) == []  # fifteen seconds lost, then as before
    assert drive(speed, 600, 0.1, 0.1, clock) == []


def test_pauses_do_not_count() -> None:
    """Epochs of ten steps with a minute of validation between them."""
    speed, clock = Speed(), [0.0, 0.0, 0.0]
    for _ in range(100):
        assert drive(speed, 10, 0.1, 0.1, clock) == []
        speed.pause()
        clock[0] += 60.0
    assert len(speed.walls) > 10
    assert max(speed.walls) == pytest.approx(0.1)
