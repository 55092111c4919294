"""Each planted fault of annotations raises its rule and no other; healthy ones raise nothing."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.data.load import load
from pellucid.data.objects import Objects
from pellucid.data.prepare import prepare
from pellucid.data.source import ROLES, Source
from pellucid.doctor.examine import examine
from pellucid.doctor.finding import Finding
from pellucid.doctor.rules import RULES
from pellucid.doctor.things.counts import judge_named_background
from pellucid.doctor.things.examine_things import examine_things
from pellucid.doctor.things.listed import list_things
from pellucid.doctor.things.sizes import judge_tiny


@cache
def healthy() -> Source:
    """Things whose classes are all alike often, in pictures that are wider than high."""
    return load("scenes:size=48x80,difficulty=easy,train=150,val=50,test=50,for=detect")


def told(source: Source) -> dict[str, Finding]:
    splits = prepare(source, DataConfig(preprocess="unit"), AugmentConfig(), 0, "detect")
    assert splits.objects is not None
    sides: dict[str, np.ndarray] = {role: splits.split.role(role) for role in ROLES}
    found = examine_things(splits.objects, splits.pack, sides, source.classes)
    assert {each.verdict.rule for each in found} <= set(RULES)
    return {each.verdict.rule: each for each in found}


def examined(source: Source) -> dict[str, Finding]:
    """What is not merely told."""
    return {rule: found for rule, found in told(source).items() if found.verdict.status not in ("pass", "info")}


def changed(change: Callable[[int, Objects], Objects]) -> Source:
    source = healthy()
    assert source.objects is not None
    return replace(source, objects=[change(i, things) for i, things in enumerate(source.objects)])


def boxed(things: Objects, boxes: np.ndarray) -> Objects:
    """The same things in other boxes, without masks."""
    return Objects(boxes, things.labels, is_crowd=things.is_crowd)


def test_healthy_things_raise_nothing() -> None:
    assert examined(healthy()) == {}
    few = healthy().take(np.arange(0, 250, 10))
    few.classes = ("background", *few.classes[1:])
    splits = prepare(few, DataConfig(preprocess="unit"), AugmentConfig(), 0, "detect")
    assert "background-class" in {each.verdict.rule for each in examine(splits, few)}  # all rules together
    assert examined(changed(lambda i, things: boxed(things, things.boxes_xyxy))) == {}


def test_shares_that_were_read_as_pixels() -> None:
    found = examined(changed(lambda i, things: boxed(things, things.boxes_xyxy / np.array([80, 48, 80, 48]))))
    verdict = found["boxes-normalised"].verdict
    assert set(found) == {"boxes-normalised"} and verdict.status == "fail"
    assert verdict.evidence.endswith("in pictures of about 80x48 pixels") and "YOLO" in verdict.cure


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda b: np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], 1), "two corners were read as a corner and a size"),
        (lambda b: b[:, [1, 0, 3, 2]], "x and y are swapped"),
        (
            lambda b: np.concatenate([(b[:, :2] + b[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2 + b[:, 2:] - b[:, :2]], 1),
            "middle and size were read as corner and size",
        ),
        (lambda b: b * 3, "boxes were drawn on pictures of another size, or belong to other pictures"),
    ],
)
def test_boxes_of_another_form(change: Callable[[np.ndarray], np.ndarray], cause: str) -> None:
    found = examined(changed(lambda i, things: boxed(things, change(things.boxes_xyxy))))
    verdict = found["boxes-outside"].verdict
    assert verdict.status == "fail" and verdict.cause == cause
    assert set(found) <= {"boxes-outside", "empty-pictures", "tiny-boxes", "class-missing-from-split"}


def test_some_boxes_over_the_border() -> None:
    def change(i: int, things: Objects) -> Objects:
        boxes = things.boxes_xyxy.copy()
        if i in (3, 8):
            boxes[0, 2] = 80 + i
        boxes[:, 3] += np.float32(0.9) * (boxes[:, 3] == 48)  # rounding is no fault
        return boxed(things, boxes)

    found = examined(changed(change))
    assert set(found) == {"boxes-outside"} and found["boxes-outside"].rows == (8, 3)
    assert found["boxes-outside"].verdict.status == "warn" and found["boxes-outside"].notes[0] == "8 pixels beyond"
    assert f"thing 0 of {healthy().names[8]} at " in found["boxes-outside"].verdict.evidence


def test_boxes_of_smaller_copies() -> None:
    found = examined(changed(lambda i, things: boxed(things, things.boxes_xyxy / 2)))
    assert set(found) == {"boxes-in-corner"}
    assert "reaches beyond 50% of the width and 50% of the height" in found["boxes-in-corner"].verdict.evidence


@pytest.mark.parametrize(("every", "status"), [(1, "fail"), (20, "warn")])
def test_boxes_beside_their_masks(every: int, status: str) -> None:
    def change(i: int, things: Objects) -> Objects:
        if i % every:
            return things
        boxes = np.array([80, 48, 80, 48]) - things.boxes_xyxy[:, [2, 3, 0, 1]]  # turned by half
        return replace(things, boxes_xyxy=boxes)

    found = examined(changed(change))
    assert set(found) == {"boxes-beside-masks"} and found["boxes-beside-masks"].verdict.status == status


def test_boxes_that_are_there_twice() -> None:
    def change(i: int, things: Objects) -> Objects:
        if i not in (2, 5):
            return things
        labels = things.labels.copy()
        labels[0] = (labels[0] + (i == 5)) % 10
        again = replace(things.take([0]), labels=labels[:1])
        return Objects(
            np.concatenate([things.boxes_xyxy, again.boxes_xyxy]), np.concatenate([things.labels, again.labels])
        )

    found = examined(changed(change))
    assert set(found) == {"duplicate-boxes"} and found["duplicate-boxes"].rows == (2, 5)
    assert found["duplicate-boxes"].notes == ("1 twice", "1 twice, 1 as two classes")
    assert (
        "2 boxes are there twice, 1 of them as two classes, in 2 pictures" in found["duplicate-boxes"].verdict.evidence
    )


def test_thin_boxes_count_where_the_network_sees_them() -> None:
    things = list_things([Objects(np.array([[2, 2, 30, 5], [5, 5, 30, 30]]), np.array([0, 0]))], np.array([[100, 100]]))
    assert judge_tiny(things, np.ones((1, 2)), ["a"]) == []
    (found,) = judge_tiny(things, np.full((1, 2), 0.5), ["a"])
    assert found.verdict.status == "warn" and found.notes == ("14.0x1.5 pixels",)
    assert found.verdict.evidence.endswith("the thinnest, thing 0 of a, is 14.0x1.5")


def test_pictures_without_things() -> None:
    some = told(changed(lambda i, things: Objects.empty() if i % 5 == 0 else things))["empty-pictures"]
    assert some.verdict.status == "info" and some.verdict.evidence == "50 of 250 pictures (20%) have no thing in them"
    assert (
        told(changed(lambda i, things: Objects.empty() if i % 5 else things))["empty-pictures"].verdict.status == "warn"
    )
    bare = told(changed(lambda i, things: Objects.empty() if i >= 150 else things))["empty-pictures"]
    assert bare.verdict.status == "fail" and bare.verdict.evidence.endswith("among them all of val and test")


def test_how_often_classes_occur() -> None:
    def without_three(i: int, things: Objects) -> Objects:
        return things.take(np.flatnonzero(things.labels != 3))

    found = examined(changed(without_three))
    assert set(found) == {"empty-class"} and healthy().classes[3] in found["empty-class"].verdict.evidence

    def three_in_val(i: int, things: Objects) -> Objects:
        return things if i >= 150 else without_three(i, things)

    found = examined(changed(three_in_val))
    assert found["class-missing-from-split"].verdict.status == "fail"

    def mostly_one(i: int, things: Objects) -> Objects:
        return replace(things, labels=np.where(np.arange(len(things)) + i % 20 == 0, things.labels, 0))

    verdict = examined(changed(mostly_one))["class-imbalance"].verdict
    assert " things to train on" in verdict.evidence and "mean AP counts all alike" in verdict.cure


def test_a_background_among_the_classes() -> None:
    (found,) = judge_named_background(("__background__", "cat"), np.array([0, 7]))
    assert found.verdict.rule == "background-class" and "with 0 boxes" in found.verdict.evidence
    assert judge_named_background(("cat", "back"), np.array([3, 7])) == []
