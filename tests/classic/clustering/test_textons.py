"""Textons tell textures apart by what they are made of, not by where it stands."""

import math

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import estimator_checks

from pellucid.classic.clustering import textons as module
from pellucid.classic.clustering.textons import Textons
from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.filters.bank import filter_bank, responses

SMALL = filter_bank(9, (1.0,), orientations=4, spots=(1.0,))


def stripes_and_dots(n: int, seed: int, side: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Noisy uint8 pictures (n, 1, side, side) with equal mean and spread, turned, scaled and shifted at random."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    pictures = []
    for i in range(n):
        angle, period, (u0, v0) = rng.uniform(0, math.pi), rng.uniform(5, 9), rng.uniform(0, 10, 2)
        u = np.cos((x * math.cos(angle) + y * math.sin(angle) + u0) * 2 * math.pi / period)
        v = np.cos((y * math.cos(angle) - x * math.sin(angle) + v0) * 2 * math.pi / period)
        wave = u if i % 2 == 0 else u + v
        wave = (wave - wave.mean()) / wave.std() + rng.normal(0, 0.5, wave.shape)
        pictures.append((128 + 35 * wave).clip(0, 255).astype(np.uint8))
    return np.stack(pictures)[:, None], np.arange(n) % 2


def test_histograms_tell_stripes_from_dots_where_pixels_fail() -> None:
    known, test = stripes_and_dots(100, 0), stripes_and_dots(160, 1)
    textons = Textons(24, random_state=0).fit(known[0])
    histograms = [textons.transform(each[0]) for each in (known, test)]

    def accuracy(features: list[np.ndarray]) -> float:
        nearest = KNeighborsClassifier(1).fit(features[0].reshape(100, -1), known[1])
        return float(nearest.score(features[1].reshape(160, -1), test[1]))

    described, pixels = accuracy(histograms), accuracy([known[0].astype(float), test[0].astype(float)])
    print(f"nearest neighbour on histograms of textons {described:.3f}, on pixels {pixels:.3f}")
    assert described > 0.95 and pixels < 0.7


def test_histogram_counts_the_nearest_texton_of_every_pixel() -> None:
    pictures = stripes_and_dots(3, 2)[0].astype(np.float64)
    textons = Textons(5, SMALL, random_state=1).fit(pictures)
    histograms = textons.transform(pictures)
    assert histograms.dtype == np.float32 and histograms.shape == (3, 5) and histograms.sum(1) == pytest.approx(1)
    answers = np.moveaxis(responses(pictures, SMALL), 1, -1).reshape(3, -1, len(SMALL)) / textons.scale_
    label = ((answers[:, :, None] - textons.codebook_) ** 2).sum(-1).argmin(-1)
    wanted = np.stack([np.bincount(each, minlength=5) for each in label]) / label.shape[1]
    np.testing.assert_allclose(histograms, wanted, atol=2 / label.shape[1])


def test_codebook_lies_in_the_middle_of_its_pixels() -> None:
    """With all pixels drawn, textons are a fixed point of k-means on the scaled answers."""
    pictures = stripes_and_dots(2, 3, side=16)[0] / 255
    textons = Textons(3, SMALL, n_pixels=10**6, random_state=0).fit(pictures)
    answers = np.moveaxis(responses(pictures, SMALL), 1, -1).reshape(-1, len(SMALL))
    assert textons.scale_ == pytest.approx(answers.std(axis=0), rel=1e-4)
    scaled = answers / textons.scale_
    label = ((scaled[:, None] - textons.codebook_) ** 2).sum(-1).argmin(-1)
    means = np.stack([scaled[label == k].mean(axis=0) for k in range(3)])
    np.testing.assert_allclose(textons.codebook_, means, atol=1e-3)


def test_cyclic_shift_changes_nothing() -> None:
    pictures = stripes_and_dots(4, 4)[0]
    textons = Textons(8, SMALL, border="wrap", random_state=0).fit(pictures)
    shifted = textons.transform(np.roll(pictures, (7, 12), axis=(2, 3)))
    np.testing.assert_allclose(shifted, textons.transform(pictures), atol=2 / 40**2)


def test_same_seed_same_textons_and_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = stripes_and_dots(6, 5)[0]
    before = pictures.copy()
    first = Textons(6, SMALL, n_pixels=500, random_state=3).fit(pictures)
    histograms = first.transform(pictures)
    monkeypatch.setattr(module, "AT_ONCE", 1)  # one picture at a time
    second = clone(first).fit(pictures)
    np.testing.assert_allclose(second.codebook_, first.codebook_, atol=1e-4)
    np.testing.assert_allclose(second.transform(pictures), histograms, atol=2 / 40**2)
    other = Textons(6, SMALL, n_pixels=500, random_state=4).fit(pictures)
    assert not np.allclose(other.codebook_, first.codebook_, atol=1e-2)
    assert np.array_equal(pictures, before)


def test_kinds_of_pictures() -> None:
    pictures = stripes_and_dots(4, 6)[0]
    textons = Textons(4, random_state=0).fit(pictures)
    wanted = textons.transform(pictures)
    tensor = textons.transform(torch.from_numpy(pictures))
    assert isinstance(tensor, torch.Tensor) and np.allclose(tensor.numpy(), wanted, atol=1e-6)
    colour = textons.transform(np.repeat(pictures, 3, axis=1))
    np.testing.assert_allclose(colour, wanted, atol=1e-6)
    constant = Textons(1, random_state=0).fit(np.full((1, 1, 9, 9), 0.5))
    assert np.array_equal(constant.transform(np.full((2, 1, 9, 9), 0.5)), np.ones((2, 1)))


def test_follows_the_contract_of_scikit_learn() -> None:
    """`check_estimator` feeds rows of numbers, which are no pictures; these checks are those that need none."""
    for check in (
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_valid_tag_types,
    ):
        check("Textons", Textons(2, random_state=0))
    with pytest.raises(NotFittedError):
        Textons().transform(stripes_and_dots(2, 8)[0])


def test_wrong_input_is_told_in_one_line() -> None:
    pictures = stripes_and_dots(2, 7)[0]
    with pytest.raises(ConfigError, match=r"^n_textons must be at least 1, got 0\.$"):
        Textons(0).fit(pictures)
    with pytest.raises(ConfigError, match=r"^n_pixels must be at least n_textons \(32\), got 8\.$"):
        Textons(n_pixels=8).fit(pictures)
    with pytest.raises(DataError, match=r"^images must be a batch \(N, C, H, W\), got shape \(40, 40\)"):
        Textons().fit(pictures[0, 0])
    with pytest.raises(DataError, match=r"^32 textons cannot be learned from 25 pixels\."):
        Textons().fit(pictures[:1, :, :5, :5])
    with pytest.raises(DataError, match=r"^images must have 1 or 3 channels"):
        Textons().fit(np.zeros((2, 2, 9, 9)))
