"""Make a pack of a source: from its arrays as they are, from a file made before, or by decoding."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.errors import DataError, ImageError
from pellucid.core.preprocess import Fit, Interpolation
from pellucid.core.progress import Progress, Quiet
from pellucid.data.pack.cache import cache_folder, is_writable, note_use, pack_path, prune
from pellucid.data.pack.decode import Canvases, Recipe, decode_all, mask_table, to_classes
from pellucid.data.pack.file import Arrays, FileRows, Rows, open_arrays, write_arrays
from pellucid.data.pack.pack import Pack
from pellucid.data.source import Problem, Source

IN_MEMORY_UP_TO = 256 * 2**20  # bytes; arrays that had to be resized are kept in memory up to this, else in a file

Content = tuple[Arrays, list[Problem]]


def make_pack(
    source: Source,
    size: tuple[int, int],
    channels: int,
    fit: Fit,
    background: tuple[int, int, int],
    strict: bool = False,
    cache: Path | str | None = None,
    progress: Progress | None = None,
    interpolation: Interpolation = "bilinear",
) -> Pack:
    """Every picture of `source` on a canvas of `size`.

    Arrays that have the size and channels already are taken as they are, without a copy. Files are decoded once,
    one thread a core, into a file that is found again as long as names, sizes and times of the pictures and the
    settings stay the same. Records that cannot be used are left out and named in `problems`.

    Args:
        source: what a reader returned.
        size: height and width of the canvas.
        channels: 1 (grey) or 3 (RGB).
        fit: see `canvas.layout`.
        background: RGB under transparent pixels and beside padded pictures.
        strict: refuse the data when any record cannot be used.
        cache: folder of the packs; None is `packs` in PELLUCID_CACHE, or in ~/.cache/pellucid. Where it cannot
            be written the pack lives in memory, and its `note` says so.
        progress: told how far it is.
        interpolation: how pictures are resized.

    Raises:
        DataError: no record can be used, or (strict) one cannot; the message names the first and counts them.
        WriteError: the disk is full.
    """
    if not len(source):
        raise DataError(f"{source.name} holds no pictures.")
    recipe = Recipe((int(size[0]), int(size[1])), channels, fit, background, interpolation)
    progress = progress or Quiet()
    content = _as_they_are(source, recipe)
    path, note = None, ""
    if content is None:
        content, path, note = _decoded(source, recipe, cache_folder(cache), progress)
    arrays, problems = content
    if problems and (strict or not len(arrays["rows"])):
        raise DataError(_refusal(source, problems))
    rows = arrays["rows"]
    targets: Arrays = {
        key: arrays[key] for key in ("mask", "valid_hw", "original_hw", "canvas_affine") if key in arrays
    }
    if source.labels is not None:
        targets["label"] = source.labels[rows]
    return Pack(arrays["images"], targets, [source.names[row] for row in rows], rows, problems, path, note)


def _as_they_are(source: Source, recipe: Recipe) -> Content | None:
    """The source's own arrays, if they fit the canvas; None if not."""
    images, masks = source.images, source.masks
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        return None
    images = images[..., None] if images.ndim == 3 else images  # (N, H, W, C)
    if images.shape[1:] != (*recipe.size, recipe.channels):
        return None
    if masks is not None and not (
        isinstance(masks, np.ndarray) and masks.dtype == np.uint8 and masks.shape == images.shape[:3]
    ):
        return None
    problems: dict[int, Problem] = {}
    if masks is not None:
        masks, problems = _mapped(source, masks)
    rows = _sound_rows(len(source), problems)
    if problems:  # a copy: these arrays are the caller's
        images, masks = images[rows], None if masks is None else masks[rows]
    arrays = {"images": images, **_small_arrays(Canvases.around(images, masks), rows)}
    return arrays if masks is None else {**arrays, "mask": masks}, list(problems.values())


