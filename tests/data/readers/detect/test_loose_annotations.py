"""Annotations that lie where no reader looks: what is said, and where following it leads."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from box_folders import box, picture, reason, text, voc, yolo

from pellucid.core.errors import DataError
from pellucid.data.load import load

LINE = "0 0.5 0.5 0.5 0.25"


def said(data: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def beside(root: Path, end: str, content: str) -> Path:
    for name in "ab":
        picture(root / f"{name}.png")
        text(root / f"{name}{end}", content)
    return root


def table(root: Path) -> None:
    picture(root / "images" / "a.png")
    text(root / "things.csv", "path,x1,y1,x2,y2,class\nimages/a.png,1,2,3,4,dog\n")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (table, "has no class folders, but things.csv: give "),
        (lambda root: beside(root, ".xml", "<annotation/>"), "XML files side by side: move the pictures to"),
        (lambda root: beside(root, ".json", "{}"), "holds a JSON file beside each picture, which no reader knows"),
        (lambda root: beside(root, ".txt", LINE), "such as train: ., val: ., names: [cat, dog]."),
        (lambda root: beside(root / "img", ".txt", LINE), "such as train: img, val: img, names: [cat, dog]."),
        (lambda root: picture(root / "JPEGImages" / "a.png"), "Boxes lie in annotations/, or in labels/ with a data.y"),
        (lambda root: picture(root / "a.png"), "for boxes path,x1,y1,x2,y2,class, or COCO's .json."),
    ],
)
def test_a_folder_says_what_it_lacks(tmp_path: Path, make: Callable[[Path], object], expected: str) -> None:
    make(tmp_path)
    assert expected in said(tmp_path)


def test_what_is_said_of_them_can_be_done(tmp_path: Path) -> None:
    table(tmp_path / "table")
    assert load(tmp_path / "table" / "things.csv").classes == ("dog",)
    beside(tmp_path / "yolo", ".txt", LINE)
    text(tmp_path / "yolo" / "data.yaml", "train: .\nval: .\nnames: [cat, dog]\n")
    assert len(load(tmp_path / "yolo").objects or ()) == 2
    made, flat = voc(tmp_path / "made", a=box("dog", 1, 2, 3, 4)), tmp_path / "flat"
    shutil.copytree(made / "JPEGImages", flat)
    shutil.copytree(made / "Annotations", flat, dirs_exist_ok=True)
    assert "side by side" in said(flat)
    for folder, end in (("images", ".jpg"), ("annotations", ".xml")):
        (flat / folder).mkdir()
        (flat / f"a{end}").rename(flat / folder / f"a{end}")
    assert load(flat).classes == ("dog",)


def test_class_folders_may_hold_a_table(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        picture(tmp_path / name / "1.png")
        picture(tmp_path / name / "2.png")
    text(tmp_path / "notes.csv", "a,b\n")
    assert load(tmp_path).kind == "classify"


def test_boxes_said_by_a_size_are_no_labels(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    for header in ("path,x,y,w,h,class", "Path;Left;Top;Width;Height;Class"):
        path = text(tmp_path / "boxes.csv", f"{header}\na.png{',1,2,3,4,dog'.replace(',', header[4])}\n")
        assert "says boxes by a size (" in said(path) and "x2 = x + width" in said(path)


def test_corners_that_are_no_numbers(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    rows = "a.png,1,2,3,4,dog\na.png,1,left,3,4,dog\n"
    source = load(text(tmp_path / "boxes.csv", f"path,x1,y1,x2,y2,class\n{rows}"))
    assert reason(source, "bad-box").endswith("x1, y1, x2 and y2 must be numbers; got 1, left, 3, 4")


def test_yolo_says_what_it_looked_for(tmp_path: Path) -> None:
    yolo(tmp_path, {"train/a": None, "val/b": None})
    assert "Labels are looked for in labels/train/a.txt and so on." in said(tmp_path)
    yolo(tmp_path, {"train/a": LINE.replace("0", "cat", 1), "val/b": LINE})
    assert "got 5 words, not all of them numbers: 'cat 0.5 0.5 0.5 0.25'" in reason(load(tmp_path), "bad-label")
    yolo(tmp_path, {"train/a": LINE, "val/b": LINE}, "names: [cat, dog]\n")
    assert "as YOLO, but data.yaml does not name classes and splits: add what it lacks, such as train:" in said(
        tmp_path
    )


def test_a_test_split_that_was_not_exported(tmp_path: Path) -> None:
    """Roboflow writes its line all the same."""
    lines = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnames: [cat, dog]\n"
    for name in ("train", "valid"):
        picture(tmp_path / name / "images" / "a.png")
        text(tmp_path / name / "labels" / "a.txt", LINE)
    text(tmp_path / "data.yaml", lines)
    source = load(tmp_path)
    assert source.roles.tolist() == ["train", "val"]
    assert "data.yaml: test is ../test/images, which is not there" in reason(source, "missing")
    text(tmp_path / "data.yaml", lines.replace("valid", "gone"))
    assert "val is ../gone/images, which is not there" in said(tmp_path)
