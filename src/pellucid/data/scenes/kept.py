"""Frozen sets that were drawn before are read from the cache, where packs lie, and where the oldest make room."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.errors import WriteError
from pellucid.data.scenes.backgrounds.photographs import photographs
from pellucid.data.scenes.frozen import Rows, as_source, draw_into, frozen, shapes
from pellucid.data.scenes.options import Options
from pellucid.data.scenes.sprites.kinds import catalogue
from pellucid.data.source import ROLES, Source

WORTH_KEEPING = 8_000_000  # pixels in all: what takes a second or two to draw


def kept(options: Options) -> Source:
    """The same as `frozen`, from the cache if it is there, and put there if it took long to draw.

    Raises:
        DataError: the sprites are not on this machine, or cannot be used.
    """
    sizes = shapes(options)
    n, height, width, _ = sizes["images"]
    if n * height * width < WORTH_KEEPING:
        return frozen(options)
    # These load torch, which takes about as long as what is too small to be kept.
    from pellucid.data.pack.cache import SUFFIX, cache_folder, is_writable, note_use, prune
    from pellucid.data.pack.file import open_arrays, write_arrays
    from pellucid.data.pack.flat_objects import flatten, unflatten

    folder = cache_folder(None)
    if folder is None or not is_writable(folder):
        return frozen(options)
    path = folder / f"scenes-{_key(options)}{SUFFIX}"

    def fill(files: Any) -> tuple[int, dict[str, np.ndarray], dict[str, Any]]:
        masks: Rows | None = files.get("masks")
        labels, told_apart = draw_into(options, files["images"], masks)
        return n, {"labels": labels, **(flatten(told_apart) if told_apart else {})}, {"options": options.text}

    found = open_arrays(path)
    if found is None:
        try:
            write_arrays(path, sizes, fill)
        except WriteError:  # the disk is full, which is no reason to do without
            return frozen(options)
        prune(folder)
        found = open_arrays(path)
    if found is None:  # another program removed it at once
        return frozen(options)
    note_use(path)
    arrays, _ = found
    told_apart = unflatten(arrays) if options.purpose == "detect" else ()
    return as_source(options, arrays["images"], arrays.get("masks"), arrays["labels"], told_apart)


def _key(options: Options) -> str:
    """32 hexadecimal digits that differ when the options, the sprites, the photographs or the drawing code do."""
    digest = hashlib.sha256(f"{options.text}\n{np.__version__}\n".encode())
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    for role in ROLES:
        sprites = catalogue(options.sprites).sprites(role)
        for plane in (sprites.shade, sprites.coverage, sprites.labels):
            digest.update(np.ascontiguousarray(plane).data)
    for level in photographs():
        digest.update(np.ascontiguousarray(level[0]).data)
    return digest.hexdigest()[:32]
