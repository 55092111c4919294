"""The text that describes a cell: what it computes, node by node.

    conv3(0)+skip(0) separable5(1)+max3(0) average3(1)+skip(2)

Nodes are separated by blanks. Each is the sum of two operations, each on the cell's input, which is 0, or on an
earlier node, the first of which is 1. What no node uses is laid side by side and is what the cell gives. So it is in
NASNet (Zoph et al. 2018, https://arxiv.org/abs/1707.07012), but that a cell here has one input, not two.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pellucid.core.errors import ConfigError

# name -> what it is, for people
OPERATIONS: dict[str, str] = {
    "conv3": "3x3 convolution",
    "separable3": "3x3 separable convolution",
    "separable5": "5x5 separable convolution",
    "max3": "largest of 3x3 cells",
    "average3": "mean of 3x3 cells",
    "skip": "nothing",
}
MOST_NODES = 6
SHAPE = "OPERATION(INPUT)+OPERATION(INPUT)"


class Edge(NamedTuple):
    """One operation on one input.

    Attributes:
        operation: a key of `OPERATIONS`.
        source: 0 for the input of the cell, k for node k.
    """

    operation: str
    source: int

    def __str__(self) -> str:
        return f"{self.operation}({self.source})"


Node = tuple[Edge, Edge]


@dataclass(frozen=True)
class Genotype:
    """A cell.

    Attributes:
        nodes: the two summands of node 1, of node 2, and so on.
    """

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.nodes) <= MOST_NODES:
            raise ConfigError(
                f"A cell has 1 to {MOST_NODES} nodes of the form {SHAPE}, separated by blanks, got {len(self.nodes)}."
            )
        for number, node in enumerate(self.nodes, start=1):
            for operation, source in node:
                if operation not in OPERATIONS:
                    raise ConfigError(
                        f"Node {number} of the cell has the operation {operation!r}; there are {', '.join(OPERATIONS)}."
                    )
                if not 0 <= source < number:
                    raise ConfigError(
                        f"Node {number} of the cell reads {source}; it may read 0, the input of the cell"
                        f"{'' if number == 1 else f', or a node before it: 1 to {number - 1}'}."
                    )

    def __str__(self) -> str:
        return " ".join(f"{first}+{second}" for first, second in self.nodes)

    @cached_property
    def loose_ends(self) -> tuple[int, ...]:
        """The nodes that no other reads, in order; the cell gives these."""
        read = {edge.source for node in self.nodes for edge in node}
        return tuple(number for number in range(1, len(self.nodes) + 1) if number not in read)

    def canonical(self) -> "Genotype":
        """The one way to write this cell: equal cells, and only those, have the same.

        Neither the order of two summands matters nor how nodes are numbered. Of all ways to write it this is the
        first, with nodes compared one after the other by their inputs and operations.
        """
        return min(_orders(self.nodes, (), {0: 0}), key=lambda cell: [_ranks(node) for node in cell.nodes])


def parse(text: str) -> Genotype:
    """The cell that the text describes, as it is written there.

    Raises:
        ConfigError: the text is not of that form, or names what is not there.
    """
    nodes = []
    for number, word in enumerate(text.split(), start=1):
        found = re.fullmatch(r"(\w+)\((\d{1,3})\)\+(\w+)\((\d{1,3})\)", word, re.ASCII)
        if not found:
            raise ConfigError(
                f"Node {number} of the cell must be {SHAPE}, as in conv3(0)+skip(0), got {word!r:.60}; operations are "
                f"{', '.join(OPERATIONS)}, inputs 0 (the cell's) or the number of an earlier node."
            )
        nodes.append((Edge(found[1], int(found[2])), Edge(found[3], int(found[4]))))
    return Genotype(tuple(nodes))


def _orders(nodes: tuple[Node, ...], placed: tuple[Node, ...], number_of: dict[int, int]) -> list[Genotype]:
    """Ways to write the cell that may be the first, given what is placed already and by what numbers.

    The next node is the least of those whose inputs are placed. Where several are equal, each is tried.
    """
    if len(placed) == len(nodes):
        return [Genotype(placed)]
    ready: dict[int, Node] = {}
    for number, node in enumerate(nodes, start=1):
        if number not in number_of and all(edge.source in number_of for edge in node):
            first, second = sorted((Edge(edge.operation, number_of[edge.source]) for edge in node), key=_rank)
            ready[number] = (first, second)
    least = min(_ranks(node) for node in ready.values())
    return [
        cell
        for number, node in ready.items()
        if _ranks(node) == least
        for cell in _orders(nodes, (*placed, node), {**number_of, number: len(placed) + 1})
    ]


def _rank(edge: Edge) -> tuple[int, int]:
    return edge.source, list(OPERATIONS).index(edge.operation)


def _ranks(node: Node) -> tuple[tuple[int, int], ...]:
    return _rank(node[0]), _rank(node[1])
