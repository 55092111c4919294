from copy import deepcopy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from pellucid.classic.features.visual_words import VisualWords, word_histogram
from pellucid.classic.features.word_histogram import normalised_patches, whitening_of
from pellucid.core.errors import ConfigError, DataError


def pixels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def plain(picture: np.ndarray, codebook: np.ndarray, stride: int, pool: int, assign: str, whitening=None) -> np.ndarray:
    """The definition, patch by patch."""
    k, _, side, _ = codebook.shape
    rows, columns = ((length - side) // stride + 1 for length in picture.shape[1:])
    counts = np.zeros((pool, pool, k))
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride, column * stride
            patch = picture[:, top : top + side, left : left + side].astype(float).ravel()
            patch = (patch - patch.mean()) / np.sqrt(patch.var() + 10)
            if whitening is not None:
                patch = (patch - whitening[0]) @ whitening[1]
            distance = np.linalg.norm(codebook.reshape(k, -1) - patch, axis=1)
            field = counts[row * pool // rows, column * pool // columns]
            if assign == "hard":
                field[distance.argmin()] += 1
            else:
                field += np.maximum(0, distance.mean() - distance)
    return counts.ravel()


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("assign", ["hard", "triangle"])
@pytest.mark.parametrize(("channels", "stride", "pool"), [(1, 1, 1), (3, 2, 2), (1, 3, 3)])
def test_histograms_are_the_definition(channels, stride, pool, assign, whiten):
    images = pixels(3, channels, 15, 12)
    words = VisualWords(7, 4, stride, 200, whiten=whiten, pool=pool, assign=assign, random_state=0).fit(images)
    assert words.codebook_.shape == (7, channels, 4, 4)
    found = words.transform(images)
    assert found.shape == (3, pool * pool * 7) and found.dtype == np.float32
    for picture, histogram in zip(images, found, strict=True):
        expected = plain(picture, words.codebook_, stride, pool, assign, words.whitening_)
        np.testing.assert_allclose(histogram, expected, atol=1e-3)


@pytest.mark.parametrize(("stride", "pool"), [(1, 1), (1, 2), (2, 1), (5, 2)])
def test_hard_counts_sum_to_the_number_of_patches(stride, pool):
    images = pixels(4, 1, 20, 23)
    counts = VisualWords(5, 6, stride, 100, pool=pool, random_state=0).fit_transform(images)
    assert (counts == np.round(counts)).all()
    assert (counts.sum(1) == ((20 - 6) // stride + 1) * ((23 - 6) // stride + 1)).all()


def test_the_order_of_patches_does_not_matter():
    """With patches side by side, moving them about in the picture changes no count."""
    images = pixels(1, 2, 24, 24)
    words = VisualWords(9, 6, stride=6, n_patches=200, random_state=0).fit(images)
    blocks = images.reshape(1, 2, 4, 6, 4, 6).transpose(0, 2, 4, 1, 3, 5).reshape(16, 2, 6, 6)
    moved = np.random.default_rng(0).permutation(blocks).reshape(1, 4, 4, 2, 6, 6)
    moved = np.ascontiguousarray(moved.transpose(0, 3, 1, 4, 2, 5).reshape(1, 2, 24, 24))
    assert (moved != images).any()
    np.testing.assert_array_equal(words.transform(moved), words.transform(images))


def test_planted_patches_become_the_words():
    """Pictures are made of three motifs side by side; one word each is found, and counts say how many of each."""
    motifs = pixels(3, 1, 8, 8)
    rng = np.random.default_rng(1)
    which = rng.integers(0, 3, (6, 4, 4))
    images = motifs[which].transpose(0, 3, 1, 4, 2, 5).reshape(6, 1, 32, 32)
    patches = torch.from_numpy(motifs).flatten(1).float()
    codebook = normalised_patches(patches).view(3, 1, 8, 8)
    counts = word_histogram(np.ascontiguousarray(images), codebook, stride=8)
    np.testing.assert_array_equal(counts, [np.bincount(one.ravel(), minlength=3) for one in which])


def test_brightness_and_contrast_drop_out():
    images = np.random.default_rng(0).random((2, 1, 16, 16)) * 0.5
    words = VisualWords(5, 4, n_patches=100, random_state=0, assign="triangle").fit(images)
    expected = words.transform(images)
    np.testing.assert_allclose(words.transform(images + 0.5), expected, atol=1e-2)
    np.testing.assert_allclose(words.transform(2 * images), expected, rtol=0.02, atol=0.05)


def test_bytes_and_floats_agree():
    images = pixels(3, 3, 14, 14)
    words = VisualWords(6, 5, n_patches=150, whiten=True, assign="triangle", random_state=3)
    from_bytes = words.fit_transform(images)
    from_floats = words.fit_transform(images / 255)
    np.testing.assert_allclose(from_floats, from_bytes, rtol=1e-3, atol=1e-2)


def test_flat_pictures_are_words_too():
    """A flat patch is all 0 after normalisation, not 0 / 0."""
    images = np.full((2, 1, 8, 8), 77, np.uint8)
    counts = VisualWords(1, 3, n_patches=10, random_state=0).fit_transform(images)
    np.testing.assert_array_equal(counts, [[36], [36]])


def test_whitened_patches_have_unit_covariance():
    mixed = torch.randn(4000, 12, generator=torch.Generator().manual_seed(0)) @ torch.randn(12, 12) * 10 + 3
    mean, matrix = whitening_of(mixed)
    white = (mixed - mean) @ matrix
    torch.testing.assert_close(matrix, matrix.T, rtol=1e-4, atol=1e-6)
    variances = torch.linalg.eigvalsh(torch.cov(white.T))
    assert variances.max() < 1.001
    true = torch.linalg.eigvalsh(torch.cov(mixed.T))
    torch.testing.assert_close(variances, (true / (true + 0.1)).sort().values, rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize("assign", ["hard", "triangle"])
def test_blocks_do_not_show(assign):
    images, codebook = pixels(3, 1, 12, 13), np.random.default_rng(0).standard_normal((5, 1, 4, 4))
    whole = word_histogram(images, codebook, pool=2, assign=assign)
    pieces = word_histogram(images, codebook, pool=2, assign=assign, block_mb=0)
    np.testing.assert_allclose(pieces, whole, rtol=1e-5)
    np.testing.assert_allclose(word_histogram(images[1], codebook, pool=2, assign=assign), whole[1], rtol=1e-5)


def test_kinds_in_and_out():
    images = torch.from_numpy(pixels(2, 1, 9, 9))
    words = VisualWords(4, 3, n_patches=50, random_state=0).fit(images)
    found = words.transform(images)
    assert isinstance(found, torch.Tensor) and found.dtype == torch.float32
    np.testing.assert_array_equal(words.transform(images.numpy()), found.numpy())


def test_an_estimator_like_others():
    images = pixels(3, 1, 9, 9)
    words = VisualWords(4, 3, n_patches=50, whiten=True, random_state=7)
    with pytest.raises(NotFittedError):
        words.transform(images)
    copy = clone(words)
    assert copy.get_params() == words.get_params()
    expected = words.fit_transform(images)
    np.testing.assert_array_equal(copy.fit(images).transform(images), expected)
    np.testing.assert_array_equal(deepcopy(words).transform(images), expected)
    assert (clone(words).set_params(random_state=8).fit(images).codebook_ != words.codebook_).any()
    assert not words.__sklearn_tags__().input_tags.two_d_array


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_words": 0}, "n_words must be at least 1, got 0"),
        ({"n_patches": 3}, r"n_patches must be at least n_words \(4\), got 3"),
        ({"contrast": 0.0}, "contrast must be above 0, or None, got 0.0"),
        ({"pool": 0}, "pool must be at least 1, got 0"),
        ({"assign": "soft"}, "Unknown assignment 'soft'"),
        ({"patch": 0}, "patch must be at least 1 pixel, got 0"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ConfigError, match=message):
        VisualWords(**{"n_words": 4, "patch": 3, "n_patches": 50, **settings}).fit(pixels(2, 1, 9, 9))


def test_wrong_pictures():
    words = VisualWords(4, 3, n_patches=50, random_state=0)
    with pytest.raises(DataError, match=r"images must be a batch .N, C, H, W., got shape .1, 9, 9."):
        words.fit(pixels(1, 9, 9))
    with pytest.raises(DataError, match="Patches of 3x3 pixels need pictures at least as large, got 2x9"):
        words.fit(pixels(1, 1, 2, 9))
    words.fit(pixels(2, 1, 9, 9))
    with pytest.raises(DataError, match="The words have 1 channels, got pictures with 3"):
        words.transform(pixels(2, 3, 9, 9))
    with pytest.raises(DataError, match=r"codebook must be .words, channels, side, side., got shape .4, 9."):
        word_histogram(pixels(1, 9, 9), np.zeros((4, 9)))
