"""A grid, for comparison; and why random draws beat it.

With T trials over d settings a grid has T**(1/d) values of each, random draws have T. Where one setting matters and the
others hardly do, which nobody knows beforehand, the grid has tried few values of the one that counts.

Source: Bergstra and Bengio 2012, https://jmlr.org/papers/v13/bergstra12a.html, figure 1; CS231n notes, "Neural Networks
Part 3", "Prefer random search to grid search".
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.config import require
from pellucid.core.seed import numpy_generator
from pellucid.training.search.sample import draw
from pellucid.training.search.space import Choice, Float, Space


def grid(space: Space, trials: int) -> list[dict[str, Any]]:
    """At most `trials` candidates, as many values a setting as fit, evenly spread on its scale, ends left out.

    A choice has all its values, a range the same number of values as every other range, at least one. Values lie in the
    middle of equal parts, as nothing says that a best one lies at an end.

    Raises:
        ConfigError: the choices alone make more candidates than `trials`.
    """
    ranges = [name for name, axis in space.items() if not isinstance(axis, Choice)]
    chosen = int(np.prod([len(axis.options) for axis in space.values() if isinstance(axis, Choice)], dtype=int))
    require(chosen <= trials, "trials", f"at least {chosen}, the combinations of all choices, for a grid", trials)
    points = 1
    while ranges and chosen * (points + 1) ** len(ranges) <= trials:
        points += 1
    columns = {
        name: list(axis.options)
        if isinstance(axis, Choice)
        else list(dict.fromkeys(axis.value((k + 0.5) / points) for k in range(points)))
        for name, axis in space.items()
    }
    return [dict(zip(columns, values, strict=True)) for values in itertools.product(*columns.values())]


def shuffled_grid(space: Space, trials: int, seed: int) -> list[dict[str, Any]]:
    """The grid in random order, so that a search which ends early has not seen one corner alone."""
    found = grid(space, trials)
    return [found[k] for k in numpy_generator(seed, "grid").permutation(len(found))]


@dataclass(frozen=True)
class Race:
    """Random draws beside a grid of as many trials, on a function whose best value is known.

    Attributes:
        distinct: way -> how many different values of the setting that matters were tried.
        mean_best: way -> the best score found, a mean over the seeds.
        wins: share of the seeds in which random draws found the better one; a tie counts half.
    """

    distinct: dict[str, int]
    mean_best: dict[str, float]
    wins: float


def random_against_grid(
    score: Callable[[float, float], float], trials: int = 9, seeds: int = 200, relevant: str = "x"
) -> Race:
    """Let both search the unit square.

    Args:
        score: (x, y) in [0, 1] -> number, larger is better. To plant one relevant axis, use one of them alone.
        trials: of each search.
        seeds: random searches to average over; the grid is always the same.
        relevant: the axis whose values are counted, x or y.
    """
    space: Space = {"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}
    fixed = grid(space, trials)
    by_grid = max(score(each["x"], each["y"]) for each in fixed)
    drawn = [[draw(space, seed, trial) for trial in range(trials)] for seed in range(seeds)]
    best = np.array([max(score(each["x"], each["y"]) for each in one) for one in drawn])
    return Race(
        {"grid": len({each[relevant] for each in fixed}), "random": len({each[relevant] for each in drawn[0]})},
        {"grid": by_grid, "random": float(best.mean())},
        float(np.mean((best > by_grid) + 0.5 * (best == by_grid))),
    )
