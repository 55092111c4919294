"""What the task makes of a source: batches, and refusals in one line."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.core.preprocess import Preprocess
from pellucid.data.config import AugmentConfig
from pellucid.data.load import load
from pellucid.data.objects import Objects
from pellucid.data.scenes import KEYPOINTS
from pellucid.data.source import Source
from pellucid.models.detect import MASKS
from pellucid.tasks.classify.config import ClassifyConfig
from pellucid.tasks.detect import data as module
from pellucid.tasks.detect.config import DetectConfig, ModelConfig, usual_augment
from pellucid.tasks.detect.data import make_data

OPTIONS = "scenes:size=48,difficulty=medium,train=24,val=6,test=6,seed=2"


@cache
def some_scenes(purpose: str = "detect") -> Source:
    return load(f"{OPTIONS},for={purpose}")


def of_model(name: str) -> DetectConfig:
    return DetectConfig(model=ModelConfig(model=name), augment=AugmentConfig(augment=False))


def changed(objects: list[Objects]) -> Source:
    return replace(some_scenes(), objects=objects)


def test_batches_of_scenes() -> None:
    splits = make_data(of_model("auto"), some_scenes())
    facts, batch = splits.facts, next(splits.loader("train", 8).epoch(0))
    assert (facts.task, facts.n_keypoints, facts.has_outlines) == ("detect", 4, True)
    m = batch["box_label"].shape[1]
    assert batch["boxes_xyxy"].shape == (8, m, 4) and batch["keypoints"].shape == (8, m, 4, 3)
    assert all(next(splits.loader(role, 4).epoch(0))["box_label"].shape[1] == m for role in ("val", "test"))
    assert "instance_mask" not in batch and "label" not in batch and "mask" not in batch
    assert splits.mirror == (0, 3, 2, 1) and KEYPOINTS[1] == "right" and KEYPOINTS[3] == "left"


@pytest.mark.parametrize("role", ["train", "val"])
def test_one_world_gives_every_label(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks of things, painted one over the other with their classes, are the mask of classes of the same scenes."""
    monkeypatch.setattr(module, "MASKS", (*MASKS, "yolo"))
    things, classes = some_scenes(), some_scenes("segment")
    assert np.array_equal(np.asarray(things.images), np.asarray(classes.images))
    splits = make_data(of_model("yolo"), things)
    batch = next(splits.loader(role, 6).epoch(0))  # type: ignore[arg-type]
    rows = splits.split.role(role)[:6]  # type: ignore[arg-type]
    labels = torch.where(batch["box_label"] >= 0, batch["box_label"] + 1, 0)
    painted = (batch["instance_mask"] * labels[..., None, None]).sum(1)
    assert classes.masks is not None
    assert np.array_equal(painted.numpy(), np.asarray(classes.masks)[rows])  # type: ignore[call-overload]
    assert (batch["instance_mask"].sum(1) <= 1).all()
    area = batch["instance_mask"].flatten(2).sum(2)
    assert torch.equal(area, batch["box_area"].long())


def test_a_background_that_masks_show_is_no_class() -> None:
    whole, alone = (make_data(DetectConfig(), some_scenes(purpose)) for purpose in ("segment", "detect"))
    assert whole.facts.classes == alone.facts.classes and "background" not in whole.facts.classes
    assert whole.facts.class_counts == alone.facts.class_counts
    assert all(mine == theirs for mine, theirs in zip(whole.objects or (), alone.objects or (), strict=True))
    assert some_scenes("segment").things_alone().take(np.array([1])).objects[0] == alone.objects[1]


def test_sources_of_other_kinds_are_refused() -> None:
    digits = load("digits")
    with pytest.raises(
        DataError, match="^digits does not say where its things are, so nothing can be detected. It fit"
    ):
        make_data(of_model("auto"), digits)


def test_nothing_to_learn_is_told_in_one_line() -> None:
    assert some_scenes().objects is not None
    bare = [Objects.empty() if i < 24 else things for i, things in enumerate(some_scenes().objects or ())]
    with pytest.raises(
        DataError, match="^scenes: none of the 24 training pictures has a thing in it, so there is noth"
    ):
        make_data(of_model("auto"), changed(bare))
    assert make_data(of_model("auto"), changed(bare), preprocess=measured(), whole=True).facts.n_test


def measured() -> Preprocess:
    return make_data(of_model("auto"), some_scenes()).facts.preprocess


def test_networks_get_what_they_learn_or_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [Objects(things.boxes_xyxy, things.labels) for things in some_scenes().objects or ()]
    monkeypatch.setattr(module, "MASKS", (*MASKS, "yolo"))
    with pytest.raises(DataError, match="^yolo learns outlines, and not all things of scenes have some. Take another"):
        make_data(of_model("yolo"), changed(plain))
    assert make_data(of_model("yolo"), changed(plain), preprocess=measured(), whole=True).pack.outlines is None
    monkeypatch.setattr(module, "MASKS", ())
    with pytest.raises(DataError, match="^keypoint_rcnn learns keypoints, and not all things of scenes have some."):
        make_data(of_model("keypoint_rcnn"), changed(plain))
    assert (
        make_data(of_model("localizer"), changed(plain)).facts.n_keypoints == 0
    )  # it learns them where there are some


def test_scale_jitter_is_the_usual_thing_unless_something_else_cuts() -> None:
    assert usual_augment(AugmentConfig()).zoom == (0.8, 1.25)
    assert usual_augment(AugmentConfig(zoom=(1, 1))).zoom == (1, 1)
    assert usual_augment(AugmentConfig(zoom=(0.5, 2))).zoom == (0.5, 2)
    for other in (AugmentConfig(crop=0.5), AugmentConfig(short_side=(50, 60)), AugmentConfig(augment=False)):
        assert usual_augment(other) == other
    policy = AugmentConfig(policy="step = [{name = 'mosaic'}]")
    assert usual_augment(policy) == policy and policy.collects
    splits = make_data(DetectConfig(), some_scenes())
    assert splits.augment.zoom == (0.8, 1.25)
    batch = next(splits.loader("train", 8, training=True).epoch(0))
    assert batch["image"].shape == (8, 3, 48, 48)


def test_mosaics_have_places_for_four_times_as_many() -> None:
    splits = make_data(DetectConfig(augment=AugmentConfig(mosaic=0.5)), some_scenes())
    m = next(splits.loader("train", 8).epoch(0))["box_label"].shape[1]
    shapes = {batch["box_label"].shape for batch in splits.loader("train", 8, training=True).epoch(0)}
    assert shapes == {(8, 4 * m)}


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="^mosaic shows things of four pictures, and one class would be told"):
        ClassifyConfig(augment=AugmentConfig(mosaic=0.5))
    with pytest.raises(ConfigError, match="^mosaic shows"):
        ClassifyConfig(augment=AugmentConfig(policy="step = [{name = 'mosaic'}]"))
    ClassifyConfig(augment=AugmentConfig(mosaic=0.5, augment=False))
    with pytest.raises(ConfigError, match="zoom must be two factors from 0.1 to 10, the smaller first, or 0 0"):
        AugmentConfig(zoom=(2, 1))
    with pytest.raises(ConfigError, match="^crop and zoom both cut the input out of the picture. Leave one of them"):
        AugmentConfig(zoom=(0.5, 1), crop=0.5)
