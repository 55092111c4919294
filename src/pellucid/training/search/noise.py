"""Whether the best candidates differ by more than chance does."""

import math
from collections.abc import Sequence
from statistics import mean, stdev

from pellucid.core.verdict import Verdict
from pellucid.training.search.tried import Tried, best_of, ranked

TWICE = 2.0  # standard deviations of a difference


def judge_noise(trials: Sequence[Tried], higher_is_better: bool) -> list[Verdict]:
    """Say so when the next best candidates of the longest stage lie within the noise between seeds.

    The noise is the sample standard deviation s of the best candidate's scores over its seeds; with cross-validation,
    where it has no repeats, that of its folds divided by the root of their number. The difference of two scores has
    √2 times its deviation, and twice that is chance.

    Returns:
        One note, or nothing: no repeats, no other candidate, or the best one is ahead by more.
    """
    best = best_of(trials, higher_is_better)
    if best is None:
        return []
    seeds = [best.value, *(one.value for one in trials if one.stage == "repeat" and one.state == "done")]
    others = ranked([one for one in trials if one.stage == best.stage and one is not best], higher_is_better)
    others = [one for one in others if one.settings != best.settings]
    if len(seeds) >= 3:
        noise, how = stdev(seeds), f"over {len(seeds)} seeds"
    elif len(best.folds) > 1:
        noise, how = best.deviation / math.sqrt(len(best.folds)), f"over {len(best.folds)} folds"
    else:
        return []
    reach = TWICE * math.sqrt(2) * noise
    near = [one for one in others if abs(one.value - best.value) <= reach]
    if not near:
        return []
    centre = mean(seeds) if len(seeds) >= 3 else best.value
    evidence = (
        f"the best candidate scores {centre:.4f} ± {noise:.4f} {how}, and {len(near)} other"
        f"{' lies' if len(near) == 1 else 's lie'} within {reach:.4f} of it, the next at {near[0].value:.4f}"
    )
    cure = "take the cheapest or simplest of them, or tell them apart with more seeds, more pictures or --cv 5"
    return [Verdict("seed-noise", "info", evidence, "the differences are of the size that another seed makes", cure)]
