"""Regularised evolution: a population in which the oldest dies, not the worst.

Real, Aggarwal, Huang, Le 2019, "Regularized Evolution for Image Classifier Architecture Search"
(https://arxiv.org/abs/1802.01548), algorithm 1. A cell that was lucky in its one evaluation is forgotten with time;
its descendants have to be good again.

Difference from the paper: no cell is evaluated twice, since an evaluation here gives the same number every time. A
child that was seen before is drawn again from the same parent.
"""

from collections import deque

from pellucid.core.config import require
from pellucid.core.seed import numpy_generator
from pellucid.training.architecture_search.history import Evaluate, History, Tried
from pellucid.training.architecture_search.random_search import TRIES, first_cells, unseen
from pellucid.training.architecture_search.space import Space


def regularised_evolution(
    space: Space, evaluate: Evaluate, budget: int, seed: int, population: int = 8, sample: int = 3
) -> History:
    """Evaluate `budget` different cells: a random population, then children of the best of small samples.

    Each turn draws `sample` members of the population with replacement, mutates the best of them, adds the child and
    removes the oldest member.

    Args:
        population: members at all times.
        sample: of a tournament; 1 lets anyone be a parent.

    Raises:
        ConfigError: a number is out of range, or the space has fewer cells than the budget.
    """
    require(population >= 2, "population", "2 or more", population)
    require(budget >= population, "budget", f"at least the population of {population}", budget)
    require(sample >= 1, "sample", "1 or more", sample)
    chance = numpy_generator(seed, "architecture search", "evolution")
    history = [Tried(cell, evaluate(cell)) for cell in first_cells(space, population, seed)]
    members = deque(history, maxlen=population)  # a full one drops its left end, the oldest, for what is appended
    seen = dict.fromkeys(one.cell for one in history)
    while len(history) < budget:
        parent = max((members[at] for at in chance.integers(population, size=sample)), key=lambda one: one.accuracy)
        children = (space.mutate(parent.cell, chance) for _ in range(TRIES))
        child = next((cell for cell in children if cell not in seen), None) or unseen(space, seen, chance)
        seen[child] = None
        history.append(Tried(child, evaluate(child)))
        members.append(history[-1])
    return History(tuple(history))
