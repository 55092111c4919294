"""YOLO's text labels and its data.yaml: what is said, what is left out, and everything that can be wrong with them."""

from pathlib import Path

import numpy as np
import pytest
from box_folders import boxes, kinds, picture, reason, text, yolo

from pellucid.core.errors import DataError
from pellucid.data.load import load

BOX = "0 0.5 0.5 0.5 0.25\n"  # of a picture 20 wide and 16 high: 5..15, 6..10


def test_a_box_is_its_middle_and_size_in_shares_of_the_sides(tmp_path: Path) -> None:
    path = yolo(tmp_path, {"train/a": BOX + "1 0.5 0.5 1 1\n", "train/b": None, "val/c": ""})
    for data in (tmp_path, path, f"yolo:{path}", f"yolo:{tmp_path}"):
        source = load(data)
        assert boxes(source) == {
            "images/train/a.png": [[5, 6, 15, 10], [0, 0, 20, 16]],
            "images/train/b.png": [],  # no file: nothing is there
            "images/val/c.png": [],
        }
        assert source.roles.tolist() == ["train", "train", "val"] and source.classes == ("cat", "dog")
        assert source.objects[0].labels.tolist() == [0, 1] and source.problems == [] and source.kind == "detect"
    assert load(f"yolo:{path}").spec == f"yolo:{path}"


def test_polygons_are_filled_and_their_boxes_are_around_them(tmp_path: Path) -> None:
    yolo(tmp_path, {"train/a": "1 0.25 0.25 0.5 0.25 0.5 0.75 0.25 0.75\n", "val/b": None})
    found, nothing = load(tmp_path).objects
    expected = np.zeros((16, 20), dtype=bool)
    expected[4:12, 5:10] = True
    assert found.boxes_xyxy.tolist() == [[5, 4, 10, 12]] and found.area.tolist() == [40]
    assert np.array_equal(found.dense()[0], expected) and nothing.masks == ()
    yolo(tmp_path, {"val/b": BOX})
    source = load(tmp_path)
    assert source.objects[0].masks is None and "1 of 2 things have no outline" in reason(source, "mixed-outlines")


def test_keypoints(tmp_path: Path) -> None:
    head = "train: images/train\nnames: [cat]\n"
    yolo(tmp_path, {"train/a": "0 .5 .5 .5 .25 .1 .5 2 0 0 0\n"}, f"{head}kpt_shape: [2, 3]\n")
    assert load(tmp_path).objects[0].keypoints.tolist() == [[[2, 8, 2], [0, 0, 0]]]
    yolo(tmp_path, {"train/a": "0 .5 .5 .5 .25 .1 .5 0 0\n" + BOX}, f"{head}kpt_shape: [2, 2]\n")
    source = load(tmp_path)
    assert source.objects[0].keypoints.tolist() == [[[2, 8, 2], [0, 0, 0]]]
    assert "it must be class cx cy w h and 2 keypoints of 2" in reason(source, "bad-label")
    yolo(tmp_path, {"train/a": "0 .5 .5 .5 .25 .1 .5 7\n" + "0 .5 .5 .5 .25 .1 .5 1\n"}, f"{head}kpt_shape: [1, 3]\n")
    assert kinds(load(tmp_path)) == {"labels/train/a.txt line 1": "bad-keypoints"}
    for shape in ("3", "[0, 3]", "[1, 4]", "[a, b]"):
        yolo(tmp_path, {}, f"{head}kpt_shape: {shape}\n")
        with pytest.raises(DataError, match=r"kpt_shape must be \[how many, 2 or 3\]"):
            load(tmp_path)


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        ("names: [no, 'yes', 3]", ("no", "yes", "3")),  # text, whatever YAML makes of it
        ("names:\n  1: dog\n  0: cat", ("cat", "dog")),
        ("nc: 2", ("class 0", "class 1")),
        ('nc: 1\nnames: ["a: b"]', ("a: b",)),
    ],
)
def test_names_of_classes(tmp_path: Path, names: str, classes: tuple[str, ...]) -> None:
    yolo(tmp_path, {"train/a": BOX}, f"train: images/train\n{names}\n")
    assert load(tmp_path).classes == classes


