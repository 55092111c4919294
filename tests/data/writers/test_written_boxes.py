"""Things written as COCO, VOC, YOLO and tables come back as they were, as far as the form can hold them."""

import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as peer_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pellucid.core.errors import DataError
from pellucid.data.images import read_image
from pellucid.data.load import load
from pellucid.data.objects import Objects
from pellucid.data.source import Source
from pellucid.data.writers.boxes_csv import write_boxes_csv
from pellucid.data.writers.coco import write_coco
from pellucid.data.writers.export import THINGS, export
from pellucid.data.writers.things import name_files
from pellucid.data.writers.voc import write_voc
from pellucid.data.writers.yolo import one_ring, write_yolo, write_yolo_pose, write_yolo_segment
from pellucid.ops.masks.polygons import fill
from pellucid.ops.masks.rle import Rle, decode, encode

SCENES = "scenes:size=40x48,difficulty=medium,train=3,val=2,test=2,for=detect,seed=3"
CLASSES = ("ein Käfer", "T-shirt/top", "a & <b>", 'it\'s "7": #x', "never seen")
HEIGHT, WIDTH = 12, 17
# Each example writes folders, and waits for the disk: few examples of many things, and none of them made smaller.
FEW = settings(max_examples=6, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))


def read_back(folder: Path, form: str) -> Source:
    source = load(folder / "boxes.csv" if form == "csv" else folder)
    # VOC, of boxes over the border by 1, and of masks that do not lie in their boxes
    assert {problem.kind for problem in source.problems} <= {"begins-at-zero", "outlines-by-overlap"}
    return source


def rows_of(source: Source, back: Source, form: str) -> list[int]:
    """Rows of what was read, in the order of what was written."""
    found = {name.rsplit(".", 1)[0].split("/", 1)[1]: row for row, name in enumerate(back.names)}
    names = {one.row: one for one in name_files(source, is_flat=form == "voc")}
    keys = [names[row].stem if form == "voc" else f"{names[row].role}/{names[row].stem}" for row in range(len(source))]
    return [found[key.removeprefix("/")] for key in keys]


def seen(objects: Objects, *parts: str) -> list[object]:
    """Parts of things in a form that compares bit by bit."""
    values = (getattr(objects, part) for part in parts)
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in values]


ALL = ("boxes_xyxy", "labels", "masks", "keypoints", "is_crowd", "area")
HOLDS = {  # what comes back, bit for bit
    "coco": ALL,
    "voc": ("boxes_xyxy", "labels", "is_crowd", "masks", "area"),
    "yolo": ("boxes_xyxy", "labels"),
    "yolo-segment": ("boxes_xyxy", "labels", "masks", "area"),
    "yolo-pose": ("boxes_xyxy", "labels", "keypoints"),
}


@pytest.mark.parametrize("form", HOLDS)
def test_scenes_come_back_without_loss(tmp_path: Path, form: str) -> None:
    source = load(SCENES)
    export(SCENES, tmp_path / "out", form)
    back = read_back(tmp_path / "out", form)
    rows = rows_of(source, back, form)
    assert back.classes == source.classes and sorted(rows) == list(range(len(source)))
    assert back.roles[rows].tolist() == source.roles.tolist()
    assert np.array_equal(np.stack([read_image(back.images[row]) for row in rows]), source.images)
    for row, expected in zip(rows, source.objects, strict=True):
        assert len(expected)  # else nothing would be compared
        assert seen(back.objects[row], *HOLDS[form]) == seen(expected, *HOLDS[form])


def test_scenes_for_segmentation_are_written_with_their_things_too(tmp_path: Path) -> None:
    assert export("scenes:size=40,train=2,test=0", tmp_path / "out", "coco") == []
    assert load(tmp_path / "out").objects[0] == load("scenes:size=40,train=2,test=0,for=detect").objects[0]
    export("scenes:size=40,train=2,test=0,for=detect", tmp_path / "usual")
    assert (tmp_path / "usual" / "annotations" / "instances_train.json").is_file()


