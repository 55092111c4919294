"""Edges have four causes; the detector finds all of them and tells none from another."""

from functools import cache
from types import ModuleType

import numpy as np
import pytest
from write_questions import CLASSIC


@cache
def script() -> ModuleType:
    return CLASSIC.load("four_edge_causes")


@cache
def table() -> dict[str, tuple[str, ...]]:
    header, rows, picture = script().experiment()
    assert all(len(row) == len(header) for row in rows) and picture.startswith("<svg")
    return {row[0]: tuple(row[1:]) for row in rows}


def share(cell: str) -> float:
    return float(cell.removesuffix("%")) / 100


def test_all_four_causes_are_found_and_little_else() -> None:
    causes = script().CAUSES.values()
    assert set(causes) == {"surface normal", "depth", "colour", "illumination"} == set(table()) - {"none of them"}
    assert all(share(table()[cause][1]) > 0.95 for cause in causes)
    assert share(table()["none of them"][1]) < 0.02


def test_each_edge_goes_with_its_cause_alone() -> None:
    causes = script().CAUSES.values()
    assert all(share(table()[cause][2]) < 0.05 for cause in causes)
    for levelled in script().CAUSES:
        for cause in set(script().CAUSES) - {levelled}:
            assert script().found(script().jumps(script().quantities()[cause]), script().detected(levelled)) > 0.9


def test_in_sunlight_the_plate_alone_is_not_seen() -> None:
    assert share(table()["depth"][3]) < 0.05
    assert all(share(table()[cause][3]) > 0.95 for cause in ("surface normal", "colour", "illumination"))


def test_truth_is_where_one_quantity_jumps() -> None:
    maps = script().quantities()
    marks = [script().jumps(values) for values in maps.values()]
    assert all(len(np.unique(values)) == 2 for values in maps.values())
    assert np.sum(marks, axis=0).max() == 1, "no pixel lies on edges of two causes"
    assert script().jumps(np.array([[1.0, 1, 2]]))[0].tolist() == [False, True, True]
    plate = maps["depth"] == 4
    assert marks[1][plate].sum() == 2 * (39 + 47) - 4, "the outermost pixels of the plate"
    assert pytest.approx(script().rendered(maps, sun=True)[plate].mean(), abs=1) == script().rendered(maps, True)[5, 90]
