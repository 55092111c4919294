"""Polygons filled as COCO's own tools fill them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as peer

from pellucid.core.errors import DataError
from pellucid.ops.masks.coco_fill import coco_fill
from pellucid.ops.masks.rle import decode

corner = st.one_of(st.floats(-12, 50), st.integers(-12, 50).map(float), st.integers(-60, 250).map(lambda v: v / 5))
polygon = st.lists(corner, min_size=6, max_size=24).map(lambda values: values[: len(values) // 2 * 2])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(polygon, min_size=1, max_size=3), st.integers(1, 40), st.integers(1, 40))
def test_every_pixel_is_that_of_the_peer(polygons: list[list[float]], height: int, width: int) -> None:
    theirs = peer.decode(peer.merge(peer.frPyObjects(polygons, height, width)))
    ours = decode(coco_fill([np.array(one) for one in polygons], height, width))
    np.testing.assert_array_equal(ours, theirs.astype(bool))


def test_a_rectangle_on_the_grid_is_its_pixels() -> None:
    mask = decode(coco_fill([np.array([2, 1, 5, 1, 5, 3, 2, 3])], 6, 7))
    expected = np.zeros((6, 7), dtype=bool)
    expected[1:3, 2:5] = True
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(
    "polygon", [[0, 0, 1, 1], [0, 0, 1e9, 0, 0, 1e9], [0, 0, np.nan, 1, 2, 2], [0, 0, np.inf, 1, 2, 2]]
)
def test_outlines_that_are_none_are_refused_before_they_cost_anything(polygon: list[float]) -> None:
    with pytest.raises(DataError, match="three corners or more, not further apart than a picture is large"):
        coco_fill([np.array(polygon)], 10, 10)
