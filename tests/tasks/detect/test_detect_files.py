"""What is saved of detections: COCO's results as pycocotools reads them, and pictures of numbered instances."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pellucid.core.errors import ConfigError, DataError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.data.load import load
from pellucid.data.prepare import prepare
from pellucid.models.published.classes import COCO as COCO_CLASSES
from pellucid.models.published.classes import NEVER_DRAWN
from pellucid.ops.masks.rle import encode
from pellucid.tasks.detect.prediction.gathered import CocoResults
from pellucid.tasks.detect.prediction.result import DetectResult
from pellucid.tasks.detect.prediction.wishes import DetectWishes

FACTS = DataFacts("detect", "made", ("cat", "dog"), (1, 1), Preprocess((32, 32)))


def result(name: str = "a.png", n: int = 2, masks: bool = True, points: bool = False) -> DetectResult:
    whole = np.zeros((n, 20, 30), bool)
    for i in range(n):
        whole[i, 2 + i : 12 + i, 3 + i : 9 + i] = True
    boxes = np.array([[3 + i, 2 + i, 9 + i, 12 + i] for i in range(n)], np.float32).reshape(-1, 4)
    return DetectResult(
        name,
        (20, 30),
        FACTS.classes,
        boxes,
        np.arange(n) % 2,
        np.linspace(0.9, 0.5, n).astype(np.float32),
        tuple(encode(mask) for mask in whole) if masks else None,
        np.ones((n, 3, 3), np.float32) if points else None,
    )


def gathered(*results: DetectResult, **wishes: Any) -> dict[str, Any]:
    taken = CocoResults(DetectWishes(**wishes), FACTS)
    for each in results:
        taken.add(each)
    return {name: json.loads(content) for name, content in taken.files().items()}


def read(dataset: dict[str, Any], entries: list[dict[str, Any]]) -> tuple[COCO, COCO]:
    truth = COCO()
    truth.dataset = dataset
    truth.createIndex()
    return truth, truth.loadRes(entries)


def test_pycocotools_reads_and_evaluates_the_results(capsys: pytest.CaptureFixture[str]) -> None:
    files = gathered(result("x/a.png"), result("x/b.png", points=True), result("x/c.png", n=0))
    assert set(files) == {"results.json", "images.json"} and len(files["results.json"]) == 4
    _, found = read(files["images.json"], files["results.json"])
    assert [image["file_name"] for image in found.dataset["images"]] == ["x/a.png", "x/b.png", "x/c.png"]
    for entry in files["results.json"]:
        assert coco_mask.area(entry["segmentation"]) == 60
        assert coco_mask.toBbox(entry["segmentation"]).tolist() == entry["bbox"]
    truth = files["images.json"]
    truth["annotations"] = [
        {**{key: entry[key] for key in ("image_id", "category_id", "bbox")}, "id": k, "area": 60, "iscrowd": 0}
        for k, entry in enumerate(files["results.json"], 1)
    ]
    evaluation = COCOeval(*read(truth, files["results.json"]), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)
    capsys.readouterr()


def test_what_a_model_of_a_coco_file_finds_is_judged_by_that_file(tmp_path: Path) -> None:
    """Its own truth taken for found is without fault, in boxes and in keypoints, which its reader moves to middles."""
    pictures, categories = {397: "a.png", 12: "b.png"}, {90: "dog", 1: "cat", 13: "bird"}
    numbers, annotations = np.random.default_rng(3), []
    for identity, name in pictures.items():
        Image.new("RGB", (30, 20)).save(tmp_path / name)
        for category in categories:
            box = [int(value) for value in numbers.integers(2, 9, 4)]
            points = [*(int(value) for value in numbers.integers(0, 9, 2)), 2] * 17
            one = {"id": len(annotations) + 1, "image_id": identity, "category_id": category, "iscrowd": 0}
            annotations.append({**one, "bbox": box, "area": 2, "keypoints": points, "num_keypoints": 17})
    truth: dict[str, Any] = {
        "images": [{"id": k, "file_name": name, "height": 20, "width": 30} for k, name in pictures.items()],
        "categories": [{"id": k, "name": name, "keypoints": ["x"] * 17} for k, name in categories.items()],
        "annotations": annotations,
    }
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(truth))
    source = load(path)
    facts = prepare(source, DataConfig(preprocess="unit"), AugmentConfig(), 0, "detect", whole=True).facts
    facts = DataFacts.from_dict(json.loads(json.dumps(facts.as_dict())))  # as it comes out of a file of weights
    for wishes in (DetectWishes(coco=str(path)), DetectWishes()):
        taken = CocoResults(wishes, facts)
        for name, things in zip(source.names, source.objects or (), strict=True):
            n = len(things)
            found = DetectResult(
                name, (20, 30), facts.classes, things.boxes_xyxy, things.labels, np.ones(n), None, things.keypoints
            )
            taken.add(found)
        entries = json.loads(taken.files()["results.json"])
        assert [entry["category_id"] for entry in entries] == [90, 1, 13] * 2
        if not wishes.coco:
            about = json.loads(taken.files()["images.json"])
            assert {each["id"]: each["name"] for each in about["categories"]} == categories
            continue
        for kind in ("bbox", "keypoints"):
            evaluation = COCOeval(*read(truth, entries), kind)
            evaluation.params.areaRng = [[0, 1e9]] * len(evaluation.params.areaRng)
            evaluation.evaluate()
            evaluation.accumulate()
            precision = evaluation.eval["precision"]
            assert (precision[precision > -1] == 1).all() and (precision > -1).any(), kind
        assert [entry["keypoints"][:2] for entry in entries] == [one["keypoints"][:2] for one in annotations]


def test_classes_that_coco_never_drew_need_no_category(tmp_path: Path) -> None:
    drawn = [{"id": k + 1, "name": name} for k, name in enumerate(COCO_CLASSES) if name not in NEVER_DRAWN]
    path = tmp_path / "instances.json"
    path.write_text(json.dumps({"images": [], "categories": drawn}))
    facts = DataFacts("detect", "published", COCO_CLASSES, (0,) * 90, Preprocess((32, 32)))
    assert CocoResults(DetectWishes(coco=str(path)), facts).category_ids == list(range(1, 91))


def test_ids_of_a_coco_file(tmp_path: Path) -> None:
    about: dict[str, Any] = {
        "images": [
            {"id": 139, "file_name": "a.png"},
            {"id": 7, "file_name": "val/b.png"},
            {"id": 8, "file_name": "b.png"},
        ],
        "categories": [{"id": 90, "name": "dog"}, {"id": 18, "name": "cat"}, {"id": 1, "name": "bird"}],
    }
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(about))
    files = gathered(result("/data/a.png"), result("/data/val/b.png", n=1), result("b.png", n=1), coco=str(path))
    assert set(files) == {"results.json"}
    found = [(entry["image_id"], entry["category_id"]) for entry in files["results.json"]]
    assert found == [(139, 18), (139, 90), (7, 18), (8, 18)]
    with pytest.raises(DataError, match=r"instances\.json has no picture c\.png, so it has no id for it\. Leave"):
        gathered(result("c.png"), coco=str(path))
    path.write_text(json.dumps({**about, "categories": [{"id": 1, "name": "cat"}]}))
    with pytest.raises(
        DataError, match=r"instances\.json has no category 'dog', a class of this model\. Leave coco out"
    ):
        gathered(coco=str(path))
    for text in ("[]", "{}", '{"images": [{}]}', "[1"):
        path.write_text(text)
        with pytest.raises(DataError, match=r"instances\.json (is no COCO file: it needs|cannot be read as COCO)"):
            gathered(coco=str(path))
    with pytest.raises(DataError, match=r"nowhere\.json cannot be read as COCO's annotations"):
        gathered(coco=str(tmp_path / "nowhere.json"))


def test_instances_are_numbered_from_one_and_the_surer_lies_on_top() -> None:
    found = result(n=3)
    ids = np.array(Image.open(io.BytesIO(found.files()["instances.png"])))
    assert ids.dtype == np.uint8 and set(np.unique(ids)) == {0, 1, 2, 3}
    assert found.masks is not None
    assert ids[5, 5] == 1 and ids[12, 9] == 2 + (ids[12, 9] == 3) and (ids[2:12, 3:9] == 1).all()
    assert (ids == 1).sum() == 60 and (ids > 0).sum() == (found.instance_ids() > 0).sum()
    many = DetectResult(
        "a.png",
        (1, 300),
        FACTS.classes,
        np.array([[i, 0, i + 1, 1] for i in range(300)], np.float32),
        np.zeros(300, np.int64),
        np.ones(300, np.float32),
        tuple(encode(np.eye(300, dtype=bool)[i : i + 1]) for i in range(300)),
    )
    ids = np.array(Image.open(io.BytesIO(many.files()["instances.png"])))
    np.testing.assert_array_equal(ids[0], np.arange(1, 301))
    with pytest.raises(ConfigError, match="^This result has no masks"):
        result(masks=False).instance_ids()


def test_things_are_cut_out() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    first, second = result().crops(image)
    np.testing.assert_array_equal(np.asarray(first), image[2:12, 3:9])
    assert second.size == (6, 10)
    with pytest.raises(DataError, match="^This result is of a picture of 20x30"):
        result().crops(image[:5])


def test_names_of_a_coco_file_are_read_as_data_sets_read_them(tmp_path: Path) -> None:
    known = tmp_path / "known.json"
    images = [{"id": 5, "file_name": "train\\a.png"}]
    categories = [{"id": 7, "name": " cat"}, {"id": 8, "name": "dog\n"}]
    known.write_text(json.dumps({"images": images, "categories": categories}))
    entries = gathered(result("photos/train/a.png"), coco=str(known))["results.json"]
    assert [(each["image_id"], each["category_id"]) for each in entries] == [(5, 7), (5, 8)]
