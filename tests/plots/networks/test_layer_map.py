"""The map of layers: what is near 1 is blank, colour and strength say how far a number is from it."""

import re

import pytest

from pellucid.core.errors import DataError
from pellucid.plots.networks.layer_map import LEVELS, MOST_COLUMNS, MOST_ROWS, layer_map


def squares(drawn: str) -> dict[tuple[str, float], int]:
    """(colour, opacity) -> number of cells; the key's own squares are left out."""
    body = drawn.split("or more</text>")[1]
    found = re.findall(r'<path d="([^"]*)" class="(f\d)" fill-opacity="([\d.]+)"/>', body)
    return {(colour, float(opacity)): path.count("z") for path, colour, opacity in found}


def test_colour_is_distance_from_one() -> None:
    drawn = layer_map({"a": [1.0, 1.05, 0.95], "b": [10.0, 100.0, 1e6], "c": [0.1, 0.01, 0.0]}, [0, 1, 2], "Deviation")
    half = round(LEVELS / 2) / LEVELS
    assert squares(drawn) == {("f3", half): 1, ("f3", 1.0): 2, ("f2", half): 1, ("f2", 1.0): 2}
    assert 'aria-label="Deviation: a from 1 to 0.95; b from 10 to 1e+06; c from 0.1 to 0."' in drawn


def test_nan_is_as_bad_as_nothing() -> None:
    assert squares(layer_map({"a": [float("nan")]}, [0], "t")) == {("f2", 1.0): 1}


def test_large_networks_and_long_runs_are_thinned_out() -> None:
    drawn = layer_map({f"layer{k}": [0.001] * 500 for k in range(100)}, list(range(500)), "t")
    assert squares(drawn) == {("f2", 1.0): MOST_ROWS * MOST_COLUMNS}
    assert ">layer0<" in drawn
    assert ">layer99<" in drawn


def test_nothing_recorded_and_rows_that_do_not_fit() -> None:
    assert "nothing was recorded" in layer_map({}, [], "t")
    with pytest.raises(DataError, match="Layer 'a' has 2 values for 1 steps"):
        layer_map({"a": [1.0, 2.0]}, [0], "t")
