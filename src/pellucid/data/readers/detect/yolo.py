"""YOLO's text labels: `images/train/1.jpg` with `labels/train/1.txt`, and a `data.yaml` that names classes and splits.

The form is described at https://docs.ultralytics.com/datasets/detect/. A line is a thing: the number of its class, then
the middle, width and height of its box, or the corners of its outline, all as shares of the picture's sides.
"""

from pathlib import Path

from pellucid.core.errors import DataError, ImageError
from pellucid.data.image_file import printable
from pellucid.data.readers.detect.finish import detection_source
from pellucid.data.readers.detect.pictures import Pictures, read_sizes
from pellucid.data.readers.detect.things import Things, fill_by_centres
from pellucid.data.readers.detect.yolo_files import YoloFile, label_name, read_yolo_file, yolo_yaml
from pellucid.data.readers.detect.yolo_labels import BrokenLine, parse_line
from pellucid.data.readers.listing import Root
from pellucid.data.source import Problem, Source

MAX_BYTES = 64_000_000  # of the labels of one picture


def read_yolo(path: Path, group: str = "") -> Source:
    """Pictures with the boxes, outlines or keypoints that text files beside them say.

    A picture without a label file, or with an empty one, has nothing in it. Labels lie where the picture does, with the
    last `images` of its path as `labels`, or beside it. What is broken is left out, and named in `problems`.

    Args:
        path: a YAML file (see `yolo_files`), or the folder it lies in.
        group: "folder" makes a group of each folder of pictures; "" makes none.

    Raises:
        DataError: the YAML file cannot be used, a split is not there, or nothing usable is left.
        ConfigError: another `group`.
    """
    file = yolo_yaml(path) if path.is_dir() else path
    if file is None or not file.is_file():
        raise DataError(f"{path} has no data.yaml: give the YAML file that names classes and splits.")
    problems: list[Problem] = []
    root = Root(file.parent)
    said = read_yolo_file(file, root, problems)
    pictures, things = Pictures(), Things(fill_by_centres)
    for role, found in said.pictures.items():
        for (name, picture), size in zip(found.items(), read_sizes(list(found.values())), strict=True):
            if isinstance(size, ImageError):
                problems.append(Problem(name, size.kind, str(size)))
                continue
            lines = _lines(name, root, problems)
            if lines is not None:
                row = pictures.add(name, picture, size, role)
                _read_things(*lines, row, said, size, things, problems)
    hint = (
        f" Labels are looked for in {label_name(pictures.names[0].rpartition('.')[0])} and so on." if pictures else ""
    )
    return detection_source(path, root, pictures, things, said.names, group, problems, hint=hint)


def _lines(name: str, root: Root, problems: list[Problem]) -> tuple[str, list[str]] | None:
    """Name and lines of a picture's label file; no lines where there is no file; None where it must not be used."""
    stem = name.rpartition(".")[0]
    places = list(dict.fromkeys((label_name(stem), f"{stem}.txt")))
    for label in places:
        path = root.find(label)
        if path is None:
            reason = f"its label {label} is a link that leads out of {root.folder}"
            problems.append(Problem(name, "outside-root", reason))
            return None
        try:
            with open(path, "rb") as file:
                content = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            problems.append(Problem(name, "unreadable", f"its label {label} cannot be read: {error.strerror}"))
            return None
        try:
            if len(content) > MAX_BYTES:
                raise ValueError(f"it has more than {MAX_BYTES:,} bytes")
            return label, content.decode("utf-8-sig").splitlines()
        except ValueError as error:
            problems.append(Problem(name, "unreadable", f"its label {label} is no text: {printable(str(error))}"))
            return None
    return places[0], []


def _read_things(
    label: str,
    lines: list[str],
    row: int,
    said: YoloFile,
    size: tuple[int, int],
    things: Things,
    problems: list[Problem],
) -> None:
    """Add the things of one picture."""
    seen: dict[str, int] = {}
    for i, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        if seen.setdefault(text, i) != i:
            problems.append(Problem(f"{label} line {i}", "duplicate", f"it says the same as line {seen[text]}"))
            continue
        try:
            line = parse_line(text, len(said.names), size, said.keypoints)
        except BrokenLine as error:
            problems.append(Problem(f"{label} line {i}", error.kind, str(error)))
            continue
        outline = None if line.outline is None else [line.outline]
        things.add(row, line.box_xyxy, line.label, outline=outline, keypoints=line.keypoints)
