"""Things of a picture: what fits together is kept, the rest is refused in one line."""

import json

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.data.objects import Objects
from pellucid.data.source import Source
from pellucid.ops.masks.rle import encode

BOXES = np.array([[0, 0, 2, 3], [1.5, 2, 4, 4], [-1, 0, 9, 1]])
LABELS = np.array([2, 0, 1])
MASKS = np.zeros((3, 4, 5), dtype=bool)
MASKS[0, :3, :2], MASKS[1, 2:, 2:4], MASKS[2, 0, 4] = True, True, True


def everything() -> Objects:
    keypoints = np.arange(18, dtype=np.float32).reshape(3, 2, 3)
    keypoints[..., 2] = [[0, 1], [2, 2], [1, 0]]
    return Objects(BOXES, LABELS, MASKS, keypoints, np.array([False, True, False]), np.array([6, 4.5, 1]))


def test_arrays_are_of_one_kind_and_read_only():
    objects = everything()
    assert len(objects) == 3
    assert objects.boxes_xyxy.dtype == np.float32 and objects.labels.dtype == np.int64
    assert objects.area.tolist() == [6, 4.5, 1]
    assert np.array_equal(objects.dense(), MASKS)
    with pytest.raises(ValueError, match="read-only"):
        objects.boxes_xyxy[0, 0] = 1
    assert BOXES.flags.writeable  # what was given stays the caller's


def test_area_follows_from_masks_else_from_boxes():
    assert Objects(BOXES, LABELS, MASKS).area.tolist() == [6, 4, 1]
    assert Objects(BOXES, LABELS).area.tolist() == [6, 5, 10]
    assert not Objects(BOXES, LABELS).is_crowd.any()


def test_boxes_follow_from_masks():
    assert Objects.from_masks(MASKS, LABELS).boxes_xyxy.tolist() == [[0, 0, 2, 3], [2, 2, 4, 4], [4, 0, 5, 1]]
    with pytest.raises(DataError, match="Mask 1 is empty, so there is no box around it"):
        Objects.from_masks(MASKS * np.array([1, 0, 1])[:, None, None], LABELS)


@pytest.mark.parametrize("rows", [[2, 0], np.array([2, 0]), [], [True, False, True], np.zeros(3, dtype=bool)])
def test_taking_picks_the_same_of_everything(rows):
    objects = everything()
    picked = np.arange(3)[np.asarray(rows, dtype=None if len(rows) else int)]
    taken = objects.take(rows)
    assert taken.labels.tolist() == LABELS[picked].tolist()
    assert np.array_equal(taken.boxes_xyxy, objects.boxes_xyxy[picked])
    assert taken.masks == tuple(objects.masks[i] for i in picked)
    assert np.array_equal(taken.keypoints, objects.keypoints[picked])
    assert taken.area.tolist() == objects.area[picked].tolist()
    assert taken.is_crowd.tolist() == objects.is_crowd[picked].tolist()


@pytest.mark.parametrize(
    "objects", [everything(), Objects(BOXES, LABELS), Objects.empty(), Objects.empty(4, has_masks=True)]
)
def test_json_keeps_everything(objects):
    back = Objects.from_dict(json.loads(json.dumps(objects.as_dict())))
    assert back == objects or not len(objects)
    assert len(back) == len(objects)
    assert (back.masks is None) == (objects.masks is None)


def test_equality_sees_each_part():
    first = everything()
    assert first == everything() and first != 3
    for name in ("boxes_xyxy", "labels", "keypoints", "is_crowd", "area", "masks"):
        changed = first.take([0, 1, 2])
        value = getattr(first, name)
        object.__setattr__(changed, name, (value[1], value[0], value[2]) if name == "masks" else value[[1, 0, 2]])
        assert changed != first, name


def test_nothing():
    objects = Objects.empty(4)
    assert (len(objects), objects.boxes_xyxy.shape, objects.keypoints.shape) == (0, (0, 4), (0, 4, 3))
    assert Objects.empty().keypoints is None
    with pytest.raises(DataError, match="There is no thing to have masks"):
        Objects.empty(has_masks=True).dense()
    with pytest.raises(DataError, match="These things have no masks"):
        Objects(BOXES, LABELS).dense()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"boxes_xyxy": [[0, 0, 2]]}, r"boxes_xyxy must have shape \(M, four\)"),
        ({"boxes_xyxy": [[0, 0, 2, 2], [3, 0, 3, 4], [0, 0, 1, 1]]}, "Box 1 is .* with left < right, top < bottom"),
        ({"boxes_xyxy": [[0, 0, np.nan, 2]] * 3}, "Box 0 is"),
        ({"boxes_xyxy": [[0, 0, 2, 2], [3, 0]]}, "boxes_xyxy must be an array of numbers, got an error"),
        ({"labels": [0, 1]}, r"labels must have shape \(M\) = \(3\), got \(2,\)"),
        ({"labels": [0, -1, 2]}, "whole numbers from 0, got int64 -1"),
        ({"labels": [0.0, 1.0, 2.0]}, "whole numbers from 0, got float64"),
        ({"masks": MASKS[:2]}, "There are 3 things, but 2 masks"),
        ({"masks": [encode(MASKS[0]), encode(MASKS[1]), encode(np.eye(4))]}, "have one size .* got 4x4, 4x5"),
        ({"keypoints": np.zeros((3, 4))}, r"keypoints must have shape \(M, P, three\)"),
        ({"keypoints": np.full((3, 1, 3), 3)}, "0 .not marked., 1 .hidden. or 2 .seen.; got another mark"),
        ({"is_crowd": [True]}, "is_crowd must have shape"),
        ({"area": [1, 2, np.inf]}, "Areas are finite numbers"),
    ],
)
def test_what_does_not_fit_is_refused(given, said):
    with pytest.raises(DataError, match=said):
        Objects(**{"boxes_xyxy": BOXES, "labels": LABELS, **given})


def test_other_content_is_refused():
    for content in ({}, {"boxes_xyxy": []}, [], {"boxes_xyxy": ["a"], "labels": [1]}):
        with pytest.raises(DataError, match="Things of a picture are boxes_xyxy and labels at least"):
            Objects.from_dict(content)


def test_a_data_set_carries_things_of_every_picture():
    images = np.zeros((3, 4, 5), dtype=np.uint8)
    objects = [everything(), Objects.empty(), Objects(BOXES[:1], LABELS[:1])]
    source = Source("things", images, ["a", "b", "c"], ("x", "y", "z"), objects=objects)
    assert source.take(np.array([2, 0])).objects == [objects[2], objects[0]]
    with pytest.raises(DataError, match="things: 3 images but 2 objects"):
        Source("things", images, ["a", "b", "c"], ("x", "y", "z"), objects=objects[:2])
    with pytest.raises(DataError, match=r"class 2 of a thing in a is outside 0\.\.1 \(2 classes\)"):
        Source("things", images, ["a", "b", "c"], ("x", "y"), objects=objects)
