"""The benchmark of the monitor: all variants take the same steps, and the overhead follows from the times."""

from dataclasses import replace
from pathlib import Path

import monitor
import pytest
import timing
from monitor import CASES, overhead, row, variants

SMALL = replace(CASES["mlp"], side=8, batch=8, steps=2)


def timed(*seconds: float) -> timing.Timed:
    return timing.Timed(list(seconds), list(seconds))


def test_variants_do_the_same(tmp_path: Path) -> None:
    losses = {name: turn() for name, turn in variants(SMALL, tmp_path).items()}
    assert set(losses) == {"off", "between looks", "looked at"}
    assert len(set(losses.values())) == 1


@pytest.mark.parametrize(
    ("between", "looked", "look", "whole", "verdict"),
    [
        (1.0, 1.2, 0.2, 0.002, "aim met"),
        (1.01, 1.2, 0.2, 0.0119, "met"),
        (0.97, 1.2, 0.2, 0.002, "aim met"),  # faster with a monitor is noise, and earns nothing
        (1.03, 1.2, 0.2, 0.0317, "MISSED"),
    ],
)
def test_overhead_is_that_of_all_steps(between: float, looked: float, look: float, whole: float, verdict: str) -> None:
    times = {
        "off": timed(1.0, 2.0),
        "between looks": timed(between, 2 * between),
        "looked at": timed(looked, 2 * looked),
    }
    assert overhead(times, 100) == (pytest.approx(look), pytest.approx(whole))
    assert row(SMALL, times, 100)[-1] == verdict


def test_other_losses_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "variants", lambda case, folder: {"off": lambda: 1.0, "looked at": lambda: 1.5})
    with pytest.raises(SystemExit, match="the monitor changed the loss"):
        monitor.measure(SMALL, 1)
