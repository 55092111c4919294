"""Random search beside regularised evolution: paired seeds, equal budgets, chosen on validation, compared on test."""

from dataclasses import dataclass, field
from statistics import mean

from pellucid.core.config import require
from pellucid.models.classify.genotype import Genotype
from pellucid.training.architecture_search.evaluate import Plan
from pellucid.training.architecture_search.evolution import regularised_evolution
from pellucid.training.architecture_search.history import History, Tried
from pellucid.training.architecture_search.journal import Journal
from pellucid.training.architecture_search.random_search import random_search
from pellucid.training.architecture_search.space import Space


@dataclass(frozen=True)
class Study:
    """Both searches, once for each seed.

    The two of a seed see the same pictures and begin with the same cells. What both evaluate is trained once and
    counts for both, so the budgets are equal.

    Attributes:
        space: what is searched.
        seeds: of the pairs.
        budget: evaluations of one search.
        population, sample: of evolution.
        second_look: so many of the best cells of a search are trained by `long`, scored on other validation pictures,
            and the best of them is chosen; 0 chooses by `short` alone.
        short: the training that searches see, scored on validation pictures.
        long: the training of the second look, and of the comparison on test pictures.
    """

    space: Space = field(default_factory=Space)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    budget: int = 24
    population: int = 8
    sample: int = 3
    second_look: int = 3
    short: Plan = field(default_factory=Plan)
    long: Plan = field(default_factory=lambda: Plan(pictures=10_000))

    def __post_init__(self) -> None:
        require(len(set(self.seeds)) == len(self.seeds) >= 1, "seeds", "different numbers, one or more", self.seeds)
        require(0 <= self.second_look <= self.budget, "second_look", f"0 to {self.budget}", self.second_look)

    def searches(self, journal: Journal, seed: int) -> dict[str, History]:
        """Both searches of a seed, as far as possible from the journal.

        Raises:
            ConfigError: a number does not fit the space.
            RunError: the journal only reads and is not complete.
        """

        def accuracy(cell: Genotype) -> float:
            return journal.accuracy(cell, self.short, seed)

        return {
            "random search": random_search(self.space, accuracy, self.budget, seed),
            "evolution": regularised_evolution(self.space, accuracy, self.budget, seed, self.population, self.sample),
        }

    def chosen(self, journal: Journal, seed: int) -> dict[str, Genotype]:
        """The cell that each search puts forward, by validation alone; and the random cell in the middle by `short`."""
        found = self.searches(journal, seed)
        return {
            "median random cell": found["random search"].median.cell,
            **{name: self._choose(history, journal, seed) for name, history in found.items()},
        }

    def _choose(self, history: History, journal: Journal, seed: int) -> Genotype:
        if not self.second_look:
            return history.best.cell
        ranked = sorted(history.tried, key=lambda one: -one.accuracy)[: self.second_look]
        return max((one.cell for one in ranked), key=lambda cell: journal.accuracy(cell, self.long, seed))

    def tested(self, journal: Journal, seed: int, plan: Plan | None = None) -> dict[str, float]:
        """Test accuracy in [0, 1] of those, after the training `plan`; without one, the long training."""
        return {
            name: journal.accuracy(cell, plan or self.long, seed, "test")
            for name, cell in self.chosen(journal, seed).items()
        }

    def finalists(self, journal: Journal) -> list[Tried]:
        """The cells that the searches chose, with their mean validation accuracy over all seeds, the highest first.

        In the search that chose it a cell's number is a little too good; with the other seeds it is not.
        """
        cells = dict.fromkeys(
            cell for seed in self.seeds for cell in list(self.chosen(journal, seed).values())[1:]
        )  # without the median ones
        means = [Tried(cell, mean(journal.accuracy(cell, self.short, seed) for seed in self.seeds)) for cell in cells]
        return sorted(means, key=lambda one: -one.accuracy)
