import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2hsv

from pellucid.classic.features import color_histogram as module
from pellucid.classic.features.color_histogram import color_histogram
from pellucid.classic.features.hog import hog
from pellucid.core.errors import ConfigError, DataError


def pixels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_hue_is_counted_as_in_the_course():
    """`color_histogram_hsv` of the CS231n assignments."""
    picture = pixels(3, 32, 32)
    hue = rgb2hsv(np.moveaxis(picture, 0, -1) / 255)[..., 0] * 255
    edges = np.linspace(0, 255, 11)
    density, _ = np.histogram(hue, bins=edges, density=True)
    np.testing.assert_allclose(color_histogram(picture), density * np.diff(edges), atol=1e-7)


def test_joint_counts_equal_numpy():
    """Everything is exact in binary with 256 in place of 255, which moves no byte across an edge of these bins."""
    picture = pixels(3, 40, 41)
    hsv = rgb2hsv(np.moveaxis(picture, 0, -1) / 256).reshape(-1, 3)
    expected, _ = np.histogramdd(hsv, bins=(8, 4, 4), range=[(0, 1)] * 3)
    found = color_histogram(picture, (8, 4, 4), joint=True)
    np.testing.assert_allclose(found, expected.ravel() / len(hsv), atol=1e-7)


def test_parts_are_the_margins_of_the_joint_histogram():
    picture = pixels(2, 3, 20, 21)
    joint = color_histogram(picture, (5, 4, 3), joint=True).reshape(2, 5, 4, 3)
    parts = np.concatenate([joint.sum((2, 3)), joint.sum((1, 3)), joint.sum((1, 2))], axis=1)
    np.testing.assert_allclose(color_histogram(picture, (5, 4, 3)), parts, atol=1e-6)


@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_shares_sum_to_1(bins, height, width, seed):
    picture = pixels(3, height, width, seed=seed)
    found = color_histogram(picture, bins)
    assert found.shape == (bins,) and found.dtype == np.float32 and (found >= 0).all()
    assert found.sum() == pytest.approx(1, abs=1e-5)


@given(st.integers(1, 30), st.integers(0, 99))
def test_bytes_and_floats_agree(bins, seed):
    """Corners, edges between bins and greys included: every colour of a cube of 6 x 6 x 6."""
    cube = np.stack(np.meshgrid(*[np.arange(0, 256, 51, dtype=np.uint8)] * 3)).reshape(3, 18, 12)
    for picture in (cube, pixels(3, 9, 9, seed=seed)):
        expected = color_histogram(picture, (bins, 5, 5))
        for dtype in (np.float32, np.float64):
            found = color_histogram(picture.astype(dtype) / dtype(255), (bins, 5, 5))
            np.testing.assert_allclose(found, expected, atol=1e-6)


def test_grey_pixels_count_at_hue_0_without_saturation():
    grey = np.repeat(pixels(1, 8, 8), 3, axis=0)
    assert color_histogram(grey).tolist() == [1.0, *[0.0] * 9]
    assert color_histogram(grey, (2, 3, 1)).tolist() == [1, 0, 1, 0, 0, 1]
    red = np.zeros((3, 1, 1), np.uint8)
    red[0] = 200
    assert color_histogram(red, (2, 3, 1)).tolist() == [1, 0, 0, 0, 1, 1]


def test_edges_belong_to_the_bin_above_and_1_to_the_last():
    """Hue 1/6, 1/2 and 5/6 on the edges of six bins; saturation and value 1."""
    colours = np.array([[255, 255, 0], [0, 255, 255], [255, 0, 255]], np.uint8).T.reshape(3, 1, 3)
    np.testing.assert_allclose(color_histogram(colours, 6), [0, 1 / 3, 0, 1 / 3, 0, 1 / 3], atol=1e-7)
    np.testing.assert_array_equal(color_histogram(colours, (1, 4, 4))[1:], [0, 0, 0, 1, 0, 0, 0, 1])


@pytest.mark.parametrize("chunk", [1, 10**9])
def test_a_batch_is_its_pictures(chunk, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", chunk)
    batch = torch.from_numpy(pixels(4, 3, 6, 5))
    found = color_histogram(batch)
    assert isinstance(found, torch.Tensor) and found.shape == (4, 10)
    for picture, shares in zip(batch, found, strict=True):
        assert torch.equal(color_histogram(picture), shares)
    assert color_histogram(batch.to(torch.bfloat16) / 255).dtype == torch.float32


def test_hog_and_colour_together_have_154_numbers():
    batch = pixels(2, 3, 32, 32)
    assert np.concatenate([hog(batch), color_histogram(batch)], axis=1).shape == (2, 144 + 10)


@pytest.mark.parametrize("bins", [0, -1, (3, 3), (3, 0, 3), 2.5])
def test_wrong_bins(bins):
    with pytest.raises(ConfigError, match="bins must be a whole number of at least 1, or three of them"):
        color_histogram(pixels(3, 4, 4), bins)


def test_wrong_pictures():
    with pytest.raises(DataError, match="picture for a colour histogram must have 3 channels"):
        color_histogram(pixels(1, 4, 4))
    with pytest.raises(DataError, match=r"floats must lie in 0..1"):
        color_histogram(pixels(3, 4, 4).astype(np.float32))
