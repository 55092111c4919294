"""Pick an entry of a table by name; the error lists the choices and the nearest one."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from pellucid.core.errors import ConfigError

Entry = TypeVar("Entry")


def choose(name: str, table: Mapping[str, Entry], what: str) -> Entry:
    """Return `table[name]`.

    Args:
        name: the name asked for.
        table: name -> entry.
        what: what the table holds, for the message: "model", "optimiser".

    Raises:
        ConfigError: `name` is not in the table.
    """
    if isinstance(name, str) and name in table:
        return table[name]
    raise ConfigError(unknown(name, table, what))


def unknown(name: str, names: Iterable[str], what: str) -> str:
    """The one sentence said when `name` is not among `names`."""
    names = sorted(names)
    close = get_close_matches(str(name), names, n=2, cutoff=0.5)
    hint = f" Did you mean {' or '.join(repr(c) for c in close)}?" if close else ""
    return f"Unknown {what} {name!r}.{hint} Choose from: {', '.join(names)}."
