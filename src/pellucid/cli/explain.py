"""What `--help` says of the settings: tyro's table of them, with the text flowing to the width of the terminal."""

import contextlib
import io
import os
import re
import shutil
import textwrap
from collections.abc import Iterator
from functools import partial
from typing import Any

from pellucid.core import config as settings

WIDEST = 120  # of a line; from about 140 on tyro sets its groups side by side, and longer lines read badly
COLUMN = " " * 22  # tyro explains an option from here on


def explain_settings(kind: type[Any]) -> str:
    """Every setting of a config with its type, its default and the docstring below it, as text for a terminal."""
    width = min(WIDEST, shutil.get_terminal_size().columns)
    captured = io.StringIO()
    # tyro prints the settings and exits
    with _terminal_of(width), contextlib.redirect_stdout(captured), contextlib.suppress(SystemExit):
        settings.parse_flags(kind, ["--help"], kind(), "pellucid train DATA", "")
    lines = captured.getvalue().splitlines()
    first = next(number for number, line in enumerate(lines) if "model options" in line)  # before it is usage
    return flow("\n".join(lines[first:]), width)


def flow(table: str, width: int) -> str:
    """The table of tyro, each explanation wrapped anew: tyro keeps the line ends that a docstring has in the source.

    Args:
        table: options at column 2, their explanation beside them at column 22 or below them.
        width: characters of a line, at least 40.
    """
    parts: list[tuple[str, list[str]]] = []  # an explanation with what stands before it, or a line as it is
    explains = False
    for line in map(str.rstrip, table.splitlines()):
        goes_on = line.startswith(COLUMN) and not line[len(COLUMN) :].startswith(" ")
        begins = re.match(r"  -.{17}  \S", line) is not None  # beside a short option
        if goes_on and explains:
            parts[-1][1].append(line.strip())
        elif goes_on or begins:
            parts.append((line[: len(COLUMN)], [line[len(COLUMN) :]]))
        else:
            parts.append((line, []))
        explains = goes_on or begins
    wrap = partial(textwrap.wrap, width=width, subsequent_indent=COLUMN, break_on_hyphens=False, break_long_words=False)
    return "\n".join("\n".join(wrap(" ".join(text), initial_indent=head)) if text else head for head, text in parts)


@contextlib.contextmanager
def _terminal_of(width: int) -> Iterator[None]:
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(width)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
