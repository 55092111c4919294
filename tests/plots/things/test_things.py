"""Boxes, instances and keypoints: where what is drawn, in which colour, on pictures of any size."""

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.plots.palette import palette
from pellucid.plots.things.boxes import draw_boxes, draw_keypoints
from pellucid.plots.things.canvas import canvas, write_names
from pellucid.plots.things.instances import draw_instances

NAMES = ("cat", "dog", "a name that is long")
GREY = np.full((300, 400, 3), 128, dtype=np.uint8)


def test_a_box_is_drawn_on_its_edges_in_the_colour_of_its_class():
    drawn = np.asarray(draw_boxes(GREY, [[100, 120, 220, 260]], [1], NAMES))
    assert drawn.shape == GREY.shape
    colour = palette(3)[1]
    changed = (drawn != GREY).any(axis=2)
    for row, column in ((120, 200), (259, 200), (200, 100), (200, 219)):
        assert (drawn[row, column] == colour).all()
    for row, column in ((260, 200), (200, 99), (200, 220)):  # an edge, to be seen on a ground of the same colour
        assert drawn[row, column].tolist() == [0, 0, 0]
    assert not changed[190, 160]
    assert changed[:119].any() and not changed[:100].any()  # the name, above the box
    assert not changed[261:].any() and not changed[:, 221:].any()


def test_boxes_are_seen_on_grounds_of_their_own_colour():
    for k in range(12):
        names, ground = [f"class {i}" for i in range(12)], np.broadcast_to(palette(12)[k], (300, 400, 3)).copy()
        drawn = np.asarray(draw_boxes(ground, [[100, 120, 220, 260]], [k], names), dtype=int)
        assert abs(drawn[200, 99] - ground[200, 99]).sum() > 150, k


@pytest.mark.parametrize("size", [(1, 1), (20, 90), (64, 48), (256, 256), (513, 700)])
@pytest.mark.parametrize("mode", ["L", "RGB", "array", "channel"])
def test_any_picture_is_drawn_at_least_256_pixels_wide(size, mode):
    channel = {"array": (), "channel": (1,)}
    image = Image.new(mode, size[::-1]) if mode in ("L", "RGB") else np.zeros((*size, *channel[mode]), dtype=np.uint8)
    boxes = draw_boxes(image, [[0, 0, size[1], size[0]]], [2], NAMES, scores=[0.125])
    ids = np.ones(size, dtype=np.uint8)
    instances = draw_instances(image, ids, [0], NAMES)
    points = draw_keypoints(image, [[[0, 0, 2], [size[1], size[0], 1]]], [0], NAMES)
    factor = boxes.width // size[1]
    assert boxes.size == instances.size == points.size == (size[1] * factor, size[0] * factor)
    assert min(boxes.size) >= 256
    assert factor == 1 or min(size) * (factor - 1) < 256


def test_a_thin_picture_is_not_made_longer_than_anyone_can_see():
    assert canvas(np.zeros((1, 4000), np.uint8)).image.size == (8000, 2)
    assert canvas(np.zeros((2, 9000), np.uint8)).image.size == (9000, 2)


def test_nothing_to_draw_leaves_the_picture():
    for drawn in (
        draw_boxes(GREY, np.zeros((0, 4)), [], NAMES),
        draw_instances(GREY, np.zeros((300, 400), dtype=int), [], NAMES),
        draw_keypoints(GREY, np.zeros((0, 4, 3)), [], NAMES),
        draw_keypoints(GREY, np.zeros((1, 4, 3)), [0], NAMES),
    ):
        assert np.array_equal(np.asarray(drawn), GREY)


def test_the_same_class_has_the_same_colour_among_any_others():
    first = np.asarray(draw_boxes(GREY, [[50, 50, 90, 90], [200, 100, 300, 200]], [0, 1], NAMES))
    second = np.asarray(draw_boxes(GREY, [[200, 100, 300, 200]], [1], (*NAMES, "more")))
    assert (first[150, 200] == second[150, 200]).all() and (first[150, 200] == palette(3)[1]).all()


def test_names_of_many_things_do_not_cover_each_other():
    rng = np.random.default_rng(0)
    on = canvas(np.zeros((600, 800, 3), dtype=np.uint8))
    corner = rng.integers(0, (700, 500), size=(14, 2))
    boxes = np.concatenate([corner, corner + rng.integers(30, 100, size=(14, 2))], axis=1).astype(float)
    write_names(on, ["sneaker"] * 14, boxes, palette(14))
    for i, one in enumerate(on.tags):
        assert one[0] >= 0 and one[1] >= 0 and one[2] <= 800 and one[3] <= 600
        for other in on.tags[:i]:
            assert min(one[2], other[2]) <= max(one[0], other[0]) or min(one[3], other[3]) <= max(one[1], other[1])


def test_twice_the_same_box_shows_both_names():
    on = canvas(GREY)
    write_names(on, ["cat", "dog"], np.array([[100, 100, 200, 200]] * 2), palette(2))
    assert on.tags[0] != on.tags[1]


def test_instances_of_one_class_have_colours_of_their_own_and_the_rest_is_left():
    ids = np.zeros((300, 400), dtype=np.uint8)
    ids[150:250, 50:150], ids[150:250, 150:260] = 1, 2  # touch
    drawn = np.asarray(draw_instances(GREY, ids, [0, 0], NAMES))
    middle = [drawn[200, 100], drawn[200, 200]]
    assert not (middle[0] == middle[1]).all()
    assert all((pixel == (GREY[0, 0] + palette(2)[k].astype(int) + 1) // 2).all() for k, pixel in enumerate(middle))
    assert (drawn[260:] == 128).all() and (drawn[:, 300:] == 128).all()
    assert (drawn[200, 149] == palette(2)[0]).all() and (drawn[200, 150] == palette(2)[1]).all()  # outlines meet


def test_keypoints_are_full_where_seen_and_rings_where_hidden():
    drawn = np.asarray(draw_keypoints(GREY, [[[100, 100, 2], [200, 100, 1], [300, 100, 0]]], [1], NAMES))
    assert (drawn[100, 100] == palette(3)[1]).all()
    assert (drawn[100, 200] == 128).all() and (drawn[90:111, 190:211] != 128).any()
    assert (drawn[:, 280:] == 128).all()


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: draw_boxes(GREY, [[0, 0, 5, 5]], [3], NAMES), "There are 3 class names, got label 3"),
        (lambda: draw_boxes(GREY, [[0, 0, 5, 5]], [0, 1], NAMES), r"labels must have shape \(M\) = \(1\)"),
        (lambda: draw_boxes(GREY, [[0, 0, 5, 5]], [0], NAMES, scores=[]), "scores must have shape"),
        (lambda: draw_boxes(GREY.astype(float), [], [], NAMES), "A picture is .* uint8, got float64"),
        (lambda: draw_boxes(GREY, [[0, 0, 5, 5]], [0], NAMES, colours=palette(2)), "colours must have shape"),
        (lambda: draw_instances(GREY, np.ones((3, 4), dtype=int), [0], NAMES), r"ids must have shape \(H, W\) = \(300"),
        (lambda: draw_instances(GREY, np.full((300, 400), 2), [0], NAMES), "labels for things 1 to 1, got number 2"),
        (lambda: draw_instances(GREY, np.ones((300, 400), dtype=int), [5], NAMES), "3 class names, got labels from 5"),
        (lambda: draw_keypoints(GREY, np.zeros((2, 3)), [0, 0], NAMES), "keypoints must have shape"),
    ],
)
def test_what_does_not_fit_is_refused(draw, said):
    with pytest.raises(DataError, match=said):
        draw()
