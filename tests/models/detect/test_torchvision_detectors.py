"""Torchvision's five detectors: its names, shapes and counts, and with the same weights its detections.

What is expected was computed once by torchvision's own code (`tools/record_torchvision_detections.py`), with weights
and pictures that follow from names and sizes by plain arithmetic, so that no file of weights has to be kept.
"""

import gzip
import json
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from record_torchvision_detections import fill, picture
from torch import Tensor, nn

from pellucid.core.preprocess import Preprocess, Resize
from pellucid.models.detect import KEYPOINTS, MASKS, MODELS, PUBLISHED, build
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.one_by_one import OneByOne
from pellucid.models.published.classes import COCO, UNUSED
from pellucid.models.published.load import fit
from pellucid.models.published.names import translate
from pellucid.models.published.shapes import compare, nearest
from pellucid.models.published.torchvision import DETECTORS, by_file, by_network
from pellucid.runs.stored.trained import load_trained
from pellucid.tasks.detect.prediction.wishes import DetectWishes

HERE = Path(__file__).parent
EXPECTED: dict[str, Any] = json.loads((HERE / "torchvision_detections.json").read_text(encoding="utf-8"))["cases"]
SHAPES: dict[str, Any] = json.loads(gzip.decompress((HERE / "torchvision_detector_state_dicts.json.gz").read_bytes()))[
    "architectures"
]
QUICK = ("faster, long", "retinanet, long")
NEAR_PX, NEAR_SCORE = 1e-2, 1e-4


@cache
def on_meta(name: str) -> nn.Module:
    """With its published classes: to be read, not to be changed."""
    with torch.device("meta"):
        return build(name, SHAPES[name]["classes"] - 1, 3, (224, 224))


def filled(name: str) -> nn.Module:
    """The network with weights that follow from their names, drawn nowhere else."""
    net = deepcopy(on_meta(name)).to_empty(device="cpu").eval()
    fill(net)
    return net


def preprocess_of(case: dict[str, Any]) -> Preprocess:
    """As published, but for the resize rule where the case has its own."""
    theirs = DETECTORS[f"{case['network']}.coco_v1"].preprocess
    rule = case["rule"]
    return replace(theirs, resize=Resize(rule["min_size"], rule["max_size"])) if rule else theirs


def limits_of(case: dict[str, Any], net: nn.Module) -> Limits:
    own = net.limits
    assert isinstance(own, Limits)
    return replace(own, score=case["score"])


def compare_things(found: Found, case: dict[str, Any]) -> int:
    """Boxes, classes, scores, outlines and keypoints of the one picture; how many things there are."""
    there = found.labels[0] >= 0
    assert int(there.sum()) == len(case["labels"])
    labels = torch.tensor(case["labels"]) - 1  # class 0 is background there
    assert torch.equal(found.labels[0, there], labels)
    close(found.boxes_xyxy[0, there], case["boxes_xyxy"], NEAR_PX)
    close(found.scores[0, there], case["scores"], NEAR_SCORE)
    if "mask_diagonal" in case:
        assert found.masks is not None
        close(found.masks[0, there].diagonal(dim1=1, dim2=2), case["mask_diagonal"], NEAR_SCORE)
    if "keypoints" in case:
        assert found.keypoints is not None
        close(found.keypoints[0, there][..., :2] - 0.5, case["keypoints"], NEAR_PX)  # theirs are numbers of pixels
        close(found.keypoints[0, there][..., 2], case["keypoint_scores"], 1e-3)
    return len(labels)


def close(ours: Tensor, theirs: Any, near: float) -> None:
    torch.testing.assert_close(ours, torch.tensor(theirs, dtype=ours.dtype), rtol=0, atol=near)


@pytest.mark.parametrize("name", PUBLISHED)
def test_names_shapes_and_counts_are_torchvisions(name: str) -> None:
    reference = SHAPES[name]
    net = on_meta(name)
    assert [[key, list(value.shape)] for key, value in net.state_dict().items()] == reference["state_dict"]
    assert sum(parameter.numel() for parameter in net.parameters()) == reference["parameters"]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("fasterrcnn_resnet50_fpn", 41_755_286),
        ("retinanet_resnet50_fpn", 34_014_999),
        ("ssd300_vgg16", 35_641_826),
        ("maskrcnn_resnet50_fpn", 44_401_393),
        ("keypointrcnn_resnet50_fpn", 59_137_258),
    ],
)
def test_counts_are_those_that_are_published(name: str, parameters: int) -> None:
    assert SHAPES[name]["parameters"] == parameters


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[] if case in QUICK else [pytest.mark.slow]) for case in EXPECTED]
)
def test_detections_are_torchvisions(case: str) -> None:
    expected = EXPECTED[case]
    net = filled(expected["network"])
    model = OneByOne(net, preprocess_of(expected)).eval()
    height, width = expected["hw"]
    with torch.inference_mode():
        found = model.find(picture(height, width)[None], limits_of(expected, net))
    assert compare_things(found, expected) >= 8


def test_every_network_and_every_rule_is_among_the_cases() -> None:
    assert {case["network"] for case in EXPECTED.values()} == set(PUBLISHED)
    assert {case["network"] for case in EXPECTED.values() if not case["rule"]} >= {"fasterrcnn_resnet50_fpn"}


