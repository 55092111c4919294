"""What a search has tried, in order."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from pellucid.models.classify.genotype import Genotype

Evaluate = Callable[[Genotype], float]  # a cell -> its accuracy on validation pictures, in [0, 1]


@dataclass(frozen=True)
class Tried:
    """A cell and its accuracy on validation pictures, in [0, 1]."""

    cell: Genotype
    accuracy: float


@dataclass(frozen=True)
class History:
    """A search from its first to its last evaluation, no cell twice.

    Attributes:
        tried: in the order of the search.
    """

    tried: tuple[Tried, ...]

    @property
    def best(self) -> Tried:
        """The one of the highest accuracy; of equal ones the first."""
        return max(self.tried, key=lambda one: one.accuracy)

    @property
    def median(self) -> Tried:
        """The middle one by accuracy; of an even number the lower of the two in the middle."""
        return sorted(self.tried, key=lambda one: one.accuracy)[(len(self.tried) - 1) // 2]

    @property
    def best_so_far(self) -> list[float]:
        """The highest accuracy after one evaluation, after two, and so on."""
        return list(accumulate((one.accuracy for one in self.tried), max))
