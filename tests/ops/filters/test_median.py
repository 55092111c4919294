"""The median filter: SciPy's values for all kinds and borders, and what it is for."""

import re
from typing import Any

import cv2
import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.filters import median
from pellucid.ops.filters.median import median_filter
from pellucid.ops.filters.median_network import PHASES, median_program

SCIPY_BORDERS = {"zero": "constant", "reflect": "mirror", "replicate": "nearest"}


def random_picture(shape: tuple[int, ...], kind: str, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(kind)


@pytest.mark.parametrize("size", [3, 5, 7, 9, 15])
@pytest.mark.parametrize("border", SCIPY_BORDERS)
@pytest.mark.parametrize("kind", ["uint8", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 8), (31, 30), (3, 4, 9, 11), (40, 1, 6, 6)])
def test_values_are_those_of_scipy(size: int, border: str, kind: str, shape: tuple[int, ...]) -> None:
    x = random_picture(shape, kind)
    before = x.copy()
    window = (1,) * (len(shape) - 2) + (size, size)
    wanted = scipy.ndimage.median_filter(x.astype(np.float32), window, mode=SCIPY_BORDERS[border])
    found = median_filter(x, size, border)
    assert found.dtype == x.dtype
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("size", [3, 5])
def test_it_is_opencvs(size: int) -> None:
    x = random_picture((99, 120), "uint8")
    np.testing.assert_array_equal(median_filter(x, size, "replicate"), cv2.medianBlur(x, size))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([3, 5, 7, 11, 13]), st.integers(0, 99))
def test_few_levels_and_negative_values(height: int, width: int, size: int, seed: int) -> None:
    x = np.random.default_rng(seed).integers(-1, 2, (height, width)).astype(np.float64)
    np.testing.assert_array_equal(median_filter(x, size), scipy.ndimage.median_filter(x, size, mode="mirror"))


@pytest.mark.parametrize("at_once", [1, 1 << 14, 1 << 30])
def test_blocks_do_not_show(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = random_picture((3, 1, 57, 44), "uint8")
    monkeypatch.setattr(median, "AT_ONCE", at_once)
    for size in (3, 7):
        np.testing.assert_array_equal(
            median_filter(x, size), scipy.ndimage.median_filter(x, (1, 1, size, size), mode="mirror")
        )


def test_single_impulses_disappear_and_edges_stay() -> None:
    step = np.zeros((20, 24), dtype=np.uint8)
    step[:, 12:] = 200
    hit = step.copy()
    hit[3::5, 2::5] = 255
    hit[5::5, 4::5] = 0
    np.testing.assert_array_equal(median_filter(hit, 3), step)
    np.testing.assert_array_equal(median_filter(step, 5), step)


def test_a_median_is_one_of_the_pixels_and_of_one_pixel_itself() -> None:
    x = np.random.default_rng(0).random((30, 33))
    assert np.isin(median_filter(x, 5), x).all()
    same = median_filter(x, 1)
    np.testing.assert_array_equal(same, x)
    assert not np.shares_memory(same, x)


@pytest.mark.parametrize("size", [3, 5, 7, 9, 11])
def test_the_program_on_zeros_and_ones(size: int) -> None:
    """A list of minima and maxima that takes the median of all zeros and ones takes that of all numbers."""
    rng = np.random.default_rng(size)
    share = rng.random((400, 1, 1, 1))
    x = (rng.random((400, 1, size, size)) < share).astype(np.uint8)
    x[0], x[1].flat[: size**2 // 2], x[2].flat[: size**2 // 2 + 1] = 0, 1, 1
    middle = median_filter(x, size)[:, 0, size // 2, size // 2]
    np.testing.assert_array_equal(middle, x.sum((1, 2, 3)) > size**2 // 2)


def test_the_program_is_small() -> None:
    assert len(median_program(5).steps) == 214  # for four pixels; see the text of the module
    used = {step.slot.plane for step in median_program(5).steps}
    assert min(used) == PHASES and max(used) + 1 == median_program(5).slots


@pytest.mark.parametrize("kind", [torch.uint8, torch.bfloat16, torch.float32])
def test_tensors(kind: torch.dtype) -> None:
    x = torch.from_numpy(random_picture((2, 3, 14, 9), "uint8")).to(kind)
    found = median_filter(x, 3)
    assert isinstance(found, torch.Tensor) and found.dtype == kind
    wanted = scipy.ndimage.median_filter(x.float().numpy(), (1, 1, 3, 3), mode="mirror")
    np.testing.assert_array_equal(found.float().numpy(), wanted)


def test_what_another_device_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same program with PyTorch's minima and maxima, on tensors, instead of NumPy's."""
    x = torch.from_numpy(random_picture((2, 1, 22, 34), "float32"))
    wanted = median_filter(x, 5)
    monkeypatch.setattr(median, "HOST", "no device has this name")
    monkeypatch.setattr(np, "minimum", None)
    torch.testing.assert_close(median_filter(x, 5), wanted, atol=0, rtol=0)


@pytest.mark.parametrize("size", [0, -1, 2, 4, 3.0, True, None])
def test_a_size_that_is_no_window(size: Any) -> None:
    message = f"size must be an odd whole number of pixels, got {size!r}."
    with pytest.raises(ConfigError, match="^" + re.escape(message) + "$"):
        median_filter(np.ones((4, 4)), size)


def test_other_wrong_input() -> None:
    with pytest.raises(DataError, match=r"^picture holds NaN or infinity\."):
        median_filter(np.array([[np.nan, 1.0]]))
    with pytest.raises(DataError, match=r"^picture is empty"):
        median_filter(np.ones((3, 0)))
    with pytest.raises(ConfigError, match=r"^Unknown border 'symmetric'\."):
        median_filter(np.ones((4, 4)), border="symmetric")
