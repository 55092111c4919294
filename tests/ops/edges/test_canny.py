"""Canny against scikit-image's, and on pictures whose edges are known."""

from functools import cache

import numpy as np
import pytest
import scipy.ndimage
import skimage.data
import skimage.feature
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.colour import rgb_to_grey
from pellucid.ops.edges import canny as module
from pellucid.ops.edges.canny import canny

AROUND = np.ones((3, 3), dtype=bool)


def step(side: int = 40, at: int = 17, angle: float = 0.0) -> np.ndarray:
    down, across = np.mgrid[:side, :side] - (side - 1) / 2
    return ((across * np.cos(angle) + down * np.sin(angle)) > at - side / 2).astype(float)


def disc(side: int = 80, radius: float = 25.3) -> np.ndarray:
    down, across = np.mgrid[:side, :side] - (side - 1) / 2
    return np.clip(radius - np.hypot(down, across) + 0.5, 0, 1)


@cache
def photo(name: str) -> np.ndarray:
    return getattr(skimage.data, name)()


def near(a: np.ndarray, b: np.ndarray) -> float:
    """Share of the edge pixels of a that have one of b within a pixel."""
    return float(scipy.ndimage.binary_dilation(b, AROUND)[a].mean()) if a.any() else 1.0


def has_blocks(edges: np.ndarray) -> bool:
    """Whether anywhere 2 x 2 pixels are all edge, which no line one pixel wide has."""
    return bool((edges[1:, 1:] & edges[:-1, 1:] & edges[1:, :-1] & edges[:-1, :-1]).any())


# ------------------------------------------------------------------------------------------------ known edges


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0, 3.3])
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_upright_step_is_one_straight_line_one_pixel_wide(sigma: float, kind: type) -> None:
    picture = (step() * (200 if kind is np.uint8 else 0.8)).astype(kind)
    for turned in (picture, 1 * picture[:, ::-1]):
        first_bright = int(np.flatnonzero(np.diff(turned[0].astype(float)))[0]) + 1
        edges = canny(turned, sigma)
        assert edges.dtype == bool and not edges[0].any() and not edges[-1].any()
        assert all(np.flatnonzero(row) == [first_bright - 1] for row in edges[1:-1])  # of two as strong, the left one
        assert np.array_equal(canny(np.ascontiguousarray(turned.T), sigma), edges.T)


@pytest.mark.parametrize("angle", np.linspace(0.1, 3.1, 12))
def test_turned_step_is_a_thin_line_on_the_step(angle: float) -> None:
    edges = canny(step(60, 30, angle), 1.5)
    down, across = (np.argwhere(edges) - 59 / 2).T
    assert len(down) >= 56 and np.abs(across * np.cos(angle) + down * np.sin(angle)).max() <= 1.01
    lines = edges if abs(np.cos(angle)) > abs(np.sin(angle)) else edges.T
    counts = lines[2:-2].sum(axis=1)  # one in each row that it crosses; two where it goes over to the next column
    assert set(counts) <= {1, 2} and not has_blocks(edges)


def test_disc_is_a_closed_thin_ring() -> None:
    edges = canny(disc(), 1.0)
    away = np.hypot(*(np.argwhere(edges) - 79 / 2).T)
    assert np.abs(away - 25.3).max() < 1
    holes = scipy.ndimage.label(~edges)[1]
    assert holes == 2, "outside and inside, which the ring parts"
    assert not has_blocks(edges)


def test_weak_line_stays_only_where_it_is_linked_to_a_strong_one() -> None:
    picture = np.full((60, 60), 0.3)
    picture[:, 20:] += np.linspace(0.5, 0.1, 60)[:, None]  # a line that is strong above and fades downwards
    picture[:, 45:] += 0.1  # a weak one alone, which reaches low everywhere and high nowhere
    first, second = (slice(1, -1), slice(17, 23)), (slice(1, -1), slice(42, 48))
    edges = canny(picture, 1.0, 0.15, 0.8)
    assert edges[first].any(axis=1).all() and not edges[second].any()
    assert canny(picture, 1.0, 0.15, 0.15)[second].any(axis=1).all(), "which the low threshold alone would keep"
    assert not canny(picture, 1.0, 0.8, 0.8)[40:].any(), "and the high one alone would lose the end of the first"


def test_hysteresis_keeps_whole_components() -> None:
    """Against the definition: components of the ridges above low that hold a pixel above high."""
    picture = photo("coins")
    ridges, strong = canny(picture, 1.0, 0.1, 0.1), canny(picture, 1.0, 0.3, 0.3)
    assert np.all(ridges | ~strong)
    labels = scipy.ndimage.label(ridges, AROUND)[0]
    assert np.array_equal(canny(picture, 1.0, 0.1, 0.3), ridges & np.isin(labels, labels[strong]))


# ----------------------------------------------------------------------------------------------- scikit-image


@pytest.mark.parametrize("sigma", [0.8, 1.0, 2.0, 4.0])
@pytest.mark.parametrize(("low", "high"), [(0.1, 0.2), (0.3, 0.7)])
@pytest.mark.parametrize("name", ["camera", "coins"])
def test_photographs_agree_with_scikit_image_within_a_pixel(name: str, low: float, high: float, sigma: float) -> None:
    picture = photo(name)
    ours, theirs = canny(picture, sigma, low, high), skimage.feature.canny(picture, sigma, low * 255, high * 255)
    assert near(ours, theirs) >= 0.99 and near(theirs, ours) >= 0.99
    assert np.mean(ours == theirs) > 0.998, "nearly all of them are the very same pixels"
    as_floats = canny((picture / 255).astype(np.float32), sigma, low, high)
    assert near(ours, as_floats) >= 0.99 and near(as_floats, ours) >= 0.99


