"""The Gaussian: its worked numbers, the rule of three sigma, and SciPy's filter."""

import re
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import scipy.special
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.filters.convolve import convolve2d
from pellucid.ops.filters.gaussian import gaussian_filter, gaussian_kernel, gaussian_taps

SCIPY_BORDERS = {"zero": "constant", "reflect": "mirror", "replicate": "nearest"}


def test_the_worked_kernel() -> None:
    density, kernel = gaussian_kernel(5, 1.0, normalise=False), gaussian_kernel(5, 1.0)
    assert density.sum() == pytest.approx(0.98181476, abs=5e-9)
    assert density[2, 2] == pytest.approx(1 / (2 * np.pi), rel=1e-15)
    assert kernel[2, 2] == pytest.approx(0.162103, abs=5e-7)
    assert kernel[0, 0] == pytest.approx(0.002969, abs=5e-7)
    assert kernel.sum() == pytest.approx(1, abs=1e-15)
    assert kernel.dtype == np.float64


@pytest.mark.parametrize(("sigma", "size"), [(1, 7), (0.5, 5), (1.4, 11), (2, 13), (1 / 3, 3), (0.01, 3)])
def test_three_sigma_to_each_side(sigma: float, size: int) -> None:
    assert gaussian_taps(sigma).shape == (size,)
    assert gaussian_kernel(sigma=sigma).shape == (size, size)


def test_less_than_three_thousandths_of_an_axis_lie_beyond() -> None:
    assert scipy.special.erfc(3 / np.sqrt(2)) < 0.003
    for sigma in (1.0, 2.0, 5.0):
        radius = len(gaussian_taps(sigma)) // 2
        beyond = scipy.special.erfc(radius / sigma / np.sqrt(2))
        assert beyond < 0.003
        line = gaussian_kernel(sigma=sigma, normalise=False)[radius] * np.sqrt(2 * np.pi) * sigma
        assert 1 - line.sum() < 0.003  # on the grid, where the pixel at the end counts whole


@pytest.mark.parametrize("border", SCIPY_BORDERS)
@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (48, 49), (70, 130), (3, 200)])
@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_it_is_scipys_filter_and_the_convolution_with_the_kernel(
    border: str, shape: tuple[int, int], sigma: float
) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    found = gaussian_filter(x, sigma, border=border)
    radius = (len(gaussian_taps(sigma)) - 1) // 2
    wanted = scipy.ndimage.gaussian_filter(x, sigma, radius=radius, mode=SCIPY_BORDERS[border])
    np.testing.assert_allclose(found, wanted, atol=1e-13)
    np.testing.assert_allclose(found, convolve2d(x, gaussian_kernel(sigma=sigma), border=border), atol=1e-13)


def test_three_sigma_is_scipys_truncate() -> None:
    x = np.random.default_rng(0).normal(size=(60, 80))
    wanted = scipy.ndimage.gaussian_filter(x, 2.0, truncate=3, mode="mirror")
    np.testing.assert_allclose(gaussian_filter(x, 2.0), wanted, atol=1e-13)


def test_a_size_of_ones_own() -> None:
    x = np.random.default_rng(0).normal(size=(60, 80))
    wanted = scipy.ndimage.gaussian_filter(x, 4.0, radius=2, mode="mirror")
    np.testing.assert_allclose(gaussian_filter(x, 4.0, size=5), wanted, atol=1e-13)
    np.testing.assert_array_equal(gaussian_filter(x, 4.0, size=1), x)


@pytest.mark.parametrize("shape", [(57, 83), (3, 28, 28), (2, 3, 64, 30), (40, 1, 28, 28), (5, 1, 300, 420)])
def test_bytes_are_rounded_half_up(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    planes = x.reshape(-1, *shape[-2:]).astype(np.float64)
    wanted = np.stack([scipy.ndimage.gaussian_filter(each, 2, truncate=3, mode="mirror") for each in planes])
    found = gaussian_filter(x, 2.0)
    away = np.abs(wanted.reshape(shape) % 1 - 0.5) > 1e-4
    assert found.dtype == np.uint8 and away.mean() > 0.999
    np.testing.assert_array_equal(found[away], np.floor(wanted.reshape(shape) + 0.5)[away])
    np.testing.assert_allclose(found, wanted.reshape(shape), atol=0.5001)


@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_a_constant_picture_stays_constant(level: int) -> None:
    x = np.full((70, 90), level, dtype=np.uint8)
    np.testing.assert_array_equal(gaussian_filter(x, 2.5), x)
    np.testing.assert_array_equal(gaussian_filter(x, 2.5, border="replicate"), x)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.uint8])
