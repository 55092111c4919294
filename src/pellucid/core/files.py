"""The one door through which files are written: whole, or not at all."""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from pellucid.core.errors import RunError, WriteError


def write_atomic(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place in one step.

    The file is flushed to disk before it replaces the old one, and the folder after, so a kill or a
    power cut at any moment leaves either the old file or the new one, never half of one.

    Raises:
        WriteError: the disk is full, or the place cannot be written; nothing is left behind.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes it private; a run folder is for sharing
        os.replace(temporary, path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise WriteError(cannot_write(path, error)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    write_atomic(path, lambda file: file.write(content))


def write_text(path: Path, content: str) -> None:
    """Write `content` to `path` atomically, as UTF-8."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write `content` to `path` atomically, as indented JSON without NaN."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def append_line(path: Path, line: str) -> None:
    """Add one line to a log. A kill can cut only the last line, which readers of logs skip.

    Raises:
        WriteError: the disk is full, or the place cannot be written.
    """
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise WriteError(cannot_write(path, error)) from error


def flush_to_disk(path: Path) -> None:
    """Wait until what was appended to `path` lies on the disk; nothing where there is no such file.

    Raises:
        WriteError: the disk is full, or the place cannot be written.
    """
    try:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    except OSError as error:
        raise WriteError(cannot_write(path, error)) from error


def read_text(path: Path) -> str:
    """The text of a file that Pellucid wrote.

    Raises:
        RunError: it is not there, must not be read, or is no UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise RunError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RunError(f"{path} is damaged: it is no text. Restore it from a copy.") from error


def read_json(path: Path) -> Any:
    """The content of a JSON file that Pellucid wrote.

    Raises:
        RunError: it is not there, must not be read, or is no JSON.
    """
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise RunError(f"{path} is damaged: it is no JSON ({error}). Restore it from a copy.") from error


def read_lines(path: Path, *needed: str) -> list[dict[str, Any]]:
    """The records of a JSON-lines log; a line cut by a kill, or damaged, is left out. Missing file: none.

    Args:
        needed: keys that every record has; one without them was not written by us.

    Raises:
        RunError: it must not be read.
    """
    records: list[dict[str, Any]] = []
    if not path.exists():
        return records
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise RunError(f"Cannot read {path}: {error.strerror}.") from error
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and all(key in record for key in needed):
            records.append(record)
    return records


def sha256(content: bytes | memoryview) -> str:
    """Hex digest of bytes."""
    return hashlib.sha256(content).hexdigest()


def cannot_write(path: Path, error: OSError) -> str:
    """The sentence for a failed write: what happened, where, and what to do."""
    causes = {
        errno.ENOSPC: ("the disk is full", "free some space or write somewhere else"),
        errno.EDQUOT: ("the disk quota is used up", "free some space or write somewhere else"),
        errno.EACCES: ("permission denied", "choose a folder you may write to with --out"),
        errno.EPERM: ("permission denied", "choose a folder you may write to with --out"),
        errno.EROFS: ("the file system is read-only", "choose a folder you may write to with --out"),
        errno.EFBIG: ("the file would be too large", "raise the file-size limit"),
        errno.ENOTDIR: ("a part of the path is a file", "choose another folder"),
        errno.EEXIST: ("a part of the path is a file", "choose another folder"),
    }
    what, cure = causes.get(error.errno or 0, (error.strerror or str(error), "check the disk"))
    return f"Cannot write {path}: {what}. Nothing was changed; {cure}."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # other systems cannot open a folder, and their rename is durable by itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
