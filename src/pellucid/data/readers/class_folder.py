"""Folders whose names are the classes: `root/cat/1.jpg`, or `root/train/cat/1.jpg` beside `root/val/...`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError
from pellucid.data.image_file import printable
from pellucid.data.readers.checks import nearest_split, role_of, unknown_split
from pellucid.data.readers.listing import Level, below, image_files, look, parent_groups, require_folder
from pellucid.data.source import Card, Problem, Source

OF_PICTURES = ("images", "jpegimages", "img", "imgs")  # names of folders that are no class, in lower case


@dataclass(frozen=True)
class Record:
    """One listed picture."""

    name: str
    path: Path
    role: str
    label: str


def read_class_folder(root: Path, group: str = "") -> Source:
    """List a folder of class folders, with or without splits. Nothing is opened.

    The classes are the sorted union of the class folders of all splits; deeper folders belong to their class.

    Args:
        root: the folder. Splits are folders train, val (valid, validation) and test, as far as they hold folders
            themselves; with none of them, every folder is a class.
        group: "folder" makes a group of each deepest folder; "" makes none.

    Raises:
        DataError: the folder is missing, empty or wrongly arranged.
        ConfigError: another `group`.
    """
    top = look(require_folder(root))
    splits = _find_splits(root, top)
    problems: list[Problem] = []
    records: list[Record] = []
    for role, folder in splits or [("", root)]:
        part = _read_classes(root, folder, role, problems)
        if role and not part:
            problems.append(Problem(folder.name, "empty-split", "a split without any picture in class folders"))
        records += part
    if not records:
        raise DataError(_nothing_found(root, top, bool(splits), problems))
    classes = tuple(sorted({record.label for record in records}))
    number = {name: i for i, name in enumerate(classes)}
    labels = np.array([number[record.label] for record in records], dtype=np.int64)
    roles = np.array([record.role for record in records], dtype="<U5")
    problems += _untrained(classes, labels, roles)
    return Source(
        name=root.resolve().name or str(root),
        images=[record.path for record in records],
        names=[record.name for record in records],
        classes=classes,
        labels=labels,
        roles=roles,
        groups=_groups(records, group, root),
        problems=problems,
        card=Card(title=root.resolve().name, origin=str(root)),
    )


def _find_splits(root: Path, top: Level) -> list[tuple[str, Path]]:
    """Role and folder of each split; none if the folders of `root` are the classes themselves.

    A class may be called `train` too, so a split must hold folders, or be beside one that does.
    """
    inside = {name: look(root / name) for name in top.folders}
    named = {name: role for name in top.folders if (role := role_of(name)) is not None}
    if not any(inside[name].folders for name in named) and len(named) < max(1, len(inside)):
        nested = bool(inside) and all(level.folders and not level.images for level in inside.values())
        if nested and all(nearest_split(name) for name in inside):
            raise DataError(f"{root}: {unknown_split(top.folders[0])}")
        return []
    for name in top.folders:
        if name not in named and image_files(root / name, root, []):
            raise DataError(f"{root} has splits, but the folder {unknown_split(name)}")
    found: dict[str, str] = {}
    for name, role in named.items():
        if role in found:
            raise DataError(f"{root}: {found[role]} and {name} both name the {role} split: keep one of them.")
        found[role] = name
    return [(role, root / found[role]) for role in ("train", "val", "test") if role in found]


def _read_classes(root: Path, folder: Path, role: str, problems: list[Problem]) -> list[Record]:
    """The pictures of every class folder in `folder`."""
    level = look(folder)
    records = []
    for label in level.folders:
        files = image_files(folder / label, root, problems)
        if not files:
            problems.append(Problem(below(folder / label, root), "empty-class", "a class folder without pictures"))
        records += [Record(name, path, role, printable(label)) for name, path in files]
    for image in level.images:
        problems.append(Problem(below(folder / image, root), "no-class", "lies in no class folder"))
    return records


def _untrained(classes: tuple[str, ...], labels: np.ndarray, roles: np.ndarray) -> list[Problem]:
    """Classes that a set with a train split never shows in it."""
    trained = set(labels[(roles == "train") | (roles == "")].tolist())
    if not trained:
        return []
    reason = "its pictures lie in val or test only, so no model can learn it"
    return [Problem(name, "untrained-class", reason) for i, name in enumerate(classes) if i not in trained]


def _groups(records: list[Record], group: str, root: Path) -> np.ndarray | None:
    groups = parent_groups((record.name for record in records), group)
    if groups is not None and not any(record.role for record in records):
        homes = {(record.label, home) for record, home in zip(records, groups.tolist(), strict=True)}
        if len(homes) == len({label for label, _ in homes}):
            raise DataError(
                f"{root}: group=folder would put each class as a whole on one side of the split: "
                "make folders inside the class folders, one for each group."
            )
    return groups


def _nothing_found(root: Path, top: Level, has_splits: bool, problems: list[Problem]) -> str:
    title = root.resolve().name
    tables = sorted(path.name for path in root.glob("*.csv"))
    if tables:
        return f"{root} has no class folders, but a table: give {root / tables[0]} instead."
    if top.images and not has_splits:
        return (
            f"{root} holds {len(top.images)} pictures but no class folders: put the pictures of each class into a "
            f"folder of its own ({title}/cat/1.jpg, {title}/dog/2.jpg), or write a CSV with path,label; for boxes "
            "path,x1,y1,x2,y2,class, or COCO's .json."
        )
    where = "in the class folders of its splits" if has_splits else "in class folders"
    links = [problem for problem in problems if problem.kind == "outside-root"]
    why = f" {links[0].record} is {links[0].reason}." if links else ""
    return f"{root} has no pictures {where}.{why} Arrange them as {title}/CLASS/picture.jpg."


def refuse_loose(root: Path) -> None:
    """Raise for a folder without class folders, but with a table, a file of COCO, or XML or text beside its pictures.

    Raises:
        DataError: it says what to give, or where to put what lies there.
    """
    level = look(root)
    if any(name.lower() not in OF_PICTURES for name in level.folders):
        return
    inside = sorted(path for path in root.iterdir() if path.is_file() and not path.name.startswith("."))
    pictures = {Path(name).stem for name in level.images}
    for end in (".csv", ".tsv", ".json"):
        files = [path.name for path in inside if path.suffix.lower() == end and path.stem not in pictures]
        if files:
            raise DataError(f"{root} has no class folders, but {printable(files[0])}: give {root / files[0]} itself.")
    for folder in (root, *(root / name for name in level.folders)):
        stems = {Path(name).stem for name in look(folder).images}
        ends = {path.suffix.lower() for path in folder.iterdir() if path.stem in stems}
        if ".xml" in ends:
            raise DataError(
                f"{folder} holds pictures and XML files side by side: move the pictures to {root / 'images'}, and the "
                f"XML files to {root / 'annotations'}, as Pascal VOC has it."
            )
        if ".json" in ends:
            raise DataError(
                f"{folder} holds a JSON file beside each picture, which no reader knows: let the tool that made them "
                "export COCO, Pascal VOC or YOLO."
            )
        if ".txt" in ends:
            where = folder.name if folder != root else "."
            raise DataError(
                f"{folder} holds pictures and text files side by side, as YOLO may: write {root / 'data.yaml'}, such "
                f"as train: {where}, val: {where}, names: [cat, dog]."
            )
