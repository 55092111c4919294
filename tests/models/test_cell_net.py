"""Cells: how they are written, when two are the same, and what the network computes."""

import random
from itertools import permutations, product

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.classify.cell_net import FOUND, Cell, CellNet, cell_net_of, operation
from pellucid.models.classify.genotype import MOST_NODES, OPERATIONS, Edge, Genotype, parse

EXAMPLE = "conv3(0)+skip(0) separable5(1)+max3(0) average3(1)+skip(1)"


def renumbered(cell: Genotype, order: tuple[int, ...], chance: random.Random) -> Genotype | None:
    """The same cell with its nodes in another order and summands swapped at random; None where that order cannot be."""
    number_of = {0: 0, **{old: new for new, old in enumerate(order, start=1)}}
    nodes = []
    for old in order:
        edges = [Edge(edge.operation, number_of[edge.source]) for edge in cell.nodes[old - 1]]
        chance.shuffle(edges)
        nodes.append((edges[0], edges[1]))
    try:
        return Genotype(tuple(nodes))
    except ConfigError:
        return None


def random_cell(nodes: int, chance: random.Random, operations: tuple[str, ...] = tuple(OPERATIONS)) -> Genotype:
    edges = [[Edge(chance.choice(operations), chance.randrange(n + 1)) for _ in range(2)] for n in range(nodes)]
    return Genotype(tuple((first, second) for first, second in edges))


def test_a_cell_is_read_and_written() -> None:
    cell = parse(f"  {EXAMPLE.replace(' ', '   ')} ")
    assert str(cell) == EXAMPLE and parse(str(cell)) == cell
    assert cell.nodes[1] == (Edge("separable5", 1), Edge("max3", 0))
    assert cell.loose_ends == (2, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"A cell has 1 to 6 nodes of the form OPERATION\(INPUT\)\+OPERATION\(INPUT\), .* got 0\."),
        (" ".join(["skip(0)+skip(0)"] * 7), "got 7"),
        (
            "conv3(0)",
            r"Node 1 of the cell must be .*conv3\(0\)\+skip\(0\), got 'conv3\(0\)'; operations are conv3, sep",
        ),
        ("conv3(0)+skip(0)+skip(0)", "Node 1 of the cell must be"),
        ("skip(0)+skip(0) skip(-1)+skip(0)", "Node 2 of the cell must be"),
        ("skip(0)+skip(\N{ARABIC-INDIC DIGIT ZERO})", "Node 1 of the cell must be"),
        ("conv7(0)+skip(0)", "Node 1 of the cell has the operation 'conv7'; there are conv3, separable3, separable5"),
        ("skip(1)+skip(0)", r"Node 1 of the cell reads 1; it may read 0, the input of the cell\."),
        ("skip(0)+skip(0) skip(2)+skip(0)", "Node 2 of the cell reads 2; it may .* a node before it: 1 to 1"),
    ],
)
def test_what_is_no_cell_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(text)
    with pytest.raises(ConfigError, match=message):
        CellNet(text, 10, 1)


def test_equal_cells_have_one_canonical_form() -> None:
    """Every renumbering that is possible, of random cells; few operations, so that many nodes are twins."""
    chance = random.Random(0)
    for _ in range(60):
        cell = random_cell(4, chance, ("conv3", "skip"))
        same = [renumbered(cell, order, chance) for order in permutations((1, 2, 3, 4))]
        assert {one.canonical() for one in same if one} == {cell.canonical()}
        assert cell.canonical() in {one for order in permutations((1, 2, 3, 4)) if (one := ordered(cell, order))}


def ordered(cell: Genotype, order: tuple[int, ...]) -> Genotype | None:
    """As `renumbered`, each node's summands in the order of their inputs and operations."""
    names = list(OPERATIONS)
    found = renumbered(cell, order, random.Random(0))
    return found and Genotype(
        tuple(
            tuple(sorted(node, key=lambda edge: (edge.source, names.index(edge.operation))))  # type: ignore[misc]
            for node in found.nodes
        )
    )


def test_different_cells_have_different_forms() -> None:
    """Cells that one operation tells apart, and the pair that the terms they compute do not tell apart."""
    one = parse("conv3(0)+conv3(0) conv3(0)+conv3(0) skip(1)+skip(1)")
    other = parse("conv3(0)+conv3(0) conv3(0)+conv3(0) skip(1)+skip(2)")
    assert one.canonical() != other.canonical()
    assert parse("conv3(0)+skip(0)").canonical() != parse("conv3(0)+max3(0)").canonical()


def test_equal_cells_compute_the_same() -> None:
    """A cell and its renumbering, the weights carried over node by node."""
    cell, swapped = parse("conv3(0)+skip(0) max3(0)+separable3(0)"), parse("separable3(0)+max3(0) skip(0)+conv3(0)")
    assert cell.canonical() == swapped.canonical()
    torch.manual_seed(0)
    first, second = Cell(cell, 3, 4).eval(), Cell(swapped, 3, 4).eval()
    second.entry.load_state_dict(first.entry.state_dict())
    second.nodes[1].second.load_state_dict(first.nodes[0].first.state_dict())
    second.nodes[0].first.load_state_dict(first.nodes[1].second.state_dict())
    x = torch.randn(2, 3, 5, 6)
    assert torch.allclose(torch.cat(first(x).split(4, 1)[::-1], 1), second(x), atol=1e-6)


