"""Sheets of templates, filters, edges and neighbours: every picture where and as it should be."""

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import ConfigError, DataError
from pellucid.plots.classic.kernels import edges, kernels
from pellucid.plots.classic.neighbours import GREEN, RED, neighbours
from pellucid.plots.classic.templates import as_pictures, templates


def test_templates_are_grey_at_zero_and_fill_their_range() -> None:
    weights = np.array([[0.0, 0.5, -1.0, 1.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.01, 0.02, 0.0]])
    own = as_pictures(weights, (2, 2))
    np.testing.assert_array_equal(own[0], [[128, 192], [1, 255]])  # 128 + 63.5 rounds to the even one
    np.testing.assert_array_equal(own[1], np.full((2, 2), 128))
    assert own[2, 1, 0] == 255
    common = as_pictures(weights, (2, 2), common=True)
    np.testing.assert_array_equal(common[0], own[0])
    assert common[2, 1, 0] == round(128 + 127 * 0.02)


def test_templates_in_colour_have_channels_last() -> None:
    weights = np.zeros((1, 3, 2, 5))
    weights[0, 1, 0, 4] = 2.0
    pixels = as_pictures(weights.reshape(1, -1), (3, 2, 5))
    assert pixels.shape == (1, 2, 5, 3)
    np.testing.assert_array_equal(pixels[0, 0, 4], [128, 255, 128])
    assert as_pictures(np.zeros((2, 10)), (1, 2, 5)).shape == (2, 2, 5)


def test_a_sheet_has_every_class_and_its_pixels_enlarged() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(4, 48))
    sheet = np.asarray(templates(weights, (6, 8), columns=2))  # 96 // 8 = 12 times as large
    pixels = as_pictures(weights, (6, 8))
    assert sheet.shape == (4 + 2 * (72 + 4), 4 + 2 * (96 + 4), 3)
    for k in range(4):
        top, left = 4 + k // 2 * 76, 4 + k % 2 * 100
        np.testing.assert_array_equal(sheet[top : top + 72 : 12, left : left + 96 : 12, 0], pixels[k])
    assert templates(weights, (6, 8), ["a", "b", "c", "d"], columns=2).height > sheet.shape[0]


@pytest.mark.parametrize(
    ("weights", "shape", "error", "said"),
    [
        (np.zeros((2, 5)), (2, 2), DataError, r"weights must have shape \(K, D\) = \(K, 4\), got \(2, 5\)."),
        (np.zeros(4), (2, 2), DataError, "weights must have shape"),
        (np.full((1, 4), np.nan), (2, 2), DataError, "weights hold NaN or infinity: training diverged"),
        (np.zeros((1, 4)), (4,), ConfigError, r"shape must be \(H, W\), \(1, H, W\) or \(3, H, W\), got \(4,\)."),
        (np.zeros((1, 8)), (2, 2, 2), ConfigError, r"shape must be .*got \(2, 2, 2\)"),
    ],
)
def test_templates_that_cannot_be_drawn(weights, shape, error, said) -> None:
    with pytest.raises(error, match=said):
        templates(weights, shape)


def test_filters_of_several_sizes_lie_in_the_middle_of_their_cells() -> None:
    large, small = np.zeros((5, 5)), np.array([[-1.0]])
    large[0, 4] = 1
    sheet = np.asarray(kernels([large, small], columns=2).convert("L"))
    factor = 96 // 5
    first, second = (sheet[4 : 4 + 5 * factor : factor, x : x + 5 * factor : factor] for x in (4, 8 + 5 * factor))
    assert first[0, 4] == 255 and first[4, 0] == 128
    assert second[2, 2] == 1 and (np.delete(second.ravel(), 12) == 128).all()


def test_filters_that_cannot_be_drawn() -> None:
    with pytest.raises(DataError, match=r"filter 1 must have shape \(h, w\)"):
        kernels([np.zeros((3, 3)), np.zeros(3)])
    with pytest.raises(DataError, match="hold NaN"):
        kernels([np.full((3, 3), np.nan)])
    with pytest.raises(DataError, match="needs as many captions"):
        kernels([np.zeros((3, 3))], captions=["a", "b"])


