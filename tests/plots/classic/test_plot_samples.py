"""Sheets of prepared pictures: where each lies, how it is scaled, what is refused."""

import re

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.plots.classic.samples import as_pictures, samples
from pellucid.plots.grid import VISIBLE

RAMP = np.linspace(-3, 5, 16)


def test_each_picture_fills_its_own_range() -> None:
    values = np.stack([RAMP, RAMP * 1e-6, -RAMP + 1000])
    pictures = as_pictures(values, (4, 4))
    assert pictures.shape == (3, 4, 4) and pictures.dtype == np.uint8
    assert (pictures.min(axis=(1, 2)) == 0).all() and (pictures.max(axis=(1, 2)) == 255).all()
    np.testing.assert_array_equal(pictures[0], pictures[1])
    np.testing.assert_allclose(pictures[2].astype(int), 255 - pictures[0].astype(int), atol=1)
    assert (np.diff(pictures[0].ravel().astype(int)) > 0).all()


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
def test_a_flat_picture_is_grey(value: float) -> None:
    assert (as_pictures(np.full((1, 9), value), (3, 3)) == 128).all()


def test_colours_come_last() -> None:
    values = np.arange(12.0)[None]
    picture = as_pictures(values, (3, 2, 2))[0]
    assert picture.shape == (2, 2, 3) and picture[0, 0].tolist() == [0, 93, 185]
    assert as_pictures(values, (1, 3, 4)).shape == (1, 3, 4)


def test_rows_lie_below_each_other() -> None:
    light, dark = np.zeros((3, 4)), np.zeros((3, 4))
    light[:, 0], dark[:, 3] = 1, 1
    sheet = np.asarray(samples({"one": light, "two": dark}, (2, 2)).convert("L"))
    cell = VISIBLE // 2 * 2
    assert sheet.shape[1] == 4 + 3 * (cell + 4)
    assert sheet[6, 6] == 255 and sheet[2 + cell, 2 + cell] == 0  # first row: bright top left
    second = sheet.shape[0] - 4 - 17 - cell
    assert sheet[second + 2, 6] == 0 and sheet[second + cell - 3, cell] == 255


def test_nothing_to_show() -> None:
    assert samples({}, (2, 2)).size[0] > 0
    assert samples({"none": np.zeros((0, 4))}, (2, 2)).size[0] > 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"a": np.zeros((2, 5))}, "samples: row 'a' must be (N, 4) for pictures (2, 2), got shape (2, 5)."),
        ({"a": np.zeros(4)}, "samples: row 'a' must be (N, 4) for pictures (2, 2), got shape (4,)."),
        (
            {"a": np.zeros((2, 4)), "b": np.zeros((3, 4))},
            "samples: row 'b' must be (2, 4) for pictures (2, 2), got shape (3, 4).",
        ),
        ({"a": np.full((1, 4), np.nan)}, "samples: row 'a' holds NaN or infinity."),
    ],
)
def test_rows_that_do_not_fit(rows: dict, said: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(said)}$"):
        samples(rows, (2, 2))


@pytest.mark.parametrize("shape", [(4,), (2, 2, 2), (0, 4)])
def test_shapes_of_no_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="shape must be"):
        samples({}, shape)
