"""What predictions can be asked for, on the command line and in Python."""

import json
from pathlib import Path

import pytest
from answer import Ask

from pellucid.core.errors import ConfigError
from pellucid.runs.run import Run
from pellucid.tasks import WISHES


def test_help_shows_the_wishes_of_every_task(ask: Ask) -> None:
    said = " ".join(ask("predict", "--help").out.split())
    for task, kind in WISHES.items():
        assert f"of runs that {task}" in said
        for name in kind.__dataclass_fields__:
            assert f"--{name.replace('_', '-')}" in said
    assert "--top TOP How many of the most probable classes are told, at least 1. (default: 5)" in said


def test_as_many_classes_as_were_asked_for(ask: Ask, finished: Path, photos: Path) -> None:
    picture = photos / "red" / "0.png"
    (five,) = Run(finished).predict(picture)
    (two,) = Run(finished).predict(picture, top=2)
    assert len(five.top) == 3 and two.top == five.top[:2]
    assert len(json.loads(ask("predict", finished, picture, "--top", "2", "--json").out)[0]["top"]) == 2
    assert len(json.loads(ask("predict", finished, picture, "--top=1", "--json").out)[0]["top"]) == 1


def test_wishes_of_other_tasks_are_refused(ask: Ask, finished: Path, photos: Path) -> None:
    picture = photos / "red" / "0.png"
    answer = ask("predict", finished, picture, "--probabilities")
    message = "pellucid: Predictions of task classify take no --probabilities. Options they take: --top.\n"
    assert (answer.code, answer.err) == (2, message)
    assert "Unknown option --topp. Did you mean --top?" in ask("predict", finished, picture, "--topp", "3").err
    assert ask("predict", finished, picture, "--top", "x").err == "pellucid: --top needs a whole number, got 'x'.\n"
    assert ask("predict", finished, picture, "--top", "0").err == "pellucid: top must be at least 1, got 0.\n"
    with pytest.raises(
        ConfigError, match=r"^Predictions of task classify take no option tile\. Options they take: top"
    ):
        Run(finished).predict(picture, tile=3)  # type: ignore[call-arg]