def number(step: int) -> st.SearchStrategy[float]:
    """Places in and around the picture, on a grid of 1 / step pixels or anywhere float32 can say."""
    anywhere = st.floats(-8, 18, width=32).filter(lambda value: value == 0 or abs(value) > 0.1)
    return st.one_of(st.integers(-8 * step, 18 * step).map(lambda value: value / step), anywhere)


@st.composite
def things(draw: st.DrawFn, most: int = 4) -> Objects:
    """Up to `most` things with all there can be: boxes that need not fit the masks, crowds, keypoints, areas."""
    n = draw(st.integers(0, most))
    boxes = np.zeros((n, 4), dtype=np.float32)
    for row in range(n):
        x1, y1 = draw(number(4)), draw(number(4))
        boxes[row] = x1, y1, x1 + draw(st.integers(1, 22)) / 4, y1 + draw(st.integers(1, 22)) / 4
    cells = [draw(st.integers(0, 2**30 - 1)) for _ in range(n)]
    small = np.array([[cell >> bit & 1 for bit in range(30)] for cell in cells], dtype=bool).reshape(n, 5, 6)
    masks = [encode(np.kron(one, np.ones((3, 3), dtype=bool))[:HEIGHT, :WIDTH]) for one in small]
    points = np.array([[draw(number(4)), draw(number(4)), draw(st.integers(0, 2))] for _ in range(2 * n)])
    return Objects(
        boxes,
        np.array([draw(st.integers(0, 3)) for _ in range(n)], dtype=np.int64),
        masks,
        points.reshape(n, 2, 3).astype(np.float32),
        np.array([draw(st.booleans()) for _ in range(n)], dtype=bool),
        np.array([draw(st.floats(0, 1000, width=32)) for _ in range(n)], dtype=np.float32),
    )


def source_of(objects: list[Objects], **changed: object) -> Source:
    """Pictures of one colour each with these things in them; the last always has one thing."""
    one = Objects([[1, 2, 3, 4]], np.zeros(1, int), np.ones((1, HEIGHT, WIDTH)), np.ones((1, 2, 3)))
    everything = [*objects, one]
    n = len(everything)
    images = np.repeat(np.arange(n, dtype=np.uint8), HEIGHT * WIDTH).reshape(n, HEIGHT, WIDTH)
    parts = {"names": [f"{i}" for i in range(n)], "classes": CLASSES, "objects": everything, **changed}
    return Source("given", images, **parts)


def through(write: Callable[..., list[str]], source: Source) -> Source:
    """What comes back from a folder, whose things are all made before it is gone."""
    with tempfile.TemporaryDirectory() as folder:
        write(source, Path(folder, "out"))
        form = "csv" if write is write_boxes_csv else ""
        back = read_back(Path(folder, "out"), form)
        rows = rows_of(source, back, "voc" if write is write_voc else form)
        return replace(back.take(np.array(rows)), objects=[back.objects[row] for row in rows])


@FEW
@given(st.lists(things(), min_size=3, max_size=6))
def test_coco_keeps_everything_of_any_things(drawn: list[Objects]) -> None:
    source = source_of(drawn)
    back = through(write_coco, source)
    assert back.classes == CLASSES
    for ours, theirs in zip(source.objects, back.objects, strict=True):
        assert seen(theirs, *ALL) == seen(ours, *ALL)


@FEW
@given(st.lists(things(), min_size=3, max_size=6))
def test_voc_and_tables_keep_boxes_classes_and_crowds_of_any_things(drawn: list[Objects]) -> None:
    source = source_of(drawn)
    for write in (write_voc, write_boxes_csv):
        back = through(write, source)
        if write is write_voc:
            assert back.classes == CLASSES
        for ours, theirs in zip(source.objects, back.objects, strict=True):
            names = [CLASSES[label] for label in ours.labels.tolist()]
            assert [back.classes[label] for label in theirs.labels] == names
            assert seen(theirs, "boxes_xyxy", "is_crowd") == seen(ours, "boxes_xyxy", "is_crowd")


