"""COCO's annotations: ids, boxes, outlines, crowds, keypoints, splits; and everything that can be wrong with them."""

import json
from pathlib import Path

import numpy as np
import pytest
from box_folders import boxes, coco, kinds, picture, reason, text, thing
from PIL import Image

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.load import load
from pellucid.ops.masks.rle import decode, encode, to_coco


def test_ids_with_gaps_and_pictures_with_nothing_in_them(tmp_path: Path) -> None:
    source = load(coco(tmp_path, annotations=[thing(), thing(id=2, category_id=4, bbox=[0.5, 0, 19.5, 16])]))
    assert source.classes == ("cat", "dog")  # 4 before 9
    assert source.kind == "detect" and source.problems == [] and set(source.roles.tolist()) == {""}
    assert boxes(source) == {"images/a.png": [[1, 2, 4, 6.5], [0.5, 0, 20, 16]], "images/b.png": []}
    assert source.objects[0].labels.tolist() == [1, 0]
    assert source.objects[0].area.tolist() == [13.5, 312]  # that of the boxes, as nothing else is said
    assert source.objects[0].masks is None and source.objects[0].keypoints is None


def test_outlines_of_all_three_forms_crowds_and_areas(tmp_path: Path) -> None:
    mask = np.zeros((16, 20), dtype=bool)
    mask[3:7, 2:5] = True
    code = encode(mask)
    plain = {"size": [16, 20], "counts": code.counts.tolist()}
    polygon = [[2, 3, 5, 3, 5, 7, 2, 7], [1, 1]]  # the second is none, and passed over
    things = [
        thing(id=1, segmentation=to_coco(code), area=11.5),
        thing(id=2, segmentation=plain, iscrowd=1),
        thing(id=3, segmentation=polygon, iscrowd=0),
    ]
    (found, nothing) = load(coco(tmp_path, annotations=things)).objects
    assert [np.array_equal(decode(one), mask) for one in found.masks] == [True] * 3
    assert found.is_crowd.tolist() == [False, True, False]
    assert found.area.tolist() == [11.5, 12, 12]  # what is said, else the pixels of the mask
    assert nothing.masks == () and len(nothing) == 0


