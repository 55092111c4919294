"""`predict`: results for whatever can be called a picture."""

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from pellucid.core.errors import DataError, ImageError
from pellucid.core.files import write_atomic
from pellucid.core.progress import Advance
from pellucid.data.images import read_image
from pellucid.runs.trained import Trained

BATCH = 32
EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")


def predict_images(trained: Trained, images: Sequence[Any], advance: Advance | None = None) -> list[Any]:
    """Results in the order of the pictures; folders and globs count as the files in them, sorted.

    Raises:
        DataError: nothing was given, or a folder or glob holds no pictures.
        ImageError: a picture cannot be opened.
    """
    flat = expand(images)
    results: list[Any] = []
    for start in range(0, len(flat), BATCH):
        results += trained.task.predict(trained.model, flat[start : start + BATCH], trained.facts)
        if advance:
            advance(len(results))
    return results


def expand(images: Iterable[Any]) -> list[Any]:
    """Every picture once: folders and globs become their files.

    Raises:
        DataError: a name matches no picture.
    """
    found: list[Any] = []
    for image in images:
        if isinstance(image, (list, tuple)):
            found += expand(image)
        elif not isinstance(image, (str, Path)):
            found.append(image)
        elif Path(image).is_dir():
            files = sorted(p for p in Path(image).rglob("*") if p.suffix.lower() in EXTENSIONS and p.is_file())
            if not files:
                raise DataError(f"Folder {image} holds no pictures ({', '.join(EXTENSIONS)}).")
            found += files
        elif Path(image).exists():
            found.append(Path(image))
        else:
            matches = sorted(map(Path, glob.glob(str(image), recursive=True))) if glob.has_magic(str(image)) else []
            if not matches:
                raise ImageError(f"No picture {image}: there is no such file, and it matches none.")
            found += matches
    if not found:
        raise DataError("Nothing to predict: give files, folders, globs, PIL images, arrays or tensors.")
    return found


def save_drawings(trained: Trained, images: Sequence[Any], results: Sequence[Any], folder: str | Path) -> list[Path]:
    """Draw every result on its picture and write it as PNG into `folder`, named after the picture.

    Raises:
        WriteError: the folder cannot be written.
    """
    paths = []
    for number, (image, result) in enumerate(zip(images, results, strict=True)):
        stem = Path(image).stem if isinstance(image, (str, Path)) else "picture"
        path = Path(folder) / f"{number:04d}-{stem}.png"
        drawn = trained.task.draw(Image.fromarray(read_image(image)), result)
        write_atomic(path, lambda file, drawn=drawn: drawn.save(file, format="PNG"))  # type: ignore[misc]
        paths.append(path)
    return paths