@FEW
@given(st.lists(things(), min_size=3, max_size=6))
def test_yolo_keeps_boxes_and_keypoints_of_any_things_but_crowds(drawn: list[Objects]) -> None:
    source = source_of(drawn)
    for write, parts in ((write_yolo, ("boxes_xyxy", "labels")), (write_yolo_pose, HOLDS["yolo-pose"])):
        back = through(write, source)
        for ours, theirs in zip(source.objects, back.objects, strict=True):
            kept = ours.take(~ours.is_crowd)
            same = np.unique(np.column_stack([kept.boxes_xyxy, kept.labels]), axis=0)
            if len(same) == len(kept):  # two lines that say the same are one thing
                assert seen(theirs, *parts) == seen(kept, *parts)


@FEW
@given(st.lists(things(), min_size=3, max_size=6))
def test_yolo_keeps_outlines_with_parts_and_holes(drawn: list[Objects]) -> None:
    source = source_of(drawn)
    back = through(write_yolo_segment, source)
    for ours, theirs in zip(source.objects, back.objects, strict=True):
        kept = [
            (int(label), mask)
            for label, mask, is_crowd in zip(ours.labels, ours.masks, ours.is_crowd, strict=True)
            if mask.area and not is_crowd
        ]
        assert list(zip(theirs.labels.tolist(), theirs.masks, strict=True)) == list(dict.fromkeys(kept))
        assert theirs.boxes_xyxy.tolist() == [list(mask.box_xyxy) for mask in theirs.masks]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 9), st.integers(1, 9), st.randoms(use_true_random=False))
