"""Small multiples: where points and pictures stand, and what is refused."""

import re

import pytest

from pellucid.core.errors import DataError
from pellucid.plots.sheets.rising import rising


def test_points_stand_below_their_pictures_and_fall_as_the_values_do():
    svg = rising("turned", [0, 10, 45], [0.9, 0.6, 0.3], "degrees", "accuracy", [("data:,a", 1.0)] * 3, (0, 1))
    points = [tuple(map(float, p)) for p in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="3.5"', svg)]
    images = re.findall(r'<image x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', svg)
    middles = [float(x) + float(w) / 2 for x, _, w in images]
    assert [x for x, _ in points] == pytest.approx(middles, abs=0.2)
    heights = [y for _, y in points]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.2)
    assert heights[2] > heights[0]
    assert "turned: accuracy from 0.9 to 0.3." in svg
    assert 'class="guide"' in svg


def test_a_gap_breaks_the_line():
    svg = rising("noisy", [0, 1, 2, 3], [0.5, float("nan"), 0.4, 0.3], "std", "miou")
    assert svg.count('class="curve s1"') == 2
    assert svg.count('r="3.5"') == 3
    assert "nan" not in svg.lower()


def test_wide_and_tall_pictures_keep_their_shape():
    svg = rising("t", [0, 1], [1, 1], "x", "y", [("data:,a", 2.0), ("data:,b", 0.5)])
    (w1, h1), (w2, h2) = (
        (float(w), float(h)) for w, h in re.findall(r'<image [^>]*width="([\d.]+)" height="([\d.]+)"', svg)
    )
    assert w1 / h1 == pytest.approx(2) and w2 / h2 == pytest.approx(0.5)


def test_numbers_that_do_not_fit_together():
    with pytest.raises(DataError, match="'t': 2 strengths need as many values and pictures, got 1 and 0"):
        rising("t", [0, 1], [1], "x", "y")
    with pytest.raises(DataError, match="got 2 and 1"):
        rising("t", [0, 1], [1, 2], "x", "y", [("data:,a", 1.0)])
    assert "has no values" in rising("t", [], [], "x", "y")
