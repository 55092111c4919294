"""Scenes written to folders are read back by the package's own readers without loss."""

import json

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.images import read_image, read_mask
from pellucid.data.load import load
from pellucid.data.readers.object_lines import read_object_lines
from pellucid.data.scenes import labels
from pellucid.data.scenes.export import write_scenes
from pellucid.data.scenes.frozen import frozen, scene_of
from pellucid.data.scenes.options import Options
from pellucid.data.scenes.sprites.fashion import FASHION

SMALL = Options(size="40x48", difficulty="medium", train=5, val=2, test=3, seed=7)


def in_order(back, source) -> list[int]:
    """Rows of what was read, in the order of what was written."""
    found = {name.removeprefix("images/").removesuffix(".png"): i for i, name in enumerate(back.names)}
    assert set(found) == set(source.names)
    return [found[name] for name in source.names]


def test_masks_are_those_of_the_frozen_set(tmp_path):
    source = frozen(SMALL)
    write_scenes(SMALL, tmp_path / "out")
    back = load(tmp_path / "out", strict=True)
    rows = in_order(back, source)
    assert back.classes == source.classes and back.mask_ids is None
    assert back.roles[rows].tolist() == source.roles.tolist()
    assert np.array_equal(np.stack([read_image(back.images[row]) for row in rows]), source.images)
    assert np.array_equal(np.stack([read_mask(back.masks[row]) for row in rows]), source.masks)


def test_every_kind_of_label_is_written_and_comes_back(tmp_path):
    source = frozen(SMALL)
    write_scenes(SMALL, tmp_path / "out", "everything")
    back = load(tmp_path / "out", strict=True)
    rows = in_order(back, source)
    things = read_object_lines(tmp_path / "out" / "objects.jsonl", back.names, FASHION.classes)
    assert [back.objects[row] for row in rows] == list(source.objects)
    captions = [json.loads(line) for line in (tmp_path / "out" / "captions.jsonl").read_text("utf-8").splitlines()]
    assert [one["image"] for one in captions] == [f"images/{name}.png" for name in source.names]
    for row, name in zip(rows, source.names, strict=True):
        role, i = name.split("/")
        scene = scene_of(SMALL, role, int(i))
        assert things[row] == labels.objects(scene)
        mask = read_mask(back.masks[row])
        instances = read_mask(tmp_path / "out" / "instances" / f"{name}.png")
        foreground = read_mask(tmp_path / "out" / "foreground" / f"{name}.png")
        assert np.array_equal(instances, labels.instance_ids(scene))
        assert np.array_equal(foreground, labels.foreground_mask(scene))
        # and what was read agrees with itself
        assert np.array_equal(mask > 0, instances > 0) and np.array_equal(mask > 0, foreground == 1)
        assert all((mask[instances == k + 1] == label + 1).all() for k, label in enumerate(things[row].labels))


def test_foreground_is_a_set_of_two_classes(tmp_path):
    write_scenes(SMALL, tmp_path / "out", "foreground")
    back = load(tmp_path / "out", strict=True)
    assert back.classes == ("foreground", "background") and back.mask_ids == {1: 0, 2: 1}
    scene = scene_of(SMALL, "val", 1)
    (row,) = (i for i, name in enumerate(back.names) if name == "images/val/1.png")
    assert np.array_equal(read_mask(back.masks[row]), np.where(scene.instances > 0, 1, 2))


def test_pictures_that_one_thing_fills_become_class_folders(tmp_path):
    options = Options(size="32", train=12, test=6, purpose="classify")
    source = frozen(options)
    write_scenes(options, tmp_path / "out")
    back = load(tmp_path / "out")
    written = {
        (role, FASHION.classes[label].replace("/", "-"), image.tobytes())
        for role, label, image in zip(source.roles, source.labels, source.images, strict=True)
    }
    read = {
        (role, back.classes[label], read_image(path).tobytes())
        for role, label, path in zip(back.roles, back.labels, back.images, strict=True)
    }
    assert read == written and len(back) == len(source)


def test_things_are_cut_out_of_other_scenes(tmp_path):
    write_scenes(SMALL, tmp_path / "out", "classes")
    back = load(tmp_path / "out")
    assert set(back.roles) == {"train", "val", "test"}
    for name, path, label in zip(back.names, back.images, back.labels, strict=True):
        role, _, file = name.split("/")
        i, number = file.removesuffix(".png").split("-")
        scene = scene_of(SMALL, role, int(i))
        found = labels.objects(scene)
        assert back.classes[label] == FASHION.classes[found.labels[int(number) - 1]].replace("/", "-")
        crop = read_image(path)
        left, top, right, bottom = found.boxes_xyxy[int(number) - 1].astype(int)
        thing = scene.image[top:bottom, left:right]
        windows = np.lib.stride_tricks.sliding_window_view(crop, thing.shape)
        assert (windows == thing).all(axis=(-3, -2, -1)).any()  # all of the thing is in the crop


def test_a_wrong_form_and_a_full_folder_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="Unknown form .mask.. Did you mean .masks."):
        write_scenes(SMALL, tmp_path / "out", "mask")
    (tmp_path / "x").write_text("")
    with pytest.raises(DataError, match="is not empty"):
        write_scenes(SMALL, tmp_path)


def test_a_frozen_set_carries_its_things():
    source = frozen(SMALL)
    assert len(source.objects) == len(source)
    for things, mask in zip(source.objects, source.masks, strict=True):
        drawn = np.zeros_like(mask)
        for one, label in zip(things.dense(), things.labels, strict=True):
            drawn[one] = label
        assert np.array_equal(drawn, mask)
    assert frozen(Options(size="32", train=2, test=0, purpose="classify")).objects is None


def test_a_damaged_list_of_things_is_a_problem_and_the_masks_stay(tmp_path):
    write_scenes(SMALL, tmp_path / "out", "everything")
    (tmp_path / "out" / "objects.jsonl").write_text("{}")
    back = load(tmp_path / "out")
    assert back.objects is None and len(back) == 10
    assert [(one.record, one.kind) for one in back.problems] == [("objects.jsonl", "unreadable")]
    assert "objects.jsonl, line 1: there is no class or field 'classes'" in back.problems[0].reason
