"""Derivatives of pictures: two routes, SciPy's and OpenCV's values, ramps."""

import re
from typing import Any

import cv2
import numpy as np
import pytest
import scipy.ndimage

from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.filters.convolve import convolve2d
from pellucid.ops.filters.derivative import gaussian_derivative, gaussian_derivative_kernel, sobel
from pellucid.ops.filters.gaussian import gaussian_filter, gaussian_kernel

SCIPY_BORDERS = {"zero": "constant", "reflect": "mirror", "replicate": "nearest"}


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


def test_two_routes_to_the_derivative_of_a_smoothed_picture() -> None:
    """d/dx (f * g) = f * dg/dx: exactly so for the difference of neighbours, which is a convolution too."""
    f, g = noise(50, 60), gaussian_kernel(sigma=1.5)
    difference = np.array([[0.5, 0.0, -0.5]])
    blurred_first = convolve2d(convolve2d(f, g), difference)
    one_kernel = convolve2d(f, convolve2d(g, difference, "full"))
    np.testing.assert_allclose(blurred_first[7:-7, 7:-7], one_kernel[7:-7, 7:-7], atol=1e-13)


def test_the_derivative_of_the_gaussian_is_that_of_its_formula() -> None:
    """Blur, then difference; or one derivative of the Gaussian: the difference quotient's error is what is left."""
    rows, columns = np.mgrid[0:60, 0:70] / 10
    f = np.sin(columns) * np.cos(rows)
    for axis in (0, 1):
        by_difference = np.gradient(gaussian_filter(f, 3.0), axis=axis)
        found = gaussian_derivative(f, 3.0, axis)
        np.testing.assert_allclose(found[12:-12, 12:-12], by_difference[12:-12, 12:-12], atol=0.003)
        assert np.abs(found[12:-12, 12:-12]).max() > 0.09


def test_for_the_product_of_functions_it_does_not_hold() -> None:
    x = np.arange(-20.0, 21.0)
    f, g = np.exp(-((x / 7) ** 2)), np.exp(-((x / 3) ** 2))
    assert np.abs(np.gradient(f * g) - f * np.gradient(g)).max() > 0.02
    assert np.abs(np.gradient(np.convolve(f, g)) - np.convolve(f, np.gradient(g), "full"))[3:-3].max() < 1e-4


@pytest.mark.parametrize("border", SCIPY_BORDERS)
@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (31, 90)])
@pytest.mark.parametrize("axis", [0, 1])
def test_values_are_those_of_scipy(border: str, shape: tuple[int, int], axis: int) -> None:
    f, mode = noise(*shape), SCIPY_BORDERS[border]
    order = (1, 0) if axis == 0 else (0, 1)
    wanted = scipy.ndimage.gaussian_filter(f, 1.0, order=order, radius=3, mode=mode)
    np.testing.assert_allclose(gaussian_derivative(f, 1.0, axis, border), wanted, atol=1e-13)
    kernel = gaussian_derivative_kernel(sigma=1.0, axis=axis)
    np.testing.assert_allclose(convolve2d(f, kernel, border=border), wanted, atol=1e-13)
    np.testing.assert_allclose(sobel(f, axis, border), scipy.ndimage.sobel(f, axis, mode=mode), atol=1e-13)


def test_sobel_is_opencvs() -> None:
    x = np.random.default_rng(0).integers(0, 256, (45, 77)).astype(np.uint8)
    np.testing.assert_array_equal(sobel(x, 1), cv2.Sobel(x, cv2.CV_32F, 1, 0))
    np.testing.assert_array_equal(sobel(x, 0), cv2.Sobel(x, cv2.CV_32F, 0, 1))


def test_ramps_have_their_slope_and_constants_none() -> None:
    rows, columns = np.mgrid[0:40, 0:50].astype(float)
    ramp = 2 * columns - 3 * rows
    inside = (slice(10, -10), slice(10, -10))
    np.testing.assert_allclose(sobel(ramp, 1)[inside], 16)
    np.testing.assert_allclose(sobel(ramp, 0)[inside], -24)
    # the taps' second moment is sigma^2 less what three sigma cut off
    np.testing.assert_allclose(gaussian_derivative(ramp, 2.0, 1)[inside], 2, rtol=0.03)
    np.testing.assert_allclose(gaussian_derivative(ramp, 2.0, -2)[inside], -3, rtol=0.03)
    np.testing.assert_allclose(gaussian_derivative(np.full((60, 50), 7.0), 2.0), 0, atol=1e-14)


def test_the_kernel() -> None:
    across = gaussian_derivative_kernel(5, 1.0, axis=1)
    assert across.shape == (5, 5) and across.dtype == np.float64
    assert across.sum() == pytest.approx(0, abs=1e-16)
    np.testing.assert_array_equal(across, gaussian_derivative_kernel(5, 1.0, axis=0).T)
    np.testing.assert_array_equal(across, gaussian_derivative_kernel(5, 1.0, axis=-1))
    np.testing.assert_allclose(across[:, 0], 2 * gaussian_kernel(5, 1.0)[:, 0])  # -x / sigma^2 at x = -2
    assert gaussian_derivative_kernel(sigma=1.0).shape == (7, 7)


@pytest.mark.parametrize(
    ("kind", "gives"), [("uint8", "float32"), ("float16", "float16"), ("float32", "float32"), ("float64", "float64")]
)
def test_any_picture_comes_back_as_it_came(kind: str, gives: str) -> None:
    x = np.random.default_rng(0).integers(0, 20, (2, 3, 9, 60)).astype(kind)
    before = x.copy()
    for call in (sobel, lambda x: gaussian_derivative(x, 1.0)):
        found = call(x)
        assert found.shape == x.shape and found.dtype == np.dtype(gives)
        np.testing.assert_allclose(found[1, 2], call(x[1, 2].astype(float)), atol=0.02)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("axis", [2, -3, "x", None])
def test_an_axis_that_no_picture_has(axis: Any) -> None:
    message = f"axis must be 0 or -2 (down) or 1 or -1 (across), got {axis!r}."
    for call in (lambda: sobel(np.ones((4, 4)), axis), lambda: gaussian_derivative(np.ones((4, 4)), 1.0, axis)):
        with pytest.raises(ConfigError, match="^" + re.escape(message) + "$"):
            call()


def test_other_wrong_input() -> None:
    with pytest.raises(ConfigError, match=r"^sigma must be a number of pixels above 0, up to 10000, got 0\.$"):
        gaussian_derivative(np.ones((4, 4)), 0)
    with pytest.raises(ConfigError, match=r"^size must be an odd whole number of pixels, or None, got 4\.$"):
        gaussian_derivative_kernel(4, 1.0)
    with pytest.raises(DataError, match=r"^picture holds NaN or infinity\."):
        sobel(np.array([[np.nan, 1.0]]))
    with pytest.raises(ConfigError, match=r"^Unknown border 'edge'\."):
        sobel(np.ones((4, 4)), border="edge")