def test_keypoints_are_in_the_middle_of_their_pixels(tmp_path: Path) -> None:
    things = [thing(id=1, keypoints=[3, 4, 2, 0, 0, 0]), thing(id=2)]
    categories = [{"id": 9, "name": "dog", "keypoints": ["left ear", "right ear"]}, {"id": 4, "name": "cat"}]
    source = load(coco(tmp_path, annotations=things, categories=categories))
    assert source.keypoints == ("left ear", "right ear")
    assert source.objects[0].keypoints.tolist() == [[[3.5, 4.5, 2], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]


def test_splits_by_the_names_of_the_files(tmp_path: Path) -> None:
    def made(name: str, folder: str, file: str) -> None:
        picture(tmp_path / folder / file)
        one = [{"id": 1, "file_name": file}]
        coco(tmp_path, name, "other", images=one, annotations=[thing(image_id=1)])

    made("instances_train2017.json", "train2017", "1.jpg")
    made("instances_val2017.json", "images/val2017", "2.jpg")
    text(tmp_path / "annotations" / "captions_train2017.json", "{}")
    source = load(tmp_path)
    assert dict(zip(source.names, source.roles.tolist(), strict=True)) == {
        "train2017/1.jpg": "train",
        "images/val2017/2.jpg": "val",
    }
    assert source.problems == [] and source.spec == str(tmp_path)
    alone = load(f"coco:{tmp_path}/annotations/instances_val2017.json")
    assert alone.names == ["images/val2017/2.jpg"] and alone.roles.tolist() == [""]
    assert alone.spec == f"coco:{tmp_path}/annotations/instances_val2017.json"
    assert load(alone.spec).names == alone.names
    both = load(f"coco:{tmp_path}/annotations/instances_*.json")
    assert both.names == source.names and both.roles.tolist() == ["train", "val"]
    text(tmp_path / "annotations" / "instances_all.json", "{}")
    assert kinds(load(tmp_path)) == {"instances_all.json": "no-split"}


def test_layouts_of_other_tools(tmp_path: Path) -> None:
    """One file per split beside its pictures; or a file in the root, with pictures in `data/`."""
    for folder in ("train", "valid"):
        coco(tmp_path / folder, "x.json", ".")
        (tmp_path / folder / "annotations" / "x.json").rename(tmp_path / folder / "_annotations.coco.json")
        (tmp_path / folder / "annotations").rmdir()
    source = load(tmp_path)
    assert source.names == ["train/a.png", "train/b.png", "valid/a.png", "valid/b.png"]
    assert source.roles.tolist() == ["train", "train", "val", "val"]
    other = tmp_path / "other"
    coco(other, "labels.json", "data").rename(other / "labels.json")
    (other / "annotations").rmdir()
    assert load(other).names == ["data/a.png", "data/b.png"]
    assert load(other / "labels.json").names == ["data/a.png", "data/b.png"]
    with pytest.raises(ConfigError, match="group must be folder"):
        load(other, group="colour")
    assert load(other, group="folder").groups.tolist() == ["data", "data"]


def test_other_files_of_a_usual_name_are_not_taken_for_coco(tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/2.png"):
        picture(tmp_path / name)
    text(tmp_path / "labels.json", '{"0": "cat", "1": "dog"}')
    assert load(tmp_path).kind == "classify"


def test_broken_things_are_named_and_the_others_kept(tmp_path: Path) -> None:
    nan = float("nan")
    things = [
        thing(id=1),
        thing(id=2, bbox=[1, 2, nan, 4]),
        thing(id=3, bbox=[1, 2, -3, 4]),
        thing(id=4, bbox=[1, 2, 0, 4]),
        thing(id=5, bbox=[1, 2, 3]),
        thing(id=6, bbox=["1", 2, 3, 4]),
        thing(id=7, bbox=[1e30, 2, 3, 4]),
        thing(id=8, bbox=[10**400, 2, 3, 4]),
        thing(id=9, bbox=[1e8, 1, 0.5, 4]),  # vanishes in float32
        thing(id=10, image_id=None),
        thing(id=11, image_id=8),
        thing(id=12, category_id=5),
        thing(id=13, category_id=[9]),
        "no annotation",
        thing(id=1),  # a copy of the first
        thing(id=1, bbox=[0, 0, 1, 1]),  # another thing with the id of the first
        thing(id=None, bbox=[5, 5, 1, 1]),  # ids of things are not needed
        thing(id=16, area=-1),
        thing(id=17, keypoints=[1, 2, 7]),
    ]
    source = load(coco(tmp_path, annotations=things))
    bad = {f"instances.json annotations[{i}] (id {i + 1})": "bad-box" for i in range(1, 9)}
    assert kinds(source) == {
        **bad,
        "instances.json annotations[9] (id 10)": "missing-field",
        "instances.json annotations[10] (id 11)": "unknown-image",
        "instances.json annotations[11] (id 12)": "unknown-class",
        "instances.json annotations[12] (id 13)": "unknown-class",
        "instances.json annotations[13]": "missing-field",
        "instances.json annotations[14] (id 1)": "duplicate-id",
        "instances.json annotations[15] (id 1)": "duplicate-id",
        "instances.json annotations[17] (id 16)": "bad-area",
        "instances.json annotations[18] (id 17)": "bad-keypoints",
    }
    kept = [[1, 2, 4, 6.5], [0, 0, 1, 1], [5, 5, 6, 6], [1, 2, 4, 6.5], [1, 2, 4, 6.5]]
    assert boxes(source)["images/a.png"] == kept
    assert "width and height, the last two above 0, got [1, 2, nan, 4]" in reason(source, "bad-box")
    assert reason(source, "missing-field").endswith("annotations[9] (id 10): it has no image_id")
    assert "there is no picture with the image_id 8" in reason(source, "unknown-image")
    with pytest.raises(DataError, match=r"strict, and 17 things had to be left out\. The first: instances\.json"):
        load(tmp_path, strict=True)


@pytest.mark.parametrize(
    ("outline", "said"),
    [
        ([[1, 2, 3, 4]], "none of its polygons has three corners"),
        ([[0, 0, 1e9, 0, 5, 5]], "a corner of its outline is no place in a picture"),
        ([[0, 0, float("nan"), 0, 5, 5]], "a corner of its outline is no place in a picture"),
        ([[0, 0, "x", 0, 5, 5]], "could not convert string to float"),
        ({"size": [20, 16], "counts": [320]}, "its mask is 20x16 (height x width), its picture 16x20"),
        ({"size": [16, 20], "counts": [5]}, "sum to 320, got the sum 5"),
        ({"size": [16, 20], "counts": "~~"}, "is no compressed run-length code"),
        ({"counts": [320]}, 'A run-length code of COCO is {"size"'),
        ("polygon", "segmentation must be polygons or run lengths"),
    ],
)
def test_outlines_that_are_none(tmp_path: Path, outline: object, said: str) -> None:
    good = thing(segmentation=[[1, 2, 4, 2, 4, 6]])
    source = load(coco(tmp_path, annotations=[good, thing(id=2, segmentation=outline)]))
    assert kinds(source) == {"instances.json annotations[1] (id 2)": "bad-outline"}
    assert said in reason(source, "bad-outline")


def test_outlines_of_some_things_are_not_used(tmp_path: Path) -> None:
    things = [thing(id=1, segmentation=[[1, 2, 4, 2, 4, 6]]), thing(id=2, segmentation=[])]
    source = load(coco(tmp_path, annotations=things))
    assert source.objects[0].masks is None and len(source.objects[0]) == 2
    assert "1 of 2 things have no outline" in reason(source, "mixed-outlines")


def test_pictures_that_cannot_be_used_are_named_with_their_things_left_out(tmp_path: Path) -> None:
    images = [
        {"id": 1, "file_name": "a.png"},
        {"id": 2, "file_name": "gone.png"},
        {"id": 3, "file_name": "b.png", "height": 21, "width": 16},
        {"id": 4, "file_name": "a.png"},
        {"id": 5},
        {"file_name": "a.png"},
        {"id": 6, "file_name": "x.png"},
        {"id": 6, "file_name": "y.png"},
        {"id": 1, "file_name": "a.png"},
        "a.png",
        {"id": 7, "file_name": "text.png"},
        {"id": 8, "file_name": "turned.jpg", "height": 16, "width": 20},
    ]
    path = coco(tmp_path, images=images, annotations=[thing(image_id=i) for i in range(1, 9)])
    text(tmp_path / "images" / "text.png", "no picture")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 16)).save(tmp_path / "images" / "turned.jpg", exif=exif)
    source = load(path)
    assert kinds(source) == {
        "instances.json images[1]": "missing",
        "instances.json annotations[4] (id 1)": "unknown-image",  # 5 has no name
        "images/b.png": "size-mismatch",
        "images/turned.jpg": "size-mismatch",
        "instances.json images[3]": "duplicate",
        "instances.json images[4]": "missing-field",
        "instances.json images[5]": "missing-field",
        "instances.json images[6]": "duplicate-id",
        "instances.json images[7]": "duplicate-id",
        "instances.json images[8]": "duplicate",
        "instances.json images[9]": "missing-field",
        "instances.json images[10]": "not-an-image",
    }
    assert boxes(source) == {"images/a.png": [[1, 2, 4, 6.5]]}
    assert "images/b.png: the picture is 16x20 (height x width), " in reason(source, "size-mismatch")
    assert "instances.json images[2] says 21x16: its boxes belong to another picture" in reason(source, "size-mismatch")
    turned = next(one.reason for one in source.problems if one.record == "images/turned.jpg")
    assert "is 20x16 (height x width) (sides swapped, as where EXIF turns a picture: save it upright)" in turned


