"""Tables: what each column means, and that every wrong row is named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.readers.csv_table import read_csv_table

HEADER = "path,label\n"
GOOD = "a/1.png,cat\na/2.png,cat\nb/3.png,dog\nb/4.png,dog\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a/1.png, a/2.png, b/3.png and b/4.png; they are never opened."""
    folder = tmp_path / "photos"
    for name in ("a/1.png", "a/2.png", "b/3.png", "b/4.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def table(root: Path, text: str | bytes) -> Path:
    path = root / "labels.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refuse(root: Path, text: str | bytes, *words: str) -> None:
    with pytest.raises(DataError) as caught:
        read_csv_table(table(root, text))
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_and_labels(root: Path) -> None:
    source = read_csv_table(table(root, HEADER + GOOD))
    assert source.name == "labels" and source.kind == "classify" and source.classes == ("cat", "dog")
    assert source.names == ["a/1.png", "a/2.png", "b/3.png", "b/4.png"]
    assert [path.samefile(root / name) for path, name in zip(source.images, source.names, strict=True)] == [True] * 4
    assert source.labels is not None and source.labels.tolist() == [0, 0, 1, 1]
    assert source.groups is None and source.problems == []


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffpath,label\n" + GOOD,
        "Path;Label\r\n" + GOOD.replace(",", ";").replace("\n", "\r\n"),
        "filename\tclass\n" + GOOD.replace(",", "\t"),
        "label , IMAGE\n" + "\n\n".join(",".join(line.split(",")[::-1]) for line in GOOD.splitlines()),
        'file,label,note\n"a/1.png",cat,"x, y"\na/2.png,cat,\n./b/3.png,dog,"two\nlines"\nb\\4.png, dog,\n',
    ],
)
def test_the_many_ways_to_write_a_table(root: Path, text: str) -> None:
    source = read_csv_table(table(root, text))
    assert source.names == ["a/1.png", "a/2.png", "b/3.png", "b/4.png"]
    assert source.classes == ("cat", "dog") and np.asarray(source.labels).tolist() == [0, 0, 1, 1]


def test_classes_that_are_numbers_are_in_their_order(root: Path) -> None:
    source = read_csv_table(table(root, HEADER + "a/1.png,10\na/2.png,10\nb/3.png,9\nb/4.png,9\n"))
    assert source.classes == ("9", "10") and np.asarray(source.labels).tolist() == [1, 1, 0, 0]


def test_splits_and_groups(root: Path) -> None:
    rows = ["a/1.png,cat,train,p1", "a/2.png,cat,Valid,p2", "b/3.png,dog,,p1", "b/4.png,dog,TEST,"]
    path = table(root, "path,label,split,group\n" + "\n".join(rows))
    source = read_csv_table(path)
    assert np.asarray(source.roles).tolist() == ["train", "val", "", "test"]
    assert np.asarray(source.groups).tolist() == ["p1", "p2", "p1", "row 5"]
    assert np.asarray(read_csv_table(path, "folder").groups).tolist() == ["a", "a", "b", "b"]
    path = table(root, "path,label,Patient\n" + "\n".join(f"{row[:11]},x{i}" for i, row in enumerate(rows)))
    assert read_csv_table(path).groups is None
    assert np.asarray(read_csv_table(path, "patient").groups).tolist() == ["x0", "x1", "x2", "x3"]
    with pytest.raises(ConfigError, match=r"Unknown column for group 'patent'. Did you mean 'Patient'"):
        read_csv_table(path, "patent")
    path = table(root, "path,label,who\n" + "\n".join(f"{row[:11]}," for row in rows))
    with pytest.raises(DataError, match="the column who, asked for as group, is empty"):
        read_csv_table(path, "who")


def test_missing_files_and_repeated_pictures_are_named_by_row(root: Path) -> None:
    extra = (
        "a/9.png,cat\na/1.png,cat\nb/../b/3.png,dog\na/5.png,cat\na/5.png,dog\na/6.png,dog\n" + "x" * 300 + ".png,dog\n"
    )
    (root / "a/5.png").touch()
    (root / "a/6.png").touch()
    source = read_csv_table(table(root, HEADER + GOOD + extra))
    assert source.names == ["a/1.png", "a/2.png", "b/3.png", "b/4.png", "a/6.png"]  # a/5.png: nobody knows
    assert [(problem.record, problem.kind) for problem in source.problems] == [
        ("labels.csv row 6", "missing"),
        ("labels.csv row 7", "duplicate"),
        ("labels.csv row 8", "duplicate"),
        ("labels.csv row 10", "two-labels"),
        ("labels.csv row 12", "missing"),
    ]
    assert source.problems[0].reason == "there is no file a/9.png"
    assert source.problems[3].reason == "a/5.png is dog here but cat in row 9; it is left out"


