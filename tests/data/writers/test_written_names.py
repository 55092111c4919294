"""Names of classes and of files, written with boxes and read back."""

from pathlib import Path

import numpy as np
import pytest

from pellucid.data.load import load
from pellucid.data.objects import Objects
from pellucid.data.source import Source
from pellucid.data.writers.export import THINGS
from pellucid.data.writers.things import name_files
from pellucid.data.writers.voc import write_voc


def source_of(things: Objects, classes: tuple[str, ...]) -> Source:
    """A grey picture with these things in it."""
    return Source("given", np.zeros((1, 16, 16), np.uint8), ["0"], classes, objects=[things])


def test_voc_lists_no_more_classes_than_a_list_holds_and_says_so(tmp_path: Path) -> None:
    names = tuple(f"class {k}" for k in range(300))
    said = "No list holds more than 256 classes: those that occur come back, sorted."
    many = source_of(Objects([[0, 0, 2, 2], [3, 3, 5, 5]], np.array([290, 0])), names)
    assert said in write_voc(many, tmp_path / "many")
    assert load(tmp_path / "many").classes == ("class 0", "class 290")
    few = source_of(Objects([[0, 0, 2, 2]], np.array([200])), names[:256])
    assert said not in write_voc(few, tmp_path / "few") and load(tmp_path / "few").classes == names[:256]


@pytest.mark.parametrize("form", ["coco", "voc", "yolo", "csv"])
def test_names_come_back_whatever_letters_they_have(tmp_path: Path, form: str) -> None:
    names = (
        "Größe",
        "\"a\", 'b'",
        "<a> & b",
        "猫",
        "#no comment",
        "- item",
        "yes",
        "null",
        "1",
        "{x: [y]}",
        "c;\td,\ne",
        "\x01f",
    )
    boxes = np.tile(np.array([0, 0, 2, 2]), (len(names), 1)) + np.arange(len(names))[:, None]
    source = source_of(Objects(boxes, np.arange(len(names))), names)
    THINGS[form](source, tmp_path / form, None)
    back = load(tmp_path / form / "boxes.csv" if form == "csv" else tmp_path / form)
    found = back.objects[0]
    assert [back.classes[label] for label in found.labels[np.argsort(found.boxes_xyxy[:, 0])]] == [
        *names[:-2],
        "c; d, e",
        "\ufffdf",
    ]


def test_names_of_files_differ_and_stay_inside() -> None:
    names = ["images/train/a.png", "../a.jpg", "/etc/a.png", "train2017/a.png", "b/a.png", "B/A.png"]
    given = Source("given", [Path(name) for name in names], names, ("x",), objects=[Objects.empty()] * 6)
    assert [one.file for one in name_files(given)] == [
        "a.png",
        "a_2.jpg",
        "etc/a.png",
        "a_3.png",
        "b/a.png",
        "B/A_2.png",
    ]
    flat = [one.stem for one in name_files(given, is_flat=True)]
    assert flat == ["a", "a_2", "etc_a", "a_3", "b_a", "B_A_2"]
