"""Which files a data set of COCO's form is: annotations, their splits, and the folder of their pictures.

| arrangement | as in |
|---|---|
| `annotations/instances_train2017.json`, pictures in `train2017/` or `images/train2017/` | COCO |
| `train/_annotations.coco.json` beside its pictures, with `valid/` and `test/` | Roboflow |
| `annotations.json` (`labels.json`, `result.json`), pictures in `images/` or `data/`, or beside it | many tools |
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import isfile  # unlike Path's, it is False for impossible names
from pathlib import Path
from typing import Any

from pellucid.core.errors import DataError
from pellucid.data.image_file import printable
from pellucid.data.readers.checks import role_of
from pellucid.data.readers.listing import Root, look
from pellucid.data.source import ROLES, Problem

FOLDER = "annotations"
BESIDE = "_annotations.coco.json"
ALONE = ("annotations.json", BESIDE, "coco.json", "labels.json", "result.json", "instances.json")
KINDS = ("instances", "person_keypoints")  # of several files about the same pictures, the first kind there is
OTHERS = ("captions", "panoptic", "stuff", "image_info")  # what such a folder holds for other tasks
BEGINNING = re.compile(rb'(\xef\xbb\xbf)?\s*{\s*"(info|licenses|images|annotations|categories|type)"')
USUAL = ("images", "", "data", "JPEGImages", "img", "imgs")
TRIED = 20  # pictures that are looked for in every folder that may hold them


@dataclass(frozen=True)
class CocoFile:
    """One file of annotations: its path, its split ("" = to be divided), and the word for it in names of folders."""

    path: Path
    role: str
    word: str


def is_coco_folder(root: Path) -> bool:
    """Whether a folder holds annotations in one of the arrangements above."""
    return bool(_files_in(root))


def coco_files(path: Path, problems: list[Problem]) -> tuple[Path, list[CocoFile]]:
    """The root that no path may leave, and the files to read, train before val before test.

    Args:
        path: a file, a folder, or a file name with `*` for several: `annotations/person_keypoints_*.json`.

    Raises:
        DataError: there is none.
    """
    if path.is_dir():
        files = _files_in(path)
        if not files:
            raise DataError(
                f"{path} holds no annotations of COCO: it must have {FOLDER}/instances_train.json, or {ALONE[0]}."
            )
        return path, _by_role(files, path, problems)
    files = sorted(path.parent.glob(path.name)) if "*" in path.name and path.parent.is_dir() else [path]
    if not files or not isfile(files[0]):
        raise DataError(f"{path} does not exist: give a JSON file of COCO's form, or the folder it lies in.")
    root = path.parent.parent if path.parent.name.lower() == FOLDER else path.parent
    if len(files) == 1:  # asked for alone, so it is divided
        return root, [CocoFile(files[0], "", _split_word(files[0]))]
    return root, _by_role(files, root, problems)


def read_coco_json(path: Path) -> dict[str, Any]:
    """The content of one file, with lists `images`, `annotations` and `categories`.

    Raises:
        DataError: it cannot be read, is no JSON, is nested too deeply, or has another form.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except RecursionError:
        raise DataError(f"{path} is nested too deeply to be annotations of COCO.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise DataError(f"{path} is no JSON: {printable(str(error))[:200].rstrip('.')}.") from None
    if not isinstance(content, dict):
        raise DataError(
            f"{path} must hold images, annotations and categories, as COCO does; got a {type(content).__name__}"
            f"{' (results of a detector are no annotations)' if isinstance(content, list) else ''}."
        )
    for key in ("images", "annotations", "categories"):
        if not isinstance(content.get(key), list):
            what = "is missing" if key not in content else f"is a {type(content[key]).__name__}"
            hint = " It has no annotations, as COCO's test pictures have none." if key == "annotations" else ""
            raise DataError(f"{path} must have a list {key}, as COCO does, but it {what}.{hint}")
    return content


def picture_folder(root: Root, file: CocoFile, names: Sequence[str]) -> str:
    """The folder, below the root, that the names of a file's pictures count from.

    Raises:
        DataError: none of them is found in any folder that is usual.
    """
    home = str(file.path.parent.resolve())[len(root.real) :].strip("/\\")
    inner = [f"{folder}/{word}" for word in (file.word, file.role) if word for folder in ("images", "data")]
    places = [*(word for word in (file.word, file.role) if word), *inner, *USUAL, home]
    step = max(1, len(names) // TRIED)
    some = names[::step][:TRIED]
    best, most = "", 0
    for place in dict.fromkeys(places):
        found = [root.find(f"{place}/{name}" if place else name) for name in some if not name.startswith(("/", "\\"))]
        n = sum(path is not None and isfile(path) for path in found)
        if n > most:
            best, most = place, n
    if not most:
        first = printable(str(some[0]))[:80]
        tried = ", ".join(f"{place}/" for place in dict.fromkeys(places) if place)
        raise DataError(
            f"{file.path}: none of its pictures is there; {first} lies neither in {root.folder} nor in its folders "
            f"{tried}. Put the annotations into {FOLDER}/ beside the folder of the pictures."
        )
    return best


def _files_in(root: Path) -> list[Path]:
    """Annotations in a folder: of its sub-folder, of its splits, or its own."""
    folders = look(root).folders
    inner = next((root / name for name in folders if name.lower() == FOLDER), None)
    found = sorted(inner.glob("*.json")) if inner is not None else []
    for kind in KINDS:
        if some := [path for path in found if path.name.startswith(kind)]:
            return some
    if found := [path for path in found if not path.name.startswith(OTHERS)]:
        return found
    if found := [root / name / BESIDE for name in folders if role_of(name) and (root / name / BESIDE).is_file()]:
        return found
    alone = [root / name for name in ALONE if _begins_as_coco(root / name)]
    return alone[:1] or sorted(root.glob("instances_*.json"))


def _begins_as_coco(path: Path) -> bool:
    """Whether a file of a name that others use too begins with a key of COCO's."""
    try:
        with open(path, "rb") as file:
            return BEGINNING.match(file.read(10_000)) is not None
    except OSError:
        return False


def _by_role(paths: Sequence[Path], root: Path, problems: list[Problem]) -> list[CocoFile]:
    """The files with their splits; where some name one, those that name none are left out."""
    files = []
    for path in paths:
        word = path.parent.name if path.name == BESIDE else _split_word(path)
        role = role_of(re.sub(r"[\d_-]+$", "", word)) or ""
        files.append(CocoFile(path, role, word))
    if any(file.role for file in files):
        for file in (file for file in files if not file.role):
            problems.append(Problem(file.path.name, "no-split", "its name says no split, those of others do"))
        files = [file for file in files if file.role]
    return sorted(files, key=lambda file: (*ROLES, "").index(file.role))


def _split_word(path: Path) -> str:
    """What a file's name says of its split: train2017 of instances_train2017.json."""
    words = re.split(r"[_.\- ]", path.stem)
    return next((word for word in words if role_of(re.sub(r"\d+$", "", word))), words[-1] if len(words) > 1 else "")
