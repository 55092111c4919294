"""Whether the best value of a setting lies at the edge of its range, and where to look next.

What is best at the edge may be better beyond it: the search has not found a best value, only a direction. The notes'
example is lr = 9.471549e-04, best of three in 10**U(-4, -3) and so at 97.6 % of its range: "worrying".

Source: CS231n notes, "Neural Networks Part 3", "Careful with best values on border".
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pellucid.core.config import is_number
from pellucid.core.verdict import Verdict
from pellucid.training.search.space import Axis, Choice, Float, Int, Space, spelled
from pellucid.training.search.tried import Tried, ranked

EDGE = 0.05  # of a range, on its scale, at either end
FEW = 10  # fewer trials say nothing about which settings matter
MATTERS = 0.1  # share of the differences between trials that a setting must explain to be worried about

Accepts = Callable[[str, Any], bool]  # (setting, value) -> whether the config takes it


def edge_of(axis: Axis, value: Any) -> str:
    """Which end, "low" or "high", a value in the outer twentieth of its range lies at; else ""."""
    if isinstance(axis, Choice):
        return ""
    position = axis.position(value)
    if value <= axis.low or position < EDGE:
        return "low"
    return "high" if value >= axis.high or position > 1 - EDGE else ""


def edge_of_grid(values: Sequence[Any], best: Any) -> str:
    """The same for a value that is the first or last of a few that were tried again and again; else ""."""
    few = set(values)
    if len(few) < 3 or 2 * len(few) > len(values) or not all(is_number(value) for value in few):
        return ""
    return "low" if best == min(few) else "high" if best == max(few) else ""


def widened(axis: Float | Int, edge: str, accepts: Callable[[Any], bool]) -> Float | Int | None:
    """The range with a decade more (on a linear scale half its width) at that edge; None where nothing lies beyond.

    Args:
        accepts: whether the setting can have a value. A range that would go too far goes half as far, and so on.
    """
    for share in (1.0, 0.5, 0.25, 0.125):
        low, high = float(axis.low), float(axis.high)
        step = 10**share if axis.log else share * (high - low) / 2
        if edge == "low":
            low = low / step if axis.log else low - step
        else:
            high = high * step if axis.log else high + step
        wider = _rounded(axis, low, high)
        if (wider.low, wider.high) == (axis.low, axis.high):
            return None
        if accepts(wider.low if edge == "low" else wider.high):
            return wider
    return None


def _rounded(axis: Float | Int, low: float, high: float) -> Float | Int:
    if isinstance(axis, Int):
        return Int(math.floor(low + 1e-9), math.ceil(high - 1e-9), axis.log)
    return Float(float(f"{low:.3g}"), float(f"{high:.3g}"), axis.log)


def watch_borders(
    space: Space,
    trials: Sequence[Tried],
    higher_is_better: bool,
    accepts: Accepts = lambda name, value: True,
    importance: Mapping[str, float] | None = None,
) -> tuple[list[Verdict], Space]:
    """Look at the best trial of a search.

    A setting that hardly matters has its best value anywhere, and in one search of ten at an edge: where it is known
    to explain less than a tenth of the differences, it raises a note in place of a warning. Of a grid, whose outermost
    values lie inside the range, these are the edge.

    Args:
        space: the ranges that were searched.
        trials: drawn from these ranges; only those that are done count.
        accepts: whether a setting can have a value, so that nothing impossible is proposed.
        importance: setting -> share of the differences it explains, as of `importance`; None knows nothing, as should
            be said of fewer than `FEW` trials.

    Returns:
        verdicts: `choice-at-border` for each setting whose best value lies at an edge.
        space: where to look next: those ranges widened, the others as they were.
    """
    order = ranked(trials, higher_is_better)
    verdicts: list[Verdict] = []
    proposed: dict[str, Axis] = dict(space)
    for name, axis in space.items() if order else ():
        best = order[0].settings[name]
        edge = edge_of(axis, best) or edge_of_grid([one.settings[name] for one in trials], best)
        if not edge or isinstance(axis, Choice):
            continue
        wider = widened(axis, edge, lambda value, name=name: accepts(name, value))  # type: ignore[misc]
        if wider is None:
            continue  # the edge of what there is
        matters = importance is None or importance.get(name, 1.0) >= MATTERS
        proposed[name] = wider
        verdicts.append(_verdict(name, axis, best, wider, order[0].value, matters))
    return verdicts, proposed


def _verdict(name: str, axis: Float | Int, best: float, wider: Axis, value: float, matters: bool) -> Verdict:
    at = f"{best:.6e}" if isinstance(axis, Float) and axis.log else f"{best:g}"
    evidence = (
        f"the best {name}, {at} (score {value:.4g}), lies at {axis.position(best):.1%} of its range {axis.words()}"
    )
    cause = "a better one may lie beyond: the search has found a direction, not a best value"
    if not matters:
        cause = f"{name} made little difference, so this may be chance"
    cure = f'search the wider range: pellucid tune DATA --space "{spelled({name: wider})}"'
    return Verdict("choice-at-border", "warn" if matters else "info", evidence, cause, cure)