@pytest.mark.slow
def test_a_published_file_predicts_what_torchvision_finds(tmp_path: Path) -> None:
    expected = EXPECTED["ssd"]
    file = tmp_path / DETECTORS["ssd300_vgg16.coco_v1"].file
    torch.save(filled("ssd300_vgg16").state_dict(), file)
    trained = load_trained(file)
    assert trained.task.name == "detect" and trained.facts.classes == COCO and trained.published
    image = picture(*expected["hw"]).permute(1, 2, 0).numpy()
    other = picture(90, 50).permute(1, 2, 0).numpy()  # another one beside it changes nothing
    wishes = DetectWishes(conf=expected["score"], iou=0.45, top=200)
    _, result = trained.task.predict(trained.model, [other, image], trained.facts, wishes)
    assert result.size == tuple(expected["hw"])
    assert [COCO.index(name) + 1 for name in result.names] == expected["labels"]
    close(torch.from_numpy(result.boxes_xyxy), expected["boxes_xyxy"], NEAR_PX)
    close(torch.from_numpy(result.scores), expected["scores"], NEAR_SCORE)


def test_limits_are_torchvisions() -> None:
    for name in PUBLISHED:
        expected = {"ssd300_vgg16": Limits(0.01, 0.45, 200), "retinanet_resnet50_fpn": Limits(0.05, 0.5, 300)}
        assert on_meta(name).limits == expected.get(name, Limits(0.05, 0.5, 100)), name


def test_entries_are_of_networks_that_are_here() -> None:
    assert tuple(entry.network for entry in DETECTORS.values()) == PUBLISHED
    assert set(PUBLISHED) <= set(MODELS)
    assert "maskrcnn_resnet50_fpn" in MASKS and "keypointrcnn_resnet50_fpn" in KEYPOINTS
    for name, entry in DETECTORS.items():
        assert entry.name == name and entry.file in entry.source and entry.licence
        assert by_file(entry.file) is entry and by_network(entry.network) is entry
        assert entry.n_classes == SHAPES[entry.network]["classes"] - 1
        assert entry.preprocess.fit == "own" and entry.preprocess.resize is not None
        assert Preprocess.from_dict(json.loads(json.dumps(entry.preprocess.as_dict()))) == entry.preprocess


def test_pixels_become_numbers_as_at_torchvision() -> None:
    large = DETECTORS["fasterrcnn_resnet50_fpn.coco_v1"].preprocess
    assert [(200 - shift) * scale for shift, scale in zip(large.shift, large.scale, strict=True)] == pytest.approx(
        [(200 / 255 - mean) / std for mean, std in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))]
    )
    square = DETECTORS["ssd300_vgg16.coco_v1"].preprocess
    assert [(200 - shift) * scale for shift, scale in zip(square.shift, square.scale, strict=True)] == pytest.approx(
        [(200 / 255 - mean) * 255 for mean in (0.48235, 0.45882, 0.40784)]
    )


def test_class_k_is_category_k_plus_1_of_coco() -> None:
    known = {1: "person", 3: "car", 11: "fire hydrant", 13: "stop sign", 18: "dog", 25: "giraffe", 27: "backpack"}
    known |= {44: "bottle", 46: "wine glass", 65: "bed", 67: "dining table", 72: "tv", 84: "book", 90: "toothbrush"}
    assert {number: COCO[number - 1] for number in known} == known
    assert len(COCO) == len(set(COCO)) == 90
    assert sum(name.startswith("unused") for name in COCO) == len(UNUSED) == 10


def older(name: str) -> str:
    """What torchvision called a tensor before layers got room for a norm, as its published files still do."""
    for head in ("inner_blocks", "layer_blocks"):
        name = name.replace(f"{head}.0.0.", f"{head}.0.").replace(f"{head}.1.0.", f"{head}.1.")
        name = name.replace(f"{head}.2.0.", f"{head}.2.").replace(f"{head}.3.0.", f"{head}.3.")
    name = name.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
    for i in range(4):
        name = name.replace(f"mask_head.{i}.0.", f"mask_head.mask_fcn{i + 1}.")
        name = name.replace(f"classification_head.conv.{i}.0.", f"classification_head.conv.{2 * i}.")
        name = name.replace(f"regression_head.conv.{i}.0.", f"regression_head.conv.{2 * i}.")
    return name


@pytest.mark.parametrize("name", PUBLISHED)
def test_older_names_are_understood(name: str) -> None:
    theirs = on_meta(name).state_dict()
    old = {older(key): value for key, value in theirs.items()}
    renamed, who = translate(name, old)
    assert list(renamed) == list(theirs)
    assert (who == "an older torchvision") == (set(old) != set(theirs)) == (name != "ssd300_vgg16")
    difference = compare(name, (640, 640), renamed)
    assert difference.fits and difference.classes == (SHAPES[name]["classes"] - 1,)


def test_a_file_of_another_detector_is_known() -> None:
    theirs = on_meta("maskrcnn_resnet50_fpn").state_dict()
    assert not compare("fasterrcnn_resnet50_fpn", (640, 640), theirs).fits
    found = nearest(theirs, but="fasterrcnn_resnet50_fpn")
    assert found is not None and found[0] == "maskrcnn_resnet50_fpn" and found[1].fits


@pytest.mark.slow
def test_the_head_starts_afresh_for_other_classes() -> None:
    theirs = filled("fasterrcnn_resnet50_fpn").state_dict()
    preprocess = DETECTORS["fasterrcnn_resnet50_fpn.coco_v1"].preprocess
    fitted = fit("fasterrcnn_resnet50_fpn", "a file", theirs, preprocess, 3, True)
    assert fitted.in_file == 90 and fitted.n_classes == 3
    predictor = "roi_heads.box_predictor"
    assert set(fitted.fresh) == {
        f"{predictor}.{part}.{kind}" for part in ("cls_score", "bbox_pred") for kind in ("weight", "bias")
    }
    ours = fitted.net.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours if key not in fitted.fresh)
    assert ours[f"{predictor}.cls_score.weight"].shape == (4, 1024)
