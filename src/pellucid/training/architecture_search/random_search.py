"""Random search: draw cells, evaluate each, keep the best. What every other search has to beat.

Li and Talwalkar 2019, "Random Search and Reproducibility for Neural Architecture Search"
(https://arxiv.org/abs/1902.07638).
"""

import numpy as np

from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.core.seed import numpy_generator
from pellucid.models.classify.genotype import Genotype
from pellucid.training.architecture_search.history import Evaluate, History, Tried
from pellucid.training.architecture_search.space import Space

TRIES = 1000  # draws of cells that were all seen before, until the space is said to be too small


def random_search(space: Space, evaluate: Evaluate, budget: int, seed: int) -> History:
    """Evaluate `budget` different cells.

    The first cells of a seed are those that `regularised_evolution` begins with.

    Raises:
        ConfigError: the budget is below 1, or the space has fewer cells.
    """
    require(budget >= 1, "budget", "1 or more", budget)
    return History(tuple(Tried(cell, evaluate(cell)) for cell in first_cells(space, budget, seed)))


def first_cells(space: Space, number: int, seed: int) -> list[Genotype]:
    """Different cells drawn at random; the first of more are the first of fewer.

    Raises:
        ConfigError: the space has fewer.
    """
    chance = numpy_generator(seed, "architecture search", "first cells")
    cells: dict[Genotype, None] = {}
    while len(cells) < number:
        cells[unseen(space, cells, chance)] = None
    return list(cells)


def unseen(space: Space, seen: dict[Genotype, None], chance: np.random.Generator) -> Genotype:
    """A cell drawn at random that is none of those seen.

    Raises:
        ConfigError: a thousand draws found none.
    """
    for _ in range(TRIES):
        cell = space.sample(chance)
        if cell not in seen:
            return cell
    raise ConfigError(
        f"{len(seen)} cells were tried and {TRIES} draws found no other: take a smaller budget, more nodes or more "
        "operations."
    )
