"""`predict`: results for whatever can be called a picture.

| a result of any task has | |
|---|---|
| `name` | of the picture |
| `note` | what is odd about it, in one sentence; mostly "" |
| `as_dict()`, `row()`, `_repr_html_()` | plain JSON, a line of a table, for notebooks |
| `files()` | name -> content of what is kept beside the drawing when results are saved |
| `common_files()` | the same of what is kept once for all of them |
"""

import glob
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from pellucid.core.errors import DataError, ImageError
from pellucid.core.files import write_atomic, write_bytes
from pellucid.core.task import Wishes
from pellucid.data.images import read_image
from pellucid.data.readers.frames import Frame, frames
from pellucid.data.readers.listing import EXTENSIONS
from pellucid.data.source import Problem
from pellucid.runs.stored.trained import Trained


def predict_each(
    trained: Trained, pictures: Sequence[Any], problems: list[Problem] | None = None, wishes: Wishes | None = None
) -> Iterator[tuple[int, Any, Any]]:
    """Predict batch by batch.

    Args:
        pictures: what `expand` returned.
        problems: takes the pictures that cannot be opened, which are then passed over; None raises.
        wishes: what is asked of the predictions, of the task's own kind; None asks for nothing special.

    Yields:
        place among the pictures, the picture, its result.

    Raises:
        ImageError: a picture cannot be opened, and `problems` is None.
    """
    wishes = trained.task.wishes() if wishes is None else wishes
    for start in range(0, len(pictures), wishes.together):
        part = list(enumerate(pictures[start : start + wishes.together], start))
        try:
            results = trained.task.predict(trained.model, [picture for _, picture in part], trained.facts, wishes)
        except ImageError:
            if problems is None:
                raise
            part, results = _one_by_one(trained, part, problems, wishes)
        for (number, picture), result in zip(part, results, strict=True):
            yield number, picture, result


def _one_by_one(
    trained: Trained, part: list[tuple[int, Any]], problems: list[Problem], wishes: Wishes
) -> tuple[list[tuple[int, Any]], list[Any]]:
    """The pictures that can be opened, and their results."""
    sound, results = [], []
    for number, picture in part:
        try:
            results += trained.task.predict(trained.model, [picture], trained.facts, wishes)
        except ImageError as error:
            problems.append(Problem(str(picture), error.kind, str(error)))
            continue
        sound.append((number, picture))
    return sound, results


def expand(images: Iterable[Any]) -> list[Any]:
    """Every picture once: folders and globs become their files, sorted as numbers count; moving pictures their frames.

    Raises:
        DataError: nothing was given, or a folder holds no pictures.
        ImageError: a name is no file and matches none.
    """
    found: list[Any] = []
    for image in images:
        if isinstance(image, (list, tuple)):
            found += expand(image)
        elif isinstance(image, (str, Path)):
            found += _files(Path(image).expanduser())
        else:
            found.append(image)
    if not found:
        raise DataError("Nothing to predict: give files, folders, globs, PIL images, arrays or tensors.")
    return found


def _files(path: Path) -> Sequence[Path | Frame]:
    if path.is_dir():
        inside = (each for each in path.rglob("*") if each.suffix.lower() in EXTENSIONS and each.is_file())
        shown = (each for each in inside if not any(p.startswith(".") for p in each.relative_to(path).parts))
        files = sorted(shown, key=_as_counted)
        if not files:
            raise DataError(f"Folder {path} holds no pictures ({', '.join(sorted(EXTENSIONS))}).")
        found: list[Path | Frame] = []
        for file in files:
            found += frames(file) or [file]
        return found
    if path.exists():
        return list(frames(path)) or [path]
    matches = glob.glob(str(path), recursive=True) if glob.has_magic(str(path)) else []
    if not matches:
        raise ImageError(f"No picture {path}: there is no such file, and it matches none.", "missing")
    return [file for match in sorted(map(Path, matches), key=_as_counted) for file in _files(match)]


def _as_counted(path: Path) -> list[list[tuple[int, str]]]:
    """For sorting: frame 2 before frame 10, whether or not they are written with zeros; then as text."""
    parts = [enumerate(re.split(r"([0-9]+)", part)) for part in path.parts]  # at odd places numbers
    counted = [[(int(text), "") if place % 2 else (-1, text) for place, text in part] for part in parts]
    return [*counted, [(-1, str(path))]]


def save_result(trained: Trained, picture: Any, result: Any, folder: str | Path, number: int) -> list[Path]:
    """Write the result drawn on its picture, and what the task keeps beside it, named after the picture.

    Raises:
        WriteError: the folder cannot be written.
    """
    stem = f"{number:04d}-{picture.stem if isinstance(picture, (Path, Frame)) else 'picture'}"
    drawing = Path(folder) / f"{stem}.png"
    drawn = trained.task.draw(Image.fromarray(read_image(picture)), result)
    write_atomic(drawing, lambda file: drawn.save(file, format="PNG"))
    files = {f"{stem}-{name}": content for name, content in result.files().items()} | result.common_files()
    for name, content in files.items():
        write_bytes(Path(folder) / name, content)
    return [drawing, *(Path(folder) / name for name in files)]


def save_together(gathered: Any, folder: str | Path) -> list[Path]:
    """Write what is kept of all results together; `gathered` is what `Task.gather` made.

    Raises:
        WriteError: the folder cannot be written.
    """
    files = gathered.files()
    for name, content in files.items():
        write_bytes(Path(folder) / name, content)
    return [Path(folder) / name for name in files]
