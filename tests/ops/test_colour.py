import colorsys

import cv2
import numpy as np
import pytest
import skimage.color
import torch
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.ops.colour import (
    hsv_to_rgb,
    lab_to_rgb,
    rgb_to_grey,
    rgb_to_hsv,
    rgb_to_lab,
    rgb_to_ycbcr,
    ycbcr_to_rgb,
)

CORNERS = {  # colour -> hue in twelfths of the circle, saturation, value
    (0, 0, 0): (0, 0, 0),
    (255, 0, 0): (0, 1, 1),
    (255, 255, 0): (2, 1, 1),
    (0, 255, 0): (4, 1, 1),
    (0, 255, 255): (6, 1, 1),
    (0, 0, 255): (8, 1, 1),
    (255, 0, 255): (10, 1, 1),
    (255, 255, 255): (0, 0, 1),
}
CONVERSIONS = [rgb_to_hsv, rgb_to_lab, rgb_to_ycbcr]
WAYS_BACK = [(rgb_to_hsv, hsv_to_rgb), (rgb_to_lab, lab_to_rgb), (rgb_to_ycbcr, ycbcr_to_rgb)]


def colours(*shape: int, seed: int = 0) -> np.ndarray:
    """Random pixels with some ties between channels, (..., 3, H, W) uint8."""
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    pixels[..., 1, ::3, :] = pixels[..., 0, ::3, :]
    pixels[..., 2, :, ::3] = pixels[..., 0, :, ::3]
    return pixels


def channels_last(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(picture, -3, -1))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_hsv_is_exact_on_the_eight_corners(dtype):
    picture = np.array(list(CORNERS), dtype=np.uint8).T.reshape(3, 2, 4)
    if dtype != np.uint8:
        picture = picture.astype(dtype) / dtype(255)
    expected = np.array([(hue / 12, s, v) for hue, s, v in CORNERS.values()]).T.reshape(3, 2, 4)
    np.testing.assert_array_equal(rgb_to_hsv(picture), expected.astype(np.float32 if dtype == np.uint8 else dtype))


def test_hsv_equals_colorsys_and_scikit_image():
    picture = colours(3, 13, 17)
    found = channels_last(rgb_to_hsv(picture))
    expected = [[colorsys.rgb_to_hsv(*(pixel / 255)) for pixel in row] for row in channels_last(picture)]
    np.testing.assert_allclose(found, expected, atol=2e-7)
    np.testing.assert_allclose(found, skimage.color.rgb2hsv(channels_last(picture)), atol=2e-7)


def test_grey_has_hue_0_and_saturation_0():
    hue, saturation, value = rgb_to_hsv(np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), 3, axis=0))
    assert not hue.any() and not saturation.any()
    np.testing.assert_array_equal(value.ravel(), np.arange(256, dtype=np.float32) / np.float32(255))


def test_hue_never_reaches_1():
    """A hair of blue in red gives a hue a hair below 0, which modulo 1 is rounded to 1."""
    picture = torch.tensor([1.0, 0.0, 1e-9]).view(3, 1, 1)
    assert rgb_to_hsv(picture)[0].item() == 0.0


def test_hue_is_a_circle():
    hsv = rgb_to_hsv(colours(3, 9, 9) / 255)
    turned = hsv + np.array([1.0, 0, 0]).reshape(3, 1, 1)
    np.testing.assert_allclose(hsv_to_rgb(turned), hsv_to_rgb(hsv), atol=1e-12)


def test_lab_equals_scikit_image():
    picture = colours(3, 20, 21)
    expected = skimage.color.rgb2lab(channels_last(picture))
    np.testing.assert_allclose(channels_last(rgb_to_lab(picture / 255)), expected, atol=1e-10)
    np.testing.assert_allclose(channels_last(rgb_to_lab(picture)), expected, atol=1e-3)


def test_lab_of_black_and_white():
    black, white = rgb_to_lab(np.array([[0.0, 1.0]] * 3).reshape(3, 1, 2)).reshape(3, 2).T
    np.testing.assert_allclose(black, 0, atol=1e-12)
    np.testing.assert_allclose(white, [100, 0, 0], atol=0.01)


