"""Tables for people and JSON for programs, whatever the values."""

import io
import json
import math
import re

import pytest

from pellucid.cli.output import print_json, print_table, shown

ROWS = [{"name": "a", "count": 1_234, "share": 0.123456}, {"name": "longer", "count": None, "share": math.nan}]


def test_one_line_a_row_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(ROWS)
    assert capsys.readouterr().out == "name    count   share\na       1,234  0.1235\nlonger\n"
    wide = "word " * 100
    print_table([{"text": wide, "last": "x"}])
    assert capsys.readouterr().out.splitlines()[1] == f"{wide.strip()}   x"
    print_table([])
    assert capsys.readouterr().out.strip() == ""


def test_folded_to_the_width_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    print_table([{"text": "word " * 30, "last": "x"}])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()
    assert len(lines) > 3
    assert all(len(line) <= 40 for line in lines)


def test_markup_is_not_meant(capsys: pytest.CaptureFixture[str]) -> None:
    """A class may be called [red]."""
    print_table([{"class": "[red]x[/red]", "emoji": ":smile:"}])
    assert capsys.readouterr().out.splitlines()[1] == "[red]x[/red]  :smile:"


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": math.nan, "b": [math.inf, 1.5], "c": ({"d": -math.inf},), "e": "é"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"a": None, "b": [None, 1.5], "c": [{"d": None}], "e": "é"}
    assert "é" in text


def test_json_in_a_narrow_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr("sys.stdout", narrow)
    print_json({"name": "é"})
    narrow.flush()
    assert json.loads(narrow.buffer.getvalue()) == {"name": "é"}  # type: ignore[attr-defined]


def test_cells() -> None:
    assert [shown(value) for value in (True, False, None, math.nan, 12_345, 0.000123456, 3.0, "x")] == [
        "yes",
        "no",
        "",
        "",
        "12,345",
        "0.0001235",
        "3",
        "x",
    ]
