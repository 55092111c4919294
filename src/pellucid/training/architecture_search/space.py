"""The cells that a search may find: drawn at random, changed a little, counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from typing import TypeVar

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.models.classify.genotype import MOST_NODES, OPERATIONS, Edge, Genotype, Node

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Space:
    """All cells of so many nodes.

    Attributes:
        nodes: of each cell.
        operations: names of those that may stand on an edge, keys of `OPERATIONS`.
    """

    nodes: int = 3
    operations: tuple[str, ...] = tuple(OPERATIONS)

    def __post_init__(self) -> None:
        require(1 <= self.nodes <= MOST_NODES, "nodes", f"1 to {MOST_NODES}", self.nodes)
        require(len(set(self.operations)) == len(self.operations) >= 2, "operations", "two or more", self.operations)
        for operation in self.operations:
            choose(operation, OPERATIONS, "operation")

    def __contains__(self, cell: Genotype) -> bool:
        return len(cell.nodes) == self.nodes and all(
            edge.operation in self.operations for node in cell.nodes for edge in node
        )

    def sample(self, chance: np.random.Generator) -> Genotype:
        """A cell in canonical form; every edge's operation and input are drawn evenly, and by themselves."""
        nodes = tuple((self._edge(number, chance), self._edge(number, chance)) for number in range(self.nodes))
        return Genotype(nodes).canonical()

    def mutate(self, cell: Genotype, chance: np.random.Generator) -> Genotype:
        """Another cell, in canonical form: one edge has another operation or another input, each half of the time.

        So in regularised evolution (https://arxiv.org/abs/1802.01548, section 3). The first node has no other input
        to read; its operations change. A change that gives the same cell, written otherwise, is drawn again.

        Raises:
            ConfigError: the cell is not of this space.
        """
        require(cell in self, "cell", f"of {self.nodes} nodes and of {', '.join(self.operations)}", str(cell))
        before = cell.canonical()
        while True:
            nodes = [list(node) for node in cell.nodes]
            number, side = int(chance.integers(self.nodes)), int(chance.integers(2))
            edge = nodes[number][side]
            if number and chance.random() < 0.5:
                edge = edge._replace(source=_other(edge.source, range(number + 1), chance))
            else:
                edge = edge._replace(operation=_other(edge.operation, self.operations, chance))
            nodes[number][side] = edge
            after = Genotype(tuple((first, second) for first, second in nodes)).canonical()
            if after != before:
                return after

    def written(self) -> int:
        """Ways to write a cell of this space: (operations · inputs)² for each node."""
        ways = 1
        for number in range(1, self.nodes + 1):
            ways *= (len(self.operations) * number) ** 2
        return ways

    def cells(self) -> Iterator[Genotype]:
        """Every cell once, in canonical form. The usual space has 180,943 and takes a quarter of a minute."""
        choices: list[list[Node]] = []
        for number in range(1, self.nodes + 1):
            edges = [Edge(operation, source) for source in range(number) for operation in self.operations]
            choices.append(list(combinations_with_replacement(edges, 2)))
        seen: set[Genotype] = set()
        for nodes in product(*choices):
            cell = Genotype(nodes).canonical()
            if cell not in seen:
                seen.add(cell)
                yield cell

    def count(self) -> int:
        """How many different cells there are, found by listing them."""
        return sum(1 for _ in self.cells())

    def _edge(self, number: int, chance: np.random.Generator) -> Edge:
        return Edge(self.operations[chance.integers(len(self.operations))], int(chance.integers(number + 1)))


def _other(value: Choice, choices: Sequence[Choice], chance: np.random.Generator) -> Choice:
    others = [choice for choice in choices if choice != value]
    return others[chance.integers(len(others))]
