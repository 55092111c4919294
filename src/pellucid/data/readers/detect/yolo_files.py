"""What a `data.yaml` of YOLO says: names of classes, and which pictures belong to which split.

Paths count from the folder of the file and never leave it. A `path` in it that leads elsewhere (to the machine of who
wrote it) is passed over where the pictures lie beside the file, and so are leading `../`, which some tools write.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from os.path import isdir, isfile  # unlike Path's, they are False for impossible names
from pathlib import Path
from typing import Any

from pellucid.core.errors import DataError
from pellucid.data.image_file import printable
from pellucid.data.readers.checks import role_of
from pellucid.data.readers.detect.yaml_file import read_yaml
from pellucid.data.readers.listing import Root, image_files, look
from pellucid.data.source import Problem

ENDINGS = (".yaml", ".yml")
IMAGES, LABELS = "images", "labels"
EXAMPLE = "train: images/train, val: images/val, names: [cat, dog]"


@dataclass(frozen=True)
class YoloFile:
    """What the file says.

    Attributes:
        names: of the classes.
        pictures: split -> names below the root -> paths; "" where a picture is named for several splits alike.
        keypoints: how many each thing has, and how many numbers each of them; (0, 0) for none.
    """

    names: tuple[str, ...]
    pictures: dict[str, dict[str, Path]]
    keypoints: tuple[int, int]


def yolo_yaml(root: Path) -> Path | None:
    """The file in a folder that describes a data set of YOLO, or None."""
    found = sorted(path for path in root.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
    found.sort(key=lambda path: path.stem.lower() not in ("data", "dataset"))
    return next((path for path in found if _describes(path)), None)


def label_name(stem: str) -> str:
    """The label file of a picture, of its path without the ending: the last folder `images` becomes `labels`."""
    *folders, name = stem.split("/")
    if IMAGES in folders:
        folders[len(folders) - 1 - folders[::-1].index(IMAGES)] = LABELS
    return "/".join([*folders, f"{name}.txt"])


def refuse_without_yaml(root: Path) -> None:
    """Raise for a folder with pictures and labels of YOLO, but no file that names the classes and the splits."""
    folders = look(root).folders
    if {IMAGES, LABELS} <= set(folders) and not {"masks", "mask"} & set(folders):
        files = sorted(path.name for path in root.iterdir() if path.suffix.lower() in ENDINGS)
        lack = (
            f"but {files[0]} does not name classes and splits: add what it lacks,"
            if files
            else "but no data.yaml: write one there,"
        )
        raise DataError(f"{root} has {IMAGES}/ and {LABELS}/ as YOLO, {lack} such as {EXAMPLE}.")


def read_yolo_file(path: Path, root: Root, problems: list[Problem]) -> YoloFile:
    """Read the description of a data set, and list its pictures.

    Raises:
        DataError: it cannot be read as such, or a split is not there.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise DataError(f"{path} must be a mapping, such as {EXAMPLE}.")
    names = _names(content, path)
    pictures: dict[str, dict[str, Path]] = {}
    for key, entries in content.items():
        role = role_of(str(key))
        if role is None or not entries or entries in ("null", "~"):
            continue
        for entry in entries if isinstance(entries, list) else [entries]:
            if not isinstance(entry, str):
                raise DataError(f"{path}: {key} must be a folder, a .txt file, or a list of these.")
            pictures.setdefault(role, {}).update(_listed(path, root, content.get("path"), str(key), entry, problems))
    if not pictures.get("test", True):
        del pictures["test"]
    if not pictures:
        raise DataError(f"{path} names no split: it must say where the pictures are, such as {EXAMPLE}.")
    return YoloFile(names, _apart(pictures, problems), _keypoints(content.get("kpt_shape"), path))