@pytest.mark.parametrize(
    "entries",
    [
        "train: images/train\nvalid: images/val",
        "path: .\ntrain: images/train\nval: images/val\ntest:",
        "path: /somebody/else/has/it\ntrain: images/train\nval: images/val",
        "train: ../images/train\nval: ../images/val",
        "train: [images/train]\nval:\n- images/val",
        "path: images\ntrain: train\nval: val",
        "train: lists/train.txt\nval: lists/val.txt",
    ],
)
def test_splits_are_folders_lists_of_folders_or_files_of_paths(tmp_path: Path, entries: str) -> None:
    path = yolo(tmp_path, {"train/a": BOX, "train/b": None, "val/c": None}, f"{entries}\nnames: [cat]\n")
    text(tmp_path / "lists" / "train.txt", "images/train/a.png\n./images/train/b.png\n\n")
    text(tmp_path / "lists" / "val.txt", "../images/val/c.png\n")
    source = load(path)
    assert source.names == ["images/train/a.png", "images/train/b.png", "images/val/c.png"]
    assert source.roles.tolist() == ["train", "train", "val"] and source.problems == []


def test_one_folder_for_all_splits_is_to_be_divided(tmp_path: Path) -> None:
    head = "names: [cat]\n"
    yolo(tmp_path, {"train/a": BOX, "val/c": None}, f"train: images\nval: images\n{head}")
    assert load(tmp_path).roles.tolist() == ["", ""] and load(tmp_path).problems == []
    yolo(tmp_path, {}, f"train: images\nval: images/val\n{head}")
    source = load(tmp_path)
    assert dict(zip(source.names, source.roles.tolist(), strict=True)) == {
        "images/train/a.png": "train",
        "images/val/c.png": "val",
    }
    assert kinds(source) == {"images/val/c.png": "two-splits"}


def test_labels_beside_pictures_and_deeper_folders(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "images" / "x" / "images" / "y" / "a.png")
    text(tmp_path / "set" / "images" / "x" / "labels" / "y" / "a.txt", BOX)
    picture(tmp_path / "set" / "flat" / "b.png")
    text(tmp_path / "set" / "flat" / "b.txt", BOX)
    text(tmp_path / "set" / "my.yaml", "train: [images, flat]\nnames: [cat]\n")
    assert [len(one) for one in load(tmp_path / "set").objects] == [1, 1]


def test_broken_lines_are_named_and_the_others_kept(tmp_path: Path) -> None:
    lines = [
        "0 0.5 0.5 0.5 0.25",
        "0 0.5 0.5 0.5",
        "cat 0.5 0.5 0.5 0.25",
        "0 0.5 0.5 0.5 0.25 0.9",  # a score: results are no labels
        "2 0.5 0.5 0.5 0.25",
        "-1 0.5 0.5 0.5 0.25",
        "0.5 0.5 0.5 0.5 0.25",
        "0 0.5 0.5 0 0.25",
        "0 0.5 0.5 -0.5 0.25",
        "0 nan 0.5 0.5 0.25",
        "0 320 240 50 60",
        "0 0.5 0.5 0.5 0.25",
        "0 0.1 0.1 0.2 0.1 0.3 0.1",
        "",
        "nan 0.5 0.5 0.5 0.25",
        "1.0 0.5 0.5 1 1",
    ]
    yolo(tmp_path, {"train/a": "\n".join(lines), "val/b": None})
    source = load(tmp_path)
    words = ["bad-label"] * 3 + ["unknown-class"] * 3 + ["bad-box"] * 4 + ["duplicate", "bad-outline"]
    found = {f"labels/train/a.txt line {i}": word for i, word in enumerate(words, start=2)}
    assert kinds(source) == found | {"labels/train/a.txt line 15": "unknown-class"}
    assert boxes(source)["images/train/a.png"] == [[5, 6, 15, 10], [0, 0, 20, 16]]
    told = {problem.record.split()[-1]: problem.reason for problem in source.problems}
    assert told["11"] == "its numbers must be shares of the picture's side from 0 to 1, got 320"
    assert told["5"] == "its class is 2, but there are 0..1"
    assert told["4"] == (
        "it must be class cx cy w h, or a polygon, got 6 words, the last one perhaps a score, which predictions have "
        "and labels have not: '0 0.5 0.5 0.5 0.25 0.9'"
    )


