"""Pictures of computational graphs: values go up, gradients come down."""

from collections.abc import Callable

import numpy as np

from lessons.pictures.drawing import arrow, caption, knot, numbers, picture
from pellucid.plots import svg
from pellucid.plots.graph import graph
from pellucid.scratch.checks.jacobian import numerical_jacobian
from pellucid.scratch.graph.arrays import max_over, sum_over, take, transpose
from pellucid.scratch.graph.broadcast import unbroadcast
from pellucid.scratch.graph.draw import graph_lists
from pellucid.scratch.graph.functions.trigonometric import sin
from pellucid.scratch.graph.gates import maximum, sigmoid
from pellucid.scratch.graph.matmul import matmul
from pellucid.scratch.graph.node import Node
from pellucid.scratch.graph.operation import Operation


def drawn(title: str, output: Node) -> str:
    """A graph with a value above and a gradient below every edge."""
    output.backward()
    return graph(*graph_lists(output), title, above="value", below="gradient")


def neuron() -> str:
    """The worked example of the lecture."""
    w0, x0, w1, x1, w2 = (
        Node(value, name) for value, name in ((2, "w₀"), (-1, "x₀"), (-3, "w₁"), (-2, "x₁"), (-3, "w₂"))
    )
    return drawn("Values from left to right, gradients back", sigmoid(w0 * x0 + w1 * x1 + w2))


def gates() -> str:
    """A product, a sum, a maximum, and a branch."""
    x, y, z, w = (Node(value, name) for value, name in ((3, "x"), (-4, "y"), (2, "z"), (-1, "w")))
    return drawn("× swaps, + hands on, max chooses", (x * y + maximum(z, w)) * 2)


def arithmetic() -> str:
    x, y, z, w = (Node(value, name) for value, name in ((3, "x"), (2, "y"), (4, "z"), (5, "w")))
    return drawn("Every step knows its own two derivatives", (x * y - z) / w)


def order() -> str:
    """The nodes on a line, in the order found: no edge goes back."""
    x, y = Node(3, "x"), Node(2, "y")
    a = x * y
    nodes, edges = graph_lists(a * (a + x))
    place = {key: 30 + 84 * number for number, (key, _, _) in enumerate(nodes)}
    parts = []
    for start, end, *_ in edges:
        left, right = place[start] + 15, place[end] - 15
        if right - left < 60:
            parts += arrow((left, 140), (right, 140))
            continue
        turn = np.linspace(0, np.pi, 25)
        across = np.linspace(left - 8, right + 8, len(turn))
        rise = 12 + (right - left) / 5
        parts += arrow(*zip(across.tolist(), (127 - rise * np.sin(turn)).tolist(), strict=True))
    for number, (key, label, kind) in enumerate(nodes, 1):
        if kind == "output":
            parts.append(svg.text(place[key], 144.5, label, "", "middle"))
            continue
        parts += knot(place[key], 140, label, 14)
        parts.append(svg.text(place[key], 172, str(number), "f1", "middle"))
    parts.append(caption(0, 206, "x y (x y + x): forward goes from 1 to 5, backward from 5 to 1"))
    return picture("In a line, every edge goes to the right", 216, "Five nodes in topological order.", parts)


def broadcast() -> str:
    """A bias that is used in every row."""
    x = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9], [2, 4, 6]])
    b = np.array([10.0, 20, 30])
    dy = np.array([[1.0, -1, 2], [0, 3, 1], [2, 1, 1], [1, 0, -2]])
    parts = []
    for left, name, values, kind, sign in (
        (0, "x (4, 3)", x, "f6 light", "+"),
        (125, "b (3,)", np.repeat(b[None], 4, axis=0), lambda row, _: "f6 light" if row else "f1 light", "="),
        (250, "y (4, 3)", x + b, "", ""),
    ):
        parts += [svg.text(left, 54, name), *numbers(left, 64, values, kind, 28)]
        parts.append(svg.text(left + 104, 124, sign, "", "middle"))
    parts += [svg.text(0, 212, "dy (4, 3)"), *numbers(0, 222, dy, "", 28)]
    parts += arrow((92, 278), (118, 278))
    parts += [svg.text(125, 254, "db (3,)"), *numbers(125, 264, unbroadcast(dy, (3,))[None], "f2 light", 28)]
    parts.append(caption(250, 282, "each column's sum"))
    return picture("What is spread over the rows gathers from all of them", 346, "A bias row added to a matrix.", parts)


