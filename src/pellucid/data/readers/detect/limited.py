"""Annotations come from anywhere: a file is read up to a size that no honest one has."""

from pathlib import Path

from pellucid.core.errors import DataError


def read_limited(path: Path, most: int, otherwise: str) -> bytes:
    """The content of a file, of which little more than `most` bytes are ever read.

    Args:
        otherwise: what a longer file is, such as "no annotation of one picture".

    Raises:
        DataError: it cannot be read, or is longer.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > most:
        raise DataError(f"{path} has more than {most:,} bytes: that is {otherwise}.")
    return content
