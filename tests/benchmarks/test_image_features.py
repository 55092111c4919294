"""The benchmark of image features: all sides compute the same, and the verdicts follow from the times."""

from dataclasses import replace

import image_features
import numpy as np
import pytest
import timing
from image_features import (
    BATCH,
    OPENCV,
    OURS,
    PILLOW,
    ROWS,
    SCIKIT,
    SCIPY,
    SINGLY,
    compare,
    pictures,
    section,
    variants,
)


def timed(*seconds: float) -> timing.Timed:
    return timing.Timed(list(seconds), list(seconds))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corner of the photograph, and four crops of it."""
    corner = image_features.photograph()[:480, 200:840]
    monkeypatch.setattr(image_features, "photograph", lambda: corner)
    monkeypatch.setattr(image_features, "BATCH", 4)


@pytest.mark.parametrize("name", ROWS)
def test_all_sides_compute_the_same(name: str, small: None) -> None:
    said = compare(ROWS[name], "32x32")
    assert said[0] == "A picture comes out of the batch as it does alone."
    assert said[1].startswith(ROWS[name].judged)


def test_whole_pictures_are_compared_with_every_peer() -> None:
    said = compare(ROWS["median"], "640x480")
    assert said == [f"{peer}: equal, without the 5 outermost pixels." for peer in (SCIPY, OPENCV, PILLOW)]
    assert "100.00 % of ours lie within a pixel" in compare(ROWS["canny"], "640x480")[0]


def test_a_wrong_result_ends_the_program(small: None) -> None:
    wrong = replace(ROWS["gaussian-float"], ours=lambda x: ROWS["gaussian-float"].ours(x) + 1)
    with pytest.raises(SystemExit, match=r"Results differ from scipy's by 1\.0e\+00, more than 1e-03\."):
        compare(wrong, "28x28")
    with pytest.raises(SystemExit, match=r"The median differs from scipy's\."):
        compare(replace(ROWS["median"], ours=lambda x: x), "28x28")
    with pytest.raises(SystemExit, match=r"Edges differ from scikit-image's: 1\.000 and 0\.\d+ lie within a pixel\."):
        found = ROWS["canny"].ours(pictures(ROWS["canny"], "640x480"))
        found[:, :320] = False
        image_features.near_edges(found, ROWS["canny"].ours(pictures(ROWS["canny"], "640x480")), SCIKIT)


def test_an_absent_peer_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_features, "present", lambda peer: peer != OPENCV)
    assert variants(ROWS["median"], "28x28") == [OURS, SINGLY, SCIPY, PILLOW]
    assert "opencv: not installed, left out." in compare(ROWS["median"], "640x480")


def test_the_floors_are_judged_by_the_ratios(small: None) -> None:
    times = {OURS: timed(1, 1, 1), SCIPY: timed(6, 6, 6), OPENCV: timed(0.4, 0.4, 0.4)}
    whole = section("median", "640x480", times)
    assert "**Fast:** 6.0 times scipy; floor 5: met. 0.40 times OpenCV; aim 0.5: not reached." in whole
    times = {OURS: timed(1, 1, 1), SINGLY: timed(5, 5, 5), SCIPY: timed(6, 6, 6), OPENCV: timed(3, 3, 3)}
    batch = section("median", "28x28", times)
    assert "**Fast:** 6.0 times scipy; floor 20: MISSED. 3.00 times OpenCV." in batch


def test_the_pictures() -> None:
    assert pictures(ROWS["median"], "640x480").shape == (480, 640)
    crops = pictures(ROWS["gaussian-float"], "28x28")
    assert crops.shape == (BATCH, 1, 28, 28) and crops.dtype == np.float32
