"""The benchmark of start-up: what it starts is what it says, and its floors."""

import sys
from pathlib import Path

import pytest
import startup
import timing
from startup import COMMAND, FIRST, HELP, TORCH, TRAIN_HELP, check, judge, report, starts
from workers import run_once


def made_up(torch: float, ours: float, help_: float) -> dict[str, timing.Timed]:
    seconds = {"start Python": 0.01, TORCH: torch, FIRST: ours, COMMAND: ours, HELP: help_, TRAIN_HELP: help_}
    said = {FIRST: "2\n", COMMAND: "image label\na.png 2 25.0%\n", HELP: "  pellucid train", TRAIN_HELP: "--epochs INT"}
    return {name: timing.Timed([s, s], [s, s], said.get(name, "")) for name, s in seconds.items()}


def test_floors_are_judged() -> None:
    assert judge(made_up(1.0, 1.1, 0.2)) == [
        "- import pellucid and predict: 1.10 times `import torch`, at most 1.15: met",
        "- pellucid predict: 1.10 times `import torch`, at most 1.15: met",
        "- pellucid --help: 0.20 s, at most 0.3 s: met",
        "- pellucid train --help: 0.20 s, at most 0.3 s: met",
    ]
    assert all(line.endswith("MISSED") for line in judge(made_up(1.0, 1.2, 0.4)))


def test_the_page_has_every_process() -> None:
    table = report(made_up(1.0, 1.1, 0.2))[1]
    assert "| `import torch` | 1.000 | 1.000 | 1.00 | 1.00 |" in table
    assert "| `pellucid predict` | 1.100 | 1.100 | 1.10 | 1.10 |" in table


def test_another_answer_ends_the_program() -> None:
    times = made_up(1.0, 1.1, 0.2)
    assert check(times) == "Both ways gave the same class (2)."
    times[FIRST].output = "3\n"
    with pytest.raises(SystemExit, match="import pellucid and predict said '3', pellucid predict said"):
        check(times)


def test_help_is_what_is_started() -> None:
    words = {start.name: start.words for start in starts(Path("run"), Path("a.png"))}
    assert list(words)[1] == TORCH
    assert "pellucid train" in run_once([sys.executable, *words[HELP]]).output
    assert "--epochs" in run_once([sys.executable, *words[TRAIN_HELP]]).output
    compile(startup.MAKE, "make", "exec")
    compile(startup.PREDICT, "predict", "exec")
