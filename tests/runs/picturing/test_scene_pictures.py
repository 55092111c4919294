"""The drawing of one scene's labels for all tasks."""

from dataclasses import replace

import numpy as np
from PIL import Image

from pellucid.data.images import read_image, read_mask
from pellucid.data.load import load
from pellucid.data.readers.object_lines import read_object_lines
from pellucid.data.scenes import labels
from pellucid.data.scenes.export import write_scenes
from pellucid.data.scenes.frozen import scene_of
from pellucid.data.scenes.options import Options
from pellucid.data.scenes.scene import Scene
from pellucid.data.scenes.sprites.fashion import FASHION
from pellucid.plots.grid import grid
from pellucid.plots.overlay import overlay_mask
from pellucid.plots.palette import palette
from pellucid.plots.things.boxes import draw_boxes
from pellucid.plots.things.instances import draw_instances
from pellucid.runs.picturing.scenes import cells, lessons, picture_scenes


def test_a_sheet_has_a_row_for_each_scene_and_tells_captions(tmp_path):
    rows = picture_scenes(Options(size="32x40", difficulty="medium", train=1, val=1, test=9), tmp_path / "a.png")
    assert [row["scene"] for row in rows] == ["train/0", "val/0", "test/0"]
    assert all(row["English"] and row["Chinese"] for row in rows)
    with Image.open(tmp_path / "a.png") as image:
        assert image.width >= 6 * 320 and image.height >= 3 * 256


def test_cells_show_what_the_labels_say():
    scene = scene_of(Options(size="64", difficulty="easy"), "train", 2)
    drawn = dict(cells(scene, FASHION.classes))
    assert list(drawn) == [
        f"classification: {FASHION.classes[labels.class_label(scene)]}",
        "foreground 1, background 2",
        "semantic segmentation",
        "detection",
        "instance segmentation",
        "keypoints: full seen, ring hidden",
    ]
    plain = np.asarray(next(iter(drawn.values())))
    assert np.array_equal(plain, scene.image.repeat(4, axis=0).repeat(4, axis=1))
    semantic = np.asarray(drawn["semantic segmentation"])[:256, :256]
    mask = labels.semantic_mask(scene).repeat(4, axis=0).repeat(4, axis=1)
    assert np.array_equal(semantic[mask == 0], plain[mask == 0])
    boxes = np.asarray(drawn["detection"])
    found = labels.objects(scene)
    for box, label in zip(found.boxes_xyxy * 4, found.labels, strict=True):
        colours = boxes[int(box[3]) - 1, int(box[0]) : int(box[2])]
        assert (colours == palette(11)[label + 1]).all(axis=1).any()  # the colour it has in masks


def test_a_scene_without_things_is_drawn():
    empty = Scene(np.zeros((20, 30, 3), dtype=np.uint8), np.zeros((20, 30), dtype=np.uint8), ())
    assert cells(empty, FASHION.classes)[0][0] == "classification: none"
    assert lessons([empty], FASHION.classes).height > 256


def test_one_sample_of_each_of_four_tasks_loads_comes_back_and_is_drawn(tmp_path):
    """A class, boxes, a semantic mask, instance ids, and foreground and background, out of one map."""
    options = Options(size="48", difficulty="medium", train=1, test=1, seed=4)
    write_scenes(options, tmp_path / "all", "everything")
    write_scenes(options, tmp_path / "two", "foreground")
    write_scenes(replace(options, purpose="classify"), tmp_path / "one")
    scene, drawn = scene_of(options, "train", 0), {}

    one = load(tmp_path / "one")  # classification
    (row,) = np.flatnonzero(one.roles == "train")
    alone = scene_of(replace(options, purpose="classify"), "train", 0)
    name = one.classes[one.labels[row]]
    assert name == FASHION.classes[labels.class_label(alone)].replace("/", "-")
    assert np.array_equal(read_image(one.images[row]), alone.image)
    drawn["class"] = grid([Image.fromarray(read_image(one.images[row]))], captions=[name])

    masks = load(tmp_path / "all")  # semantic segmentation
    (row,) = np.flatnonzero(masks.roles == "train")
    image, mask = read_image(masks.images[row]), read_mask(masks.masks[row])
    assert np.array_equal(image, scene.image) and np.array_equal(mask, labels.semantic_mask(scene))
    drawn["mask"] = overlay_mask(image, mask, palette(11), clear=(0,))

    (things,) = read_object_lines(tmp_path / "all" / "objects.jsonl", [masks.names[row]], FASHION.classes)  # detection
    assert things == labels.objects(scene)
    drawn["boxes"] = draw_boxes(image, things.boxes_xyxy, things.labels, FASHION.classes)

    ids = read_mask(tmp_path / "all" / "instances" / "train" / "0.png")  # instance segmentation
    assert np.array_equal(ids, labels.instance_ids(scene))
    drawn["instances"] = draw_instances(image, ids, things.labels, FASHION.classes)

    two = load(tmp_path / "two")  # foreground 1, background 2
    (row,) = np.flatnonzero(two.roles == "train")
    coded = read_mask(two.masks[row])
    assert two.classes == ("foreground", "background") and np.array_equal(coded, labels.foreground_mask(scene))
    drawn["two"] = overlay_mask(image, coded, palette(3))

    assert all(len(np.unique(np.asarray(each).reshape(-1, 3), axis=0)) > 10 for each in drawn.values())
    for i, label in enumerate(things.labels.tolist()):  # and all agree
        assert (mask[ids == i + 1] == label + 1).all() and (coded[ids == i + 1] == 1).all()
        left, top, right, bottom = things.boxes_xyxy[i].astype(int)
        assert (ids[top:bottom, left:right] == i + 1).sum() == (ids == i + 1).sum() == things.area[i]
    assert ((ids == 0) == (mask == 0)).all() and ((ids == 0) == (coded == 2)).all()