def _mapped(source: Source, masks: np.ndarray) -> tuple[np.ndarray, dict[int, Problem]]:
    """Masks as class ids, and row -> Problem where a mask holds other values. Copied only where ids change."""
    table = mask_table(source)
    changes = bool((table[table >= 0] != np.flatnonzero(table >= 0)).any())
    mapped = np.empty(masks.shape, np.uint8) if changes else masks
    problems = {}
    for row, (mask, name) in enumerate(zip(masks, source.names, strict=True)):
        try:
            ids = to_classes(mask, name, table)
        except ImageError as error:
            problems[row] = Problem(name, error.kind, str(error))
            continue
        if mapped is not masks:
            mapped[row] = ids
    return mapped, problems


def _decoded(
    source: Source, recipe: Recipe, folder: Path | None, progress: Progress
) -> tuple[Content, Path | None, str]:
    """Content of the pack's file, which is made if it is not there; or, where none can be made, in memory."""
    n = len(source)
    shapes: dict[str, tuple[int, ...]] = {"images": (n, *recipe.size, recipe.channels)}
    if source.masks is not None:
        shapes["mask"] = (n, *recipe.size)
    if isinstance(source.images, np.ndarray) and np.prod(shapes["images"]) <= IN_MEMORY_UP_TO:
        return _in_memory(source, recipe, shapes, progress), None, ""
    if folder is None:
        return _in_memory(source, recipe, shapes, progress), None, "No home folder is known, so the pack is not kept."
    path = pack_path(folder, source, recipe)
    if (found := _open(path)) is not None:
        note_use(path)
        return found, path, ""
    if not is_writable(folder):
        note = f"{folder} cannot be written, so the pack is not kept; name another folder in PELLUCID_CACHE."
        return _in_memory(source, recipe, shapes, progress), None, note

    def fill(files: dict[str, FileRows]) -> tuple[int, Arrays, dict[str, Any]]:
        small, problems = _fill(source, recipe, files["images"], files.get("mask"), progress)
        return len(small["rows"]), small, {"problems": [[p.record, p.kind, p.reason] for p in problems]}

    write_arrays(path, shapes, fill)
    prune(folder)
    written = _open(path)
    if written is None:  # another program removed it at once
        raise DataError(f"{path} was written but cannot be read back. Check the disk, or name another PELLUCID_CACHE.")
    return written, path, ""


def _in_memory(source: Source, recipe: Recipe, shapes: dict[str, tuple[int, ...]], progress: Progress) -> Content:
    large = {name: np.empty(shape, np.uint8) for name, shape in shapes.items()}
    small, problems = _fill(source, recipe, large["images"], large.get("mask"), progress)
    return {**small, **{name: array[: len(small["rows"])] for name, array in large.items()}}, problems


def _fill(
    source: Source, recipe: Recipe, images: Rows, masks: Rows | None, progress: Progress
) -> tuple[Arrays, list[Problem]]:
    """Decode everything, bring the records that can be used to the front, and return the small arrays."""
    canvases = Canvases.around(images, masks)
    with progress.bar("Packing pictures", len(source)) as advance:
        problems = decode_all(source, recipe, canvases, advance)
    rows = _sound_rows(len(source), problems)
    if not len(rows):
        raise DataError(_refusal(source, list(problems.values())))
    canvases.keep(rows)
    return _small_arrays(canvases, rows), list(problems.values())


def _sound_rows(n: int, problems: dict[int, Problem]) -> np.ndarray:
    return np.delete(np.arange(n, dtype=np.int64), list(problems))


def _small_arrays(canvases: Canvases, rows: np.ndarray) -> Arrays:
    return {
        "valid_hw": canvases.valid_hw,
        "original_hw": canvases.original_hw,
        "canvas_affine": canvases.affine,
        "rows": rows,
    }


def _open(path: Path) -> Content | None:
    found = open_arrays(path)
    if found is None:
        return None
    arrays, info = found
    return arrays, [Problem(*each) for each in info["problems"]]


def _refusal(source: Source, problems: Sequence[Problem]) -> str:
    """The sentence for data that cannot be used, or must not be (strict)."""
    n, first = len(source), problems[0]
    if len(problems) == n:
        return f"{source.name}: none of the {n:,} pictures can be used. The first: {first.reason}"
    return (
        f"{source.name}: {len(problems):,} of {n:,} pictures cannot be used. The first: {first.reason} "
        "Repair or remove them, or leave out --strict to go on without them."
    )
