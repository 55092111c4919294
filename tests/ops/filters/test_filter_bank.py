"""The filter bank against its properties and SciPy's convolution; statistics of answers tell textures apart."""

import math

import numpy as np
import pytest
import scipy.ndimage
import torch
from sklearn.neighbors import KNeighborsClassifier

from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.colour import rgb_to_grey
from pellucid.ops.filters import bank as module
from pellucid.ops.filters.bank import filter_bank, response_statistics, responses

RNG = np.random.default_rng(0)
SMALL = filter_bank(9, (1.0,), orientations=4, spots=(1.0,))  # 4 edges, 4 bars, Gaussian, 2 Laplacians


def stripes_and_dots(n: int, seed: int, side: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """n noisy pictures (n, 1, side, side) float32 of equal mean and spread, and 0 for stripes, 1 for dots.

    Directions, periods and places are drawn at random.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    pictures = []
    for i in range(n):
        angle, period, (u0, v0) = rng.uniform(0, math.pi), rng.uniform(5, 10), rng.uniform(0, 10, 2)
        u = (x * math.cos(angle) + y * math.sin(angle) + u0) * 2 * math.pi / period
        v = (y * math.cos(angle) - x * math.sin(angle) + v0) * 2 * math.pi / period
        wave = np.cos(u) if i % 2 == 0 else np.cos(u) + np.cos(v)
        wave = (wave - wave.mean()) / wave.std() + rng.normal(0, 0.7, wave.shape)
        pictures.append(0.5 + 0.15 * wave)
    return np.stack(pictures)[:, None].astype(np.float32), np.arange(n) % 2


# ------------------------------------------------------------------------------------------------------ the bank


def test_default_is_the_bank_of_leung_and_malik() -> None:
    bank = filter_bank()
    assert bank.shape == (48, 49, 49) and bank.dtype == np.float64
    assert np.abs(bank).sum(axis=(1, 2)) == pytest.approx(1)
    sums = bank.sum(axis=(1, 2))
    assert sums[36:40] == pytest.approx(1) and np.delete(sums, range(36, 40)) == pytest.approx(0, abs=1e-12)


def test_edges_are_odd_and_the_others_even() -> None:
    bank = filter_bank(25, (1.0, 2.0))
    turned = bank[:, ::-1, ::-1]
    np.testing.assert_allclose(bank[:12], -turned[:12], atol=1e-15)
    np.testing.assert_allclose(bank[12:], turned[12:], atol=1e-15)


def test_orientations_are_turns_of_the_first() -> None:
    bank = filter_bank(31, (2.0,), orientations=4, spots=())
    assert len(bank) == 8
    for kind in (bank[:4], bank[4:]):
        np.testing.assert_allclose(kind[2], kind[0].T, atol=1e-15)  # 90 degrees
        np.testing.assert_allclose(kind[1], kind[1].T, atol=1e-15)  # 45 degrees: x and y alike
        np.testing.assert_allclose(np.abs(kind[3]), np.abs(kind[1][:, ::-1]), atol=1e-15)  # 135 degrees
    # an upright edge is the derivative across and three times as long as wide: second moments of its absolute values
    y, x = np.mgrid[:31, :31] - 15
    weight = np.abs(bank[0])
    assert np.sqrt((weight * y**2).sum() / (weight * x**2).sum()) == pytest.approx(3 / math.sqrt(2), rel=0.05)


def test_each_kind_answers_to_what_it_is_named_after() -> None:
    edges, bars, gaussian, laplacian = SMALL[:4], SMALL[4:8], SMALL[8], SMALL[9]
    step, line, spot = np.zeros((3, 21, 21))
    step[:, 11:], line[:, 10], spot[10, 10] = 1, 1, 1
    middle = [np.abs(responses(each, SMALL)[:, 10, 10]) for each in (step, line, spot)]
    assert middle[0][:4].argmax() == 0 and middle[0][0] == pytest.approx(0.5, abs=0.1)
    assert middle[1][4:8].argmax() == 0 and np.abs(responses(line, edges)[0, 10, 10]) < 1e-12
    assert np.ptp(middle[2][[4, 6]]) < 1e-12, "a spot has no direction"
    assert responses(spot, laplacian[None])[0, 10, 10] == pytest.approx(laplacian[4, 4])
    assert responses(spot, gaussian[None])[0, 10, 10] == pytest.approx(gaussian.max())
    assert len(bars) == 4


# --------------------------------------------------------------------------------------------------- the answers


@pytest.mark.parametrize("border", ["reflect", "replicate", "zero", "wrap"])
@pytest.mark.parametrize("size", [7, 21])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_answers_equal_scipys_convolution(border: str, size: int, kind: type) -> None:
    mode = {"reflect": "mirror", "replicate": "nearest", "zero": "constant", "wrap": "grid-wrap"}[border]
    picture, bank = RNG.random((23, 30)).astype(kind), filter_bank(size, (1.5,), 3, (1.0,))
    answers = responses(picture, bank, border)
    assert answers.dtype == kind and answers.shape == (len(bank), 23, 30)
    for answer, kernel in zip(answers, bank, strict=True):
        wanted = scipy.ndimage.convolve(picture.astype(np.float64), kernel, mode=mode)
        np.testing.assert_allclose(answer, wanted, atol=3e-6 if kind is np.float32 else 1e-12)


@pytest.mark.parametrize("size", [9, 21])
def test_kinds_of_pictures(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = filter_bank(size, (1.0,), 2, (1.0,))
    colour = RNG.integers(0, 256, (5, 3, 13, 10), dtype=np.uint8)
    before = colour.copy()
    together = responses(colour, bank)
    assert together.shape == (5, len(bank), 13, 10) and together.dtype == np.float32
    np.testing.assert_allclose(responses(colour[3], bank), together[3], atol=1e-3)
    np.testing.assert_allclose(responses(rgb_to_grey(colour), bank), together, atol=1e-3)
    tensor = responses(torch.from_numpy(colour), torch.from_numpy(bank))
    assert isinstance(tensor, torch.Tensor) and np.allclose(tensor.numpy(), together, atol=1e-3)
    halves = responses(torch.from_numpy(colour / 255).to(torch.float16), bank)
    assert halves.dtype == torch.float16 and np.allclose(halves.numpy() * 255, together, atol=1)
    assert responses(np.ones((1, 1)), bank).shape == (len(bank), 1, 1)
    assert np.array_equal(colour, before)
    monkeypatch.setattr(module, "AT_ONCE", 1)  # one picture at a time
    np.testing.assert_allclose(responses(colour, bank), together, atol=1e-3)


def test_statistics_are_those_of_the_answers() -> None:
    pictures = RNG.random((4, 1, 20, 17))
    answers = responses(pictures, SMALL).reshape(4, len(SMALL), -1)
    wanted = np.concatenate([answers.mean(2), answers.std(2), np.abs(answers).mean(2)], axis=1)
    statistics = response_statistics(pictures, SMALL)
    assert statistics.dtype == np.float64 and statistics.shape == (4, 3 * len(SMALL))
    np.testing.assert_allclose(statistics, wanted, atol=1e-6)
    np.testing.assert_allclose(response_statistics(pictures[2], SMALL), wanted[2], atol=1e-6)
    np.testing.assert_allclose(response_statistics(pictures.astype(np.float32), SMALL), wanted, atol=1e-6)


def test_constant_picture_excites_only_the_gaussian() -> None:
    statistics = response_statistics(np.full((12, 15), 0.7), SMALL).reshape(3, -1)
    wanted = np.zeros_like(statistics)
    wanted[[0, 2], 8] = 0.7
    np.testing.assert_allclose(statistics, wanted, atol=1e-6)


def test_position_is_ignored() -> None:
    picture, _ = stripes_and_dots(2, 1)
    shifted = np.roll(picture, (5, 11), axis=(2, 3))
    wrapped = [response_statistics(each, SMALL, "wrap") for each in (picture, shifted)]
    np.testing.assert_allclose(*wrapped, atol=1e-6)
    # seen with other rims it changes, but far less than from one texture to another
    stripes, dots, moved = (response_statistics(each, SMALL) for each in (picture[0], picture[1], shifted[0]))
    assert np.abs(stripes - moved).max() < np.abs(stripes - dots).max() / 5


def test_statistics_tell_stripes_from_dots_where_pixels_fail() -> None:
    known, test = stripes_and_dots(120, 2), stripes_and_dots(200, 3)

    def accuracy(features: list[np.ndarray]) -> float:
        nearest = KNeighborsClassifier(1).fit(features[0].reshape(120, -1), known[1])
        return float(nearest.score(features[1].reshape(200, -1), test[1]))

    bank = filter_bank(15, (1.0, 2.0), spots=(1.0, 2.0))
    described = accuracy([response_statistics(each[0], bank) for each in (known, test)])
    pixels = accuracy([known[0], test[0]])
    print(f"nearest neighbour on statistics {described:.3f}, on pixels {pixels:.3f}")
    assert described > 0.95 and pixels < 0.7


# ------------------------------------------------------------------------------------------------------ complaints


def test_wrong_input_is_told_in_one_line() -> None:
    picture = np.ones((8, 8))
    with pytest.raises(ConfigError, match=r"^size must be an odd whole number of at least 3, got 8\.$"):
        filter_bank(8)
    with pytest.raises(ConfigError, match=r"^sigmas must be widths above 0, at least one, got \(1\.0, 0\)\.$"):
        filter_bank(9, (1.0, 0))
    with pytest.raises(ConfigError, match=r"^orientations must be at least 1, got 0\.$"):
        filter_bank(9, (1.0,), 0)
    with pytest.raises(ConfigError, match=r"^spots must be widths above 0"):
        filter_bank(9, (1.0,), spots=(-1.0,))
    with pytest.raises(ConfigError, match=r"^elongation must be above 0"):
        filter_bank(9, (1.0,), elongation=0)
    with pytest.raises(ConfigError, match=r"^Unknown border 'wrapped'\. Did you mean 'wrap'\?"):
        responses(picture, SMALL, "wrapped")
    with pytest.raises(DataError, match=r"^bank must be \(filters, k, k\) with k odd, got shape \(9, 9\)\.$"):
        responses(picture, SMALL[0])
    with pytest.raises(DataError, match=r"got shape \(11, 8, 8\)\.$"):
        response_statistics(picture, SMALL[:, 1:, 1:])
    with pytest.raises(DataError, match=r"^picture holds NaN"):
        responses(picture * np.nan, SMALL)
