"""Found things are drawn in the colour of their class, the surer ones on top, legible at any size."""

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.ops.masks.rle import encode
from pellucid.plots.palette import palette
from pellucid.plots.things.canvas import canvas
from pellucid.plots.things.found import TINT, draw_found

NAMES = ("coat", "bag", "shoe")


def square(side: int, top: int, left: int, size: int = 260) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_masks_are_tinted_in_the_colour_of_their_class_and_the_first_lies_on_top() -> None:
    image = Image.new("RGB", (260, 260), (100, 100, 100))
    masks = [square(60, 100, 100), square(100, 120, 120)]
    boxes = [[100, 100, 160, 160], [120, 120, 220, 220]]
    drawn = np.asarray(draw_found(image, boxes, [2, 0], NAMES, [0.9, 0.4], [encode(mask) for mask in masks]))
    colours = palette(3).astype(float)
    for at, label in (((140, 150), 2), ((190, 190), 0)):
        np.testing.assert_array_equal(drawn[at], np.floor((1 - TINT) * 100 + TINT * colours[label] + 0.5))
    np.testing.assert_array_equal(drawn[130, 101], colours[2])  # outlined
    np.testing.assert_array_equal(drawn[150, 158], colours[2])  # also where another thing goes on
    np.testing.assert_array_equal(drawn[50, 50], [100, 100, 100])


@pytest.mark.parametrize("size", [(28, 28), (1, 1), (31, 200), (640, 480), (1500, 900)])
def test_any_size_of_picture(size: tuple[int, int]) -> None:
    w, h = size
    mask = np.zeros((h, w), bool)
    mask[: (h + 1) // 2] = True
    boxes, points = [[0, 0, w, (h + 1) // 2]], [[[w / 2, h / 4, 0.9], [0, 0, 0.1]]]
    drawn = draw_found(Image.new("L", size, 90), boxes, [1], NAMES, [0.5], [encode(mask)], points)
    factor = canvas(Image.new("L", size)).factor
    assert drawn.size == (w * factor, h * factor) and min(drawn.size) >= 256
    assert (np.asarray(drawn) == palette(3)[1]).all(-1).any()
    nothing = draw_found(Image.new("L", size, 90), np.zeros((0, 4)), [], NAMES, [], [], np.zeros((0, 2, 3)))
    assert (np.asarray(nothing) == 90).all()


def rows_of_a_name(side: int) -> int:
    """How high the patch of a name is, in shares of 1/1000 of the picture."""
    image = Image.new("RGB", (side, side))
    half = side // 2
    drawn = np.asarray(draw_found(image, [[half, half, side, side]], [0], NAMES, [0.5]))
    patch = (drawn[:half, half + 2 : half + 4] == palette(3)[0]).all(-1).any(-1)
    return round(1000 * patch.sum() / side)


def test_names_stay_legible_where_a_large_picture_is_looked_at_made_smaller() -> None:
    assert rows_of_a_name(2600) >= 25 and rows_of_a_name(1200) >= 25 and rows_of_a_name(300) >= 40


def test_names_leave_room_for_the_picture() -> None:
    rng = np.random.default_rng(0)
    image, n = Image.new("RGB", (300, 300)), 400
    corner = rng.random((n, 2)) * 280
    boxes = np.concatenate([corner, corner + 12], axis=1)
    drawn = np.asarray(draw_found(image, boxes, rng.integers(0, 3, n), NAMES, np.linspace(0.9, 0.4, n)))
    lines = np.asarray(draw_found(image, boxes, rng.integers(0, 3, n), [" "] * 3, np.linspace(0.9, 0.4, n)))
    assert (drawn != lines).any() and (drawn == 0).all(-1).mean() > 0.3


def test_small_boxes_are_not_filled_by_their_lines() -> None:
    image = Image.new("RGB", (1200, 1200))
    drawn = np.asarray(draw_found(image, [[600, 600, 608, 608]], [0], NAMES, [0.5]))
    assert not drawn[602:606, 602:606].any() and drawn[600:608, 600].any()


def test_what_does_not_fit() -> None:
    image = Image.new("RGB", (20, 10))
    with pytest.raises(DataError, match="^Masks must be 10x20 as the picture is, got 5x5"):
        draw_found(image, [[0, 0, 2, 2]], [0], NAMES, [0.5], [encode(np.ones((5, 5)))])
    with pytest.raises(DataError, match="^There are 3 class names, got label 3"):
        draw_found(image, [[0, 0, 2, 2]], [3], NAMES, [0.5])
    with pytest.raises(DataError, match="scores"):
        draw_found(image, [[0, 0, 2, 2]], [0], NAMES, [0.5, 0.4])
