"""Costs and what they reach: which stand on the stairs, and where names go."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.plots.ladder import Box, Step, frontier, ladder, stairs

STEPS = [Step("a", 1.0, 80.0), Step("b", 10.0, 85.0, "of 3 nets"), Step("c", 11.0, 84.0), Step("d", 1000.0, 94.0)]


def test_the_stairs_are_those_no_cheaper_one_beats() -> None:
    assert frontier(np.array([1.0, 10, 11, 1000]), np.array([80.0, 85, 84, 94])) == [0, 1, 3]
    assert frontier(np.array([5.0, 5, 5]), np.array([1.0, 3, 2])) == [1]
    assert frontier(np.array([2.0, 1]), np.array([1.0, 1])) == [1]  # the same for less


def test_stairs_go_right_then_up_and_on_to_the_end() -> None:
    assert stairs(np.array([0.0, 5.0]), np.array([9.0, 4.0]), 8.0) == [(0, 9), (5, 9), (5, 4), (8, 4)]
    assert stairs(np.array([7.0]), np.array([9.0]), 5.0) == [(7, 9), (7, 9)]


def test_every_step_has_a_point_and_a_name_inside_the_drawing() -> None:
    drawn = ladder(STEPS, "What it costs")
    root = ElementTree.fromstring(drawn)
    space = "{http://www.w3.org/2000/svg}"
    circles = root.findall(f"{space}circle")
    assert len(circles) == 4 and "b: 85.00 at 10.0 CPU seconds; of 3 nets" in drawn
    assert [circle.get("class") for circle in circles] == ["f1", "f1", "f6", "f1"]
    x = [float(circle.get("cx") or 0) for circle in circles]
    # three decades lie between the first and the last, and one between the first and the second
    assert (x[1] - x[0]) / (x[3] - x[0]) == pytest.approx(1 / 3, abs=0.01)
    names = [text for text in root.findall(f"{space}text") if text.text in {"a", "b", "c", "d"}]
    width = float(re.search(r'viewBox="0 0 (\S+)', drawn).group(1))  # type: ignore[union-attr]
    assert len(names) == 4 and all(0 < float(name.get("x") or 0) < width for name in names)


def test_names_of_neighbours_do_not_cover_each_other() -> None:
    drawn = ladder([Step("neighbours", 10.0, 85.0), Step("softmax", 10.5, 85.05)], "t")
    places = re.findall(r'<text x="(\S+)" y="(\S+)" class="soft" text-anchor="(\w+)">(?:neighbours|softmax)', drawn)
    assert len(places) == 2 and places[0] != places[1]
    assert Box(0, 0, 2, 2).overlap(Box(1, 1, 3, 3)) == 1 and Box(0, 0, 1, 1).overlap(Box(2, 2, 3, 3)) == 0


def test_one_step_and_the_same_bytes() -> None:
    assert ladder(STEPS[:1], "t") == ladder(STEPS[:1], "t")


@pytest.mark.parametrize("steps", [[], [Step("a", 0.0, 1.0)], [Step("a", 1.0, float("nan"))]])
def test_what_cannot_be_drawn_is_refused(steps: list[Step]) -> None:
    with pytest.raises(DataError, match="A ladder needs steps with finite numbers and costs above 0"):
        ladder(steps, "t")
