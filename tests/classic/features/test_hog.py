import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.feature import hog as scikit_image_hog

from pellucid.classic.features import hog as module
from pellucid.classic.features.hog import cell_histograms, hog, hog_picture, hog_shape
from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.colour import rgb_to_grey

NORMS = {"l2-hys": "L2-Hys", "l2": "L2", "l1": "L1", "l1-sqrt": "L1-sqrt"}


def pixels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def oracle(picture: np.ndarray, cell: int, orientations: int, block: int, norm: str) -> np.ndarray:
    colour = picture.shape[0] > 1
    given = np.moveaxis(picture, 0, -1) if colour else picture[0]
    return scikit_image_hog(
        given, orientations, (cell, cell), (block, block), NORMS[norm], channel_axis=-1 if colour else None
    )


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize(
    ("size", "cell", "orientations", "block", "norm"),
    [
        ((64, 48), 8, 9, 2, "l2-hys"),
        ((28, 28), 4, 8, 2, "l2-hys"),
        ((28, 28), 7, 8, 2, "l2"),
        ((28, 28), 8, 9, 2, "l2-hys"),  # 4 pixels are left over
        ((33, 47), 8, 9, 3, "l1"),
        ((29, 31), 5, 12, 3, "l1-sqrt"),
        ((17, 16), 16, 4, 1, "l2"),
        ((9, 5), 1, 6, 2, "l2-hys"),
    ],
)
def test_blocks_equal_scikit_image(channels, size, cell, orientations, block, norm):
    picture = pixels(channels, *size)
    expected = oracle(picture, cell, orientations, block, norm)
    np.testing.assert_allclose(hog(picture, cell, orientations, block, norm, "strongest"), expected, atol=1e-6)
    floats = np.random.default_rng(1).standard_normal((channels, *size))
    expected = oracle(floats, cell, orientations, block, norm)
    found = hog(floats, cell, orientations, block, norm)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-6)  # scikit-image adds up a cell in float32


