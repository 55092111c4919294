"""Small data sets with boxes, written by hand for the tests of readers."""

import json
from pathlib import Path
from typing import Any

from PIL import Image

from pellucid.data.source import Source


def picture(path: Path, width: int = 20, height: int = 16) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (40, 90, 160)).save(path)


def text(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def coco(root: Path, name: str = "instances.json", folder: str = "images", **content: Any) -> Path:
    """Two pictures of 16x20 (height x width), a.png (id 7) and b.png (id 30), categories 9 = dog and 4 = cat."""
    images = [{"id": 7, "file_name": "a.png", "height": 16, "width": 20}, {"id": 30, "file_name": "b.png"}]
    categories = [{"id": 9, "name": "dog"}, {"id": 4, "name": "cat"}]
    made = {"images": images, "categories": categories, "annotations": [thing()], **content}
    for one in ("a.png", "b.png"):
        picture(root / folder / one)
    return text(root / "annotations" / name, json.dumps(made))


def thing(**changed: Any) -> dict[str, Any]:
    """An annotation; fields that are None are left out."""
    one = {"id": 1, "image_id": 7, "category_id": 9, "bbox": [1, 2, 3, 4.5], **changed}
    return {key: value for key, value in one.items() if value is not None}


def voc(root: Path, **objects: str) -> Path:
    """`JPEGImages/NAME.jpg` with `Annotations/NAME.xml`, whose objects are given."""
    for name, content in objects.items():
        picture(root / "JPEGImages" / f"{name}.jpg")
        size = "<size><width>20</width><height>16</height><depth>3</depth></size>"
        text(root / "Annotations" / f"{name}.xml", f"<annotation>{size}{content}</annotation>")
    return root


def box(name: str, *sides: object, more: str = "") -> str:
    corners = "".join(
        f"<{side}>{value}</{side}>" for side, value in zip(("xmin", "ymin", "xmax", "ymax"), sides, strict=False)
    )
    return f"<object><name>{name}</name>{more}<bndbox>{corners}</bndbox></object>"


def yolo(root: Path, labels: dict[str, str | None], yaml: str = "") -> Path:
    """Pictures by path below `images/` and what their label file holds; None: there is none."""
    for name, content in labels.items():
        picture(root / "images" / f"{name}.png")
        if content is not None:
            text(root / "labels" / f"{name}.txt", content)
    return text(root / "data.yaml", yaml or "train: images/train\nval: images/val\nnames: [cat, dog]\n")


def kinds(source: Source) -> dict[str, str]:
    """What was left out, and the word for why."""
    return {problem.record: problem.kind for problem in source.problems}


def reason(source: Source, kind: str) -> str:
    """Why the first of this kind was left out."""
    return next(f"{problem.record}: {problem.reason}" for problem in source.problems if problem.kind == kind)


def boxes(source: Source) -> dict[str, list[list[float]]]:
    """Boxes of each picture, by the name of the picture."""
    assert source.objects is not None
    return {name: source.objects[row].boxes_xyxy.tolist() for row, name in enumerate(source.names)}
