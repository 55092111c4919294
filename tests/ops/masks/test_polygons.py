"""Outlines against the mask they came from, against worked examples, and filling against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pellucid.core.errors import DataError
from pellucid.ops.edges.components import connected_components
from pellucid.ops.masks.polygons import fill, outlines, parts, signed_area

MASKS = arrays(bool, st.tuples(st.integers(1, 10), st.integers(1, 10)))


def drawn(rows: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows.split()])


@settings(deadline=None, max_examples=150)
@given(MASKS)
def test_outlines_filled_give_the_mask_again_and_are_simple_steps(mask):
    rings = outlines(mask)
    assert np.array_equal(fill(rings, *mask.shape), mask)
    assert sum(map(signed_area, rings)) == mask.sum()
    for ring in rings:
        steps = np.roll(ring, -1, axis=0) - ring
        assert ((steps == 0).sum(axis=1) == 1).all()  # along one axis, never on the spot
        assert (steps[:, 0] == 0).tolist() == (np.roll(steps[:, 0], 1) != 0).tolist()  # and turns at every corner


@settings(deadline=None, max_examples=150)
@given(MASKS)
def test_parts_are_the_components_with_their_holes(mask):
    found = parts(mask)
    numbers = connected_components(mask, connectivity=4)
    masks = [fill(part, *mask.shape) for part in found]
    assert {one.tobytes() for one in masks} == {(numbers == k).tobytes() for k in range(1, numbers.max() + 1)}
    assert len(masks) == numbers.max()
    assert all(signed_area(part[0]) > 0 and all(signed_area(hole) < 0 for hole in part[1:]) for part in found)
    background = connected_components(np.pad(~mask, 1, constant_values=True), connectivity=8)
    assert sum(len(part) - 1 for part in found) == background.max() - 1


def test_one_pixel_and_a_frame_with_an_island():
    (ring,) = outlines(drawn("... .#. ..."))
    assert ring.tolist() == [[1, 1], [2, 1], [2, 2], [1, 2]]
    mask = drawn("##### #...# #.#.# #...# #####")
    outer, hole, island = outlines(mask)
    assert outer.tolist() == [[0, 0], [5, 0], [5, 5], [0, 5]]
    assert hole.tolist() == [[1, 1], [1, 4], [4, 4], [4, 1]]
    assert island.tolist() == [[2, 2], [3, 2], [3, 3], [2, 3]]
    assert [[len(ring) for ring in part] for part in parts(mask)] == [[4, 4], [4]]
    assert [signed_area(ring) for ring in (outer, hole, island)] == [25, -9, 1]


def test_pixels_that_touch_by_a_corner_are_two_parts():
    assert [ring.tolist() for ring in outlines(drawn("#. .#"))] == [
        [[0, 0], [1, 0], [1, 1], [0, 1]],
        [[1, 1], [2, 1], [2, 2], [1, 2]],
    ]
    assert [ring.tolist() for ring in outlines(drawn(".# #."))] == [
        [[1, 0], [2, 0], [2, 1], [1, 1]],
        [[0, 1], [1, 1], [1, 2], [0, 2]],
    ]


def test_nothing_has_no_outline():
    assert outlines(np.zeros((4, 5))) == [] == parts(np.zeros((4, 5)))
    assert outlines(np.zeros((0, 0))) == []
    assert not fill([], 4, 5).any()


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(-8, 40), st.integers(-8, 40)), min_size=3, max_size=7))
def test_filling_counts_edges_to_the_left_of_each_centre(points):
    corners = np.array(points) / 3  # thirds: some centres lie on edges, none is lost in rounding
    corners = np.round(corners * 3) / 4
    expected = np.zeros((8, 9), dtype=bool)
    for row in range(8):
        for column in range(9):
            for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
                y = row + 0.5
                if min(ay, by) <= y < max(ay, by) and ax + (y - ay) * ((bx - ax) / (by - ay)) <= column + 0.5:
                    expected[row, column] ^= True
    assert np.array_equal(fill([corners], 8, 9), expected)
    assert np.array_equal(fill([corners.ravel()], 8, 9), expected)


def test_a_large_disc_is_outlined_as_fast_as_it_is_large():
    row, column = np.mgrid[:700, :900]
    mask = (row - 340) ** 2 + (column - 450) ** 2 < 300**2
    (ring,) = outlines(mask)
    assert ring[:, 0].min() == 151 and ring[:, 0].max() == 750
    assert np.array_equal(fill([ring], 700, 900), mask)


@pytest.mark.parametrize(
    "polygon",
    [[[0, 0], [1, 1]], [0, 0, 1, 1, 2], [[0, 0, 0]] * 3, [[0, 0], [1, np.nan], [2, 2]], [[0, 0], [1e300, 0], [2, 2]]],
)
def test_what_is_no_polygon_is_refused(polygon):
    with pytest.raises(
        DataError,
        match="three or more pairs x, y of numbers, got|pairs x, y of numbers up to 1,000,000,000, got (nan|1e.300)",
    ):
        fill([np.array(polygon)], 4, 4)
