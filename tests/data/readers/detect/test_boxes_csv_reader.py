"""Tables of boxes: one thing a row, and pictures with nothing in them."""

from pathlib import Path

import pytest
from box_folders import boxes, kinds, picture, reason, text

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.load import load

HEADER = "path,x1,y1,x2,y2,class"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "in/c.png"):
        picture(tmp_path / "root" / name)
    return tmp_path / "root"


def table(root: Path, *rows: str, header: str = HEADER) -> Path:
    return text(root / "boxes.csv", "\n".join([header, *rows]) + "\n")


def test_a_row_is_a_thing_and_a_path_alone_a_picture(root: Path) -> None:
    source = load(table(root, "a.png,1,2,3,4.5,dog", "b.png,,,,,", "a.png,0,0,20,16,cat", "in\\c.png,1,2,3,4,dog"))
    assert boxes(source) == {"a.png": [[1, 2, 3, 4.5], [0, 0, 20, 16]], "b.png": [], "in/c.png": [[1, 2, 3, 4]]}
    assert source.classes == ("cat", "dog") and source.objects[0].labels.tolist() == [1, 0]
    assert source.problems == [] and source.kind == "detect"


def test_crowds_splits_groups_and_other_names_of_columns(root: Path) -> None:
    header = "Filename;xmin;ymin;xmax;ymax;label;iscrowd;split;patient"
    path = table(root, "a.png;1;2;3;4;7;1;train;p1", "b.png;1;2;3;4;10;0;val;p2", "in/c.png;;;;;;;;p2", header=header)
    source = load(path, group="patient")
    assert source.classes == ("7", "10")  # as numbers
    assert source.roles.tolist() == ["train", "val", ""] and source.groups.tolist() == ["p1", "p2", "p2"]
    assert [one.is_crowd.tolist() for one in source.objects] == [[True], [False], []]
    assert load(path, group="folder").groups.tolist() == ["", "", "in"]
    with pytest.raises(ConfigError, match="Unknown column for group 'doctor'"):
        load(path, group="doctor")


def test_broken_rows_are_named_and_the_others_kept(root: Path, tmp_path: Path) -> None:
    picture(tmp_path / "secret.png")
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    text(root / "text.png", "no picture")
    rows = [
        "a.png,1,2,3,4,dog",
        "a.png,3,2,1,4,dog",
        "a.png,nan,2,3,4,dog",
        "a.png,x,2,3,4,dog",
        "a.png,1,2,3,4,",
        "a.png,1,2,,4,dog",
        "gone.png,1,2,3,4,dog",
        "../secret.png,1,2,3,4,dog",
        "link.png,1,2,3,4,dog",
        "text.png,1,2,3,4,dog",
    ]
    source = load(table(root, *rows))
    assert kinds(source) == {
        "boxes.csv row 3": "bad-box",
        "boxes.csv row 4": "bad-box",
        "boxes.csv row 5": "bad-box",
        "boxes.csv row 6": "missing-field",
        "boxes.csv row 7": "missing-field",
        "boxes.csv row 8": "missing",
        "boxes.csv row 9": "outside-root",
        "boxes.csv row 10": "outside-root",
        "text.png": "not-an-image",
    }
    assert boxes(source) == {"a.png": [[1, 2, 3, 4]]}
    assert "x1 must be below x2, and y1 below y2; got 3, 2, 1, 4" in reason(source, "bad-box")


def test_a_picture_is_in_one_split(root: Path) -> None:
    path = table(root, "a.png,1,2,3,4,dog,train", "a.png,1,2,3,4,dog,val", header=f"{HEADER},split")
    source = load(path)
    assert source.roles.tolist() == ["train"] and kinds(source) == {"boxes.csv row 3": "two-splits"}
    assert len(source.objects[0]) == 2


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        (HEADER, "a.png,1,2,3,4", "boxes.csv row 2 has 5 cells, but the header has 6"),
        (HEADER, ",1,2,3,4,dog", "boxes.csv row 2 has an empty path"),
        ("path,x1,y1,x2,class", "a.png,1,2,3,dog", "has no column y2: its first line must be path,x1,y1,x2,y2,class"),
        (f"{HEADER},split", "a.png,1,2,3,4,dog,trian", "boxes.csv row 2: trian is no split"),
        (HEADER, "a.png,,,,,", "nothing is in any of the 1 pictures"),
        (
            HEADER,
            "gone.png,1,2,3,4,dog",
            "no picture can be used. The first of 1 problems: boxes.csv row 2: gone.png is",
        ),
        (HEADER, 'a.png,1,2,3,4,"dog', None),
    ],
)
def test_tables_that_cannot_be_used(root: Path, header: str, row: str, said: str | None) -> None:
    path = table(root, row, header=header)
    if said is None:
        assert load(path).classes == ("dog",)
        return
    with pytest.raises(DataError) as caught:
        load(path)
    assert said in str(caught.value) and "\n" not in str(caught.value)