@pytest.mark.parametrize("shape", [(9, 70), (3, 9, 70), (2, 3, 9, 70)])
def test_any_picture_comes_back_as_it_came(kind: torch.dtype, shape: tuple[int, ...]) -> None:
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0)).mul(200).to(kind)
    before = x.clone()
    found = gaussian_filter(x, 1.0)
    assert isinstance(found, torch.Tensor) and found.dtype == kind and found.shape == x.shape
    exact = gaussian_filter(x.double(), 1.0)
    step = {torch.float16: 0.07, torch.bfloat16: 0.5, torch.float32: 1e-4, torch.float64: 0, torch.uint8: 0.5001}
    torch.testing.assert_close(found.double(), exact, atol=step[kind], rtol=0)
    torch.testing.assert_close(x, before, atol=0, rtol=0)


def test_a_batch_is_its_pictures_and_views_are_seen_as_they_are() -> None:
    x = torch.rand(5, 80, 60, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64).permute(0, 3, 1, 2)
    found = gaussian_filter(x, 1.5)
    for picture, alone in zip(found, x, strict=True):
        torch.testing.assert_close(picture, gaussian_filter(alone, 1.5), atol=1e-14, rtol=0)
    backwards = x.numpy()[0, 0, ::-1, ::2]
    np.testing.assert_allclose(gaussian_filter(backwards, 1.0), gaussian_filter(backwards.copy(), 1.0), atol=1e-15)


def test_results_do_not_share_memory() -> None:
    x = np.random.default_rng(0).random((600, 600), dtype=np.float32)
    first = gaussian_filter(x, 2.0)
    kept = first.copy()
    gaussian_filter(1 - x, 2.0)
    np.testing.assert_array_equal(first, kept)


def test_the_most_extreme_sigmas() -> None:
    np.testing.assert_array_equal(gaussian_taps(1e-200), [0, 1, 0])
    x = np.random.default_rng(0).normal(size=(5, 7))
    np.testing.assert_allclose(
        gaussian_filter(x, 1000.0), np.full((5, 7), gaussian_filter(x, 1000.0).mean()), atol=1e-3
    )


@pytest.mark.parametrize("sigma", [0, -1.0, float("nan"), float("inf"), "1", True, None, 1e9])
def test_a_sigma_that_is_no_width(sigma: Any) -> None:
    message = f"sigma must be a number of pixels above 0, up to 10000, got {sigma!r}."
    for call in (lambda: gaussian_filter(np.ones((4, 4)), sigma), lambda: gaussian_kernel(3, sigma)):
        with pytest.raises(ConfigError, match="^" + re.escape(message) + "$"):
            call()


@pytest.mark.parametrize("size", [0, -3, 4, 3.0, True])
def test_a_size_that_is_no_window(size: Any) -> None:
    message = f"size must be an odd whole number of pixels, or None, got {size!r}."
    with pytest.raises(ConfigError, match="^" + re.escape(message) + "$"):
        gaussian_filter(np.ones((4, 4)), 1.0, size=size)


def test_what_is_no_picture() -> None:
    with pytest.raises(DataError, match=r"^picture holds NaN or infinity\."):
        gaussian_filter(np.array([[1.0, np.inf], [-np.inf, 1.0]]), 1.0)
    with pytest.raises(DataError, match=r"^picture must be \(H, W\)"):
        gaussian_filter(np.ones(3), 1.0)
    huge = np.full((3, 3), 3e38, dtype=np.float32)  # finite, though its sum is not
    np.testing.assert_allclose(gaussian_filter(huge, 1.0, size=1), huge)
    with pytest.raises(ConfigError, match=r"^Unknown border 'mirror'\."):
        gaussian_filter(np.ones((4, 4)), 1.0, border="mirror")
