"""What the files of a written set are called."""

from pathlib import PurePosixPath

import numpy as np

from pellucid.core.errors import DataError
from pellucid.data.source import Source


def in_memory(source: Source) -> np.ndarray:
    """The pictures of a set that is to be written.

    Raises:
        DataError: they lie in files already, two have one name, or some belong to a split and some do not.
    """
    if not isinstance(source.images, np.ndarray):
        raise DataError(f"{source.name}: its pictures lie in files already; copy those.")
    roles = np.asarray(source.roles)
    if (roles == "").any() and (roles != "").any():
        raise DataError(f"{source.name}: {np.count_nonzero(roles == ''):,} pictures belong to no split, others do.")
    first: dict[tuple[str, str], int] = {}
    for row in range(len(source)):
        if first.setdefault(stem_of(source, row), row) != row:
            raise DataError(f"{source.name}: two pictures are called {source.names[row]}: one would replace the other.")
    return source.images


def stem_of(source: Source, row: int) -> tuple[str, str]:
    """The split of a record, "" without one, and its name without the split: `train/17` is train, 17."""
    role = str(np.asarray(source.roles)[row])
    parts = PurePosixPath(source.names[row].replace("\\", "/")).parts
    inner = [part for part in (parts[1:] if role and parts[0] == role else parts) if part not in ("/", "..", ".")]
    return role, str(PurePosixPath(*inner)) if inner else str(row)
