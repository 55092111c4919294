"""Parallel coordinates and slices: what is drawn where."""

import math
import re
from xml.etree import ElementTree

import pytest

from pellucid.core.errors import DataError
from pellucid.plots.search.parallel_coordinates import HEIGHT, TOP, Upright, parallel_coordinates
from pellucid.plots.search.slices import slices


def lines_of(svg: str) -> list[tuple[float, str]]:
    """Opacity and path of each candidate, in drawing order."""
    found = re.findall(r'<g opacity="([\d.]+)"><path d="(M[^"]*)"', svg)
    return [(float(opacity), path) for opacity, path in found]


def test_lines_cross_the_axes_where_their_values_are() -> None:
    axes = [Upright("lr", [0.0, 1.0, 0.5], [(0, "1e-5"), (1, "0.1")]), Upright("score", [1.0, 0.0, 0.5], [])]
    svg = parallel_coordinates(axes, [0.9, 0.1, 0.5], ["a", "b", "c"], "coarse")
    ElementTree.fromstring(svg)
    lines = lines_of(svg)
    assert [opacity for opacity, _ in lines] == [0.12, 0.34, 1.0]  # the worst first, the best on top
    best = lines[-1][1]
    assert best.startswith(f"M70,{TOP + HEIGHT:g}") and best.endswith(
        f",{TOP:g}"
    )  # from the low rate to the high score
    assert ">best: a<" in svg and ">1e-5<" in svg
    assert "coarse: 3 candidates, the best is a." in svg


def test_what_has_no_score_is_palest_and_ends_before_it() -> None:
    axes = [Upright("lr", [0.2, 0.8], []), Upright("score", [0.5, math.nan], [])]
    lines = lines_of(parallel_coordinates(axes, [0.7, math.nan], ["a", "b"], "t"))
    assert [path.count("L") for _, path in lines] == [1, 1]  # one point is drawn as a dot: a line to itself
    assert lines[0][1].split("L")[0][1:] == lines[0][1].split("L")[1]


def test_the_only_candidate_is_the_best() -> None:
    axes = [Upright("lr", [0.2], []), Upright("score", [0.5], [])]
    (line,) = lines_of(parallel_coordinates(axes, [0.7], ["a"], "t"))
    assert line[0] == 1.0


def test_nothing_and_names_that_are_markup() -> None:
    for axes, scores in (([], []), ([Upright("lr", [], [])], [])):
        assert "nothing was recorded" in parallel_coordinates(axes, scores, [], "t")
    svg = parallel_coordinates([Upright("<b>", [0.5], [(0.5, "<i>")])], [1.0], ["<u>"], "<h1>")
    ElementTree.fromstring(svg)
    with pytest.raises(DataError):
        parallel_coordinates([Upright("lr", [0.1], [])], [1.0, 2.0], ["a", "b"], "t")


def dots(svg: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="4.5"', svg)]


def test_dots_lie_on_the_scale_and_the_edges_are_marked() -> None:
    svg = slices([1e-4, 1e-3, 1e-2], [0.1, 0.9, math.nan], "lr", 1e-4, 1e-2, True, 0.05, best=1)
    ElementTree.fromstring(svg)
    found = dots(svg)
    assert len(found) == 2  # one has no score
    (left, low), (middle, high) = found
    zones = [tuple(map(float, zone)) for zone in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)]
    assert len(zones) == 2
    (start, wide), (end, _) = zones
    assert start == pytest.approx(left, abs=0.1)
    assert middle == pytest.approx((start + end + wide) / 2, abs=0.2)  # 1e-3 is the middle of 1e-4..1e-2
    assert wide == pytest.approx(0.05 * (end + wide - start), abs=0.2)
    assert high < low
    assert f'cx="{middle:g}"' in svg.split('r="8"')[0][-60:] + svg  # the best is ringed
    assert svg.count('r="8"') == 1


def test_choices_have_their_names() -> None:
    svg = slices([0, 1, 1], [0.1, 0.2, 0.3], "optimiser", 0, 1, False, 0.0, 2, ["sgd", "adamw"], "accuracy")
    assert ">sgd<" in svg and ">adamw<" in svg and "<rect" not in svg
    assert "adamw: 0.3" in svg
    assert "nothing was recorded" in slices([], [], "lr", 0, 1)
    assert "nothing was recorded" in slices([1.0], [math.nan], "lr", 0, 1)
    with pytest.raises(DataError):
        slices([1.0, 2.0], [1.0], "lr", 0, 1)
