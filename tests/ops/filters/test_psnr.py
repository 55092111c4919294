"""PSNR: closed forms, scikit-image's values, and pictures that cannot be compared."""

import math
from typing import Any

import numpy as np
import pytest
import skimage.metrics
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.filters.psnr import psnr


def test_equal_pictures_are_infinitely_near() -> None:
    x = np.random.default_rng(0).integers(0, 256, (3, 5, 7)).astype(np.uint8)
    assert psnr(x, x) == math.inf


def test_closed_forms() -> None:
    black = np.zeros((4, 6), dtype=np.uint8)
    assert psnr(black, black + 255) == pytest.approx(0)  # as far as it goes
    assert psnr(black, black + 1) == pytest.approx(48.1308036)  # 20 log10(255)
    assert psnr(np.zeros((4, 6)), np.full((4, 6), 0.1)) == pytest.approx(20)
    assert psnr(np.zeros((4, 6)), np.full((4, 6), 0.1), peak=10) == pytest.approx(40)


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_values_are_those_of_scikit_image(kind: str) -> None:
    a, b = np.random.default_rng(0).integers(0, 256, (2, 30, 40)).astype(kind)
    wanted = skimage.metrics.peak_signal_noise_ratio(a, b, data_range=255)
    assert psnr(a, b, 255) == pytest.approx(wanted, rel=1e-12)
    assert psnr(b, a, 255) == psnr(a, b, 255)
    assert psnr(torch.from_numpy(a), torch.from_numpy(b), 255) == psnr(a, b, 255)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.ones((2, 3)), np.ones((3, 2)), r"^a and b must be of one shape and type, got \(2, 3\) torch\.float64 and"),
        (np.ones((2, 3)), np.ones((2, 3), np.uint8), r"^a and b must be of one shape and type"),
        (np.ones((1, 2, 3)), np.ones((2, 3)), r"^a and b must be of one shape and type"),
        (np.ones(3), np.ones(3), r"^a must be \(H, W\)"),
        (np.ones((2, 2)), np.full((2, 2), np.nan), r"^b holds NaN or infinity\."),
    ],
)
def test_what_cannot_be_compared(a: Any, b: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        psnr(a, b)


@pytest.mark.parametrize("peak", [0, -1.0, float("inf"), float("nan"), "1"])
def test_a_peak_that_is_none(peak: Any) -> None:
    with pytest.raises(ConfigError, match=r"^peak must be a number above 0, got .*\.$"):
        psnr(np.ones((2, 2)), np.ones((2, 2)), peak)