def test_one_ring_is_the_mask(height: int, width: int, random: object) -> None:
    mask = np.array([[random.random() < 0.5 for _ in range(width)] for _ in range(height)])  # type: ignore[attr-defined]
    ring = one_ring(encode(mask))
    if mask.any():
        assert np.array_equal(fill([ring], height, width), mask)
    else:
        assert ring.shape == (0, 2)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_pycocotools_reads_what_is_written(tmp_path: Path) -> None:
    source = load(SCENES)
    write_coco(source, tmp_path / "out")
    with contextlib.redirect_stdout(io.StringIO()):
        peer = COCO(str(tmp_path / "out" / "annotations" / "instances_train.json"))
    assert [one["name"] for one in peer.loadCats(peer.getCatIds())] == list(source.classes)
    assert len(peer.getImgIds()) == 3
    for identity in peer.getImgIds():
        name = peer.loadImgs([identity])[0]["file_name"]
        expected = source.objects[source.names.index(f"train/{name.removesuffix('.png')}")]
        found = peer.loadAnns(peer.getAnnIds([identity]))
        sides = np.array([one["bbox"] for one in found])
        assert np.array_equal(np.hstack([sides[:, :2], sides[:, :2] + sides[:, 2:]]), expected.boxes_xyxy)
        for one, mask in zip(found, expected.dense(), strict=True):
            assert np.array_equal(peer.annToMask(one).astype(bool), mask)
            assert peer_mask.area(peer.annToRLE(one)) == one["area"] == mask.sum()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_ids_come_back_so_that_the_old_and_the_new_file_judge_each_other(tmp_path: Path) -> None:
    """What is in the one file, taken for found, is without fault by the other one: category 1 to 90, with gaps."""
    numbers, pictures = np.random.default_rng(0), [397, 12, 7]
    categories = [{"id": identity, "name": f"class {identity}"} for identity in (90, 1, 13, 44)]
    annotations = []
    for identity in pictures:
        for category in (90, 13, 13, 1):
            left, top, width, height = (int(value) for value in numbers.integers(1, 7, 4))
            annotations.append(
                {"id": len(annotations) + 1, "image_id": identity, "category_id": category, "iscrowd": 0}
                | {"bbox": [left, top, width, height], "area": width * height}
            )
    for identity in pictures:
        Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / f"{identity}.png")
    named = [{"id": one, "file_name": f"{one}.png", "width": WIDTH, "height": HEIGHT} for one in pictures]
    old, new = tmp_path / "instances.json", tmp_path / "new" / "annotations" / "instances.json"
    old.write_text(json.dumps({"images": named, "categories": categories, "annotations": annotations}))
    assert export(f"coco:{old}", tmp_path / "new", "coco") == []
    for truth, found in ((old, new), (new, old)):
        entries = [{**one, "score": 0.9} for one in json.loads(found.read_text())["annotations"]]
        with contextlib.redirect_stdout(io.StringIO()):
            whole = COCO(str(truth))
            evaluation = COCOeval(whole, whole.loadRes(entries), "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        assert evaluation.stats[0] == pytest.approx(1.0)
        assert {one["image_id"] for one in entries} == set(pictures)


def test_ids_that_two_pictures_share_are_counted_anew(tmp_path: Path) -> None:
    numbers = (9, 4, 5, 6, 7)
    source = replace(source_of([Objects([[0, 0, 2, 2]], [0])]), category_ids=numbers, image_ids=["a", "a"])
    (said,) = write_coco(source, tmp_path)
    assert said == "given has two pictures of one id in a split, so they are numbered anew, from 1."
    content = json.loads((tmp_path / "annotations" / "instances.json").read_text())
    assert [one["id"] for one in content["images"]] == [one["image_id"] for one in content["annotations"]] == [1, 2]
    assert {one["id"]: one["name"] for one in content["categories"]} == dict(zip(numbers, CLASSES, strict=True))
    with pytest.raises(DataError, match="2 images but 1 image_ids"):
        replace(source, image_ids=["a"])
    with pytest.raises(DataError, match="5 classes but 1 category_ids"):
        replace(source, category_ids=(1,))


def test_numbers_are_short_where_they_can_be(tmp_path: Path) -> None:
    objects = Objects(np.array([[0.1, 2, 3.3, 4]], dtype=np.float32), np.zeros(1, int))
    source = Source("given", np.zeros((1, 10, 10), np.uint8), ["a"], ("x",), objects=[objects])
    write_coco(source, tmp_path / "coco")
    content = json.loads((tmp_path / "coco" / "annotations" / "instances.json").read_text())
    assert content["annotations"][0]["bbox"] == [0.1, 2, 3.2, 2]
    write_voc(source, tmp_path / "voc")
    assert (
        "<xmin>1.1</xmin><ymin>3</ymin><xmax>3.3</xmax><ymax>4</ymax>"
        in (tmp_path / "voc" / "Annotations" / "a.xml").read_text()
    )
    write_yolo(source, tmp_path / "yolo")
    assert (tmp_path / "yolo" / "labels" / "a.txt").read_text().startswith("0 0.17")


def test_folders_are_converted_and_their_pictures_copied(tmp_path: Path) -> None:
    """COCO to VOC to YOLO to COCO: boxes and classes as at the beginning; JPEG files keep their bytes."""
    start = tmp_path / "start"
    for name in ("images/train/one.jpg", "images/train/deep/one.JPG", "images/val/one.jpg"):
        (start / name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((20, 16), 50).convert("RGB").save(start / name, format="JPEG")
    (start / "labels" / "train").mkdir(parents=True)
    (start / "labels" / "train" / "one.txt").write_text("1 0.5 0.5 0.5 0.25\n")
    (start / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [cat, dog]\n")
    before = load(start)
    expected = {
        read_bytes(path): objects.boxes_xyxy.tolist()
        for path, objects in zip(before.images, before.objects, strict=True)
    }
    at = str(start)
    for step, form in enumerate(("coco", "voc", "yolo", "coco", "csv")):
        export(at, tmp_path / f"{step}", form)
        at = str(tmp_path / f"{step}")
        back = read_back(tmp_path / f"{step}", form)
        found = {
            read_bytes(path): objects.boxes_xyxy.tolist()
            for path, objects in zip(back.images, back.objects, strict=True)
        }
        assert found == expected and back.classes == (before.classes if form != "csv" else ("dog",))
        assert sorted(back.roles.tolist()) == ["train", "train", "val"]
    assert sorted(path.name for path in (tmp_path / "1" / "JPEGImages").iterdir()) == [
        "deep_one.jpg",
        "one.jpg",
        "val_one.jpg",
    ]


def read_bytes(path: Path) -> bytes:
    return Path(path).read_bytes()


def test_a_background_that_masks_show_is_no_class_of_things(tmp_path: Path) -> None:
    export("scenes:size=40,train=2,test=0", tmp_path / "all", "everything")
    export(str(tmp_path / "all"), tmp_path / "out", "yolo")
    assert load(tmp_path / "out").classes == load("scenes:size=40,train=2,test=0,for=detect").classes


def test_what_a_form_cannot_hold_is_said(tmp_path: Path) -> None:
    crowd = Objects([[0, 0, 2, 2], [1, 1, 3, 3]], np.zeros(2, int), np.ones((2, HEIGHT, WIDTH)), None, [True, False])
    source = source_of([crowd])
    said = {form: write(source, tmp_path / form, None) for form, write in THINGS.items() if form != "yolo-pose"}
    assert said["coco"] == []
    assert said["voc"] == ["Pascal VOC's boxes have no place for keypoints and masks."]
    assert said["yolo-segment"][0] == "YOLO's outlines have no place for keypoints."
    assert said["yolo"][0] == "YOLO's boxes have no place for keypoints and masks."
    assert said["yolo"][1:] == ["One crowd was left out, as if nothing were there: YOLO's boxes have no word for them."]
    assert said["csv"][0] == "Tables have no place for keypoints and masks."
    assert len(load(tmp_path / "yolo").objects[0]) == 1
    empty = Objects([[0, 0, 2, 2]], np.zeros(1, int), [Rle(HEIGHT, WIDTH, np.array([HEIGHT * WIDTH]))])
    notes = write_yolo_segment(source_of([empty]), tmp_path / "none", None)
    assert notes[1:] == ["1 things with empty masks have no outline and were left out."]


def test_of_masks_that_overlap_the_smaller_has_the_pixels_in_voc(tmp_path: Path) -> None:
    masks = np.zeros((2, HEIGHT, WIDTH), dtype=bool)
    masks[0, 2:5, 2:6], masks[1, 1:9, 1:12] = True, True  # a hole in the second
    source = source_of([Objects.from_masks(masks, np.array([2, 0]))])
    (said,) = (note for note in write_voc(source, tmp_path / "out") if "keypoints" not in note)
    assert said.startswith(
        "Things overlap in 1 pictures, where VOC's instance masks hold one thing a pixel: the smaller"
    )
    found = load(tmp_path / "out").objects[0]
    assert [decode(mask).tolist() for mask in found.masks] == [masks[0].tolist(), (masks[1] & ~masks[0]).tolist()]
    assert found.labels.tolist() == [2, 0] and found.boxes_xyxy.tolist() == [[2, 2, 6, 5], [1, 1, 12, 9]]
    assert "<segmented>1</segmented>" in (tmp_path / "out" / "Annotations" / "0.xml").read_text()


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    plain = Source("given", np.zeros((1, 4, 4), np.uint8), ["a"], ("x", "y"), labels=[0])
    boxes = Source(
        "given", np.zeros((1, 4, 4), np.uint8), ["a"], ("x",), objects=[Objects([[0, 0, 1, 1]], np.zeros(1, int))]
    )
    for form, write in THINGS.items():
        with pytest.raises(DataError, match="given does not say where its things are, so it cannot be written as"):
            write(plain, tmp_path / form, None)
    with pytest.raises(DataError, match="have no masks, so there are no outlines: write them as yolo"):
        write_yolo_segment(boxes, tmp_path / "out", None)
    with pytest.raises(DataError, match="have no keypoints: write them as yolo"):
        write_yolo_pose(boxes, tmp_path / "out", None)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(DataError, match="is not empty"):
        write_coco(boxes, tmp_path, None)
