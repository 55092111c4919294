import subprocess
import sys

import numpy as np
import pytest
import torch

from pellucid.classic.features.color_histogram import color_histogram
from pellucid.classic.features.hog import hog
from pellucid.classic.features.table import FEATURES, _bag
from pellucid.core.errors import ConfigError, DataError

COLOUR = ("color", "hog+color")
WORDS = ("bow", "bow-triangle")


def pixels(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def fitted() -> dict[tuple[str, int], dict[str, torch.Tensor]]:
    """What each learns from the same few pictures; the words take seconds, so once."""
    return {
        (name, channels): FEATURES[name].fit(pixels(40, channels, 28, 28), seed=0)
        for name in FEATURES
        for channels in (1, 3)
        if not (channels == 1 and name in COLOUR) and not (channels == 3 and name in WORDS)
    }


def test_every_kind_keeps_its_promise(fitted):
    for (name, channels), state in fitted.items():
        features = FEATURES[name]
        size = (28, 28)
        assert {key: tuple(value.shape) for key, value in state.items()} == features.state_shapes(channels, size)
        assert all(value.dtype == torch.float32 for value in state.values())
        images = pixels(3, channels, *size, seed=1)
        before = images.clone()
        found = features(images, state)
        assert found.shape == (3, features.dimension(channels, size)) and found.dtype == torch.float32
        assert torch.isfinite(found).all() and torch.equal(images, before)
        for one, image in zip(found, images, strict=True):
            torch.testing.assert_close(features(image[None], state)[0], one, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", sorted(set(FEATURES) - {*WORDS}))
@pytest.mark.parametrize("size", [(28, 28), (32, 32), (33, 47)])
def test_dimensions_of_colour_pictures(name, size):
    assert FEATURES[name](pixels(2, 3, *size), {}).shape == (2, FEATURES[name].dimension(3, size))
    assert FEATURES[name].fit(pixels(2, 3, *size), 0) == {}


def test_known_dimensions():
    assert FEATURES["pixels"].dimension(3, (32, 32)) == 3072
    assert FEATURES["hog"].dimension(3, (32, 32)) == 144
    assert FEATURES["hog+color"].dimension(3, (32, 32)) == 154
    assert FEATURES["hog-blocks"].dimension(1, (28, 28)) == 1152
    assert FEATURES["hog2"].dimension(1, (28, 28)) == 1152 + 288 + 14 * 14
    assert FEATURES["bow"].dimension(1, (28, 28)) == 200
    assert FEATURES["bow-triangle"].dimension(1, (28, 28)) == 800


def test_they_are_the_functions_they_are_named_after():
    images = pixels(4, 3, 32, 32)
    both = FEATURES["hog+color"](images, {})
    torch.testing.assert_close(both[:, :144], hog(images))
    torch.testing.assert_close(both[:, 144:], color_histogram(images))
    np.testing.assert_array_equal(FEATURES["pixels"](images, {}), (images / 255).flatten(1))
    grey = pixels(2, 1, 28, 28)
    two = FEATURES["hog2"](grey, {})
    torch.testing.assert_close(two[:, :1152], hog(grey, cell=4, orientations=8, block=2))
    torch.testing.assert_close(two[:, 1152:1440], hog(grey, cell=7, orientations=8, block=2))
    means = grey.double().view(2, 14, 2, 14, 2).mean((2, 4)).flatten(1) / 255
    torch.testing.assert_close(two[:, 1440:].double(), means, rtol=0, atol=1e-6)


def test_the_bag_of_words_is_shares(fitted):
    found = FEATURES["bow"](pixels(3, 1, 28, 28, seed=2), fitted["bow", 1])
    torch.testing.assert_close(found.sum(1), torch.ones(3))


def test_the_seed_says_which_words():
    few = _bag(4, 5, 60, whiten=True, pool=1, assign="hard")
    first, again, other = (few.fit(pixels(4, 1, 9, 9), seed) for seed in (0, 0, 1))
    assert all(torch.equal(first[key], again[key]) for key in first) and len(first) == 3
    assert not torch.equal(first["codebook"], other["codebook"])


@pytest.mark.parametrize("name", COLOUR)
def test_grey_pictures_have_no_colour(name):
    message = "Colour features need pictures with 3 channels, got 1. Use 'hog' for grey ones."
    with pytest.raises(ConfigError, match=message):
        FEATURES[name].dimension(1, (28, 28))
    with pytest.raises(ConfigError, match=message):
        FEATURES[name].fit(pixels(1, 1, 28, 28), 0)
    with pytest.raises(DataError, match=message):
        FEATURES[name](pixels(1, 1, 28, 28), {})


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("hog", (7, 30), "HOG with cells of 8x8 pixels needs pictures of at least 8x8 pixels, got 7x30"),
        ("hog-blocks", (7, 7), "cells of 4x4 pixels in blocks of 2x2 needs pictures of at least 8x8 pixels, got 7x7"),
        ("hog2", (13, 13), "cells of 7x7 pixels in blocks of 2x2 needs pictures of at least 14x14 pixels, got 13x13"),
        ("hog+color", (4, 4), "HOG with cells of 8x8 pixels needs pictures of at least 8x8 pixels, got 4x4"),
        ("bow", (5, 9), "Visual words of 6x6 pixels need larger pictures, got 5x9"),
        ("bow-triangle", (9, 5), "Visual words of 6x6 pixels need larger pictures, got 9x5"),
    ],
)
def test_small_pictures_are_refused(name, size, message):
    with pytest.raises(ConfigError, match=message):
        FEATURES[name].dimension(3, size)
    with pytest.raises(ConfigError, match=message):
        FEATURES[name].fit(pixels(1, 3, *size), 0)


def test_other_pictures_are_refused():
    with pytest.raises(DataError, match=r"Features take uint8 pictures .N, C, H, W., got torch.float32 .1, 1, 9, 9."):
        FEATURES["hog"](torch.zeros(1, 1, 9, 9), {})
    with pytest.raises(DataError, match=r"Features take uint8 pictures .N, C, H, W., got torch.uint8 .9, 9."):
        FEATURES["hog"](torch.zeros(9, 9, dtype=torch.uint8), {})


@pytest.mark.slow
def test_using_features_does_not_import_scikit_learn():
    """A model with features is loaded to predict; scikit-learn takes a second to import."""
    code = "import sys, pellucid.classic.features.table; print('sklearn' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
