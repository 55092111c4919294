"""The gradient of pictures whose gradient is known, and against NumPy's and SciPy's."""

import math

import numpy as np
import pytest
import scipy.ndimage
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.edges.gradient import gradient

SIDE = 41
DOWN, ACROSS = np.mgrid[:SIDE, :SIDE] - SIDE // 2


def ramp(angle: float, slope: float = 0.25) -> np.ndarray:
    """Brightness that grows by `slope` per pixel in the direction `angle`, y down."""
    return slope * (ACROSS * math.cos(angle) + DOWN * math.sin(angle))


@pytest.mark.parametrize("angle", [*np.linspace(-3, 3, 9), math.pi / 2, 0.0])
@pytest.mark.parametrize("sigma", [None, 1.0, 2.5])
def test_turned_ramp_has_one_magnitude_and_its_own_direction(angle: float, sigma: float | None) -> None:
    magnitude, direction = gradient(ramp(angle), sigma)
    rim = 0 if sigma is None else math.ceil(3 * sigma)
    inner = (slice(rim, SIDE - rim),) * 2
    assert np.ptp(magnitude[inner]) < 1e-12
    # the Gaussian ends at three sigma, so its derivative counts a little less than a slope of 1 as 1
    assert magnitude[inner] == pytest.approx(0.25, rel=1e-12 if sigma is None else 0.03)
    assert direction[inner] == pytest.approx(angle, abs=1e-9)


def test_axes_run_to_the_right_and_down() -> None:
    for picture, angle in ((ACROSS, 0.0), (DOWN, math.pi / 2), (-ACROSS, math.pi), (-DOWN, -math.pi / 2)):
        assert np.abs(gradient(picture.astype(float))[1]) == pytest.approx(abs(angle))
        assert gradient(picture.astype(float))[1][5, 5] == pytest.approx(angle)


def test_equals_numpys_differences() -> None:
    x = np.random.default_rng(0).random((17, 23))
    down, across = np.gradient(x)
    magnitude, direction = gradient(x)
    np.testing.assert_allclose(magnitude, np.hypot(down, across), atol=1e-14)
    np.testing.assert_allclose(direction, np.arctan2(down, across), atol=1e-12)


def test_equals_scipys_derivative_of_gaussian() -> None:
    x = np.random.default_rng(1).random((30, 40))
    down, across = (
        scipy.ndimage.gaussian_filter(x, 2.0, order=order, mode="mirror", truncate=3.0) for order in ((1, 0), (0, 1))
    )
    magnitude, direction = gradient(x, 2.0)
    np.testing.assert_allclose(magnitude, np.hypot(down, across), atol=1e-12)
    strong = magnitude > magnitude.mean()
    np.testing.assert_allclose(direction[strong], np.arctan2(down, across)[strong], atol=1e-9)


@pytest.mark.parametrize("sigma", [None, 1.0])
def test_kinds_of_pictures(sigma: float | None) -> None:
    x = np.random.default_rng(2).integers(0, 256, (3, 2, 9, 11), dtype=np.uint8)
    before = x.copy()
    together = gradient(x, sigma)
    for part, parts in enumerate(together):
        assert parts.dtype == np.float32 and parts.shape == x.shape
        alone = gradient(x[1, 0].astype(np.float64), sigma)[part]
        assert alone.dtype == np.float64 and alone.shape == (9, 11)
        np.testing.assert_allclose(parts[1, 0], alone, rtol=1e-4, atol=1e-4)
        tensor = gradient(torch.from_numpy(x[0]), sigma)[part]
        assert isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float32
        np.testing.assert_allclose(tensor.numpy(), parts[0], rtol=1e-5, atol=1e-4)
    assert np.array_equal(x, before)


@pytest.mark.parametrize("sigma", [None, 1.0])
def test_nothing_changes_in_constant_and_tiny_pictures(sigma: float | None) -> None:
    for shape in ((6, 5), (1, 1), (1, 4), (4, 1)):
        magnitude, direction = gradient(np.full(shape, 0.3), sigma)
        assert magnitude == pytest.approx(0, abs=1e-15) and magnitude.shape == direction.shape == shape
    assert gradient(np.zeros((4, 4)))[1] == pytest.approx(0)


def test_wrong_input_is_told_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^sigma must be a number of pixels above 0.*, got 0\.$"):
        gradient(np.ones((3, 3)), sigma=0)
    with pytest.raises(DataError, match=r"^picture holds NaN or infinity\."):
        gradient(np.full((3, 3), np.nan))
    with pytest.raises(DataError, match=r"got shape \(3,\)\.$"):
        gradient(np.ones(3))
