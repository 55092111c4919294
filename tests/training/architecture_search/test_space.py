"""The space of cells: closed, counted, and every change a small one."""

from collections import Counter

import numpy as np
import pytest

from pellucid.core.errors import ConfigError
from pellucid.models.classify.genotype import Genotype, parse
from pellucid.training.architecture_search.space import Space

TINY = Space(nodes=2, operations=("conv3", "skip"))


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def edges(cell: Genotype) -> Counter[str]:
    return Counter(edge.operation for node in cell.nodes for edge in node)


def test_ways_to_write_a_cell() -> None:
    """Node k has two edges, each of six operations and k inputs."""
    assert Space(nodes=3).written() == 6**2 * 12**2 * 18**2
    assert TINY.written() == 2**2 * 4**2


def test_cells_of_one_node_are_pairs_of_operations() -> None:
    assert Space(nodes=1).count() == 6 * 7 // 2


def test_cells_of_two_nodes_are_counted_by_hand() -> None:
    """Node 1 is one of 3 pairs P; node 2 reads node 1 at least once, or is a pair P too.

    Reading it at least once: of the 10 unordered pairs of 4 edges, all but the 3 on the input alone: 3 · 7 cells. Not
    reading it: two pairs P side by side, in no order: 3 · 4 / 2.
    """
    cells = list(TINY.cells())
    assert len(cells) == len(set(cells)) == TINY.count() == 3 * 7 + 6
    assert all(cell in TINY and cell == cell.canonical() for cell in cells)


def test_samples_are_canonical_and_reach_every_cell() -> None:
    drawn = {TINY.sample(generator) for generator in [chance()] for _ in range(2000)}
    assert drawn == set(TINY.cells())


def test_mutation_stays_inside_and_reaches_every_cell() -> None:
    """From any cell to any other by some changes: nothing is out of reach of evolution."""
    generator, reached = chance(), {next(iter(TINY.cells()))}
    for _ in range(6):
        reached |= {TINY.mutate(cell, generator) for cell in list(reached) for _ in range(40)}
    assert reached == set(TINY.cells())


def test_a_mutation_changes_one_thing() -> None:
    """Never nothing; and at most one operation."""
    space, generator = Space(nodes=4), chance(1)
    kinds = Counter()
    for _ in range(300):
        cell = space.sample(generator)
        child = space.mutate(cell, generator)
        assert child in space and child == child.canonical() != cell
        changed = (edges(cell) - edges(child)).total()
        assert changed <= 1
        kinds["operation" if changed else "input"] += 1
    assert min(kinds.values()) > 50  # a quarter of the edges have no other input, the others are changed half and half


def test_a_mutation_of_a_cell_written_otherwise_is_another_cell() -> None:
    cell = parse("skip(0)+conv3(0) skip(0)+skip(0)")
    generator = chance(2)
    assert all(TINY.mutate(cell, generator) != cell.canonical() for _ in range(200))


def test_the_same_generator_gives_the_same_cells() -> None:
    space = Space()
    first, again = ([space.mutate(space.sample(g), g) for _ in range(5)] for g in (chance(3), chance(3)))
    assert first == again


def test_wrong_spaces_and_cells_are_refused() -> None:
    with pytest.raises(ConfigError, match="nodes must be 1 to 6, got 7"):
        Space(nodes=7)
    with pytest.raises(ConfigError, match="operations must be two or more, got"):
        Space(operations=("skip", "skip"))
    with pytest.raises(ConfigError, match="Unknown operation 'conv4'. Did you mean 'conv3'"):
        Space(operations=("skip", "conv4"))
    with pytest.raises(ConfigError, match=r"cell must be of 2 nodes and of conv3, skip, got 'max3\(0\)\+skip\(0\)'"):
        TINY.mutate(parse("max3(0)+skip(0)"), chance())