def _describes(path: Path) -> bool:
    """Whether a YAML file has the keys of a data set, by its lines alone."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(1_000_000)
    except OSError:
        return False
    return all(re.search(rf"^({keys})\s*:", text, re.MULTILINE) for keys in ("train|val|test", "names|nc"))


def _names(content: dict[str, Any], path: Path) -> tuple[str, ...]:
    """Class names, of a list or of a mapping from 0 on."""
    said, n = content.get("names"), content.get("nc")
    if said is None and isinstance(n, str) and n.isdecimal() and 0 < int(n) <= 100_000:
        said = [f"class {i}" for i in range(int(n))]
    if isinstance(said, dict):
        if sorted(said) != sorted(map(str, range(len(said)))):
            keys = printable(", ".join(map(str, list(said)[:5])))[:60]
            raise DataError(f"{path}: names must number the classes 0..{max(len(said) - 1, 0)}, got {keys}.")
        said = [said[str(i)] for i in range(len(said))]
    if not isinstance(said, list) or not said or not all(isinstance(name, str) and name.strip() for name in said):
        raise DataError(f"{path} must name the classes, such as names: [cat, dog].")
    names = tuple(printable(name.strip()) for name in said)
    if n is not None and n != str(len(names)):
        raise DataError(
            f"{path} says nc: {printable(str(n))[:20]}, but names {len(names)} classes: correct one of them."
        )
    if len(set(names)) < len(names):
        raise DataError(f"{path} has the class name {next(n for n in names if names.count(n) > 1)!r} twice.")
    return names


def _keypoints(said: Any, path: Path) -> tuple[int, int]:
    if said is None:
        return 0, 0
    try:
        n_points, n_each = (int(value) for value in said)
    except (TypeError, ValueError):
        n_points, n_each = 0, 0
    if not 1 <= n_points <= 1000 or n_each not in (2, 3):
        raise DataError(f"{path}: kpt_shape must be [how many, 2 or 3], got {printable(str(said))[:40]}.")
    return n_points, n_each


def _listed(
    path: Path, root: Root, base: Any, key: str, entry: str, problems: list[Problem]
) -> Iterable[tuple[str, Path]]:
    """Name below the root and path of every picture of one entry."""
    place = _find(root, base, entry)
    if place is None and role_of(key) == "test":  # tools write the line even where they export no such split
        reason = f"{key} is {printable(entry)[:200]}, which is not there or leads out of {root.folder}"
        problems.append(Problem(path.name, "missing", f"{reason}, so there is no {key} split"))
        return []
    if place is None:
        raise DataError(
            f"{path}: {key} is {printable(entry)[:200]}, which is not there or leads out of {root.folder}: paths count "
            "from the folder of the file and stay in it."
        )
    if isdir(place):
        found: list[Problem] = []
        files = image_files(place, Path(root.real), found)
        problems += [problem for problem in found if problem.kind != "not-an-image"]
        return files
    if place.suffix.lower() != ".txt":
        raise DataError(f"{path}: {key} must be a folder or a .txt file of paths, got {printable(entry)[:200]}.")
    return _of_list(place, root, base, problems)


def _of_list(path: Path, root: Root, base: Any, problems: list[Problem]) -> list[tuple[str, Path]]:
    """The pictures that a text file names, a line each."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a list of paths: {printable(str(error))}.") from error
    beside = root.name(path.parent)
    found = []
    for i, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        record, name = f"{root.name(path)} line {i}", line.strip()
        picture = _find(root, base, name, beside)
        if picture is not None:
            found.append((root.name(picture), picture))
        elif root.find(name) is None:
            problems.append(Problem(record, "outside-root", f"{printable(name)[:200]} leads out of {root.folder}"))
        else:
            problems.append(Problem(record, "missing", f"there is no file {printable(name)[:200]}"))
    return found


def _find(root: Root, base: Any, entry: str, beside: str = "") -> Path | None:
    """What an entry names: below `path`, from the file's own folder, or without its leading `../`; if it is there."""
    entry = entry.replace("\\", "/")
    inner = re.sub(r"^(\.{1,2}/)+", "", entry)
    tries = [entry, inner]
    if beside:
        tries.insert(1, f"{beside}/{inner}")
    if isinstance(base, str):
        tries.insert(0, f"{base}/{inner}")
    for text in tries:
        found = root.find(text)
        if found is not None and (isfile(found) or isdir(found)):
            return found
    return None


def _apart(pictures: dict[str, dict[str, Path]], problems: list[Problem]) -> dict[str, dict[str, Path]]:
    """Each picture in one split. Where splits are the same pictures, these are to be divided."""
    parts = list(pictures.values())
    if len(parts) > 1 and all(part.keys() == parts[0].keys() for part in parts):
        return {"": parts[0]}
    taken: dict[str, str] = {}
    found: dict[str, dict[str, Path]] = {}
    for role in ("test", "val", "train"):  # so that what is held out stays so
        found[role] = {}
        for name, path in pictures.get(role, {}).items():
            if (other := taken.setdefault(name, role)) == role:
                found[role][name] = path
            else:
                problems.append(Problem(name, "two-splits", f"it is in {other} and in {role}; it stays in {other}"))
    return {role: found[role] for role in ("train", "val", "test")}
