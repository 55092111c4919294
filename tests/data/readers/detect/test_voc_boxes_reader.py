"""Pascal VOC's boxes: where its pixels lie, who is difficult, which lists count; and everything that can be wrong."""

from pathlib import Path

import numpy as np
import pytest
from box_folders import box, boxes, kinds, picture, reason, text, voc
from PIL import Image

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.load import load
from pellucid.data.readers.voc import CLASSES


def listed(year: Path, **lists: str) -> None:
    for name, stems in lists.items():
        text(year / "ImageSets" / "Main" / f"{name}.txt", "".join(f"{stem}\n" for stem in stems.split()))


def test_pixels_count_from_one_and_the_last_belongs_to_the_box(tmp_path: Path) -> None:
    """The first column alone is xmin 1, xmax 1; the whole picture of 20x16 ends at 20 and 16."""
    voc(tmp_path, a=box("dog", 1, 1, 20, 16) + box("cat", 1, 3, 1, 3) + box("cat", "2.5", 3, "4.25", 8), b="")
    source = load(tmp_path)
    assert boxes(source) == {
        "JPEGImages/a.jpg": [[0, 0, 20, 16], [0, 2, 1, 3], [1.5, 2, 4.25, 8]],
        "JPEGImages/b.jpg": [],
    }
    assert source.classes == ("cat", "dog") and source.objects[0].labels.tolist() == [1, 0, 0]
    assert source.kind == "detect" and source.problems == []


def test_difficult_things_do_not_count_and_parts_are_no_things(tmp_path: Path) -> None:
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"
    voc(tmp_path, a=box("dog", 1, 1, 5, 5, more=f"<difficult>1</difficult>{part}") + box("dog", 2, 2, 5, 5, more=part))
    (found,) = load(tmp_path).objects
    assert found.is_crowd.tolist() == [True, False] and len(found) == 2


def test_lists_say_who_is_who(tmp_path: Path) -> None:
    year = voc(tmp_path / "VOCdevkit" / "VOC2007", **{f"00{i}": box("dog", 1, 1, 2, 2) for i in range(5)})
    listed(year, train="000 001", val="002", test="003", trainval="000 001 002", dog_train="000  1\n001 -1")
    for root in (year, year.parent, year.parent.parent):
        source = load(root)
        assert source.roles.tolist() == ["train", "train", "val", "test"] and source.problems == []  # 004 is in none
    assert source.classes == CLASSES[1:] and len(source.classes) == 20  # no others, and the folder is VOC's
    listed(year, test="003 gone ../../../../etc/passwd")
    assert kinds(load(year)) == {
        "Annotations/gone.xml": "missing",
        "Annotations/../../../../etc/passwd.xml": "missing",
    }
    with pytest.raises(ConfigError, match="Pascal VOC, which has no groups"):
        load(year, group="folder")
    listed(year, val="000")
    with pytest.raises(DataError, match=r"val\.txt names 000, which train\.txt has too"):
        load(year)


def test_classes_are_those_of_the_list_in_the_folder(tmp_path: Path) -> None:
    voc(tmp_path, a=box("dog", 1, 1, 2, 2) + box("horse", 1, 1, 2, 2))
    text(tmp_path / "classes.txt", "background\nzebra\ndog\n")
    source = load(tmp_path)
    assert source.classes == ("zebra", "dog") and source.objects[0].labels.tolist() == [1]
    assert kinds(source) == {"Annotations/a.xml object 2": "unknown-class"}
    assert "'horse' is not named in classes.txt" in reason(source, "unknown-class")


def test_boxes_or_masks_of_one_folder_by_the_task(tmp_path: Path) -> None:
    year = voc(tmp_path / "VOC2012", a=box("dog", 1, 1, 5, 5), b=box("cat", 1, 1, 5, 5))
    (year / "SegmentationClass").mkdir()
    mask = np.zeros((16, 20), dtype=np.uint8)
    mask[2:5] = 12
    Image.fromarray(mask).save(year / "SegmentationClass" / "a.png")
    assert load(year).kind == "segment" and load(year, task="segment").kind == "segment"
    for source in (load(year, task="detect"), load(f"voc:{year}")):
        assert source.kind == "detect" and len(source) == 2 and source.spec == f"voc:{year}"
    assert load(load(year, task="detect").spec).names == source.names


def test_broken_things_are_named_and_the_others_kept(tmp_path: Path) -> None:
    objects = [
        box("dog", 2, 2, 5, 5),
        box("dog", "nan", 2, 5, 5),
        box("dog", 6, 2, 5, 5),
        box("dog", 2, 9, 5, 8),
        box("dog", "two", 2, 5, 5),
        box("dog", "-1e30", 2, 5, 5),
        box("", 2, 2, 5, 5),
        box("dog", 2, 2, 5),
        "<object/>",
        box("dog", 6, 2, 6, 2),
    ]
    source = load(voc(tmp_path, a="".join(objects)))
    broken = {f"Annotations/a.xml object {i}": "bad-box" for i in range(2, 7)}
    assert kinds(source) == broken | {f"Annotations/a.xml object {i}": "missing-field" for i in range(7, 10)}
    assert boxes(source)["JPEGImages/a.jpg"] == [[1, 1, 5, 5], [5, 1, 6, 2]]
    assert reason(source, "missing-field").endswith("object 7: it has no name")
    assert "xmin must be at most xmax, and ymin at most ymax; got xmin nan, ymin 2" in reason(source, "bad-box")


