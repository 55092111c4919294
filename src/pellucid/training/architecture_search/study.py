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
        short: the training that searches see, scored on validation pictures.
        long: the training that the chosen cells are compared by, scored on test pictures.
    """

    space: Space = field(default_factory=Space)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    budget: int = 24
    population: int = 8
    sample: int = 3
    short: Plan = field(default_factory=Plan)
    long: Plan = field(default_factory=lambda: Plan(pictures=10_000))

    def __post_init__(self) -> None:
        require(len(set(self.seeds)) == len(self.seeds) >= 1, "seeds", "different numbers, one or more", self.seeds)

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

    def chosen(self, journal: Journal, seed: int) -> dict[str, Tried]:
        """What a seed's searches put forward by validation accuracy, and the random cell in the middle."""
        found = self.searches(journal, seed)
        return {
            "median random cell": found["random search"].median,
            **{name: history.best for name, history in found.items()},
        }

    def tested(self, journal: Journal, seed: int) -> dict[str, float]:
        """Test accuracy in [0, 1] of those, after the long training."""
        return {
            name: journal.accuracy(one.cell, self.long, seed, "test")
            for name, one in self.chosen(journal, seed).items()
        }

    def finalists(self, journal: Journal) -> list[Tried]:
        """The best cell of each search with its mean validation accuracy over all seeds, the highest first.

        A search's own number is a little too good, since the cell was picked for it; the other seeds' are not.
        """
        cells = dict.fromkeys(
            history.best.cell for seed in self.seeds for history in self.searches(journal, seed).values()
        )
        means = [Tried(cell, mean(journal.accuracy(cell, self.short, s) for s in self.seeds)) for cell in cells]
        return sorted(means, key=lambda one: -one.accuracy)
