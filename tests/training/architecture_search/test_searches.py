"""Random search and regularised evolution on a made-up accuracy, which costs nothing."""

from collections.abc import Callable

import pytest

from pellucid.core.errors import ConfigError
from pellucid.models.classify.genotype import Genotype, parse
from pellucid.training.architecture_search import evolution as module
from pellucid.training.architecture_search.evolution import regularised_evolution
from pellucid.training.architecture_search.history import History, Tried
from pellucid.training.architecture_search.random_search import first_cells, random_search
from pellucid.training.architecture_search.space import Space

SPACE = Space(nodes=3)
Search = Callable[..., History]
BOTH = pytest.mark.parametrize("search", [random_search, regularised_evolution])


def share_of_convolutions(cell: Genotype) -> float:
    edges = [edge for node in cell.nodes for edge in node]
    return sum(edge.operation == "conv3" for edge in edges) / len(edges)


class Counted:
    """Notes what it was asked for."""

    def __init__(self) -> None:
        self.cells: list[Genotype] = []

    def __call__(self, cell: Genotype) -> float:
        self.cells.append(cell)
        return share_of_convolutions(cell)


@BOTH
@pytest.mark.parametrize("budget", [8, 31])
def test_the_budget_is_paid_exactly_and_no_cell_twice(search: Search, budget: int) -> None:
    evaluate = Counted()
    history = search(SPACE, evaluate, budget, seed=0)
    assert len(evaluate.cells) == len(set(evaluate.cells)) == len(history.tried) == budget
    assert [one.cell for one in history.tried] == evaluate.cells
    assert all(cell in SPACE and cell == cell.canonical() for cell in evaluate.cells)


@BOTH
def test_a_seed_is_a_search(search: Search) -> None:
    first, again, other = (search(SPACE, share_of_convolutions, 12, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_both_begin_with_the_same_cells() -> None:
    """So that the two of a seed are a pair."""
    drawn = random_search(SPACE, share_of_convolutions, 20, 3)
    bred = regularised_evolution(SPACE, share_of_convolutions, 20, 3, population=6)
    assert drawn.tried[:6] == bred.tried[:6] and drawn.tried[6:] != bred.tried[6:]
    assert first_cells(SPACE, 20, 3) == [one.cell for one in drawn.tried]


def test_evolution_climbs_where_random_search_does_not() -> None:
    """Of ten edges a draw has 1.7 right, and seven or more once in 3,700 times; a child keeps nine of its parent's."""
    space = Space(nodes=5)
    for seed in range(3):
        bred = regularised_evolution(space, share_of_convolutions, 300, seed, population=20, sample=5)
        assert bred.best.accuracy >= 0.9
        assert random_search(space, share_of_convolutions, 300, seed).best.accuracy <= 0.7


def test_the_best_of_a_tournament_of_all_is_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of a thousand from four members misses none. And the oldest leaves, however good it is.

    Each child is made worse than all before, so the parent is the best of the last four, which is the oldest.
    """
    parents: list[Genotype] = []

    class Watched(Space):
        def mutate(self, cell: Genotype, chance: object) -> Genotype:
            parents.append(cell)
            return super().mutate(cell, chance)  # type: ignore[arg-type]

    accuracies = iter(range(100, 0, -1))
    history = regularised_evolution(Watched(), lambda cell: next(accuracies) / 100, 12, 0, population=4, sample=1000)
    cells = [one.cell for one in history.tried]
    ages = [cells.index(parent) for parent in dict.fromkeys(parents)]
    assert ages == list(range(8))  # child 4 has parent 0, child 5 parent 1, ...: member 0 is gone by then


def test_a_tournament_of_one_takes_anyone() -> None:
    """With the best member far ahead, a large sample always breeds from it and a sample of one does not."""
    best = first_cells(SPACE, 5, 0)[4]  # it stays for four children after the first population of five

    def parents(sample: int) -> set[Genotype]:
        found: set[Genotype] = set()

        class Watched(Space):
            def mutate(self, cell: Genotype, chance: object) -> Genotype:
                found.add(cell)
                return super().mutate(cell, chance)  # type: ignore[arg-type]

        regularised_evolution(Watched(), lambda cell: float(cell == best), 9, 0, population=5, sample=sample)
        return found

    assert parents(1000) == {best} and len(parents(1)) > 1


def test_a_space_that_is_used_up_is_said() -> None:
    tiny = Space(nodes=1, operations=("conv3", "skip"))  # three cells
    assert {str(one.cell) for one in random_search(tiny, share_of_convolutions, 3, 0).tried} == {
        "conv3(0)+conv3(0)",
        "conv3(0)+skip(0)",
        "skip(0)+skip(0)",
    }
    for search in (random_search, lambda *words: regularised_evolution(*words, population=2)):
        assert len(search(tiny, share_of_convolutions, 3, 0).tried) == 3
        with pytest.raises(ConfigError, match="3 cells were tried and 1000 draws found no other: take a smaller budg"):
            search(tiny, share_of_convolutions, 4, 0)


def test_wrong_numbers_are_refused() -> None:
    for budget, population, sample, message in (
        (8, 1, 1, "population must be 2 or more, got 1"),
        (7, 8, 1, "budget must be at least the population of 8, got 7"),
        (8, 8, 0, "sample must be 1 or more, got 0"),
    ):
        with pytest.raises(ConfigError, match=message):
            module.regularised_evolution(SPACE, share_of_convolutions, budget, 0, population, sample)
    with pytest.raises(ConfigError, match="budget must be 1 or more, got 0"):
        random_search(SPACE, share_of_convolutions, 0, 0)


def test_history_by_hand() -> None:
    names = ("conv3", "max3", "skip", "average3")
    cells = [parse(f"{name}(0)+skip(0)") for name in names]
    history = History(tuple(Tried(cell, value) for cell, value in zip(cells, (0.2, 0.5, 0.1, 0.5), strict=True)))
    assert history.best_so_far == [0.2, 0.5, 0.5, 0.5]
    assert history.best.cell == cells[1], "of equal ones the first"
    assert history.median.accuracy == 0.2, "the lower of the middle two"
    assert History(history.tried[:3]).median.accuracy == 0.2
