"""Textures and photographs behind the things."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.data.scenes.backgrounds import photographs as module
from pellucid.data.scenes.backgrounds import textures
from pellucid.data.scenes.backgrounds.photographs import photograph, photographs
from pellucid.data.scenes.backgrounds.textures import texture
from pellucid.data.scenes.dice import Dice


@pytest.mark.parametrize("field", [textures._noise, textures._blobs, textures._gradient, textures._stripes])
@pytest.mark.parametrize("size", [(8, 8), (8, 61), (64, 64)])
def test_fields_stay_in_range_and_vary(field: object, size: tuple[int, int]) -> None:
    fields = [field(Dice(seed), *size) for seed in range(20)]
    assert all(f.shape == size and f.min() >= 0 and f.max() <= 255 for f in fields)
    assert np.mean([f.std() for f in fields]) > 20


def test_textures_differ_by_seed_and_are_the_same_for_either_source_of_numbers() -> None:
    assert len({texture(Dice(seed), 16, 16).tobytes() for seed in range(30)}) == 30
    made = texture(np.random.default_rng(3), 16, 20)
    assert made.shape == (16, 20, 3) and made.dtype == np.uint8


def test_contrast_bounds_how_far_the_two_colours_differ() -> None:
    for seed in range(30):
        spread = np.ptp(texture(Dice(seed), 32, 32, contrast=0).astype(int), axis=(0, 1)).max()
        assert spread <= 30  # the grain alone


@pytest.mark.parametrize("size", [(8, 8), (31, 200), (427, 640), (428, 100), (500, 700)])
def test_photographs_of_any_size(size: tuple[int, int]) -> None:
    pieces = [photograph(Dice(seed), *size) for seed in range(3)]
    assert all(piece.shape == (*size, 3) and piece.dtype == np.uint8 for piece in pieces)
    assert len({piece.tobytes() for piece in pieces}) == 3
    assert all(piece.std() > 5 for piece in pieces)


def test_every_smaller_photograph_is_the_mean_of_four_pixels() -> None:
    for whole, half, *_ in photographs():
        assert whole.shape == (427, 640, 3) and half.shape == (213, 320, 3)
        exact = whole[:426].reshape(213, 2, 320, 2, 3).mean(axis=(1, 3))
        assert np.abs(half - exact).max() <= 0.5


def test_a_piece_is_one_of_the_photograph_when_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With full contrast, middle greys where they were and channels in order, a piece is found in the original."""

    class Fixed:
        """Always the middle of the range."""

        def integers(self, low: int, high: int | None = None, size: object = None, dtype: object = None) -> int:
            low, high = (0, low) if high is None else (low, high)
            return (low + high) // 2

    monkeypatch.setattr(module, "ORDERS", ((0, 1, 2), (0, 1, 2)))
    piece = photograph(Fixed(), 40, 50, contrast=100)
    whole = photographs()[1][2]
    top, left = (whole.shape[0] - 40 + 1) // 2, (whole.shape[1] - 50 + 1) // 2
    plain = whole[top : top + 40, left : left + 50][:, ::-1].astype(int)
    kept = (50 + 101) // 2
    assert np.abs(piece - np.clip(128 + (plain - 128) * kept / 100, 0, 255)).max() <= 1


def test_missing_photographs_are_missed_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    photographs.cache_clear()
    with pytest.raises(DataError, match=r"must hold china\.jpg and flower\.jpg, of which scenes are made: install sci"):
        photographs()
    photographs.cache_clear()