def test_a_cell_is_its_formula() -> None:
    torch.manual_seed(0)
    cell = Cell(parse(EXAMPLE), 3, 4).eval()
    x = torch.randn(2, 3, 7, 5)
    norm = (1 + 1e-5) ** -0.5  # a fresh batch norm in evaluation
    zero = F.conv2d(x.relu(), cell.entry[1].weight) * norm
    one = F.conv2d(zero.relu(), cell.nodes[0].first[1].weight, padding=1) * norm + zero
    depthwise, pointwise = cell.nodes[1].first[1][0].weight, cell.nodes[1].first[1][1].weight
    separable = F.conv2d(F.conv2d(one.relu(), depthwise, padding=2, groups=4), pointwise) * norm
    two = separable + F.max_pool2d(F.pad(zero, (1, 1, 1, 1), value=-torch.inf), 3, 1)
    weight = F.avg_pool2d(torch.ones_like(one), 3, 1, 1)  # share of the window that lies on the map
    three = F.avg_pool2d(one, 3, 1, 1) / weight + one
    torch.testing.assert_close(cell(x), torch.cat([two, three], 1))


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_keep_number_and_size_of_maps(name: str) -> None:
    for size in ((1, 1), (4, 7)):
        assert operation(name, 6).eval()(torch.randn(2, 6, *size)).shape == (2, 6, *size)


def test_parameters_are_those_of_the_formula() -> None:
    """Of separable, dense and no weights; two norms' numbers per map."""
    maps = 6
    expected = {"conv3": 9 * maps**2, "separable3": maps**2 + 9 * maps, "separable5": maps**2 + 25 * maps}
    for name in OPERATIONS:
        count = sum(parameter.numel() for parameter in operation(name, maps).parameters())
        assert count == (expected[name] + 2 * maps if name in expected else 0)


def test_the_network_stacks_the_cell() -> None:
    net = CellNet(EXAMPLE, 10, 1, width=4, depth=3, small_stem=True)
    cells = [module for module in net.modules() if isinstance(module, Cell)]
    assert len(cells) == 9 and all(str(cell.genotype) == EXAMPLE for cell in cells)
    assert [cell.entry[1].in_channels for cell in cells] == [4, 8, 8, 8, 16, 16, 16, 32, 32]  # two loose ends
    assert [cell.entry[1].out_channels for cell in cells] == [4, 4, 4, 8, 8, 8, 16, 16, 16]
    assert net.fc.in_features == 32
    sizes: list[tuple[int, ...]] = []
    for stage in net.stages:
        stage.register_forward_hook(lambda module, x, out: sizes.append(tuple(out.shape)))
    net(torch.randn(2, 1, 13, 9))
    assert sizes == [(2, 8, 13, 9), (2, 16, 7, 5), (2, 32, 4, 3)]


def test_large_pictures_get_the_usual_stem() -> None:
    small, large = create("cell_net", 10, 1, (64, 64)), create("cell_net", 10, 1, (65, 70))
    assert small.stem[0].stride == (1, 1) and large.stem[0].stride == (2, 2)
    assert isinstance(large.stem[-1], nn.MaxPool2d) and large(torch.randn(2, 1, 65, 70)).shape == (2, 10)
    assert "64 px" in small.notes[1] and "65 px" in large.notes[1]


def test_the_found_cell_is_the_usual_one_and_others_can_be_named() -> None:
    assert create("cell_net", 10, 1, (28, 28)).notes[0] == f"cell {FOUND}"
    assert parse(FOUND) == parse(FOUND).canonical()
    other = cell_net_of("skip(0)+max3(0)", 10, 1, (28, 28))
    assert isinstance(other, CellNet) and str(next(other.stages[0].children()).genotype) == "skip(0)+max3(0)"
    with pytest.raises(ConfigError, match="cell_net needs pictures of at least 8x8 px, got 28x7"):
        cell_net_of(FOUND, 10, 1, (28, 7))
    with pytest.raises(ConfigError, match="width must be 1 or more, got 0"):
        CellNet(FOUND, 10, 1, width=0)


def test_every_cell_trains() -> None:
    """Any operation, any number of nodes: every parameter gets a gradient."""
    chance = random.Random(1)
    texts = [f"{a}(0)+{b}(0)" for a, b in product(OPERATIONS, repeat=2)]
    cells = [parse(text) for text in texts] + [random_cell(MOST_NODES, chance) for _ in range(4)]
    for cell in cells:
        net = CellNet(cell, 3, 1, width=4, depth=1, small_stem=True)
        F.cross_entropy(net(torch.randn(4, 1, 8, 8)), torch.arange(4) % 3).backward()
        assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in net.parameters()), str(cell)
