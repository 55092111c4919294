"""Decision regions: places, classes, white, samples."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.plots.classic.regions import around, class_map, majority, regions

NS = "{http://www.w3.org/2000/svg}"
POINTS, LABELS = np.array([[-1.0, -1.0], [1.0, 1.0]]), np.array([0, 1])


def right_half(points: np.ndarray) -> np.ndarray:
    return (points[:, 0] > 0).astype(int)


def test_a_map_asks_in_the_middle_of_each_place_with_y_upwards() -> None:
    asked = []

    def note(points: np.ndarray) -> np.ndarray:
        asked.append(points)
        return (points[:, 1] > 0).astype(int)

    found = class_map(note, (0.0, -1.0, 4.0, 1.0), 2)
    np.testing.assert_allclose(asked[0], [[1, -0.5], [3, -0.5], [1, 0.5], [3, 0.5]])
    np.testing.assert_array_equal(found, [[0, 0], [1, 1]])


def test_a_majority_is_more_votes_than_anybody_else() -> None:
    votes = np.array([[3, 1, 1], [2, 2, 1], [0, 0, 5], [1, 1, 1], [0, 1, 0]])
    np.testing.assert_array_equal(majority(votes), [0, -1, 2, -1, 1])
    np.testing.assert_array_equal(majority(votes / votes.sum(1, keepdims=True)), [0, -1, 2, -1, 1])
    np.testing.assert_array_equal(majority(np.ones((2, 1))), [0, 0])


RUN = re.compile(r"M([\d.]+) ([\d.]+)h([\d.]+)v-([\d.]+)h-\3z")


def runs(path: ET.Element) -> list[tuple[float, ...]]:
    """(left, bottom, width, height) of the rectangles a path is made of."""
    assert RUN.sub("", path.get("d")) == ""
    return [tuple(map(float, found)) for found in RUN.findall(path.get("d"))]


def colours(drawing: str) -> dict[str, float]:
    """Class of the style sheet -> area of its rectangles."""
    root = ET.fromstring(drawing)
    areas = {e.get("class"): sum(wide * tall for *_, wide, tall in runs(e)) for e in root.iter(f"{NS}path")}
    (paper,) = root.iter(f"{NS}rect")
    return {**areas, paper.get("fill"): float(paper.get("width")) * float(paper.get("height"))}


def test_areas_are_those_of_the_regions_and_undecided_ones_stay_white() -> None:
    third = regions(
        {"thirds": lambda p: np.where(p[:, 0] < -1, 0, np.where(p[:, 0] < 1, -1, 4))},
        POINTS,
        LABELS,
        "Three",
        resolution=30,
        box=(-3.0, -3.0, 3.0, 3.0),
    )
    areas = colours(third)
    assert areas["#fff"] == pytest.approx(300**2)  # paper below everything
    assert areas["f1 pale"] == pytest.approx(300**2 / 3, rel=0.01)
    assert areas["f5 pale"] == pytest.approx(300**2 / 3, rel=0.01) and "f6 pale" not in areas


def test_samples_lie_where_they_are_and_those_outside_are_left_out() -> None:
    drawing = regions({"a": right_half}, [*POINTS, (9, 9)], [0, 1, 1], "A", box=(-2.0, -2.0, 2.0, 2.0))
    dots = [
        (float(e.get("cx")), float(e.get("cy")), e.get("class")) for e in ET.fromstring(drawing).iter(f"{NS}circle")
    ]
    assert [(x, kind) for x, _, kind in dots] == [(75, "f1"), (225, "f2")]
    assert dots[0][1] - dots[1][1] == 150  # y runs upwards


def test_panels_in_rows_with_captions_inside_the_drawing() -> None:
    drawing = regions({f"k = {k}": right_half for k in range(5)}, POINTS, LABELS, "Five", columns=3, resolution=5)
    root = ET.fromstring(drawing)
    texts = {e.text: (float(e.get("x")), float(e.get("y"))) for e in root.iter(f"{NS}text")}
    assert texts["k = 3"][0] == texts["k = 0"][0] and texts["k = 3"][1] > texts["k = 0"][1] == texts["k = 2"][1]
    _, _, wide, tall = map(float, root.get("viewBox").split())
    for e in root.iter(f"{NS}rect"):
        assert float(e.get("x")) + float(e.get("width")) <= wide + 0.2
        assert float(e.get("y")) + float(e.get("height")) <= tall + 0.2
    for e in root.iter(f"{NS}path"):
        assert all(x + width <= wide + 0.2 and y <= tall + 0.2 for x, y, width, _ in runs(e))
    assert root.get("aria-label") == "Five: the regions of k = 0, k = 1, k = 2, k = 3, k = 4."


def test_the_box_around_points_has_a_margin() -> None:
    assert around(np.array([[0.0, 5.0], [10.0, 5.0]])) == pytest.approx((-0.8, 4.0, 10.8, 6.0))
    for points in (np.empty((0, 2)), np.array([[np.nan, 0.0]])):
        with pytest.raises(DataError, match="A rectangle around points needs at least one, and no NaN or infinity."):
            around(points)


@pytest.mark.parametrize(
    ("predict", "said"),
    [
        (
            lambda p: np.full(len(p), 6),
            "Regions are drawn for classes 0 to 5, or -1 for undecided, got int64 from 6 to 6",
        ),
        (lambda p: np.full(len(p), -2), "got int64 from -2 to -2"),
        (lambda p: np.zeros(len(p)), "got float64 from 0.0 to 0.0"),
        (lambda p: np.zeros(3, int), r"classes must have shape \(N,?\) = \(4,?\), got \(3,\)"),
    ],
)
def test_classes_that_cannot_be_drawn(predict, said) -> None:
    with pytest.raises(DataError, match=said):
        class_map(predict, (0.0, 0.0, 1.0, 1.0), 2)


def test_wrong_settings() -> None:
    with pytest.raises(ConfigError, match=r"resolution must be at least 1, got 0."):
        class_map(right_half, (0.0, 0.0, 1.0, 1.0), 0)
    with pytest.raises(ConfigError, match=r"box must be \(x from, y from, x to, y to\) with area"):
        class_map(right_half, (0.0, 0.0, 0.0, 1.0))
    with pytest.raises(ConfigError, match="predicts must be at least one classifier, got 0."):
        regions({}, POINTS, LABELS, "A")
    with pytest.raises(DataError, match="labels must have shape"):
        regions({"a": right_half}, POINTS, [0], "A")
    with pytest.raises(DataError, match="points must have shape"):
        regions({"a": right_half}, np.zeros((2, 3)), LABELS, "A")
