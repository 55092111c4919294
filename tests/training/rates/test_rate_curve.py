"""The rule that reads a range test, on curves whose right answer is known: a fall from 1e-4 to 1e-1."""

import numpy as np
import pytest

from pellucid.training.rates.curve import read, smooth

RATES = np.geomspace(1e-6, 10, 100)


def valley(noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """2.3 up to 1e-4, straight down to 0.8 at 1e-1, then up steeply, over the logarithm of the rate."""
    at = np.log10(RATES)
    loss = np.interp(at, [-6, -4, -1, 0, 1], [2.3, 2.3, 0.8, 3.0, 30.0])
    return loss + noise * np.random.default_rng(seed).standard_normal(100)


def fits(rate: float | None) -> bool:
    """Between where the loss begins to fall and a third of where it is lowest."""
    return rate is not None and 1e-4 < rate < 0.1 / 3


@pytest.mark.parametrize("seed", range(20))
def test_noise_does_not_fool_it(seed: int) -> None:
    assert fits(read(RATES, valley(0.15, seed)).rate)


def test_a_clean_valley() -> None:
    reading = read(RATES, valley())
    assert fits(reading.rate)
    assert reading.start == pytest.approx(2.3)
    assert 0.02 < reading.lowest_rate < 0.2  # steeper on its right, the smoothed valley lies further left


def test_a_tail_of_nan_is_ignored() -> None:
    losses = valley(0.05)
    whole = read(RATES, losses).rate
    losses[80:] = np.nan
    assert read(RATES, losses).rate == pytest.approx(whole, rel=0.5)
    losses[79] = np.inf
    assert fits(read(RATES, losses).rate)
    assert read(RATES, losses).n_usable <= 79


@pytest.mark.parametrize("place", [0, 1, 5, 9])
@pytest.mark.parametrize("height", [0.2, 8.0, 50.0])
def test_an_early_spike_is_ignored(place: int, height: float) -> None:
    """A drop or a rise at the start is the steepest point of the whole curve; there the rate would be 1e-6."""
    losses = valley(0.02)
    losses[place] = height
    assert fits(read(RATES, losses).rate)


def test_a_wide_early_spike_is_ignored() -> None:
    losses = valley(0.02)
    losses[4:8] = (4.0, 6.0, 5.0, 3.0)
    assert fits(read(RATES, losses).rate)


@pytest.mark.parametrize("seed", range(20))
def test_a_curve_that_never_falls_gives_no_rate(seed: int) -> None:
    flat = 2.3 + 0.1 * np.random.default_rng(seed).standard_normal(100)
    flat[90:] = np.linspace(3, 100, 10)
    assert read(RATES, flat).rate is None


def test_a_curve_that_falls_to_the_end_keeps_away_from_it() -> None:
    losses = np.interp(np.log10(RATES), [-6, -3, 1], [2.3, 2.3, 0.5])
    rate = read(RATES, losses).rate
    assert rate is not None
    assert 1e-3 < rate <= 1.0


def test_a_sharp_valley_is_not_taken_at_its_edge() -> None:
    losses = np.where(RATES < 0.01, 2.3, np.where(RATES < 0.02, 0.5, 40.0))
    rate = read(RATES, losses).rate
    assert rate is None or rate < 0.01


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_hardly_any_losses(n: int) -> None:
    assert read(RATES[:n], valley()[:n]).rate is None


def test_all_nan() -> None:
    assert read(RATES, np.full(100, np.nan)).rate is None


def test_the_scale_of_the_loss_does_not_matter() -> None:
    assert read(RATES, 1000 * valley(0.05)).rate == read(RATES, valley(0.05)).rate


def test_smoothing_keeps_constants_to_the_ends_and_lines_in_the_middle() -> None:
    assert smooth(np.full(30, 2.5)) == pytest.approx(2.5)
    line = np.arange(101.0)
    assert smooth(line)[50] == pytest.approx(50)  # as much from both sides: nothing moves to later steps


def test_a_single_spike_is_gone_at_once() -> None:
    losses = np.ones(50)
    losses[20] = 1e6
    assert smooth(losses) == pytest.approx(1)
