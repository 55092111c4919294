"""Random whole numbers: the bits are NumPy's for ever, the numbers are made here."""

import numpy as np
import pytest

from pellucid.data.scenes.dice import Dice


def test_the_numbers_are_pinned() -> None:
    """Made of the raw bits of PCG64, whose stream NumPy keeps; computed once by the rule in the docstring."""
    raw = np.random.PCG64([1, 2, 3]).random_raw(64).tolist()
    dice = Dice(1, 2, 3)
    assert [dice.integers(1000) for _ in range(5)] == [(word >> 32) * 1000 >> 32 for word in raw[:-6:-1]]
    words = np.random.PCG64([9]).random_raw(2)
    sixteen = [int(word) >> shift & 0xFFFF for word in words for shift in (0, 16, 32, 48)]
    assert Dice(9).integers(-3, 4, size=7).tolist() == [(bits * 7 >> 16) - 3 for bits in sixteen[:7]]


def test_ranges_and_shapes() -> None:
    dice = Dice(0)
    assert {dice.integers(2, 5) for _ in range(100)} == {2, 3, 4}
    assert {dice.between((-1, 1)) for _ in range(100)} == {-1, 0, 1}
    many = dice.integers(-5, 6, size=(30, 40), dtype=np.int16)
    assert many.shape == (30, 40) and many.dtype == np.int16 and set(many.ravel()) == set(range(-5, 6))
    assert dice.integers(256, size=3).shape == (3,)
    assert dice.integers(65536, size=1000).max() > 60_000
    assert not any(dice.chance(0) for _ in range(50)) and all(dice.chance(100) for _ in range(50))


@pytest.mark.parametrize("n", [2, 7, 100])
def test_numbers_are_spread_evenly(n: int) -> None:
    """Chi-squared with n - 1 degrees of freedom stays below its mean plus five standard deviations."""
    for drawn in (Dice(n).integers(n, size=20_000), np.array([d for dice in [Dice(n, 1)] for d in _singles(dice, n)])):
        counts = np.bincount(drawn, minlength=n)
        expected = len(drawn) / n
        assert ((counts - expected) ** 2 / expected).sum() < n - 1 + 5 * np.sqrt(2 * (n - 1))


def _singles(dice: Dice, n: int) -> list[int]:
    return [dice.integers(n) for _ in range(5_000)]


def test_seeds_differ() -> None:
    assert len({tuple(Dice(a, b).integers(256, size=8)) for a in range(5) for b in range(5)}) == 25
