"""The graph as lists and as DOT text."""

import numpy as np

from pellucid.scratch.graph.draw import dot, graph_lists
from pellucid.scratch.graph.node import Node


def example() -> Node:
    x, y, z = Node(-2, "x"), Node(5, "y"), Node(-4, "z")
    f = (x + y) * z
    f.name = "f"
    return f


def test_values_and_gradients_lie_on_the_edges():
    f = example()
    f.backward()
    nodes, edges = graph_lists(f)
    labels = {key: label for key, label, _ in nodes}
    assert [label for _, label, _ in nodes] == ["x", "y", "+", "z", "×", "f"]
    assert [kind for *_, kind in nodes] == ["input", "input", "operation", "input", "operation", "output"]
    assert [(labels[a], labels[b], value, gradient) for a, b, value, gradient in edges] == [
        ("x", "+", "-2", "-4"),
        ("y", "+", "5", "-4"),
        ("+", "×", "3", "-4"),
        ("z", "×", "-4", "3"),
        ("×", "f", "-12", "1"),
    ]


def test_gradients_on_the_edges_of_a_branch_add_up():
    x = Node(3.0)
    out = x * x + x
    out.backward()
    _, edges = graph_lists(out)
    parts = [float(gradient) for start, _, _, gradient in edges if start == "n0"]
    assert parts == [3, 3, 1] and sum(parts) == x.gradient


def test_before_backward_there_are_no_gradients():
    _, edges = graph_lists(example())
    assert {gradient for *_, gradient in edges} == {""}


def test_arrays_are_shown_by_shape_and_length():
    x = Node([[3.0, 4.0]])
    out = (x * x).sum() / 2
    out.backward()
    nodes, edges = graph_lists(out)
    assert nodes[0] == ("n0", "array", "input")
    assert edges[0] == ("n0", "n1", "1×2", "‖2.5‖")


def test_dot_text():
    f = example()
    f.backward()
    lines = dot(f).splitlines()
    assert lines[:2] == ["digraph {", "  rankdir=LR;"] and lines[-1] == "}"
    assert '  n0 [label="x", shape=box];' in lines
    assert '  n2 -> n4 [label="3\\n-4"];' in lines


def test_dot_text_escapes_names():
    assert '[label="a \\"b\\" \\\\", shape=box]' in dot(Node(np.float64(1), 'a "b" \\') * 2)
