"""Noise: shares of pixels, standard deviation, seeds; and which filter is good against which."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skimage.color
import skimage.data
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.filters.gaussian import gaussian_filter
from pellucid.ops.filters.median import median_filter
from pellucid.ops.filters.noise import gaussian_noise, impulse, salt_and_pepper
from pellucid.ops.filters.psnr import psnr

NOISES: dict[str, Callable[..., Any]] = {
    "salt_and_pepper": salt_and_pepper,
    "impulse": impulse,
    "gaussian_noise": gaussian_noise,
}
GREY = np.full((400, 500), 100, dtype=np.uint8)
FOUR_SIGMA = 4 / np.sqrt(GREY.size)  # of a share: its standard deviation is at most half of that over the root


def test_shares_of_salt_and_pepper() -> None:
    found = salt_and_pepper(GREY, 0.2, seed=1)
    assert abs(float((found == 255).mean()) - 0.1) < FOUR_SIGMA / 2
    assert abs(float((found == 0).mean()) - 0.1) < FOUR_SIGMA / 2
    assert set(np.unique(found)) == {0, 100, 255}


def test_impulses_are_white_only() -> None:
    found = impulse(GREY, 0.2, seed=1)
    assert abs(float((found == 255).mean()) - 0.2) < FOUR_SIGMA / 2
    assert set(np.unique(found)) == {100, 255}  # no black pixel


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_gaussian_noise_has_its_mean_and_standard_deviation(kind: str) -> None:
    x = GREY.astype(kind)
    noise = gaussian_noise(x, 10.0, seed=1).astype(float) - 100
    assert abs(noise.mean()) < 4 * 10 / np.sqrt(GREY.size)
    rounding = 1 / 12 if kind == "uint8" else 0
    assert noise.std() == pytest.approx(np.sqrt(100 + rounding), rel=4 / np.sqrt(2 * GREY.size))


def test_bytes_stay_bytes_and_floats_are_not_held() -> None:
    dark = np.zeros((50, 50), dtype=np.uint8)
    noisy = gaussian_noise(dark, 20.0)
    assert noisy.dtype == np.uint8 and 0.4 < (noisy == 0).mean() < 0.6
    assert gaussian_noise(dark.astype(float), 20.0).min() < -20


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("kind", [torch.uint8, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(9, 8), (3, 9, 8), (2, 3, 9, 8)])
def test_a_seed_repeats_and_none_of_it_changes_nothing(name: str, kind: torch.dtype, shape: tuple[int, ...]) -> None:
    noise = NOISES[name]
    x = torch.full(shape, 0.5).mul(100 if kind == torch.uint8 else 1).to(kind)
    before = x.clone()
    first = noise(x, 0.5, seed=3)
    assert first.dtype == kind and first.shape == x.shape
    torch.testing.assert_close(noise(x, 0.5, seed=3), first, atol=0, rtol=0)
    torch.testing.assert_close(noise(x, 0.0, seed=3), x, atol=0, rtol=0)
    torch.testing.assert_close(x, before, atol=0, rtol=0)
    np.testing.assert_array_equal(noise(x.numpy(), 0.5, seed=3), first.numpy())
    if kind != torch.uint8 or name != "gaussian_noise":  # half a level may be rounded away
        assert not torch.equal(noise(x, 0.5, seed=4), first)


@pytest.mark.parametrize("noise", [salt_and_pepper, impulse])
def test_all_channels_of_a_pixel_turn_together_and_pictures_apart(noise: Callable[..., Any]) -> None:
    found = noise(np.full((2, 3, 40, 40), 0.5), 0.5)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    assert (found[0] != found[1]).any()
    assert found.max() == 1.0
    assert (noise(np.full((9, 9), 0.5), 1) != 0.5).all()


def test_which_filter_is_good_against_which_noise() -> None:
    """Median against wild pixels, Gaussian against Gaussian noise, by PSNR on a photograph."""
    photo = (255 * skimage.color.rgb2gray(skimage.data.astronaut())).astype(np.uint8)
    noisy = {
        "salt and pepper": salt_and_pepper(photo, 0.1),
        "impulse": impulse(photo, 0.1),
        "gaussian": gaussian_noise(photo, 25.0),
    }
    table = {}
    for name, picture in noisy.items():
        medians = max(psnr(photo, median_filter(picture, size)) for size in (3, 5))
        gaussians = max(psnr(photo, gaussian_filter(picture, sigma)) for sigma in (0.8, 1.0, 1.5, 2.0))
        table[name] = (medians, gaussians, psnr(photo, picture))
    for name in ("salt and pepper", "impulse"):
        medians, gaussians, nothing = table[name]
        assert medians > gaussians + 5 and medians > nothing + 10
    medians, gaussians, nothing = table["gaussian"]
    assert gaussians > medians + 0.5 and gaussians > nothing + 3


@pytest.mark.parametrize("noise", [salt_and_pepper, impulse])
@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan"), "1", None, True])
def test_amounts_that_are_no_share(noise: Callable[..., Any], amount: Any) -> None:
    with pytest.raises(ConfigError, match=r"^amount must be a share of the pixels, 0 to 1, got .*\.$"):
        noise(GREY, amount)


@pytest.mark.parametrize("std", [-1.0, float("nan"), float("inf"), "1"])
def test_a_std_that_is_none(std: Any) -> None:
    with pytest.raises(ConfigError, match=r"^std must be a number of at least 0, got .*\.$"):
        gaussian_noise(GREY, std)


@pytest.mark.parametrize("name", NOISES)
def test_other_wrong_input(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^seed must be a whole number from 0, got -1\.$"):
        NOISES[name](GREY, 0.1, seed=-1)
    with pytest.raises(DataError, match=r"^picture must be \(H, W\)"):
        NOISES[name](np.ones(3), 0.1)


def test_nearly_equal_pictures_are_not_equal() -> None:
    flat = np.zeros((4, 4))
    assert psnr(flat, flat + 1e-7) == pytest.approx(140)