def test_no_path_leaves_the_folder_of_the_table(root: Path) -> None:
    secret = root.parent / "secret.png"
    secret.touch()
    for text in (
        "../secret.png",
        str(secret),
        "a/../../secret.png",
        "/etc/passwd",
        "..\\secret.png",
        "..",
        "\\\\srv\\x",
    ):
        refuse(root, HEADER + GOOD + f"{text},cat\n", "row 6", "leads out of", "must stay in its folder")
    (root / "link.png").symlink_to(secret)
    (root / "up").symlink_to(root.parent)
    for text in ("link.png", "up/secret.png"):
        refuse(root, HEADER + GOOD + f"{text},cat\n", f"row 6: {text} leads out of")
    refuse(root, HEADER + GOOD + "a\0b.png,cat\n", "row 6")
    (root.parent / "photos-private").mkdir()
    (root.parent / "photos-private/x.png").touch()
    refuse(root, HEADER + GOOD + "../photos-private/x.png,cat\n", "leads out of")
    refuse(root, HEADER + GOOD + "x" * 5000 + ",cat\n", "row 6", "is no path")
    inside = read_csv_table(table(root, HEADER + GOOD.replace("a/1.png", str(root / "a/1.png"))))
    assert inside.names[0] == "a/1.png"  # an absolute path that stays inside is fine


def test_wrong_tables_are_told_what_and_where(root: Path) -> None:
    refuse(root, "", "has no column path", "an empty file")
    refuse(root, GOOD, "has no column path", "such as path,label", "got a/1.png, cat")
    refuse(root, "path,name\n" + GOOD, "has no column label (or mask)")
    refuse(root, "path,file,label\n", "2 columns for path: path, file")
    refuse(root, HEADER, "has a header but no rows")
    refuse(root, HEADER + GOOD + "a/1.png,\n", "row 6 has an empty label: fill it in or delete the row")
    refuse(root, HEADER + ",cat\n", "row 2 has an empty path")
    refuse(root, HEADER + 'a/1.png,"cat\na/2.png,cat\n', "row 3 has a line break or control sign in its label")
    refuse(root, HEADER + "a/1.png,cat,x\n", "row 2 has 3 cells, but the header has 2: path, label")
    refuse(root, "path,label,split\na/1.png,cat,tran\n", "row 2: tran is no split", "Did you mean train?")
    refuse(
        root, HEADER + "nope.png,cat\n", "none of its 1 rows can be used", "there is no file nope.png", "Paths count"
    )
    refuse(root, (HEADER + GOOD).encode("utf-16"), "is not UTF-8 text: save it as CSV UTF-8")
    refuse(root, "path,label\na/1.png," + "x" * 200_000, "row 2 is no CSV: field larger")
    with pytest.raises(DataError, match=r"labels\.csv cannot be read"):
        (root / "labels.csv").unlink()
        read_csv_table(root / "labels.csv")


def test_a_mask_column_makes_a_segmentation_set(tmp_path: Path) -> None:
    ids = np.array([[0, 1], [1, 255]], np.uint8)
    for i in range(3):
        Image.fromarray(ids * 3).save(tmp_path / f"{i}.png")
        Image.fromarray(ids).save(tmp_path / f"{i}_ids.png")
    (tmp_path / "classes.txt").write_text("sky\nroad\n")
    text = "image,mask,split,group\n" + "".join(
        f"{i}.png,{i}_ids.png,{split},g{i}\n" for i, split in enumerate(("train", "val", ""))
    )
    source = read_csv_table(table(tmp_path, text + "2_ids.png,gone.png,,\n"))
    assert source.kind == "segment" and source.classes == ("sky", "road") and source.labels is None
    assert source.masks is not None and [path.name for path in source.masks if path] == [
        "0_ids.png",
        "1_ids.png",
        "2_ids.png",
    ]
    assert np.asarray(source.roles).tolist() == ["train", "val", ""]
    assert np.asarray(source.groups).tolist() == ["g0", "g1", "g2"]
    assert [(problem.record, problem.reason) for problem in source.problems] == [
        ("labels.csv row 5", "there is no file gone.png")
    ]
    with pytest.raises(DataError, match=r"row 2: \.\./x\.png leads out of"):
        read_csv_table(table(tmp_path, "path,mask\n0.png,../x.png\n"))
