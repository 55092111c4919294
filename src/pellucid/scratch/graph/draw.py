"""The graph as a picture: each edge with the value that goes up and the gradient that comes down.

Formula:
    node -> a name or the sign of its operation;  edge p -> v: p.value above, the share of p.gradient from v below

Derivation:
    What lies on an edge is what the chain rule multiplies and adds: the gradients on the edges that leave a node add
    up to the node's gradient. Of an array with several numbers the shape is shown, and the length ‖·‖ of its
    gradient.

Source: CS231n, lecture 4, values green and gradients red; the DOT language, graphviz.org/doc/info/lang.html.
"""

import numpy as np

from pellucid.scratch.graph.node import Node

Shown = tuple[str, str, str]  # key, label, "input", "operation" or "output"
Edge = tuple[str, str, str, str]  # from key, to key, value, gradient


def graph_lists(output: Node, digits: int = 3) -> tuple[list[Shown], list[Edge]]:
    """The graph below `output` as plain lists, for a drawing.

    Args:
        output: the last node; a node of kind "output" is added behind it, so that its value gets an edge too.
        digits: how many of a number are shown.

    Returns:
        Nodes (key, label, kind) with parents before children, and edges (from, to, value, gradient). The gradients
        are "" before `backward` was called.
    """
    order = output.ancestors()
    keys = {id(node): f"n{number}" for number, node in enumerate(order)}
    nodes: list[Shown] = []
    edges: list[Edge] = []
    for node in order:
        kind = "operation" if node.operation else "input"
        nodes.append((keys[id(node)], _label(node, digits), kind))
        passed = node.passed or (None,) * len(node.parents)
        for parent, part in zip(node.parents, passed, strict=True):
            edges.append((keys[id(parent)], keys[id(node)], _value(parent.value, digits), _gradient(part, digits)))
    nodes.append(("output", output.name or "out", "output"))
    edges.append((keys[id(output)], "output", _value(output.value, digits), _gradient(output.gradient, digits)))
    return nodes, edges


def dot(output: Node, digits: int = 3) -> str:
    """The same as text for Graphviz: save it, then `dot -Tsvg graph.dot`."""
    nodes, edges = graph_lists(output, digits)
    shapes = {"input": "box", "operation": "circle", "output": "plaintext"}
    lines = ["digraph {", "  rankdir=LR;"]
    lines += [f"  {key} [label={_quoted(label)}, shape={shapes[kind]}];" for key, label, kind in nodes]
    for start, end, value, gradient in edges:
        shown = _quoted(f"{value}\n{gradient}" if gradient else value)
        lines.append(f"  {start} -> {end} [label={shown}];")
    return "\n".join([*lines, "}"]) + "\n"


def _label(node: Node, digits: int) -> str:
    if node.operation:
        return node.operation.name
    return node.name or (_value(node.value, digits) if node.value.size == 1 else "array")


def _value(value: np.ndarray, digits: int) -> str:
    return f"{value.item():.{digits}g}" if value.size == 1 else "×".join(map(str, value.shape))


def _gradient(gradient: np.ndarray | None, digits: int) -> str:
    if gradient is None:
        return ""
    return f"{gradient.item():.{digits}g}" if gradient.size == 1 else f"‖{np.linalg.norm(gradient):.{digits}g}‖"


def _quoted(label: str) -> str:
    escaped = label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
