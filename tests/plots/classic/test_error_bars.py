"""Accuracy against k, drawn: dots, means, bars, the ring."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.plots.classic.error_bars import error_bars

NS = "{http://www.w3.org/2000/svg}"
KS = [1, 3, 10]
SCORES = np.array([[0.5, 0.6, 0.7], [0.75, 0.75, 0.75], [0.6, 0.4, 0.5]])


def shapes(drawing: str, kind: str, words: str) -> list[ET.Element]:
    return [e for e in ET.fromstring(drawing).iter(f"{NS}{kind}") if e.get("class") == words]


def words(drawing: str) -> set[str]:
    return {element.text for element in ET.fromstring(drawing).iter(f"{NS}text")}


def test_every_fold_is_a_dot_and_every_mean_a_larger_one_that_says_mean_and_spread() -> None:
    drawing = error_bars({"L2": (KS, SCORES)}, "Accuracy")
    assert len(shapes(drawing, "circle", "f1 pale")) == 9
    means = [e for e in shapes(drawing, "circle", "f1") if e.find(f"{NS}title") is not None]
    assert [e.find(f"{NS}title").text for e in means] == [
        "L2, k 1: 0.6 ± 0.1",
        "L2, k 3: 0.75 ± 0",
        "L2, k 10: 0.5 ± 0.1",
    ]
    assert {"Accuracy", "L2", "↑ accuracy", "k →", "best: 0.75 at k 3"} <= words(drawing)


def test_bars_reach_one_sample_standard_deviation_from_the_mean() -> None:
    drawing = error_bars({"L2": (KS, SCORES)}, "Accuracy")
    bars = [e for e in shapes(drawing, "rect", "f1") if e.get("width") == "1.5"]
    dots = [float(e.get("cy")) for e in shapes(drawing, "circle", "f1 pale")]  # 0.5, 0.6, 0.7 of k = 1 come first
    assert float(bars[0].get("y")) == pytest.approx(dots[2], abs=0.11)  # std of 0.5, 0.6, 0.7 is 0.1
    assert float(bars[0].get("y")) + float(bars[0].get("height")) == pytest.approx(dots[0], abs=0.21)
    assert float(bars[1].get("height")) == 0


def test_the_ring_lies_on_the_best_mean_or_where_it_is_told_to() -> None:
    series = {"L2": (KS, SCORES), "L1": (KS, SCORES - 0.1)}

    def ring(drawing: str) -> tuple[str, str]:
        found = [e for e in shapes(drawing, "circle", "ring axis") if e.get("r") == "8"]
        assert len(found) == 1
        return found[0].get("cx"), found[0].get("cy")

    def dot(drawing: str, style: str, text: str) -> tuple[str, str]:
        (found,) = (e for e in shapes(drawing, "circle", style) if text in "".join(e.itertext()))
        return found.get("cx"), found.get("cy")

    best = error_bars(series, "A")
    assert ring(best) == dot(best, "f1", "L2, k 3:")
    told = error_bars(series, "A", best=("L1", 10))
    assert ring(told) == dot(told, "f2", "L1, k 10:") and "best: 0.4 at k 10" in words(told)


def test_a_logarithmic_axis_spreads_small_k_and_keeps_its_ticks() -> None:
    scores = np.array([[0.5, 0.6]] * 3)
    shown = words(error_bars({"L2": ([1, 10, 100], scores)}, "A", log_x=True))
    assert {"1", "2", "5", "10", "20", "50", "100"} <= shown
    assert error_bars({"L2": ([4], scores[:1])}, "A", log_x=True).startswith("<svg")


def test_order_of_the_values_does_not_matter_and_nan_is_left_out() -> None:
    assert error_bars({"L2": (KS, SCORES)}, "A") == error_bars({"L2": (KS[::-1], SCORES[::-1])}, "A")
    holes = SCORES.copy()
    holes[0, 0] = holes[2] = np.nan
    drawing = error_bars({"L2": (KS, holes)}, "A")
    assert len(shapes(drawing, "circle", "f1 pale")) == 5 and "nan" not in drawing
    assert "k 1: 0.65 ± 0.071" in drawing  # of 0.6 and 0.7


def test_one_fold_has_no_spread() -> None:
    assert "± 0" in error_bars({"L2": ([1, 2], [[0.5], [0.6]])}, "A")


@pytest.mark.parametrize(
    ("series", "settings", "said"),
    [
        ({}, {}, "There are no scores to draw."),
        ({"L2": ([1], [[np.nan]])}, {}, "There are no scores to draw."),
        ({"L2": ([1, 2], SCORES)}, {}, r"scores of 'L2' must have shape \(V, F\) = \(2, F\), got \(3, 3\)."),
        ({"L2": ([0, 1, 2], SCORES)}, {"log_x": True}, "A logarithmic axis needs values above 0, got 0 in 'L2'."),
        ({"L2": (KS, SCORES)}, {"best": ("L2", 7)}, "The best is 7 of 'L2', but nothing was measured there."),
        ({"L2": (KS, SCORES)}, {"best": ("L1", 3)}, "The best is 3 of 'L1', but nothing was measured there."),
    ],
)
def test_wrong_input(series, settings, said) -> None:
    with pytest.raises(DataError, match=said):
        error_bars(series, "A", **settings)
