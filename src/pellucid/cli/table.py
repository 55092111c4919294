"""Tables on standard output: aligned for people, plain when piped."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table


def print_table(rows: Sequence[Mapping[str, object]], title: str = "") -> None:
    """Print dictionaries of the same keys as a table; numbers stand to the right."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in rows[0] if rows else ():
        right = all(isinstance(row[name], (int, float)) for row in rows)
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(shown(value) for value in row.values()))
    console = Console(markup=False, highlight=False)
    console.print(table, soft_wrap=not console.is_terminal, no_wrap=not console.is_terminal, crop=False)


def shown(value: object) -> str:
    """A cell's text: whole numbers with separators, floats with four digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
