import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.data.canvas import IGNORE, layout, luma, place

WHITE = (255, 255, 255)
FITS = ("crop", "pad", "stretch")
sides = st.integers(1, 70)


def noise(h: int, w: int, c: int = 3) -> np.ndarray:
    return np.random.default_rng(h * 1000 + w).integers(0, 256, (h, w, c), dtype=np.uint8)


def to_file(affine: np.ndarray, xy: np.ndarray) -> np.ndarray:
    return xy @ affine[:, :2].T + affine[:, 2]


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("c", [1, 3])
def test_a_picture_of_the_right_size_stays_as_it_is(fit, c):
    image, mask = noise(17, 23, c), noise(17, 23, 1)[..., 0]
    placed = place(image, (17, 23), fit, WHITE, mask)
    assert np.array_equal(placed.image, image)
    assert np.array_equal(placed.mask, mask)
    assert np.array_equal(placed.affine, [[1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_pixels_are_kept_where_only_one_side_differs(fit):
    image = noise(20, 31)
    placed = place(image, (20, 20) if fit == "crop" else (40, 31), fit, (1, 2, 3))
    if fit == "crop":
        assert np.array_equal(placed.image, image[:, 5:25])
        assert np.array_equal(placed.affine, [[1, 0, 5], [0, 1, 0]])
    else:
        assert np.array_equal(placed.image[:20], image)
        assert (placed.image[20:] == (1, 2, 3)).all()


def test_layouts_by_hand():
    crop = layout((375, 500), (256, 256), "crop")
    assert (crop.top, crop.left, crop.height, crop.width, crop.shown_hw) == (0, 62, 375, 375, (256, 256))
    pad = layout((375, 500), (256, 256), "pad")
    assert (pad.top, pad.left, pad.height, pad.width, pad.shown_hw) == (0, 0, 375, 500, (192, 256))
    stretch = layout((375, 500), (256, 200), "stretch")
    assert np.array_equal(stretch.affine, np.float32([[2.5, 0, 0], [0, 375 / 256, 0]]))


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("original", "size"), [((90, 120), (33, 47)), ((37, 41), (96, 64)), ((100, 30), (50, 50))])
def test_affine_leads_to_the_pixel_that_is_seen(fit, original, size):
    """On ramps whose value is the coordinate of the pixel's centre, the picture itself says where it shows."""
    y, x = np.mgrid[: original[0], : original[1]]
    placed = place(np.stack([x, y, x], -1).astype(np.uint8), size, fit, WHITE)
    h, w = placed.valid_hw
    centres = np.stack(np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5), -1)  # (h, w, 2)
    seen = placed.image[:h, :w, :2].astype(float) + 0.5
    expected = to_file(placed.affine, centres)
    assert np.abs(seen - expected)[3:-3, 3:-3].max() <= 0.51  # half a level of rounding; borders fold the ramp


@pytest.mark.parametrize("fit", FITS)
def test_corners_of_what_is_shown_lie_in_the_picture(fit):
    placed = place(noise(91, 57), (40, 64), fit, WHITE)
    h, w = placed.valid_hw
    where = layout((91, 57), (40, 64), fit)
    corners = to_file(placed.affine, np.array([[0, 0], [w, h]]))
    expected = [[where.left, where.top], [where.left + where.width, where.top + where.height]]
    np.testing.assert_allclose(corners, expected, rtol=1e-6)


@pytest.mark.parametrize(("original", "size"), [((375, 500), (224, 224)), ((60, 40), (90, 90)), ((33, 500), (31, 29))])
def test_resizing_is_pillows(original, size):
    image = noise(*original)
    placed = place(image, size, "stretch", WHITE)
    expected = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))
    assert np.abs(placed.image.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(16, 16), (31, 70), (64, 64)])
def test_masks_show_the_pixel_under_each_centre(fit, size):
    mask = np.random.default_rng(1).integers(0, 5, (45, 38), dtype=np.uint8)
    placed = place(noise(45, 38), size, fit, WHITE, mask)
    h, w = placed.valid_hw
    centres = np.stack(np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5), -1)
    x, y = np.moveaxis(to_file(placed.affine.astype(np.float64), centres) + 1e-5, -1, 0).astype(int)
    agree = placed.mask[:h, :w] == mask[y, x]
    assert agree.mean() > 0.97  # a centre that falls on a border between two pixels may go either way
    assert (placed.mask[h:] == IGNORE).all()
    assert (placed.mask[:, w:] == IGNORE).all()
    assert set(np.unique(placed.mask)) <= {0, 1, 2, 3, 4, IGNORE}


@given(st.tuples(sides, sides), st.tuples(sides, sides), st.sampled_from(FITS), st.sampled_from([1, 3]))
def test_every_shape_has_a_place(original, size, fit, c):
    image = noise(*original, c)
    placed = place(image, size, fit, (9, 9, 9), image[..., 0])
    assert placed.image.shape == (*size, c)
    assert placed.mask.shape == size
    assert placed.image.dtype == placed.mask.dtype == np.uint8
    assert (placed.original_hw == original).all()
    assert (placed.valid_hw >= 1).all() and (placed.valid_hw <= size).all()
    if fit != "pad":
        assert (placed.valid_hw == size).all()
    corner = to_file(placed.affine, placed.valid_hw[::-1].astype(np.float32))
    assert (corner <= np.array(original[::-1]) * (1 + 1e-6)).all()


def test_padding_has_the_background_and_its_grey():
    assert (place(noise(10, 20), (20, 20), "pad", (200, 100, 50)).image[10:] == (200, 100, 50)).all()
    grey = np.asarray(Image.new("RGB", (1, 1), (200, 100, 50)).convert("L"))[0, 0]
    assert luma((200, 100, 50)) == grey
    assert (place(noise(10, 20, 1), (20, 20), "pad", (200, 100, 50)).image[10:] == grey).all()


def test_arrays_that_are_read_only_are_left_alone():
    image = noise(30, 40)
    image.flags.writeable = False
    before = image.copy()
    placed = place(image, (16, 16), "crop", WHITE)
    assert placed.image.shape == (16, 16, 3)
    assert np.array_equal(image, before)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(
        DataError, match=r"^The mask is 9x8 pixels but its picture is 8x8 pixels; they must be equal\.$"
    ):
        place(noise(8, 8), (8, 8), "crop", WHITE, np.zeros((9, 8), np.uint8))