def course_hog(grey: np.ndarray, cell: int = 8, orientations: int = 9) -> np.ndarray:
    """`hog_feature` of the CS231n assignments with its angles taken modulo 180 degrees and central differences."""
    gx, gy = np.zeros(grey.shape), np.zeros(grey.shape)
    gx[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    gy[1:-1] = grey[2:] - grey[:-2]
    length, angle = np.sqrt(gx**2 + gy**2), np.rad2deg(np.arctan2(gy, gx)) % 180
    result = []
    for k in range(orientations):
        inside = (180 / orientations * k <= angle) & (angle < 180 / orientations * (k + 1))
        mean = scipy.ndimage.uniform_filter(np.where(inside, length, 0), size=(cell, cell))
        result.append(mean[cell // 2 :: cell, cell // 2 :: cell])
    return np.stack(result, axis=-1).ravel()


def test_cells_are_the_form_of_the_course():
    picture = pixels(3, 32, 32)
    found = hog(picture)
    assert found.shape == (144,) and found.dtype == np.float32
    grey = np.tensordot([0.299, 0.587, 0.114], picture.astype(float), axes=1)
    np.testing.assert_allclose(found, course_hog(grey), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(hog(picture.astype(float)), course_hog(grey), rtol=1e-10)


def test_cells_are_what_blocks_are_made_of():
    picture = pixels(1, 30, 41)
    cells = cell_histograms(picture, 6, 9)
    assert cells.shape == (5, 6, 9)
    np.testing.assert_array_equal(hog(picture, 6), cells.ravel())
    np.testing.assert_array_equal(hog(picture, 6, block=1, norm="none"), cells.ravel())
    blocks = hog(picture, 6, block=2, norm="none").reshape(hog_shape((30, 41), 6, 9, 2))
    np.testing.assert_array_equal(blocks[3, 2], cells[3:5, 2:4])


@pytest.mark.parametrize("orientations", [1, 2, 3, 4, 6, 7, 8, 9, 10, 12])
def test_bins_are_exact_for_every_gradient_of_bytes(orientations):
    step = torch.arange(-255, 256, dtype=torch.float32)
    dy, dx = (part.reshape(-1, 1, 1) for part in torch.meshgrid(step, step, indexing="ij"))
    found = module._histograms(dx, dy, torch.ones_like(dx), 1, orientations).argmax(-1).flatten()
    angle = np.rad2deg(np.arctan2(dy.double().numpy(), dx.double().numpy())).ravel() % 180
    edges = 180 / orientations * np.arange(orientations + 1)
    np.testing.assert_array_equal(found.numpy(), np.searchsorted(edges, angle, side="right") - 1)


@pytest.mark.parametrize(("name", "k"), [("along x", 0), ("along y", 4)])
def test_an_even_slope_has_one_orientation(name, k):
    """Central differences of a slope of 3 are 6. Straight down dx is 0, where the quotient dy / dx has no value."""
    slope = np.broadcast_to(3.0 * np.arange(24), (24, 24))
    cells = cell_histograms(np.ascontiguousarray(slope if k == 0 else slope.T))
    assert cells.shape == (3, 3, 9)
    assert cells[1, 1, k] == pytest.approx(6.0)
    assert np.delete(cells, k, axis=-1).max() < 7  # the border alone sees no slope across itself
    assert np.delete(cells[1, 1], k).max() == 0


@pytest.mark.parametrize("block", [None, 2])
@pytest.mark.parametrize("level", [0, 7, 255])
def test_flat_pictures_have_none(block, level):
    assert not hog(np.full((2, 3, 32, 32), level, np.uint8), block=block).any()


@pytest.mark.parametrize("orientations", [2, 8, 18])
def test_a_quarter_turn_permutes_cells_and_bins(orientations):
    picture = pixels(1, 32, 48)
    cells, turned = (
        cell_histograms(picture, 8, orientations),
        cell_histograms(np.rot90(picture, axes=(1, 2)), 8, orientations),
    )
    expected = np.roll(np.rot90(cells), orientations // 2, axis=-1)
    np.testing.assert_allclose(turned, expected, rtol=1e-5)


def test_a_quarter_turn_permutes_the_nine_bins_of_straight_edges():
    """90 degrees are four and a half of nine bins: the edges of a box have 0 and 90 degrees, in bins 0 and 4."""
    picture = np.zeros((1, 32, 32), np.uint8)
    picture[:, 11:20, 5:26] = 200
    cells, turned = cell_histograms(picture), cell_histograms(np.rot90(picture, axes=(1, 2)))
    swapped = np.rot90(cells)[..., [4, 1, 2, 3, 0, 5, 6, 7, 8]]
    corners = (cells[..., [1, 2, 3, 5, 6, 7, 8]] > 0).any(-1)
    np.testing.assert_allclose(turned[~np.rot90(corners)], swapped[~np.rot90(corners)], rtol=1e-5)
    assert (~corners).sum() >= 10


@pytest.mark.parametrize("block", [None, 2])
def test_light_and_dark_count_alike(block):
    """A negative has opposite gradients, and orientations are taken modulo 180 degrees."""
    picture = pixels(2, 1, 24, 24)
    np.testing.assert_allclose(hog(255 - picture, block=block), hog(picture, block=block), rtol=1e-4, atol=1e-6)


def test_blocks_do_not_see_contrast_or_brightness():
    picture = np.random.default_rng(0).random((32, 32))
    np.testing.assert_allclose(hog(40 * picture + 7, block=2), hog(picture, block=2), atol=1e-4)
    lengths = np.linalg.norm(hog(picture, block=2).reshape(-1, 36), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-4)


def test_the_strongest_channel_is_taken_or_the_grey():
    picture = np.zeros((3, 16, 16), np.uint8)
    picture[1, :, 8:] = 200
    picture[2, 8:] = 100
    alone = hog(picture[1:2], block=1, norm="none")
    assert (hog(picture, block=1, norm="none").reshape(2, 2, 9)[..., 0] == alone.reshape(2, 2, 9)[..., 0]).all()
    grey = rgb_to_grey(picture.astype(np.float32))
    np.testing.assert_allclose(hog(picture), hog(grey), rtol=1e-6)
    np.testing.assert_allclose(hog(picture, block=2, colour="grey"), hog(grey, block=2), rtol=1e-6)


def test_the_first_of_equally_strong_channels_counts():
    across = np.zeros((16, 16), np.uint8)
    across[:, 8:] = 90
    picture = np.stack([across, across.T])
    expected = oracle(picture, 8, 9, 1, "l2")
    assert (expected != oracle(picture[::-1], 8, 9, 1, "l2")).any()  # in the middle the two steps are equally high
    np.testing.assert_allclose(hog(picture, block=1, norm="l2"), expected, atol=1e-6)


@given(
    st.integers(8, 40), st.integers(8, 40), st.integers(1, 4), st.integers(1, 10), st.integers(1, 2), st.integers(1, 3)
)
def test_the_length_is_what_the_shape_says(height, width, cell, orientations, block, channels):
    picture = pixels(channels, height, width)
    for blocks in (None, block):
        shape = hog_shape((height, width), cell, orientations, blocks)
        assert hog(picture, cell, orientations, blocks, colour="strongest").shape == (np.prod(shape),)


@pytest.mark.parametrize("block", [None, 2])
@pytest.mark.parametrize("chunk", [1, 2000, 10**9])
def test_a_batch_is_its_pictures(block, chunk, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", chunk)
    batch = pixels(5, 3, 29, 26)
    before = batch.copy()
    found = hog(batch, block=block)
    assert isinstance(found, np.ndarray) and len(found) == 5
    for picture, features in zip(batch, found, strict=True):
        np.testing.assert_allclose(hog(picture, block=block), features, rtol=1e-6)
    np.testing.assert_array_equal(batch, before)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_kinds_in_and_out(dtype):
    batch = torch.from_numpy(pixels(1, 1, 16, 16)).to(dtype)
    found = hog(batch, block=2)
    assert isinstance(found, torch.Tensor) and found.shape == (1, 36)
    assert found.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert hog(batch[0, 0], block=2).shape == (36,)


def test_one_pixel_has_no_gradient():
    assert hog(np.ones((1, 1)), cell=1).tolist() == [0.0] * 9
    assert not hog(pixels(1, 2, 2), cell=1).any()


def test_the_drawing_shows_every_strong_line():
    picture = np.zeros((16, 24), np.uint8)
    picture[:, 12:] = 255
    drawing = hog_picture(picture)
    assert 'viewBox="0 0 48 32"' in drawing and "HOG in cells of 8x8 pixels" in drawing
    assert drawing.count("M") == 2  # one upright line in each of the two cells the step goes through
    assert hog_picture(np.zeros((8, 8))).count("<path") == 0
    with pytest.raises(DataError, match=r"takes one picture, .H, W. or .C, H, W., got shape .2, 1, 8, 8."):
        hog_picture(pixels(2, 1, 8, 8))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell": 0}, "cell must be a whole number of at least 1, got 0"),
        ({"cell": 2.5}, "cell must be a whole number of at least 1, got 2.5"),
        ({"orientations": -1}, "orientations must be a whole number of at least 1, got -1"),
        ({"block": 0}, "block must be a whole number of at least 1, got 0"),
        ({"norm": "l3"}, "Unknown norm 'l3'"),
        ({"colour": "gray"}, "Unknown colour 'gray'. Did you mean 'grey'"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ConfigError, match=message):
        hog(pixels(1, 16, 16), **settings)


def test_wrong_pictures():
    with pytest.raises(
        DataError, match="cells of 8x8 pixels in blocks of 2x2 needs pictures of at least 16x16 pixels, got 15x40"
    ):
        hog(pixels(1, 15, 40), block=2)
    with pytest.raises(DataError, match="cells of 8x8 pixels needs pictures of at least 8x8 pixels, got 7x8"):
        hog(pixels(7, 8))
    with pytest.raises(DataError, match="grey takes pictures with 1 or 3 channels, got 2. Use colour='strongest'"):
        hog(pixels(2, 8, 8))
    with pytest.raises(DataError, match="NaN"):
        hog(np.full((8, 8), np.nan))
    with pytest.raises(DataError, match=r"must be .H, W., .C, H, W. or .N, C, H, W., got shape .8,."):
        hog(np.zeros(8))
