"""A cell of a searched network, drawn as the graph of its operations."""

from collections.abc import Sequence

from pellucid.plots.graph import graph

Node = Sequence[tuple[str, int]]


def cell(nodes: Sequence[Node], title: str) -> str:
    """Draw what a cell computes, from its input on the left to its output on the right.

    An operation is a box, but `skip` a bare arrow; a node is the circle where its two operations meet.

    Args:
        nodes: the summands of node 1, of node 2, and so on, each an operation's name and what it reads: 0 for the
            input of the cell, k for node k.
        title: heading inside the drawing.

    Returns:
        SVG. What no node reads goes to the output.

    Raises:
        DataError: a node reads one that is not there.
    """
    boxes = [("0", "input", "value")]
    edges: list[tuple[str, str, str, str]] = []
    for number, node in enumerate(nodes, start=1):
        boxes.append((str(number), "+", "operation"))
        for side, (operation, source) in enumerate(node):
            if operation == "skip":
                edges.append((str(source), str(number), "", ""))
                continue
            key = f"{number} {side}"
            boxes.append((key, operation, "frame"))
            edges += [(str(source), key, "", ""), (key, str(number), "", "")]
    read = {source for node in nodes for _, source in node}
    ends = [number for number in range(1, len(nodes) + 1) if number not in read]
    boxes.append(("end", "output", "value"))
    edges += [(str(number), "end", "", "") for number in ends]
    return graph(boxes, edges, title)
