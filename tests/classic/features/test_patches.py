import numpy as np
import pytest
import torch

from pellucid.classic.features.patches import dense_patches, patch_blocks, random_patches
from pellucid.core.errors import ConfigError, DataError


def places(n: int, channels: int, height: int, width: int) -> np.ndarray:
    """Pictures whose every number says where it is."""
    return np.arange(n * channels * height * width, dtype=np.float32).reshape(n, channels, height, width)


def test_random_patches_are_cut_out_of_one_picture():
    pictures = places(3, 2, 9, 7)
    patches = random_patches(pictures, 500, 4, seed=1)
    assert patches.shape == (500, 2, 4, 4) and patches.dtype == np.float32
    corner = patches[:, 0, 0, 0].astype(int)
    picture, row, column = corner // (2 * 9 * 7), corner % (9 * 7) // 7, corner % 7
    assert row.max() == 5 and column.max() == 3  # the last that fit
    for i in range(500):
        cut = pictures[picture[i], :, row[i] : row[i] + 4, column[i] : column[i] + 4]
        np.testing.assert_array_equal(patches[i], cut)


def test_every_place_is_equally_likely():
    """48 places, 48,000 draws: counts within five standard deviations of 1000."""
    patches = random_patches(places(2, 1, 6, 8), 48_000, 3, seed=0)
    _, counts = np.unique(patches[:, 0, 0, 0], return_counts=True)
    assert len(counts) == 2 * 4 * 6
    assert np.abs(counts - 1000).max() < 5 * 1000**0.5


def test_the_seed_says_which():
    pictures = places(3, 1, 9, 7)
    first, again, other = (random_patches(pictures, 20, 3, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(random_patches(torch.from_numpy(pictures), 20, 3, 5).numpy(), first)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_dense_patches_are_all_of_them_and_a_view(stride):
    pictures = places(2, 3, 10, 8)
    patches = dense_patches(pictures, 4, stride)
    rows, columns = (10 - 4) // stride + 1, (8 - 4) // stride + 1
    assert patches.shape == (2, rows, columns, 3, 4, 4)
    assert np.shares_memory(patches, pictures)
    for row in range(rows):
        for column in range(columns):
            top, left = stride * row, stride * column
            np.testing.assert_array_equal(patches[1, row, column], pictures[1, :, top : top + 4, left : left + 4])
    np.testing.assert_array_equal(dense_patches(pictures[1], 4, stride), patches[1])


@pytest.mark.parametrize("block_mb", [0, 0.001, 16])
def test_blocks_are_the_view_in_pieces(block_mb):
    view = torch.from_numpy(dense_patches(places(3, 2, 9, 7), 3))
    copies = torch.zeros(3, 7, 5, 18)
    sizes = []
    for picture, row, patches in patch_blocks(view, block_mb):
        copies[picture, row] = patches
        sizes.append(patches.numel() * 4)
    np.testing.assert_array_equal(copies.numpy(), view.flatten(3).numpy())
    assert max(sizes) <= max(block_mb * 2**20, 5 * 18 * 4)


def test_wrong_settings_and_pictures():
    pictures = places(1, 1, 5, 9)
    with pytest.raises(ConfigError, match="n must be at least 1, got 0"):
        random_patches(pictures, 0, 3)
    with pytest.raises(ConfigError, match="patch must be at least 1 pixel, got 0"):
        random_patches(pictures, 1, 0)
    with pytest.raises(ConfigError, match="stride must be at least 1 pixel, got -1"):
        dense_patches(pictures, 3, -1)
    with pytest.raises(DataError, match="Patches of 6x6 pixels need pictures at least as large, got 5x9"):
        dense_patches(pictures, 6)
