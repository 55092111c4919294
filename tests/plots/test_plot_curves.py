import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.plots.curves import RIGHT, curves

NS = "{http://www.w3.org/2000/svg}"


def paths(drawing: str) -> list[list[list[tuple[float, float]]]]:
    """Every path as runs of corners."""
    found = []
    for path in ET.fromstring(drawing).iter(f"{NS}path"):
        runs = [run for run in path.get("d").split("M") if run]
        found.append([[tuple(map(float, corner.split(","))) for corner in run.split("L")] for run in runs])
    return found


def words(drawing: str) -> list[str]:
    return [element.text for element in ET.fromstring(drawing).iter(f"{NS}text")]


def test_corners_lie_where_the_numbers_say():
    ((run,),) = paths(curves({"loss": ([0, 1, 4], [3.0, 2.0, 1.0])}, "Loss"))
    x, y = np.array(run).T
    # Both maps are straight lines, so shares of the range survive them; larger values lie higher.
    assert (x[1] - x[0]) / (x[2] - x[0]) == pytest.approx(1 / 4, abs=1e-3)
    assert x[2] == RIGHT
    assert y[1] - y[0] == pytest.approx(y[2] - y[1], abs=0.11)
    assert y[0] < y[1] < y[2]


def test_a_logarithmic_axis_makes_powers_even():
    ((run,),) = paths(curves({"loss": ([0, 1, 2], [100.0, 10.0, 1.0])}, "Loss", log_y=True))
    y = np.array(run)[:, 1]
    assert y[1] - y[0] == pytest.approx(y[2] - y[1], abs=0.11)


def test_nan_and_infinity_leave_gaps():
    y = [1, 2, np.nan, 3, np.inf, 4, 5]
    ((first, alone, last),) = paths(curves({"loss": (range(7), y)}, "Loss"))
    assert len(first) == 2 and len(last) == 2
    assert alone[0] == alone[1]  # a point between two gaps is a dot: a line of no length with round ends


def test_numbers_a_logarithm_does_not_have_leave_gaps():
    ((first, last),) = paths(curves({"loss": (range(5), [1, 2, 0, 3, 4])}, "Loss", log_y=True))
    assert len(first) == len(last) == 2


def test_one_point_is_a_dot():
    drawing = curves({"loss": ([3], [0.5])}, "Loss")
    (((a, b),),) = paths(drawing)
    assert a == b
    assert "3" in words(drawing)


@pytest.mark.parametrize("series", [{}, {"loss": ([], [])}, {"loss": ([1, 2], [np.nan, np.nan])}])
def test_nothing_is_said_to_be_nothing(series):
    drawing = curves(series, "Loss")
    assert "nothing was recorded" in words(drawing)
    assert not paths(drawing)


def test_the_best_point_is_ringed_and_named():
    drawing = curves({"val": ([1, 2, 3], [0.5, 0.9, 0.8])}, "Accuracy", best=(2, 0.9))
    (run,), *_ = paths(drawing)
    rings = [
        c for c in ET.fromstring(drawing).iter(f"{NS}circle") if "ring" in c.get("class") and float(c.get("cx")) > 20
    ]
    assert [(float(c.get("cx")), float(c.get("cy"))) for c in rings] == [run[1]]
    assert "best: 0.9 at epoch 2" in words(drawing)


def test_a_best_point_without_a_value_is_left_out():
    assert "best" not in curves({"val": ([1, 2], [0.5, 0.9])}, "Accuracy", best=(2, float("nan")))


def test_a_long_curve_is_thinned_but_keeps_its_spike():
    y = np.zeros(100_000)
    y[54_321] = 7
    drawing = curves({"loss": (np.arange(len(y)), y)}, "Loss")
    ((run,),) = paths(drawing)
    assert len(run) <= 802 and len(drawing) < 25_000
    heights = np.array(run)[:, 1]
    assert (heights < heights.max() - 100).sum() == 1


def test_names_are_escaped_and_series_told_apart():
    drawing = curves(
        {"<a> & b": ([1, 2], [1, 2]), "猫 🐈": ([1, 2], [2, 1])}, "T <script>", x_label='"x"', y_label="<y>"
    )
    assert "<script" not in drawing and "<a>" not in drawing
    assert {"<a> & b", "猫 🐈", "T <script>", "↑ <y>", '"x" →'} <= set(words(drawing))
    kinds = [path.get("class") for path in ET.fromstring(drawing).iter(f"{NS}path")]
    assert kinds == ["curve s1", "curve s2"]


def test_it_is_read_aloud_in_words():
    label = ET.fromstring(curves({"val": ([1, 2], [0.5, 0.9])}, "Accuracy", best=(2, 0.9))).get("aria-label")
    assert label == "Accuracy: val goes from 0.5 to 0.9; best 0.9 at epoch 2."


def test_the_same_numbers_give_the_same_bytes():
    series = {"a": (np.arange(9), np.sin(np.arange(9)))}
    assert curves(series, "T") == curves(series, "T")


def test_lengths_must_agree():
    with pytest.raises(DataError) as caught:
        curves({"loss": ([1, 2, 3], [1, 2])}, "Loss")
    assert str(caught.value) == "Curve 'loss' has 3 x values but 2 y values; it needs as many of both."


def test_colours_come_from_the_page():
    drawing = curves({"a": ([1, 2], [1, 2])}, "T")
    assert "var(--series-1," in drawing and "currentColor" in drawing
    assert not re.search(r'(?:fill|stroke)="', drawing)


def test_marks_stand_upright_where_something_happens() -> None:
    """Their text is written as far as there is room; all of them are told under the pointer."""
    marks = [(2.0, "warm-up ends"), (2.01, "restart"), (8.0, "x 0.1")]
    drawn = curves({"rate": ([0, 10], [1.0, 0.5])}, "Learning rate", marks=marks)
    assert drawn.count('class="guide"') == 3
    assert all(f"<title>{said}</title>" in drawn for _, said in marks)
    assert [f">{said}</text>" in drawn for _, said in marks] == [True, False, True]
    assert curves({"rate": ([0, 10], [1.0, 0.5])}, "Learning rate").count('class="guide"') == 0


def test_a_long_name_of_an_axis_is_not_repeated_in_the_legend() -> None:
    drawing = curves({"F1": ([0.1, 0.12252], [0.5, 0.9])}, "T", x_label="least score (--conf)", best=(0.12252, 0.9))
    assert "best: 0.9 at 0.123" in words(drawing)
