"""What a search may choose from: a range or a list of values for each setting.

A range has a position from 0 (its low end) to 1 (its high end) for each value, counted in decades where the scale is
logarithmic. Drawing, shrinking and the watch over the borders all happen in positions.

Source: Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13 (2012),
https://jmlr.org/papers/v13/bergstra12a.html; CS231n notes, "Neural Networks Part 3", hyperparameter ranges.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pellucid.core.errors import ConfigError

DIGITS = 4  # of a drawn number; what is chosen will be read, typed and compared by people


@dataclass(frozen=True)
class Float:
    """Real numbers from `low` to `high`, both included; `log` draws and compares exponents.

    Bounds in the wrong order are put right, as in `10**uniform(-3, -6)`.

    Raises:
        ConfigError: the ends are equal or not finite, or a logarithmic range is not above 0.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _put_in_order(self)

    def position(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high end, beyond these outside."""
        low, high, at = (_scaled(number, self.log) for number in (self.low, self.high, value))
        return (at - low) / (high - low)

    def value(self, position: float) -> float:
        """The value at a position in [0, 1], to four digits and never outside the range."""
        low, high = _scaled(self.low, self.log), _scaled(self.high, self.log)
        at = low + position * (high - low)
        found = float(f"{10**at if self.log else at:.{DIGITS}g}")
        return min(max(found, self.low), self.high)

    def words(self) -> str:
        return f"{self.low:g}..{self.high:g} {_scale(self.log)}"


@dataclass(frozen=True)
class Int:
    """Whole numbers from `low` to `high`, both included; `log` makes each doubling as likely as the next.

    Raises:
        ConfigError: as for `Float`.
    """

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _put_in_order(self)

    def position(self, value: float) -> float:
        """As of `Float`; each number has the same share of [0, 1] on a linear scale, and its middle is its position."""
        low, high, at = (_scaled(number, self.log) for number in (self.low - 0.5, self.high + 0.5, value))
        return (at - low) / (high - low)

    def value(self, position: float) -> int:
        """The whole number whose share holds a position in [0, 1]."""
        low, high = _scaled(self.low - 0.5, self.log), _scaled(self.high + 0.5, self.log)
        at = low + position * (high - low)
        return min(max(math.floor((10**at if self.log else at) + 0.5), self.low), self.high)

    def words(self) -> str:
        return f"{self.low}..{self.high} {_scale(self.log)}"


@dataclass(frozen=True)
class Choice:
    """One of several values, of any type a setting may have.

    Raises:
        ConfigError: there are fewer than two, or one twice.
    """

    options: tuple[Any, ...]

    def __post_init__(self) -> None:
        if len(self.options) < 2 or len({label(option) for option in self.options}) < len(self.options):
            raise ConfigError(f"A choice needs two or more different values, got {self.words()!r}.")

    def position(self, value: Any) -> float:
        """The middle of its share of [0, 1]; for drawings alone, since values have no order."""
        return (self.options.index(value) + 0.5) / len(self.options)

    def value(self, position: float) -> Any:
        """The value whose share holds a position in [0, 1]."""
        return self.options[min(int(position * len(self.options)), len(self.options) - 1)]

    def words(self) -> str:
        return "|".join(label(option) for option in self.options)


Axis: TypeAlias = Float | Int | Choice
Space: TypeAlias = Mapping[str, Axis]


def label(value: Any) -> str:
    """A value as it is written in a space: text as it is, the rest as JSON."""
    if isinstance(value, str):
        return value
    return f"{value:g}" if isinstance(value, float) else json.dumps(list(value) if isinstance(value, tuple) else value)


def spelled(space: Space) -> str:
    """The space in one line, as `--space` takes it."""
    return ", ".join(f"{name}={axis.words()}" for name, axis in space.items())


def as_plain(space: Space) -> dict[str, dict[str, Any]]:
    """The space in plain JSON types."""
    return {
        name: {"options": [list(each) if isinstance(each, tuple) else each for each in axis.options]}
        if isinstance(axis, Choice)
        else {"low": axis.low, "high": axis.high, "log": axis.log, "whole": isinstance(axis, Int)}
        for name, axis in space.items()
    }


def from_plain(content: Mapping[str, Mapping[str, Any]]) -> dict[str, Axis]:
    """The inverse of `as_plain`."""
    return {
        name: Choice(tuple(tuple(each) if isinstance(each, list) else each for each in axis["options"]))
        if "options" in axis
        else (Int if axis["whole"] else Float)(axis["low"], axis["high"], axis["log"])
        for name, axis in content.items()
    }


def _scaled(value: float, log: bool) -> float:
    return math.log10(value) if log else float(value)


def _scale(log: bool) -> str:
    return "log" if log else "linear"


def _put_in_order(axis: Float | Int) -> None:
    low, high = axis.low, axis.high
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        raise ConfigError(f"A range needs two different numbers, got {low:g}..{high:g}.")
    if low > high:
        object.__setattr__(axis, "low", high)
        object.__setattr__(axis, "high", low)
    if axis.log and axis.low <= 0:
        raise ConfigError(
            f"A logarithmic range must lie above 0, got {axis.words()}. Raise its low end, or say linear."
        )
