"""What the verbs print on standard output: tables for people, JSON for programs."""

import json
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print dictionaries of the same keys as a table; numbers stand to the right.

    In a terminal long cells are folded to its width; elsewhere every row is one line.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0] if rows else ():
        right = all(isinstance(row[name], (int, float, type(None))) for row in rows)
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(shown(value) for value in row.values()))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 100_000
    console = Console(markup=False, emoji=False, highlight=False, width=width)
    with console.capture() as captured:
        console.print(table, soft_wrap=False)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_json(value: Any) -> None:
    """Print JSON; what is not finite is null, since JSON has no NaN."""
    plain_text = not (sys.stdout.encoding or "").lower().startswith("utf")
    print(json.dumps(_finite(value), indent=2, ensure_ascii=plain_text, allow_nan=False))


def shown(value: object) -> str:
    """A cell's text: whole numbers with separators, floats with four digits, nothing for None and NaN."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
