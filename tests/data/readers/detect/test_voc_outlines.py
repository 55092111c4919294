"""Outlines of Pascal VOC's things, out of SegmentationObject: by their numbers, by where they lie, or not at all."""

from pathlib import Path

import numpy as np
import pytest
from box_folders import box, kinds, reason, text, voc
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.data.load import load
from pellucid.data.prepare import prepare
from pellucid.data.source import Source
from pellucid.ops.masks.rle import decode

FIRST, SECOND = (
    box("dog", 3, 4, 8, 10),
    box("cat", 12, 2, 19, 15),
)  # columns 2..7, rows 3..9; columns 11..18, rows 1..14


def things(first: int = 1, second: int = 2, height: int = 16) -> np.ndarray:
    """(16, 20): the two things with these numbers, inside of a border of 255 one pixel wide."""
    ids = np.zeros((height, 20), dtype=np.uint8)
    for number, (left, top, right, bottom) in ((first, (2, 3, 8, 10)), (second, (11, 1, 19, 15))):
        ids[top:bottom, left:right] = 255
        ids[top + 1 : bottom - 1, left + 1 : right - 1] = number
    return ids


def draw(year: Path, name: str, ids: np.ndarray) -> None:
    image = Image.fromarray(ids)
    image.putpalette(np.random.default_rng(0).permutation(768).astype(np.uint8).tobytes())
    (year / "SegmentationObject").mkdir(exist_ok=True)
    image.save(year / "SegmentationObject" / f"{name}.png")


def inside(source: Source, row: int = 0) -> list[list[int]]:
    """Left, top, right, bottom of each mask, which must be filled."""
    masks = source.objects[row].masks
    assert masks is not None and all(decode(one).sum() == one.area for one in masks)
    return [list(one.box_xyxy) for one in masks]


def test_value_i_is_object_i_and_the_border_belongs_to_nobody(tmp_path: Path) -> None:
    voc(tmp_path, a=FIRST + SECOND, b="")
    draw(tmp_path, "a", things())
    source = load(tmp_path)
    assert source.problems == [] and source.kind == "detect"
    assert inside(source) == [[3, 4, 7, 9], [12, 2, 18, 14]] and source.objects[0].area.tolist() == [4 * 5, 6 * 12]
    assert source.objects[0].boxes_xyxy.tolist() == [[2, 3, 8, 10], [11, 1, 19, 15]], "those of the annotation"
    assert source.objects[1].masks == ()
    facts = prepare(source, DataConfig(preprocess="unit"), AugmentConfig(), 0, "detect", whole=True).facts
    assert facts.has_outlines, "what mask_rcnn asks for"


@pytest.mark.parametrize(("first", "second"), [(2, 1), (3, 1), (7, 9)])
def test_numbers_that_cannot_be_right_give_way_to_where_masks_lie(tmp_path: Path, first: int, second: int) -> None:
    voc(tmp_path, a=FIRST + SECOND)
    draw(tmp_path, "a", things(first, second))
    source = load(tmp_path)
    assert inside(source) == [[3, 4, 7, 9], [12, 2, 18, 14]]
    assert kinds(source) == {"JPEGImages/a.jpg": "outlines-by-overlap"}
    assert "in 1 pictures numbers and objects do not agree" in reason(source, "outlines-by-overlap")


def test_numbers_are_believed_where_no_other_mask_fits(tmp_path: Path) -> None:
    voc(tmp_path, a=box("dog", 18, 1, 20, 4) + SECOND)  # the first mask touches neither box
    draw(tmp_path, "a", things())
    source = load(tmp_path)
    assert inside(source) == [[3, 4, 7, 9], [12, 2, 18, 14]] and source.problems == []


def test_objects_that_cannot_be_used_keep_their_numbers(tmp_path: Path) -> None:
    voc(tmp_path, a=FIRST + box("dog", 9, 9, 2, 2) + SECOND)
    ids = things(1, 3)
    ids[15, 0] = 2
    draw(tmp_path, "a", ids)
    source = load(tmp_path)
    assert inside(source) == [[3, 4, 7, 9], [12, 2, 18, 14]] and set(kinds(source).values()) == {"bad-box"}
    draw(tmp_path, "a", things(1, 2))  # somebody numbered those that can be used
    assert inside(load(tmp_path)) == [[3, 4, 7, 9], [12, 2, 18, 14]]


def test_a_thing_without_a_mask_is_told_and_no_outline_is_used(tmp_path: Path) -> None:
    voc(tmp_path, a=FIRST + SECOND, b=FIRST)
    ids = things()
    draw(tmp_path, "a", np.where(ids == 2, 0, ids))
    draw(tmp_path, "b", things())
    source = load(tmp_path)
    assert source.objects[0].masks is None and len(source.objects[0]) == 2 and len(source.objects[1]) == 1
    told = "SegmentationObject/a.png shows 1 things where 2 objects are named, and none of them fits object 2"
    assert reason(source, "no-outlines").endswith(told)
    assert "2 of 3 things have no outline" in reason(source, "mixed-outlines")


def test_pictures_of_another_size_and_no_masks_are_told(tmp_path: Path) -> None:
    voc(tmp_path, a=FIRST, b=FIRST)
    draw(tmp_path, "a", things(height=17))
    text(tmp_path / "SegmentationObject" / "b.png", "no picture")
    source = load(tmp_path)
    said = [problem.reason for problem in source.problems if problem.kind == "no-outlines"]
    assert said[0] == "SegmentationObject/a.png is 17x20 (height x width), its picture 16x20" and len(said) == 2
    assert source.objects[0].masks is None


def test_where_only_some_pictures_have_outlines_their_lists_take_those_alone(tmp_path: Path) -> None:
    year = voc(tmp_path / "VOC2012", a=FIRST + SECOND, b=FIRST, c=SECOND, d="", e=FIRST)
    draw(year, "a", things())
    draw(year, "c", np.where(things() == 2, 1, 0).astype(np.uint8))
    draw(year, "e", np.where(things() == 0, 0, 255).astype(np.uint8))
    text(year / "ImageSets" / "Main" / "train.txt", "a\nb\nc\nd\ne\n")
    text(year / "ImageSets" / "Segmentation" / "train.txt", "a\nd\ne\n")
    text(year / "ImageSets" / "Segmentation" / "val.txt", "c\nb\n")
    whole = load(year)
    assert len(whole) == 5 and whole.objects[0].masks is None
    assert "1 of 4 pictures with things have no SegmentationObject/" in reason(whole, "mixed-outlines")
    assert "voc:ImageSets/Segmentation below the year's folder takes the others" in reason(whole, "mixed-outlines")
    some = load(f"voc:{year / 'ImageSets' / 'Segmentation'}")
    assert [(Path(name).stem, role) for name, role in zip(some.names, some.roles, strict=True)] == [
        ("a", "train"),
        ("d", "train"),
        ("c", "val"),
    ]
    assert inside(some) == [[3, 4, 7, 9], [12, 2, 18, 14]] and inside(some, 2) == [[12, 2, 18, 14]]
    assert kinds(some) == {"JPEGImages/b.jpg": "no-outlines", "JPEGImages/e.jpg": "no-outlines"}
    assert load(some.spec).names == some.names
    text(year / "ImageSets" / "Action" / "jumping_train.txt", "a\n")
    with pytest.raises(
        DataError, match=r"ImageSets.Action holds no train\.txt, val\.txt or trainval\.txt: give .*2012"
    ):
        load(f"voc:{year / 'ImageSets' / 'Action'}")
