"""Convolution: SciPy's values, the algebra of convolution, and one line for what does not fit."""

import re
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.filters import convolve
from pellucid.ops.filters.convolve import convolve2d, correlate2d

SCIPY_BORDERS = {"zero": "constant", "reflect": "mirror", "replicate": "nearest"}
SIZES = [((7, 9), (3, 3)), ((7, 9), (4, 2)), ((40, 70), (5, 8)), ((9, 1), (3, 1)), ((1, 1), (1, 1)), ((5, 90), (1, 33))]


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("picture", "kernel"), SIZES)
def test_values_are_those_of_scipy(picture: tuple[int, int], kernel: tuple[int, int], mode: str) -> None:
    f, g = noise(*picture), noise(*kernel, seed=1)
    np.testing.assert_allclose(convolve2d(f, g, mode), scipy.signal.convolve2d(f, g, mode), atol=1e-12)
    np.testing.assert_allclose(correlate2d(f, g, mode), scipy.signal.correlate(f, g, mode, "direct"), atol=1e-12)


def test_a_kernel_larger_than_the_picture() -> None:
    f, g = noise(3, 2), noise(5, 4, seed=1)
    for mode in ("full", "same"):
        np.testing.assert_allclose(convolve2d(f, g, mode), scipy.signal.convolve2d(f, g, mode), atol=1e-12)


@pytest.mark.parametrize("border", SCIPY_BORDERS)
@pytest.mark.parametrize("picture", [(1, 1), (1, 6), (2, 2), (13, 40)])
def test_borders_are_those_of_scipy(picture: tuple[int, int], border: str) -> None:
    f, g = noise(*picture), noise(5, 7, seed=1)
    wanted = scipy.ndimage.convolve(f, g, mode=SCIPY_BORDERS[border])
    np.testing.assert_allclose(convolve2d(f, g, border=border), wanted, atol=1e-12)
    wanted = scipy.ndimage.correlate(f, g, mode=SCIPY_BORDERS[border])
    np.testing.assert_allclose(correlate2d(f, g, border=border), wanted, atol=1e-12)


@pytest.mark.parametrize(("border", "numpys"), [("reflect", "reflect"), ("replicate", "edge"), ("zero", "constant")])
def test_borders_of_an_even_kernel_and_of_mode_full(border: str, numpys: Any) -> None:
    f, g = noise(6, 8), noise(4, 2, seed=1)
    wide = np.pad(f, ((3, 3), (1, 1)), mode=numpys)
    full = scipy.signal.convolve2d(wide, g, "valid")
    np.testing.assert_allclose(convolve2d(f, g, "full", border), full, atol=1e-12)
    np.testing.assert_allclose(convolve2d(f, g, "same", border), full[1:7, 0:8], atol=1e-12)  # from (k - 1) // 2


def test_the_kernel_is_flipped() -> None:
    point = np.zeros((5, 5))
    point[2, 2] = 1
    kernel = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(convolve2d(point, kernel)[1:4, 1:4], kernel)
    np.testing.assert_array_equal(correlate2d(point, kernel)[1:4, 1:4], kernel[::-1, ::-1])


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_the_six_laws(height: int, width: int, kh: int, kw: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    f, other = rng.normal(size=(2, height, width))
    g, h = rng.normal(size=(2, kh, kw))

    def full(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(convolve2d(a, b, "full"))

    np.testing.assert_allclose(full(f + other, g), full(f, g) + full(other, g), atol=1e-10)  # superposition
    moved = np.pad(f, ((2, 0), (3, 0)))
    np.testing.assert_allclose(full(moved, g)[2:, 3:], full(f, g), atol=1e-10)  # shift
    np.testing.assert_allclose(full(f, g), full(g, f), atol=1e-10)  # commutative
    np.testing.assert_allclose(full(full(f, g), h), full(f, full(g, h)), atol=1e-10)  # associative
    np.testing.assert_allclose(full(f, g + h), full(f, g) + full(f, h), atol=1e-10)  # distributive
    np.testing.assert_allclose(full(2.5 * f, g), full(f, 2.5 * g), atol=1e-10)  # scalars
    np.testing.assert_allclose(full(f, 2.5 * g), 2.5 * full(f, g), atol=1e-10)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12))