def test_names_never_leave_the_root(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret.png"
    picture(secret)
    hostile = ["../../secret.png", str(secret), "link.png", "away/secret.png", "a\0b.png", "x" * 5000, "\udcff.png"]
    images = [{"id": i, "file_name": name} for i, name in enumerate([*hostile, "a.png"])]
    path = coco(root, images=images, annotations=[thing(image_id=i) for i in range(len(images))])
    (root / "images" / "link.png").symlink_to(secret)
    (root / "images" / "away").symlink_to(tmp_path)
    source = load(path)
    assert source.names == ["images/a.png"]
    found = kinds(source)
    outside = [record for record, kind in found.items() if kind == "outside-root"]
    assert set(found.values()) <= {"outside-root", "missing"}
    assert {f"instances.json images[{i}]" for i in (0, 1, 2, 3, 4, 5)} <= set(outside)
    assert all("\n" not in problem.reason and "\0" not in problem.reason for problem in source.problems)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1, 2", "is no JSON"),
        ("[]", "must hold images, annotations and categories, as COCO does; got a list (results of a detector"),
        ('{"images": []}', "must have a list annotations, as COCO does, but it is missing. It has no annotations, as"),
        (
            '{"images": {}, "annotations": [], "categories": []}',
            "must have a list images, as COCO does, but it is a dict",
        ),
        ("[" * 200_000, "is nested too deeply"),
        ('{"a":' * 200_000, "is nested too deeply"),
        (b"\xff\xfe\x00", "is no JSON"),
        ("1" * 10_000, "is no JSON"),
    ],
)
def test_files_that_are_no_annotations(tmp_path: Path, content: str | bytes, said: str) -> None:
    path = coco(tmp_path)
    text(path, content)
    for data in (path, tmp_path, f"coco:{path}"):
        with pytest.raises(DataError) as caught:
            load(data)
        assert str(path) in str(caught.value) and said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("categories", "said"),
    [
        ([], "has no categories"),
        ([{"name": "dog"}], "categories[0] must have a whole number as id and a name"),
        ([{"id": 9, "name": "dog"}, {"id": 9, "name": "cat"}], "categories[1] has the id 9 of 'dog', but is 'cat'"),
        ([{"id": 9, "name": "dog"}, {"id": 3, "name": "dog"}], "the categories 3 and 9 are both called 'dog'"),
    ],
)
def test_categories_that_contradict_each_other(tmp_path: Path, categories: list[object], said: str) -> None:
    with pytest.raises(DataError, match=said.replace("[", r"\[")):
        load(coco(tmp_path, categories=categories))