def test_ycbcr_equals_opencv():
    picture = colours(3, 20, 21) / np.float32(255)
    expected = cv2.cvtColor(channels_last(picture), cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
    found = channels_last(rgb_to_ycbcr(picture))
    np.testing.assert_allclose(found, expected, atol=1e-3)  # OpenCV has 0.713 and 0.564 to three places


def test_grey_equals_pillow_and_is_within_1_of_opencv():
    picture = colours(3, 64, 65)
    found = rgb_to_grey(picture)
    assert found.shape == (1, 64, 65) and found.dtype == np.uint8
    np.testing.assert_array_equal(found[0], np.asarray(Image.fromarray(channels_last(picture)).convert("L")))
    opencv = cv2.cvtColor(channels_last(picture), cv2.COLOR_RGB2GRAY).astype(int)
    assert np.abs(found[0] - opencv).max() <= 1
    luma = np.tensordot([0.299, 0.587, 0.114], picture / 255, axes=1)
    np.testing.assert_allclose(rgb_to_grey(picture / 255)[0], luma, atol=1e-14)


@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_grey_of_grey_is_itself(level):
    assert (rgb_to_grey(np.full((3, 2, 2), level, np.uint8)) == level).all()


@pytest.mark.parametrize("picture", [np.ones((4, 5), np.uint8), torch.zeros(2, 1, 3, 3), np.zeros((1, 2, 2))])
def test_one_channel_stays_as_it_is(picture):
    assert rgb_to_grey(picture) is picture


@pytest.mark.parametrize(("there", "back"), WAYS_BACK)
def test_there_and_back(there, back):
    picture = np.concatenate([colours(3, 31, 33) / 255, np.zeros((3, 1, 33)), np.ones((3, 1, 33))], axis=1)
    np.testing.assert_allclose(back(there(picture)), picture, atol=1e-6)
    bytes_back = 255 * back(there(colours(2, 3, 8, 7)))
    np.testing.assert_array_equal(np.round(bytes_back), colours(2, 3, 8, 7))


@pytest.mark.parametrize("convert", [rgb_to_grey, *CONVERSIONS])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_a_batch_is_its_pictures_of_either_kind(convert, dtype):
    batch = torch.from_numpy(colours(3, 3, 5, 7))
    batch = batch if dtype == torch.uint8 else batch.to(dtype) / 255
    before = batch.clone()
    found = convert(batch)
    assert found.dtype == (dtype if convert is rgb_to_grey or dtype != torch.uint8 else torch.float32)
    assert found.shape == (3, 1 if convert is rgb_to_grey else 3, 5, 7)
    for one, picture in zip(found, batch, strict=True):
        torch.testing.assert_close(convert(picture), one, rtol=1e-6, atol=1e-4)
    array = convert(batch.numpy())
    assert isinstance(array, np.ndarray)
    np.testing.assert_array_equal(array, found.numpy())
    assert torch.equal(batch, before)


@pytest.mark.parametrize("convert", CONVERSIONS)
def test_bytes_and_floats_are_the_same_colours(convert):
    np.testing.assert_allclose(convert(colours(3, 9, 9)), convert(colours(3, 9, 9) / 255), atol=1e-3)


@pytest.mark.parametrize("convert", [*CONVERSIONS, hsv_to_rgb, lab_to_rgb, ycbcr_to_rgb])
def test_grey_pictures_have_no_colours(convert):
    with pytest.raises(DataError, match="must have 3 channels in .N, C, H, W., got 1"):
        convert(np.zeros((4, 4)))


def test_alpha_is_refused():
    with pytest.raises(DataError, match="must have 1 or 3 channels in .N, C, H, W., got 4"):
        rgb_to_grey(np.zeros((4, 4, 4), np.uint8))


@pytest.mark.parametrize("convert", CONVERSIONS)
def test_floats_in_0_to_255_are_refused(convert):
    with pytest.raises(DataError, match=r"floats must lie in 0..1, got 0..255. Divide by 255"):
        convert(torch.linspace(0, 255, 12).view(3, 2, 2))


@pytest.mark.parametrize("convert", [hsv_to_rgb, lab_to_rgb, ycbcr_to_rgb])
def test_bytes_of_other_spaces_are_refused(convert):
    with pytest.raises(DataError, match="must be floating point, got uint8"):
        convert(np.zeros((3, 2, 2), np.uint8))


def test_nan_is_refused():
    with pytest.raises(DataError, match="NaN"):
        rgb_to_hsv(np.full((3, 2, 2), np.nan))