def test_pictures_and_labels_that_cannot_be_read(tmp_path: Path) -> None:
    yolo(tmp_path, {"train/a": BOX, "train/b": BOX, "train/c": BOX, "val/d": None})
    text(tmp_path / "images" / "train" / "b.png", "no picture")
    text(tmp_path / "labels" / "train" / "c.txt", b"\xff\xfe\x00")
    source = load(tmp_path)
    assert kinds(source) == {"images/train/b.png": "not-an-image", "images/train/c.png": "unreadable"}
    assert "its label labels/train/c.txt is no text" in reason(source, "unreadable")


def test_paths_never_leave_the_root(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret"
    picture(secret / "x.png")
    text(secret / "b.txt", BOX)
    yolo(root, {"train/a": BOX, "train/b": None, "val/c": None})
    (root / "labels" / "train" / "b.txt").symlink_to(secret / "b.txt")
    (root / "images" / "train" / "x.png").symlink_to(secret / "x.png")
    source = load(root)
    assert kinds(source) == {"images/train/b.png": "outside-root", "images/train/x.png": "outside-root"}
    assert source.names == ["images/train/a.png", "images/val/c.png"]
    for entry in ("../secret", str(secret), "link"):
        (root / "link").symlink_to(secret) if not (root / "link").exists() else None
        text(root / "data.yaml", f"train: {entry}\nnames: [cat]\n")
        with pytest.raises(DataError, match="which is not there or leads out of"):
            load(root)
    text(root / "data.yaml", "train: list.txt\nnames: [cat]\n")
    text(root / "list.txt", f"images/train/a.png\n../secret/x.png\n{secret}/x.png\nimages/gone.png\na\0b.png\n")
    assert kinds(load(root)) == {
        "list.txt line 2": "outside-root",
        "list.txt line 3": "outside-root",
        "list.txt line 4": "missing",
        "list.txt line 5": "outside-root",
    }


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(f'*{before}' for _ in range(9))}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=False)
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{BOMB}names: *i\ntrain: images\n", "has aliases"),
        ("names: " + "[" * 5000 + "\ntrain: images\n", "is nested more than 16 deep"),
        ("names: " + "[" * 20 + "]" * 20 + "\ntrain: images\n", "is nested more than 16 deep"),
        ("train: images\nnames: [a\n", "is no YAML"),
        ("train: images\nnames: [a]\nnames: [b]\n", "has the key 'names' twice"),
        ("train: images\nnames: {0: a, 0: b}\n", "has the key '0' twice"),
        ("train: images\nnames: {0: a, 2: b}\n", "names must number the classes 0..1, got 0, 2"),
        ("train: images\nnames: [a, a]\n", "has the class name 'a' twice"),
        ("train: images\nnames: [[a]]\n", "must name the classes"),
        ("train: images\nnames: []\n", "must name the classes"),
        ("train: images\n", "must name the classes"),
        ("train: images\nnames: [a]\nnc: 3\n", "says nc: 3, but names 1 classes"),
        ("names: [a]\n", "names no split"),
        ("names: [a]\ntrain: {a: b}\n", "train must be a folder"),
        ("names: [a]\ntrain: images/train/a.png\n", "must be a folder or a .txt file"),
        ("- names\n", "must be a mapping"),
        ("", "must be a mapping"),
        (b"\xff\xfe\x00\x00", "is no YAML"),
        ("#" + "x" * 1_000_001, "has more than 1,000,000 bytes"),
    ],
)
def test_yaml_that_is_no_description_or_an_attack(tmp_path: Path, content: str | bytes, said: str) -> None:
    path = yolo(tmp_path, {"train/a": BOX, "val/b": None})
    text(path, content)
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(path) in str(caught.value) and said in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_tags_make_nothing(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    tag = f"!!python/object/apply:os.mkdir ['{ran}']"
    path = yolo(tmp_path, {"train/a": BOX}, f"train: images\nnames: [cat]\nother: {tag}\ndownload: import os\n")
    assert len(load(path)) == 1 and not ran.exists()


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    path = yolo(tmp_path, {"train/a": None, "val/b": None})
    with pytest.raises(DataError, match="nothing is in any of the 2 pictures"):
        load(path)
    path.unlink()
    (tmp_path / "labels").mkdir()
    with pytest.raises(
        DataError, match=r"has images/ and labels/ as YOLO, but no data\.yaml: write one there, such as"
    ):
        load(tmp_path)
    with pytest.raises(DataError, match=r"has no data\.yaml"):
        load(f"yolo:{tmp_path}")
    with pytest.raises(DataError, match=r"has no data\.yaml"):
        load(f"yolo:{tmp_path}/gone.yaml")
