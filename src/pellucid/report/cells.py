"""How numbers are written in tables."""

import math
from collections.abc import Sequence
from numbers import Integral, Real

from pellucid.report.blocks import Bar, Cell


def show(cell: Cell) -> str:
    """A cell as text: thousands apart, three decimals or three digits, a dash for nothing."""
    if isinstance(cell, Bar):
        return cell.text or show(cell.value)
    if cell is None or isinstance(cell, str):
        return "–" if cell is None else cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Integral):
        return f"{int(cell):,}".replace("-", "−")
    value = float(cell)
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    plain = value == 0 or 1e-3 <= abs(value) < 1e6
    return (f"{value:,.3f}" if plain else f"{value:.2e}").replace("-", "−")


def alignment(rows: Sequence[Sequence[Cell]], columns: int, asked: str) -> list[str]:
    """`left` or `right` for each column; columns that hold only numbers go right, unless asked otherwise."""
    sides = {"l": "left", "r": "right"}
    if asked:
        return [sides.get(letter, "left") for letter in asked.ljust(columns, "l")[:columns]]
    return [
        "right"
        if any(_number(row[k]) for row in rows) and all(_number(row[k]) or row[k] is None for row in rows)
        else "left"
        for k in range(columns)
    ]


def percent(part: float, whole: float = 1.0) -> float:
    """`part` of `whole` in 0..100, for the width of a bar; 0 where that means nothing."""
    share = part / whole if whole else 0.0
    return round(100 * min(max(share, 0.0), 1.0), 2) if math.isfinite(share) else 0.0


def _number(cell: Cell) -> bool:
    return isinstance(cell, Real) and not isinstance(cell, bool)