@pytest.mark.parametrize("sigma", [1.0, 2.0])
@pytest.mark.parametrize("picture", [step(), step(64, 30, 0.7), step(64, 30, 2.0), disc(), 1 - disc(81, 30)])
def test_steps_and_discs_agree_wholly(picture: np.ndarray, sigma: float) -> None:
    ours, theirs = canny(picture, sigma), skimage.feature.canny(picture, sigma, 0.1, 0.2)
    assert ours.any() and near(ours, theirs) == 1 and near(theirs, ours) == 1


def test_quantiles_agree_with_scikit_images() -> None:
    picture = photo("coins")
    ours = canny(picture, 1.0, 0.8, 0.95, quantiles=True)
    theirs = skimage.feature.canny(picture, 1.0, 0.8, 0.95, use_quantiles=True)
    assert ours.sum() > 1000 and near(ours, theirs) >= 0.99 and near(theirs, ours) >= 0.99
    both = np.stack([picture[:200, :200], picture[:200, :200] // 3])[:, None]  # each picture has its own thresholds
    edges = canny(both, 1.0, 0.8, 0.95, quantiles=True)
    assert np.array_equal(edges[1], canny(both[1, 0], 1.0, 0.8, 0.95, quantiles=True))
    assert near(edges[0], edges[1]) > 0.9


# ------------------------------------------------------------------------------------------- pictures of all kinds


@pytest.mark.parametrize("name", ["camera", "coins", "astronaut"])
def test_larger_sigma_leaves_fewer_edges(name: str) -> None:
    counts = [
        int(canny(np.moveaxis(photo(name), -1, -3) if photo(name).ndim == 3 else photo(name), s).sum())
        for s in (1, 2, 4, 8)
    ]
    assert counts == sorted(counts, reverse=True) and counts[3] < counts[0] / 3


def test_batch_equals_singles(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photo("camera")
    batch = np.stack([picture[i : i + 37, 2 * i : 2 * i + 51] for i in range(0, 200, 20)])[:, None]
    together = canny(batch)
    assert together.shape == (10, 37, 51)
    assert all(np.array_equal(edges, canny(each[0])) for edges, each in zip(together, batch, strict=True))
    monkeypatch.setattr(module, "AT_ONCE", 10_000)  # blocks of a few pictures
    assert np.array_equal(canny(batch), together)


def test_colour_becomes_grey_and_kinds_stay() -> None:
    colour = np.ascontiguousarray(np.moveaxis(photo("astronaut")[100:200, 100:230], -1, 0))
    before = colour.copy()
    edges = canny(colour)
    assert isinstance(edges, np.ndarray) and edges.shape == (100, 130) and edges.dtype == bool and edges.any()
    assert np.array_equal(edges, canny(rgb_to_grey(colour))) and np.array_equal(edges, canny(rgb_to_grey(colour)[0]))
    tensor = canny(torch.from_numpy(colour)[None])
    assert isinstance(tensor, torch.Tensor) and tensor.dtype is torch.bool and tensor.shape == (1, 100, 130)
    assert np.array_equal(tensor[0].numpy(), edges) and np.array_equal(colour, before)
    halves = canny(torch.from_numpy(colour / 255).to(torch.float16))
    assert near(halves.numpy(), edges) > 0.95


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (9, 2), (3, 3), (5, 64), (31, 33)])
@pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
def test_constant_pictures_have_no_edges(shape: tuple[int, int], value: float) -> None:
    for kind in (np.float32, np.float64):
        assert not canny(np.full(shape, value, dtype=kind), low=0, high=0).any()
    assert not canny(np.full(shape, int(value * 255), dtype=np.uint8), 2.0, 0, 0).any()
    assert not canny(np.full(shape, value), low=0, high=0, quantiles=True).any()
    assert canny(np.full(shape, value)).shape == shape


def test_smallest_picture_with_an_edge() -> None:
    edges = canny(np.array([[0, 1, 1], [0, 1, 1], [0, 1, 1]], dtype=float), 0.5, 0.1, 0.2)
    assert edges.sum() <= 1 and not edges[0].any()


def test_wrong_input_is_told_in_one_line() -> None:
    picture = np.zeros((8, 8))
    with pytest.raises(ConfigError, match=r"^low must be at most high \(0\.1\), got 0\.2\.$"):
        canny(picture, 1.0, 0.2, 0.1)
    with pytest.raises(ConfigError, match=r"^low must be a number of at least 0, got -1\.$"):
        canny(picture, 1.0, -1, 0.1)
    with pytest.raises(ConfigError, match=r"^high must be a number of at least 0, got nan\.$"):
        canny(picture, 1.0, 0.1, float("nan"))
    with pytest.raises(ConfigError, match=r"^high must be a share from 0 to 1, got 2\.$"):
        canny(picture, 1.0, 0.1, 2, quantiles=True)
    for sigma in (0, -1.0, float("nan")):
        with pytest.raises(ConfigError, match=r"^sigma must be a number of pixels above 0"):
            canny(picture, sigma)
    with pytest.raises(DataError, match=r"^picture must have 1 or 3 channels"):
        canny(np.zeros((2, 8, 8)))
    with pytest.raises(DataError, match=r"^picture is empty"):
        canny(picture[:0])
    with pytest.raises(DataError, match=r"^picture holds NaN"):
        canny(picture * np.nan)