def product() -> str:
    """One entry of the product, and of the gradients."""
    a, b = np.array([[1.0, 2, 0], [3, 1, 2]]), np.array([[2.0, 0, 1, 1], [1, 3, 0, 2], [0, 1, 2, 1]])
    out, cache = matmul.forward(a, b)
    dy = np.array([[1.0, 0, 2, -1], [0, 1, 1, 1]])
    da, _ = matmul.backward(dy, cache)
    parts = []
    for top, rows in (
        (50, (("y", out, (1, 1)), ("A", a, (1, None)), ("B", b, (None, 1)))),
        (170, (("dA", da, (1, 2)), ("dy", dy, (1, None)), ("Bᵀ", b.T, (None, 2)))),
    ):
        left = 0.0
        for number, (name, values, (row, column)) in enumerate(rows):

            def lit(r: int, c: int, row: int | None = row, column: int | None = column) -> str:
                return "f1 light" if row in (r, None) and column in (c, None) else ""

            parts += [svg.text(left, top, name), *numbers(left, top + 8, values, lit)]
            left += 24 * values.shape[1] + 46
            parts.append(svg.text(left - 23, top + 40, ("=", "·", "")[number], "", "middle"))
    return picture("One row meets one column, there and back", 280, "A product of matrices and one gradient.", parts)


def array_steps() -> str:
    """Four steps on the same array."""
    x = np.array([[1.0, 5, 2], [7, 3, 4]])
    steps: list[tuple[str, Operation]] = [
        ("sum of each row", sum_over(1)),
        ("max of each row", max_over(1)),
        ("x[[1, 1]], a row twice", take(([1, 1],))),
        ("transpose", transpose()),
    ]
    parts = [svg.text(left, 46, name) for left, name in ((150, "x"), (242, "y"), (324, "dy"), (406, "dx"))]
    top = 56.0
    for name, step in steps:
        y, cache = step.forward(x)
        dy = np.arange(1.0, y.size + 1).reshape(y.shape)
        dx = step.backward(dy, cache)
        shown = [np.atleast_2d(values.T).T if values.ndim == 1 else values for values in (x, y, dy, dx)]
        tall = 22.0 * max(len(values) for values in shown)
        parts.append(svg.text(0, top + tall / 2 + 4, name, "small"))
        for left, values, kind in zip(
            (150, 242, 324, 406), shown, ("", "f1 light", "f6 light", "f2 light"), strict=True
        ):
            parts += numbers(left, top + (tall - 22 * len(values)) / 2, values, kind, 22)
        top += tall + 14
    return picture("What goes where, and the gradient back the same way", top, "Four steps on an array.", parts)


def elementwise() -> str:
    """The Jacobian of four numbers."""
    x = np.array([0.0, 0.5, 1.0, 2.0])
    out, cache = sin.forward(x)
    jacobian = numerical_jacobian(sin.value, x.copy())
    dy = np.array([1.0, 2.0, -1.0, 3.0])
    parts = []
    for left, name, values, kind in (
        (0, "x", x[:, None], ""),
        (70, "y = sin x", out[:, None], "f1 light"),
        (160, "Jacobian", jacobian, lambda r, c: "f2 light" if r == c else ""),
        (350, "dy", dy[:, None], ""),
        (420, "dx", sin.backward(dy, cache)[:, None], "f2 light"),
    ):
        parts += [svg.text(left, 54, name), *numbers(left, 64, values, kind, 40)]
    parts += [svg.text(336, 150, "·", "", "middle"), svg.text(405, 150, "=", "", "middle")]
    parts.append(caption(0, 250, "zeros everywhere else, so dx is dy times the diagonal, entry by entry"))
    return picture("Each output depends on one input: a diagonal", 262, "A diagonal Jacobian.", parts)


PICTURES: dict[str, Callable[[], str]] = {
    "broadcasting": broadcast,
    "arithmetic": arithmetic,
    "matrix-product": product,
    "array-steps": array_steps,
    "topological-order": order,
    "elementwise": elementwise,
    "graph": neuron,
    "gates": gates,
}