def test_two_files_must_agree_on_their_categories(tmp_path: Path) -> None:
    coco(tmp_path, "instances_train.json")
    coco(tmp_path, "instances_val.json", categories=[{"id": 9, "name": "horse"}])
    with pytest.raises(DataError, match=r"instances_val.json: categories\[0\] has the id 9 of 'dog', but is 'horse'"):
        load(tmp_path)
    coco(tmp_path, "instances_val.json")
    found = load(tmp_path)  # the same pictures in both: they stay in the first
    assert found.roles.tolist() == ["train", "train"] and list(kinds(found).values()) == ["duplicate"] * 2


def test_what_is_not_there_is_said_with_where_it_was_sought(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.json does not exist: give a JSON file of COCO's form"):
        load(f"coco:{tmp_path}/gone.json")
    with pytest.raises(
        DataError, match=r"holds no annotations of COCO: it must have annotations/instances_train\.json"
    ):
        load(f"coco:{tmp_path}")
    path = coco(tmp_path)
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"none of its pictures is there; a\.png lies neither in .* nor in its folders"):
        load(path)
    (tmp_path / "elsewhere").rename(tmp_path / "images")
    coco(tmp_path, annotations=[])
    with pytest.raises(DataError, match="nothing is in any of the 2 pictures"):
        load(path)


def test_a_million_annotations_do_not_take_the_square_of_their_time(tmp_path: Path) -> None:
    """A twentieth of a million here: what grew with the square would take minutes, and run into the test's limit."""
    n = 50_000
    things = [thing(id=i, image_id=(7, 30)[i % 2], bbox=[i % 15, 0, 1, 1]) for i in range(n)]
    path = coco(tmp_path, annotations=things)
    source = load(path)
    assert sum(len(one) for one in source.objects) == n and source.problems == []
    things = [thing(id=5, bbox=[0, 0, -1, 1]) for _ in range(n)]
    source = load(coco(tmp_path, annotations=[*things, thing()]))
    assert len(source.problems) == n


def test_the_file_is_read_as_written_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = coco(tmp_path)
    text(path, b"\xef\xbb\xbf" + path.read_bytes())
    assert len(load(path)) == 2
    content = json.loads(path.read_text("utf-8-sig"))
    content["categories"][0]["name"] = "a\nb\u202e"
    text(path, json.dumps(content))
    assert load(path).classes[1].isprintable()
