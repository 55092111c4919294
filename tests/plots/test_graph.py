"""The drawing of a graph: columns, order, words, refusals."""

import xml.etree.ElementTree as ET

import pytest

from pellucid.core.errors import DataError
from pellucid.plots.graph import ROW, graph

NS = "{http://www.w3.org/2000/svg}"


def words(drawing: str) -> dict[str, tuple[float, float]]:
    return {e.text: (float(e.get("x")), float(e.get("y"))) for e in ET.fromstring(drawing).iter(f"{NS}text")}


def lines(drawing: str) -> list[tuple[float, ...]]:
    return [tuple(float(e.get(k)) for k in ("x1", "y1", "x2", "y2")) for e in ET.fromstring(drawing).iter(f"{NS}line")]


def nodes(*names: str) -> list[tuple[str, str, str]]:
    return [(name, name, "input") for name in names]


def edges(*pairs: str) -> list[tuple[str, str, str, str]]:
    return [(pair[0], pair[1], f"up {pair}", f"down {pair}") for pair in pairs]


def test_every_edge_goes_right():
    pairs = ("ac", "bc", "cd", "ad", "be")
    at = words(graph(nodes(*"abcde"), edges(*pairs), "G"))
    assert all(at[a][0] < at[b][0] for a, b in pairs)


def test_inputs_stand_just_before_their_first_use():
    at = words(graph(nodes(*"abcx"), edges("ab", "bc", "xc"), "G"))
    assert at["x"][0] == at["b"][0]


def test_nodes_of_a_column_are_a_row_apart():
    at = words(graph(nodes(*"abcd"), edges("ad", "bd", "cd"), "G"))
    ys = sorted(at[name][1] for name in "abc")
    assert ys[1] - ys[0] == pytest.approx(ROW, abs=0.2) == ys[2] - ys[1]
    assert at["d"][1] == pytest.approx(ys[1], abs=0.2)


def test_crossings_that_can_be_avoided_are():
    at = words(graph(nodes("a", "b", "A", "B"), edges("aB", "bA"), "G"))
    assert (at["a"][1] < at["b"][1]) == (at["B"][1] < at["A"][1])


def crossing(p: tuple[float, ...], q: tuple[float, ...]) -> bool:
    def side(s, x, y):
        return (s[2] - s[0]) * (y - s[1]) - (s[3] - s[1]) * (x - s[0])

    return side(p, *q[:2]) * side(p, *q[2:]) < -1e-6 and side(q, *p[:2]) * side(q, *p[2:]) < -1e-6


def test_a_tree_has_no_crossings_and_long_edges_pass_beside_nodes():
    drawing = graph(nodes(*"abcdefg"), edges("ae", "be", "cf", "df", "eg", "fg"), "G")
    straight = lines(drawing)
    assert not any(crossing(p, q) for p in straight for q in straight)
    drawing = graph(nodes(*"abc"), edges("ab", "bc", "ac"), "G")
    at = words(drawing)
    x, y = at["b"]
    passing = [s for s in lines(drawing) if s[0] <= x <= s[2] and abs(s[1] - y) > 1 and s[1] == s[3]]
    assert any(abs(s[1] - (y - 4.5)) >= ROW - 1 for s in passing)


def test_words_stand_above_and_below_the_level_part_of_their_edge():
    drawing = graph(nodes(*"abc"), edges("ac", "bc"), "G", "value", "gradient")
    at = words(drawing)
    assert {"value", "gradient", "G"} <= at.keys()
    for pair in ("ac", "bc"):
        (x, over), (x2, under) = at[f"up {pair}"], at[f"down {pair}"]
        assert x == x2
        assert any(s[0] <= x <= s[2] and over < s[1] == s[3] < under for s in lines(drawing))


def test_two_edges_between_the_same_nodes_are_told_apart():
    twice = [("a", "b", "first", ""), ("a", "b", "second", "")]
    at = words(graph(nodes(*"ab"), twice, "G"))
    assert abs(at["first"][1] - at["second"][1]) >= ROW - 0.2


def test_no_words_overlap():
    """Boxes around all words, as wide as letters of ten units, of a graph with branches and joins."""
    pairs = ("ac", "bc", "cd", "ce", "df", "ef", "af", "cf")
    found = words(graph(nodes(*"abcdef"), edges(*pairs), "G"))
    boxes = [(x - 30, y - 12, x + 30, y) for name, (x, y) in found.items() if " " in name]
    assert len(boxes) == 16
    for k, (a, b, c, d) in enumerate(boxes):
        assert not any(a < g and e < c and b < h and f < d for e, f, g, h in boxes[:k])


def test_kinds_have_their_shapes():
    drawing = graph([("a", "a", "input"), ("b", "+", "operation"), ("c", "out", "output")], edges("ab", "bc"), "G")
    tree = ET.fromstring(drawing)
    assert len(list(tree.iter(f"{NS}rect"))) == len(list(tree.iter(f"{NS}circle"))) == 1


def test_names_are_escaped_and_it_is_read_aloud():
    drawing = graph([("a", "<a> & 猫", "input"), ("b", "b", "input")], [("a", "b", "<1>", "")], "T <script>")
    assert "<script" not in drawing and {"<a> & 猫", "<1>"} <= words(drawing).keys()
    assert ET.fromstring(drawing).get("aria-label") == "T <script>: 2 nodes, 1 edges."


def test_nothing_is_said_to_be_nothing():
    assert "nothing to draw" in words(graph([], [], "G"))


def test_a_node_alone():
    assert "a" in words(graph(nodes("a"), [], "G"))


def test_unknown_nodes_and_circles_are_refused():
    with pytest.raises(DataError) as caught:
        graph(nodes("a"), edges("ab"), "G")
    assert str(caught.value) == "The edge 'a' -> 'b' names a node that is not there: 'b'."
    with pytest.raises(DataError) as caught:
        graph(nodes(*"abc"), edges("ab", "bc", "cb"), "G")
    assert str(caught.value) == (
        "The edges go round in a circle, which 'a' leads to; such a graph has no first column."
    )


def test_the_same_lists_give_the_same_bytes():
    assert graph(nodes(*"abc"), edges("ab", "bc", "ac"), "G") == graph(nodes(*"abc"), edges("ab", "bc", "ac"), "G")
