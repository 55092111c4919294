"""Pieces of a picture, against the publishers' rule in another program and by hand."""

import numpy as np
import pytest
from skimage.segmentation import felzenszwalb

from pellucid.classic.proposals.graph_segments import graph_segments, neighbours
from pellucid.core.errors import ConfigError, DataError

both = pytest.mark.usefixtures("way")


def same_pieces(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two numberings cut a picture alike."""
    pairs = np.unique(np.stack([one.ravel(), other.ravel()], 1), axis=0)
    return len(pairs) == len(np.unique(one)) == len(np.unique(other))


@both
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("scale", "least"), [(0.8, 10), (0.2, 1), (1.2, 25)])
def test_pieces_are_those_of_another_program(seed: int, scale: float, least: int) -> None:
    image = np.random.default_rng(seed).random((30, 23, 3))
    theirs = felzenszwalb(image, scale=scale * 255, sigma=0, min_size=least)  # which divides its scale by 255
    ours = graph_segments(np.moveaxis(image, 2, 0), scale, sigma=0, least=least)
    assert same_pieces(ours, theirs) and len(np.unique(ours)) > 1


@both
def test_a_square_on_a_ground_is_two_pieces() -> None:
    image = np.zeros((3, 20, 30), dtype=np.uint8)
    image[:, 5:12, 8:20] = 200
    pieces = graph_segments(image, scale=50, sigma=0, least=0)
    assert np.array_equal(pieces == 1, image[0] == 200) and pieces.max() == 1
    assert graph_segments(image, scale=50, sigma=0, least=85).max() == 0  # the square has 84 pixels
    assert graph_segments(image, scale=350 * 516, sigma=0, least=0).max() == 0  # what both bear is more than the edge


@both
def test_an_edge_is_crossed_up_to_what_both_bear() -> None:
    """Two halves of 2 x 4 even pixels bear scale / 8 each; the edge between them weighs 10."""
    image = np.zeros((4, 4))
    image[:, 2:] = 10
    assert graph_segments(image, scale=79.9, sigma=0, least=0).max() == 1
    assert graph_segments(image, scale=80.0, sigma=0, least=0).max() == 0


@both
def test_numbers_follow_the_scan() -> None:
    image = np.repeat(np.arange(3) * 100.0, 4)[None].repeat(2, 0)
    assert graph_segments(image, scale=1, sigma=0, least=0).tolist() == [[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]] * 2


def test_every_pair_of_neighbours_is_there_once() -> None:
    first, second, weight = neighbours(np.arange(12.0).reshape(3, 4, 1))
    pairs = {tuple(sorted(pair)) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    expected = {
        tuple(sorted((y * 4 + x, v * 4 + u)))
        for y in range(3)
        for x in range(4)
        for v in range(max(0, y - 1), min(3, y + 2))
        for u in range(max(0, x - 1), min(4, x + 2))
        if (y, x) != (v, u)
    }
    assert pairs == expected and len(first) == len(expected)
    assert np.array_equal(weight, np.abs(first - second))


@both
def test_one_pixel_and_one_row() -> None:
    assert graph_segments(np.zeros((1, 1))).tolist() == [[0]]
    assert graph_segments(np.zeros((1, 7)), sigma=0).tolist() == [[0] * 7]


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(DataError, match="one picture"):
        graph_segments(np.zeros((2, 3, 5, 5)))
    with pytest.raises(DataError):
        graph_segments(np.full((4, 4), np.nan))
    for bad in ({"scale": -1}, {"sigma": -1}, {"least": -1}):
        with pytest.raises(ConfigError, match=next(iter(bad))):
            graph_segments(np.zeros((4, 4)), **bad)
