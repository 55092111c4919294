import xml.etree.ElementTree as ET

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.plots.reliability import AREA, BELOW, reliability

NS = "{http://www.w3.org/2000/svg}"
NAN = float("nan")


def columns(drawing: str, kind: str) -> list[float]:
    return [
        float(r.get("height")) for r in ET.fromstring(drawing).iter(f"{NS}rect") if r.get("class") == kind and len(r)
    ]


def test_heights_are_accuracies_and_counts():
    drawing = reliability([0, 0.5, 0.75, 1], [0.4, 0.7, 0.9], [0.25, 0.5, 1.0], [1, 2, 4])
    assert columns(drawing, "f1 pale") == pytest.approx([AREA / 4, AREA / 2, AREA], abs=0.1)
    assert columns(drawing, "f6 pale") == pytest.approx([BELOW / 4, BELOW / 2, BELOW], abs=0.1)


def test_gaps_reach_from_accuracy_to_the_diagonal():
    drawing = reliability([0, 0.5, 1], [0.4, 0.9], [0.4, 0.65], [5, 5])
    gaps = [g for g in ET.fromstring(drawing).iter(f"{NS}line") if g.get("class") == "bad curve"][1:]  # after the key
    lengths = [float(g.get("y1")) - float(g.get("y2")) for g in gaps]
    assert lengths == pytest.approx([0, 0.25 * AREA], abs=0.1)


@pytest.mark.parametrize("empty", [NAN, 0.0])
def test_empty_bins_are_left_out(empty):
    drawing = reliability([0, 0.5, 1], [empty, 0.9], [empty, 0.8], [0, 5])
    assert len(columns(drawing, "f1 pale")) == len(columns(drawing, "f6 pale")) == 1
    assert ET.fromstring(drawing).get("aria-label") == "Calibration: sure to 0.90, right in 0.80 of 5."


def test_nothing_at_all():
    drawing = reliability([0, 1], [NAN], [NAN], [0])
    assert "nothing was counted" in drawing and columns(drawing, "f1 pale") == []


def test_one_among_thousands_is_seen():
    assert min(columns(reliability([0, 0.5, 1], [0.2, 0.9], [0.2, 0.9], [1, 100_000]), "f6 pale")) == 1


def test_lengths_must_agree():
    with pytest.raises(DataError, match=r"reliability: count must have shape \(B\) = \(2\), got \(3,\)\."):
        reliability([0, 0.5, 1], np.zeros(2), np.zeros(2), np.zeros(3))
