"""Labels of drawn and of generated scenes against the pixels themselves, counted one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.core.errors import DataError
from pellucid.data.scenes import labels
from pellucid.data.scenes.compose import make_scene
from pellucid.data.scenes.dice import Dice
from pellucid.data.scenes.difficulty import DIFFICULTIES
from pellucid.data.scenes.scene import Scene, Thing
from pellucid.data.scenes.sprites.fashion import FASHION

N_CLASSES = 5


def thing(label: int, colour: str = "red") -> Thing:
    return Thing(label, colour, np.full((4, 3), label, dtype=np.float32) % 3, area=100)


def of_map(instances: np.ndarray, classes: list[int]) -> Scene:
    image = np.zeros((*instances.shape, 3), dtype=np.uint8)
    return Scene(image, instances.astype(np.uint8), tuple(thing(label) for label in classes))


@st.composite
def maps(draw) -> Scene:
    """Any map at all: things in several pieces, hidden ones, a single pixel."""
    n = draw(st.integers(0, 6))
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return of_map(rng.integers(0, n + 1, (height, width)), rng.integers(N_CLASSES, size=n).tolist())


@settings(deadline=None, max_examples=80)
@given(maps())
def test_all_labels_of_a_map_agree_with_its_pixels(scene):
    check(scene, N_CLASSES)


@pytest.mark.parametrize("difficulty", list(DIFFICULTIES.values()), ids=list(DIFFICULTIES))
def test_all_labels_of_generated_scenes_agree_with_their_pixels(difficulty):
    for i in range(12):
        scene = make_scene(Dice(1, i), FASHION.sprites("test"), (72, 60), difficulty)
        check(scene, len(FASHION.classes))
        assert len(labels.seen(scene)) > 0
        for thing, shown in zip(scene.things, labels.pixels(scene), strict=True):
            assert shown <= thing.area


def check(scene: Scene, n_classes: int) -> None:
    """Every kind of label follows from the map."""
    found = labels.objects(scene)
    present = [i for i in range(len(scene.things)) if (scene.instances == i + 1).any()]
    assert labels.seen(scene).tolist() == present
    assert found.labels.tolist() == [scene.things[i].label for i in present]
    union = np.zeros(scene.instances.shape, dtype=int)
    semantic = np.zeros(scene.instances.shape, dtype=int)
    for row, i in enumerate(present):
        mask = scene.instances == i + 1
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert found.boxes_xyxy[row].tolist() == box == list(found.masks[row].box_xyxy)
        assert found.area[row] == mask.sum()
        assert np.array_equal(found.dense()[row], mask)
        assert np.array_equal(found.keypoints[row], scene.things[i].keypoints)
        union += mask
        semantic[mask] = scene.things[i].label + 1
    assert union.max(initial=0) <= 1
    mask = labels.semantic_mask(scene)
    assert mask.dtype == np.uint8 and np.array_equal(mask, semantic)
    assert np.array_equal(mask > 0, union > 0)
    assert np.array_equal(labels.foreground_mask(scene), np.where(union > 0, 1, 2))
    ids = labels.instance_ids(scene)
    assert np.unique(ids[ids > 0]).tolist() == list(range(1, len(found) + 1))
    assert all(np.array_equal(ids == row + 1, found.dense()[row]) for row in range(len(found)))
    counts = labels.class_counts(scene, n_classes)
    assert counts.tolist() == [found.labels.tolist().count(k) for k in range(n_classes)]
    if present:
        largest = max(present, key=lambda i: ((scene.instances == i + 1).sum(), -i))
        assert labels.class_label(scene) == scene.things[largest].label


def test_a_hidden_thing_leaves_no_label():
    scene = of_map(np.array([[0, 3, 3], [1, 1, 3]]), [4, 2, 0])
    assert labels.objects(scene).labels.tolist() == [4, 0]
    assert labels.instance_ids(scene).tolist() == [[0, 2, 2], [1, 1, 2]]
    assert labels.class_counts(scene, 5).tolist() == [1, 0, 0, 0, 1]
    assert labels.class_label(scene) == 0
    assert labels.semantic_mask(scene).tolist() == [[0, 1, 1], [5, 5, 1]]
    assert labels.foreground_mask(scene).tolist() == [[2, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize("classes", [[], [1, 2]])
def test_a_scene_without_anything_has_empty_labels_and_no_class(classes):
    scene = of_map(np.zeros((3, 4)), classes)
    assert len(labels.objects(scene)) == 0
    assert not labels.semantic_mask(scene).any() and not labels.instance_ids(scene).any()
    assert (labels.foreground_mask(scene) == 2).all()
    assert labels.class_counts(scene, 3).tolist() == [0, 0, 0]
    with pytest.raises(DataError, match="nothing to be seen in this scene"):
        labels.class_label(scene)