def test_boxes_that_begin_at_zero_are_kept_and_said_once(tmp_path: Path) -> None:
    source = load(voc(tmp_path, a=box("dog", 0, 3, 5, 5), b=box("dog", 2, 0, 5, 5)))
    assert boxes(source)["JPEGImages/a.jpg"] == [[-1, 2, 5, 5]]
    assert kinds(source) == {"Annotations/a.xml object 1": "begins-at-zero"}
    assert "2 boxes begin at 0, but VOC counts from 1" in reason(source, "begins-at-zero")


def test_pictures_that_cannot_be_used_are_left_out(tmp_path: Path) -> None:
    good = box("dog", 1, 1, 2, 2)
    voc(tmp_path, a=good, b=good, c=good, d=good, e=good)
    picture(tmp_path / "JPEGImages" / "b.jpg", 30, 16)
    text(tmp_path / "JPEGImages" / "c.jpg", "no picture")
    text(tmp_path / "Annotations" / "d.xml", "<annotation><object>")
    (tmp_path / "Annotations" / "e.xml").unlink()
    text(tmp_path / "Annotations" / "f.xml", "<annotation/>")
    source = load(tmp_path)
    assert source.names == ["JPEGImages/a.jpg"]
    assert kinds(source) == {
        "JPEGImages/b.jpg": "size-mismatch",
        "JPEGImages/c.jpg": "not-an-image",
        "Annotations/d.xml": "unreadable",
        "JPEGImages/e.jpg": "no-annotation",
        "Annotations/f.xml": "missing",
    }


def test_annotations_in_lower_case_beside_images(tmp_path: Path) -> None:
    voc(tmp_path, a=box("mask", 1, 1, 2, 2))
    (tmp_path / "JPEGImages").rename(tmp_path / "images")
    (tmp_path / "Annotations").rename(tmp_path / "annotations")
    assert load(tmp_path).names == ["images/a.jpg"]


BOMB = "<!DOCTYPE a [" + '<!ENTITY b "' + "x" * 100 + '">' + '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">' + "]>"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{BOMB}<annotation>&c;</annotation>", "has a document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "has a document type"),
        ('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><annotation>&e;</annotation>', "has a document type"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><annotation/>'.encode("utf-16"), "has a document type"),
        ("<annotation>&lol;</annotation>", "is no XML"),
        ("<a>" * 100_000, "is nested more than 16 deep"),
        ("", "is no XML"),
        ("<annotation>", "is no XML"),
        ('<?xml version="1.0" encoding="utf-77"?><annotation/>', "is no XML"),
        (b"\x00\x01\x02", "is no XML"),
        ("<annotation>" + " " * 16_000_001 + "</annotation>", "has more than 16,000,000 bytes"),
    ],
)
def test_xml_that_attacks_its_reader_is_not_expanded(tmp_path: Path, content: str | bytes, said: str) -> None:
    voc(tmp_path, a=box("dog", 1, 1, 2, 2), b="")
    text(tmp_path / "Annotations" / "b.xml", content)
    source = load(tmp_path)
    assert source.names == ["JPEGImages/a.jpg"] and kinds(source) == {"Annotations/b.xml": "unreadable"}
    assert said in reason(source, "unreadable") and str(tmp_path / "Annotations" / "b.xml") in reason(
        source, "unreadable"
    )


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    root = voc(tmp_path / "root", a=box("dog", 1, 1, 2, 2), b="", c="")
    for name in ("Annotations/b.xml", "JPEGImages/c.jpg"):
        away = tmp_path / Path(name).name
        (root / name).rename(away)
        (root / name).symlink_to(away)
    source = load(root)
    assert source.names == ["JPEGImages/a.jpg"]
    assert kinds(source) == {
        "Annotations/b.xml": "outside-root",
        "JPEGImages/c.jpg": "outside-root",
        "Annotations/c.xml": "missing",
    }


def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "JPEGImages").mkdir()
    (tmp_path / "Annotations").mkdir()
    with pytest.raises(DataError, match="must hold JPEGImages/ and Annotations/ with XML files"):
        load(f"voc:{tmp_path}")
    with pytest.raises(DataError, match="does not exist"):
        load(f"voc:{tmp_path}/gone")
    voc(tmp_path / "VOC2007", a="")
    voc(tmp_path / "VOC2012", a="")
    (tmp_path / "JPEGImages").rmdir()
    with pytest.raises(DataError, match="holds 2 years, VOC2007, VOC2012: give one"):
        load(f"voc:{tmp_path}")
    with pytest.raises(DataError, match="nothing is in any of the 1 pictures"):
        load(tmp_path / "VOC2007")
