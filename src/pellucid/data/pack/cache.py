"""Where packs lie, what they are called, and how their folder is kept from growing."""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import simplejpeg
import torch

from pellucid.data.pack.decode import Recipe
from pellucid.data.source import Source

FORMAT = 1  # of the file and of how pictures are placed; another number makes all packs anew
CAP_BYTES = 20 * 10**9
IDLE_SECONDS = 7 * 24 * 3600
SUFFIX = ".pack"


def cache_folder(cache: Path | str | None) -> Path | None:
    """`cache` itself, or `packs` in the folder that PELLUCID_CACHE names, or in `~/.cache/pellucid`.

    None when the system knows no home folder.
    """
    if cache is not None:
        return Path(cache)
    if named := os.environ.get("PELLUCID_CACHE"):
        return Path(named) / "packs"
    try:
        return Path.home() / ".cache" / "pellucid" / "packs"
    except RuntimeError:
        return None


def is_writable(folder: Path) -> bool:
    """Whether files can be made there; the folder is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def pack_path(folder: Path, source: Source, recipe: Recipe) -> Path:
    """The file of a pack: its name says which records, of what content, were packed how.

    Files count by name, size and time of change, arrays by their bytes. Versions of the decoders count too,
    since their pixels may differ in the last bit.
    """
    settings: dict[str, Any] = {
        "format": [FORMAT, torch.__version__, PIL.__version__, simplejpeg.__version__],
        "size": recipe.size,
        "channels": recipe.channels,
        "fit": recipe.fit,
        "background": recipe.background,
        "classes": len(source.classes),
        "mask_ids": sorted(source.mask_ids.items()) if source.mask_ids else None,
    }
    if recipe.interpolation != "bilinear":  # packs made before there was a choice keep their names
        settings["interpolation"] = recipe.interpolation
    if source.mask_colours is not None:
        settings["mask_colours"] = sorted(source.mask_colours.items())
    digest = hashlib.sha256(json.dumps(settings).encode())
    for what in (source.images, source.masks):
        digest.update(b"\0none" if what is None else _content(what, source.names))
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in source.name)[:40]
    return folder / f"{name}-{digest.hexdigest()[:32]}{SUFFIX}"


def note_use(path: Path) -> None:
    """Remember that a pack was used just now, as far as the file system lets us."""
    try:
        os.utime(path)
    except OSError:
        return


def prune(folder: Path, now: float | None = None) -> list[Path]:
    """Keep the folder below `CAP_BYTES`: remove the packs not used for longest, but none used this week.

    Files half written by a process that was killed are removed after a day. A pack that another process has
    open stays readable to it.

    Returns:
        what was removed.
    """
    now = time.time() if now is None else now
    found = []
    for path in folder.glob("*"):
        try:
            state = path.stat()
        except OSError:  # removed by another process
            continue
        if path.suffix == SUFFIX or (path.name.startswith(".") and SUFFIX in path.name):
            found.append((state.st_mtime, state.st_size, path))
    total = sum(size for _, size, _ in found)
    removed = []
    for used, size, path in sorted(found):
        half_written = path.suffix != SUFFIX
        if (half_written and now - used > 24 * 3600) or (
            not half_written and total > CAP_BYTES and now - used > IDLE_SECONDS
        ):
            path.unlink(missing_ok=True)
            removed.append(path)
            total -= size
    return removed


def _content(items: Sequence[Path | None] | np.ndarray, names: list[str]) -> bytes:
    """A digest of what would be decoded, without decoding it."""
    digest = hashlib.sha256()
    if isinstance(items, np.ndarray):
        digest.update(f"{items.dtype.str}{items.shape}".encode())
        digest.update(np.ascontiguousarray(items).data)
        return digest.digest()
    for name, path in zip(names, items, strict=True):
        size, changed = _size_and_time(path)
        digest.update(f"{name}\0{size}\0{changed}\n".encode("utf-8", "surrogateescape"))
    return digest.digest()


def _size_and_time(path: Path | None) -> tuple[int, int]:
    """Bytes and nanoseconds; (-1, -1) for a file that cannot be asked, (-2, -2) for none."""
    if path is None:
        return -2, -2
    try:
        state = path.stat()
    except OSError:
        return -1, -1
    return state.st_size, state.st_mtime_ns
