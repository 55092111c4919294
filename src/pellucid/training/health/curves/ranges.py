"""From curves to the rates and decays to try next: steps 6 and 7 of the recipe, "look at the curves, go to 5"."""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.core.errors import ConfigError
from pellucid.core.verdict import Verdict

STEP = 10.0  # how far beyond a rate that is known to be wrong the next ones reach
CLOSE = 3.0  # how far around a good one

TOO_LOW = ("curve-rate-too-low",)
TOO_HIGH = ("curve-rate-high", "curve-rate-very-high")
MOVES = (*TOO_LOW, *TOO_HIGH, "curve-underfit", "curve-overfit")  # rules after which other rates or decays are due


@dataclass(frozen=True)
class Tried:
    """One run: its highest rate, its weight decay, and what the curve doctor said."""

    lr: float
    weight_decay: float
    verdicts: Sequence[Verdict] = ()


@dataclass(frozen=True)
class Ranges:
    """What to try next: (lowest, highest) of each, to be drawn on a logarithmic scale, and why."""

    lr: tuple[float, float]
    weight_decay: tuple[float, float]
    why: str

    def sentence(self) -> str:
        """As a person would write it down."""
        rates, decays = (f"{low:.2g} to {high:.2g}" for low, high in (self.lr, self.weight_decay))
        return f"Next: rates from {rates}, weight decay from {decays}, both on a logarithmic scale ({self.why})."


def next_ranges(runs: Sequence[Tried]) -> Ranges:
    """Ranges that follow from what was tried.

    A rate that was too low bounds the next ones from below, one that was too high from above; of two bounds the tighter
    counts, and an open side reaches further by a factor of `STEP` to `STEP`^2. Where a rate was good, the range closes
    in around it. Decay moves up after overfitting, down after underfitting, and else stays.

    Raises:
        ConfigError: nothing was tried, or a rate is not positive.
    """
    if not runs or any(run.lr <= 0 for run in runs):
        raise ConfigError("next_ranges needs one or more runs with a rate above 0.")
    lows = [run.lr for run in runs if _said(run, TOO_LOW)]
    highs = [run.lr for run in runs if _said(run, TOO_HIGH)]
    good = [run.lr for run in runs if not _said(run, TOO_LOW + TOO_HIGH)]
    low, high, why = _bracket(lows, highs, good)
    decays, how = _decays(runs)
    return Ranges((low, high), decays, "; ".join(part for part in (why, how) if part))


def _bracket(lows: list[float], highs: list[float], good: list[float]) -> tuple[float, float, str]:
    if good:
        low, high = min(good) / CLOSE, max(good) * CLOSE
        below = [rate for rate in lows if rate < min(good)]
        above = [rate for rate in highs if rate > max(good)]
        return max([low, *below]), min([high, *above]), f"{_list(good)} did well"
    if lows and highs and max(lows) < min(highs):
        return max(lows), min(highs), f"{_list([max(lows)])} was too low, {_list([min(highs)])} too high"
    if lows and not highs:
        return max(lows) * CLOSE, max(lows) * STEP**2, f"{_list([max(lows)])} was too low"
    return min(highs) / STEP**2, min(highs) / CLOSE, f"{_list([min(highs)])} was too high"


def _decays(runs: Sequence[Tried]) -> tuple[tuple[float, float], str]:
    over = [run.weight_decay for run in runs if _said(run, ("curve-overfit",))]
    under = [run.weight_decay for run in runs if _said(run, ("curve-underfit",))]
    every = [run.weight_decay for run in runs if run.weight_decay > 0] or [1e-4]
    if over and not under:
        start = max(*over, 1e-5)
        return (start, start * STEP**2), "overfitting asks for more decay"
    if under and not over:
        start = min([decay for decay in under if decay > 0] or [1e-4])
        return (start / STEP**2, start), "underfitting asks for less decay"
    return (min(every) / CLOSE, max(every) * CLOSE), ""


def _said(run: Tried, rules: tuple[str, ...]) -> bool:
    return any(verdict.rule in rules for verdict in run.verdicts)


def _list(rates: list[float]) -> str:
    return ", ".join(f"{rate:.2g}" for rate in sorted(set(rates)))