def test_sizes(height: int, width: int, kh: int, kw: int) -> None:
    f, g = np.ones((height, width)), np.ones((kh, kw))
    assert convolve2d(f, g, "full").shape == (height + kh - 1, width + kw - 1)
    assert convolve2d(f, g, "same").shape == (height, width)
    if kh <= height and kw <= width:
        assert convolve2d(f, g, "valid").shape == (height - kh + 1, width - kw + 1)


@pytest.mark.parametrize("border", ["reflect", "replicate"])
def test_a_constant_picture_stays_constant(border: str) -> None:
    kernel = np.abs(noise(5, 4))
    constant = np.full((6, 7), 3.25)
    np.testing.assert_allclose(convolve2d(constant, kernel / kernel.sum(), border=border), constant, atol=1e-13)
    assert convolve2d(constant, kernel / kernel.sum())[0, 0] < 3  # zeros from outside


@pytest.mark.parametrize("as_came", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("shape", [(6, 8), (3, 6, 8), (2, 3, 6, 8)])
@pytest.mark.parametrize(
    ("kind", "gives"), [("uint8", "float32"), ("float16", "float16"), ("float32", "float32"), ("float64", "float64")]
)
def test_any_picture_comes_back_as_it_came(as_came: Any, shape: tuple[int, ...], kind: str, gives: str) -> None:
    x = np.random.default_rng(0).integers(0, 9, shape).astype(kind)
    before, kernel = x.copy(), np.arange(6.0).reshape(2, 3)
    found = convolve2d(as_came(x), kernel)
    assert type(found) is type(as_came(x)) and str(found.dtype).removeprefix("torch.") == gives
    planes = x.reshape(-1, 6, 8).astype(float)
    wanted = np.stack([scipy.signal.convolve2d(plane, kernel, "same") for plane in planes]).reshape(shape)
    np.testing.assert_array_equal(np.asarray(found), wanted)  # small whole numbers: exact in float16 too
    np.testing.assert_array_equal(x, before)


def test_what_another_device_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    f, g = noise(2, 3, 20, 41), noise(4, 3, seed=1)
    wanted = convolve2d(f, g)
    monkeypatch.setattr(convolve, "HOST", "no device has this name")
    np.testing.assert_allclose(convolve2d(f, g), wanted, atol=1e-13)


@pytest.mark.parametrize(
    ("x", "kernel", "arguments", "message"),
    [
        (np.ones(4), np.ones((3, 3)), {}, "picture must be (H, W), (C, H, W) or (N, C, H, W), got shape (4,)."),
        (np.ones((0, 4)), np.ones((3, 3)), {}, "picture is empty: shape (0, 4) has no pixels."),
        (np.full((4, 4), np.nan), np.ones((3, 3)), {}, "picture holds NaN or infinity."),
        (np.ones((4, 4)), np.ones(3), {}, "kernel must be (kh, kw) with at least one number, got shape (3,)."),
        (np.ones((4, 4)), np.ones((0, 3)), {}, "kernel must be (kh, kw) with at least one number, got shape (0, 3)."),
        (np.ones((4, 4)), [[np.nan]], {}, "kernel must hold finite real numbers."),
        (np.ones((4, 4)), [[1], [1, 2]], {}, "kernel must be a table of numbers, got list:"),
        (
            np.ones((4, 4)),
            np.ones((5, 3)),
            {"mode": "valid"},
            'mode "valid" needs a kernel inside the picture, got kernel (5, 3) and picture (4, 4). Use "same" or',
        ),
    ],
)
def test_what_is_no_picture_or_kernel(x: Any, kernel: Any, arguments: Any, message: str) -> None:
    with pytest.raises(DataError, match="^" + re.escape(message)) as caught:
        convolve2d(x, kernel, **arguments)
    assert "\n" not in str(caught.value)


def test_names_that_do_not_exist() -> None:
    with pytest.raises(ConfigError, match=r"^Unknown mode 'vald'\. Did you mean 'valid'\?"):
        convolve2d(np.ones((4, 4)), np.ones((3, 3)), "vald")
    with pytest.raises(ConfigError, match=r"^Unknown border 'wrap'\. .*Choose from: reflect, replicate, zero\."):
        convolve2d(np.ones((4, 4)), np.ones((3, 3)), border="wrap")
