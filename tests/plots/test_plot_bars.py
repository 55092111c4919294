import re
import xml.etree.ElementTree as ET

import pytest

from pellucid.core.errors import DataError
from pellucid.plots import svg
from pellucid.plots.bars import bars

NS = "{http://www.w3.org/2000/svg}"


def widths(drawing: str, kind: str = "f1") -> list[float]:
    return [
        float(r.get("width")) for r in ET.fromstring(drawing).iter(f"{NS}rect") if r.get("class") == kind and len(r)
    ]


def words(drawing: str) -> list[str]:
    return [
        element.text or "".join(t.tail or "" for t in element) for element in ET.fromstring(drawing).iter(f"{NS}text")
    ]


def test_lengths_follow_the_values():
    full, half = widths(bars({"n": [10, 5, 0]}, ["a", "b", "c"], "T"))
    assert half == pytest.approx(full / 2, abs=0.1)


def test_top_is_the_full_bar():
    (low,) = widths(bars({"n": [0.5]}, ["a"], "T", top=1))
    (high,) = widths(bars({"n": [0.5]}, ["a"], "T", top=0.5))
    assert low == pytest.approx(high / 2, abs=0.1)


def test_stacked_bars_lie_end_to_end():
    drawing = bars({"train": [6, 3], "test": [2, 1]}, ["a", "b"], "T", stacked=True)
    found = [r for r in ET.fromstring(drawing).iter(f"{NS}rect") if len(r)]
    first, second = found[0], found[1]
    assert float(second.get("x")) == pytest.approx(float(first.get("x")) + float(first.get("width")), abs=0.11)
    assert float(second.get("y")) == float(first.get("y"))
    assert {"8", "4"} <= set(words(drawing))


def test_nan_is_a_dash_and_no_bar():
    drawing = bars({"IoU": [0.25, float("nan")]}, ["a", "b"], "T")
    assert len(widths(drawing)) == 1
    assert "–" in words(drawing) and "0.250" in words(drawing)


@pytest.mark.parametrize("series", [{}, {"n": []}])
def test_nothing_is_an_empty_drawing(series):
    assert widths(bars(series, [], "T")) == []


def test_all_zero_draws_no_bar():
    assert widths(bars({"n": [0, 0]}, ["a", "b"], "T")) == []


def test_many_rows_are_counted_not_drawn():
    drawing = bars({"n": [1] * 50}, [f"c{k}" for k in range(50)], "T")
    assert len(widths(drawing)) == 40
    assert "and 10 more" in words(drawing)


def test_long_and_odd_names():
    long = "a_name_without_end_" * 20
    drawing = bars({"n": [1, 2]}, [long, "<b>猫&</b>"], "T")
    assert "<b>" not in drawing and "<b>猫&</b>" in words(drawing)
    titles = [t.text for t in ET.fromstring(drawing).iter(f"{NS}title")]
    assert long in titles


def test_every_name_needs_a_number():
    with pytest.raises(DataError) as caught:
        bars({"n": [1, 2]}, ["a"], "T")
    assert str(caught.value) == "bars 'n' must have shape (N) = (1), got (2,)."


def test_long_numbers_stay_inside_the_drawing() -> None:
    drawn = bars({"pixels": [123_456_789_012.0, 3.0]}, ["background", "cat"], "Pixels")
    label = re.search(r'<text x="([\d.]+)"[^>]*>123,456,789,012<', drawn)
    assert label is not None
    assert float(label.group(1)) + svg.width_of("123,456,789,012") <= 480


def test_one_thing_beside_several_is_a_count_and_one_share_a_share() -> None:
    assert {"3", "1", "0"} <= set(words(bars({"n": [3, 1, 0]}, ["a", "b", "c"], "T", stacked=True)))
    assert {"1.000", "0.500"} <= set(words(bars({"IoU": [1, 0.5]}, ["a", "b"], "T")))
    assert "1.000" in words(bars({"IoU": [1, 0]}, ["a", "b"], "T"))
