"""Runs that start from a published detector, or from a classifier under one: what is kept, and how pictures come."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from record_torchvision_detections import fill

from pellucid.core import config as settings
from pellucid.core.errors import WeightsError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Numbers, Preprocess
from pellucid.core.progress import Quiet
from pellucid.data.load import load
from pellucid.models.detect import build
from pellucid.models.detect.one_by_one import OneByOne
from pellucid.models.published.classes import COCO
from pellucid.models.published.find import published
from pellucid.models.published.torchvision import DETECTORS
from pellucid.runs.evaluate import with_classes
from pellucid.runs.stored.trained import load_trained
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.model import FromPictures, make_model, resolve
from pellucid.tasks.detect.transfer import borrow

ENTRY = DETECTORS["ssd300_vgg16.coco_v1"]
GEOMETRY = Preprocess((64, 64), fit="pad", mode="none")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with torch.device("meta"):
        net = build("ssd300_vgg16", 90, 3, (300, 300))
    net = net.to_empty(device="cpu")
    fill(net)
    path = tmp_path_factory.mktemp("detectors") / ENTRY.file
    torch.save(net.state_dict(), path)
    return path


@pytest.mark.slow
def test_all_but_the_head_is_taken_over(file: Path) -> None:
    cfg, given = borrow(settings.change(DetectConfig(), {"weights": str(file)}))
    assert given is not None and isinstance(given.preprocess, Numbers)
    preprocess = given.preprocess.on(GEOMETRY)
    assert preprocess.size == (64, 64) and preprocess.resize is None and preprocess.shift == ENTRY.preprocess.shift
    facts = DataFacts("detect", "made", ("box", "ball"), (3, 3), preprocess, n_train=6)
    cfg = given.settle(resolve(cfg, facts), facts)
    assert (cfg.model.model, cfg.transfer.head, cfg.data.fit) == ("ssd300_vgg16", "fresh", "pad")
    model = make_model(cfg, facts)
    assert isinstance(model, FromPictures)
    fresh = model.net.state_dict()
    start = given.tensors(cfg)
    heads = {key for key in fresh if key.startswith("head.classification_head")}
    assert set(fresh) - set(start) == heads and all(start[key].shape == fresh[key].shape for key in start)
    said = " ".join(given.sentences(cfg, facts))
    assert "trained on COCO" in said and "Pixels are prepared as for the weights (rgb); size and fit" in said


@pytest.mark.slow
def test_used_as_it_is_it_resizes_by_its_own_rule(file: Path) -> None:
    found = published(file, detectors=True)
    assert found.task == "detect" and isinstance(found.model, OneByOne) and found.preprocess == ENTRY.preprocess
    facts = DataFacts("detect", "made", found.classes, (0,) * 90, found.preprocess)
    cfg = resolve(settings.change(DetectConfig(), {"model": "ssd300_vgg16"}), facts)
    assert isinstance(make_model(cfg, facts), OneByOne) and cfg.data.fit == "own"
    with pytest.raises(WeightsError, match="holds a ssd300_vgg16; weights are taken from networks"):
        published(file)


@pytest.mark.slow
def test_other_data_is_measured_by_names_of_classes(file: Path) -> None:
    trained = load_trained(file)
    source = load("scenes:size=64,difficulty=easy,train=3,val=0,test=0,for=detect")
    renamed = replace(source, classes=COCO[: len(source.classes)][::-1])
    known = with_classes(renamed, trained.facts.classes)
    splits = trained.task.make_data(trained.cfg, known, Quiet(), trained.facts.preprocess, True)
    assert splits.facts.preprocess == replace(ENTRY.preprocess, size=(64, 64)) and splits.facts.n_test == 3
    batch = next(iter(splits.loader("test", 3).epoch(0)))
    assert batch["image"].shape == (3, 3, 64, 64) and batch["valid_hw"].tolist() == [[64, 64]] * 3
    with torch.inference_mode():
        outputs = trained.model(batch)
        records = trained.task.score(outputs, batch)
    there = records["labels"] >= 0
    assert there.any() and float(records["boxes_xyxy"].amax()) <= 64
    true = records["truth_label"][records["truth_label"] >= 0]
    assert int(true.max()) < len(source.classes)
    assert 0 <= trained.task.summarise(records, splits.facts)["ap"] <= 1
    assert all(bool(value.isfinite()) for name, value in outputs.items() if name.startswith("loss_"))


@pytest.mark.slow
def test_a_classifier_becomes_the_frozen_backbone(tmp_path: Path) -> None:
    from pellucid.models import create

    torch.manual_seed(0)
    classifier = create("resnet50", 1000, image_size=(224, 224))
    path = tmp_path / "resnet50-0676ba61.pth"
    torch.save(classifier.state_dict(), path)
    _, given = borrow(settings.change(DetectConfig(), {"weights": str(path), "model": "fasterrcnn_resnet50_fpn"}))
    assert given is not None
    theirs = classifier.state_dict()
    with torch.device("meta"):
        wanted = build("fasterrcnn_resnet50_fpn", 2, 3, (64, 64)).state_dict()
    body = {key for key in wanted if key.startswith("backbone.body.")}
    assert set(given.start) == body
    assert all(torch.equal(given.start[key], theirs[key.removeprefix("backbone.body.")]) for key in body)
