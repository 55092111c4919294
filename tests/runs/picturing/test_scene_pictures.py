"""The drawing of one scene's labels for all tasks."""

import numpy as np
from PIL import Image

from pellucid.data.scenes import labels
from pellucid.data.scenes.frozen import scene_of
from pellucid.data.scenes.options import Options
from pellucid.data.scenes.scene import Scene
from pellucid.data.scenes.sprites.fashion import FASHION
from pellucid.plots.palette import palette
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
