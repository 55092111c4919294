"""Every row of docs/coverage.md points at code and at a test or command that exist."""

import re
from collections import Counter
from pathlib import Path

import pytest
import references


@pytest.fixture
def rows(root: Path) -> list[list[str]]:
    return list(references.rows((root / "docs/coverage.md").read_text(encoding="utf-8")))


def test_rows_have_an_id_of_their_own_and_three_cells(rows: list[list[str]]) -> None:
    assert all(len(row) == 3 and re.fullmatch(r"[A-Z]{3}-\d\d", row[0]) for row in rows)
    assert not [number for number, count in Counter(row[0] for row in rows).items() if count > 1]


def test_every_reference_is_there(rows: list[list[str]], root: Path) -> None:
    wrong = []
    for number, *cells in rows:
        for column, cell in zip(("where", "shown by"), cells, strict=True):
            named = references.INLINE.findall(cell)
            wrong += [f"{number} {column}: {why}" for name in named if (why := references.missing(name, root))]
            wrong += [] if named else [f"{number} {column}: names nothing in backticks"]
    assert not wrong, "\n".join(wrong)


def test_what_shows_a_row_can_be_run(rows: list[list[str]]) -> None:
    """A plain source file shows nothing: it must be a test, or a command."""
    shown = [(number, name) for number, _, cell in rows for name in references.INLINE.findall(cell)]
    assert not [f"{number}: {name}" for number, name in shown if not name.startswith("tests/") and " " not in name]
