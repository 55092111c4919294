"""How training shows itself: a live bar in a terminal, plain lines elsewhere."""

import io
import re
from pathlib import Path

import pytest
from answer import Ask
from small_runs import QUICK, flags

from pellucid.core.progress import Lines


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_a_bar_in_a_terminal(ask: Ask, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert ask("train", photos, *flags(QUICK)).code == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    bars = [line for line in re.split(r"[\r\n]+", text) if line.startswith("Epoch 2/2") and "img/s" in line]
    assert bars  # step, loss, best metric so far, rate, speed, time gone, time left
    numbers = r"\d/2  loss \d\.\d+  best accuracy \d\.\d+  lr \S+  \d+ img/s"
    assert re.match(rf"Epoch 2/2 .*{numbers} \d:\d\d:\d\d left [\d-]:[\d-]{{2}}:[\d-]{{2}}", bars[-1]), bars[-1]
    assert "Run folder: runs/photos-convnet" in text


def test_plain_lines_elsewhere(ask: Ask, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lines, "every", 0.0)  # else one every ten seconds
    answer = ask("train", photos, *flags(QUICK))
    assert "\x1b" not in answer.err and "\r" not in answer.err
    lines = [line for line in answer.err.splitlines() if line.startswith("Epoch 1/2: 1/2  ")]
    assert len(lines) == 1
    assert re.search(r"loss \d\.\d+  lr \S+  \d+ img/s  about \d+ s left$", lines[0])
