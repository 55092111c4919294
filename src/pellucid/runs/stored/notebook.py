"""How results show themselves in a notebook."""

import html
from collections.abc import Iterable, Mapping
from typing import Any


class Results(list[Any]):
    """A list of results, one a picture, shown as a table."""

    def _repr_html_(self) -> str:
        return table([result.row() for result in self])


class Summary(dict[str, Any]):
    """A dict of numbers and tables, of which the numbers are shown."""

    def _repr_html_(self) -> str:
        return table(
            {"metric": name, "value": value} for name, value in self.items() if isinstance(value, (int, float))
        )


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Dictionaries of the same keys as an HTML table."""
    rows = list(rows)
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in (rows[0] if rows else ()))
    body = "".join(f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row.values())}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else html.escape(str(value))