def test_edges_are_black_on_white_finest_first() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (96, 96, 3)).astype(np.uint8)
    fine, coarse = rng.random((96, 96)) > 0.5, np.zeros((96, 96))
    coarse[5, 7] = 3.0
    sheet = np.asarray(edges(picture, {4.0: coarse, 1.0: fine}, columns=3))
    np.testing.assert_array_equal(sheet[4:100, 4:100], picture)
    np.testing.assert_array_equal(sheet[4:100, 104:200, 0], np.where(fine, 0, 255))
    assert sheet[4 + 5, 204 + 7, 0] == 0 and (sheet[4:100, 204:300, 0] == 255).sum() == 96 * 96 - 1
    assert edges(picture[:, :, 0], {1.0: np.zeros((96, 96), bool)}).mode == "RGB"  # no edge at all


def test_edges_that_cannot_be_drawn() -> None:
    grey = np.zeros((4, 4), np.uint8)
    with pytest.raises(DataError, match=r"edges at sigma 2 must have shape \(H, W\) = \(4, 4\), got \(3, 4\)."):
        edges(grey, {2.0: np.zeros((3, 4))})
    with pytest.raises(DataError, match="edges at sigma 2 must be numbers from 0 up, or booleans."):
        edges(grey, {2.0: np.full((4, 4), -1.0)})
    with pytest.raises(DataError, match=r"picture must be \(H, W\) or \(H, W, 3\) uint8"):
        edges(grey / 255, {})


def memory(n: int = 6) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(1).integers(0, 256, (n, 28, 28)).astype(np.uint8), np.arange(n) % 2


def cells(sheet: Image.Image, rows: int, columns: int) -> list[list[np.ndarray]]:
    """The framed pictures (90, 90, 3) of a sheet, found by the frames' size alone."""
    pixels = np.asarray(sheet)
    wide, line = 84 + 6, 84 + 6 + 11 + 8 + 6
    right = pixels.shape[1] - 6
    lefts = [right - (columns - k) * (wide + 6) + 6 - (0 if k else 6) for k in range(columns)]
    return [[pixels[6 + r * line : 6 + r * line + wide, x : x + wide] for x in lefts] for r in range(rows)]


def test_neighbours_are_framed_by_whether_they_are_right() -> None:
    pictures, labels = memory()
    sheet = neighbours(pictures[0], 0, pictures, labels, {"pixels": [2, 1], "HOG": [4, 2]}, ["shoe", "bag"])
    found = cells(sheet, 2, 3)
    for row, numbers in zip(found, ([0, 2, 1], [0, 4, 2]), strict=True):
        for cell, number in zip(row, numbers, strict=True):
            np.testing.assert_array_equal(cell[3:87:3, 3:87:3, 0], pictures[number])
    assert [tuple(cell[0, 0]) for cell in found[0][1:]] == [GREEN, RED]
    assert [tuple(cell[0, 0]) for cell in found[1][1:]] == [GREEN, GREEN]


def test_neighbours_in_colour_and_without_any() -> None:
    colour = np.repeat(memory()[0][..., None], 3, axis=3)
    assert neighbours(colour[0], 0, colour, memory()[1], {"pixels": [1]}, ["a", "b"]).mode == "RGB"
    assert neighbours(colour[0], 0, colour, memory()[1], {}, ["a", "b"]).width > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": [0]}, "labels must have shape"),
        ({"query": np.zeros((27, 28), np.uint8)}, r"got \(27, 28\) of uint8 and \(6, 28, 28\) of uint8."),
        ({"nearest": {"pixels": [6]}}, "nearest in pixels names row 6, but memory has 6 pictures."),
        ({"nearest": {"pixels": [-1]}}, "nearest in pixels names row -1, but memory has 6 pictures."),
        ({"names": ["shoe"]}, "Class 1 has no name: 1 names were given."),
    ],
)
def test_neighbours_that_cannot_be_drawn(change, said) -> None:
    pictures, labels = memory()
    good = {"query": pictures[0], "label": 0, "memory": pictures, "labels": labels, "nearest": {"pixels": [1]}}
    with pytest.raises(DataError, match=said):
        neighbours(**{**good, "names": ["shoe", "bag"], **change})
