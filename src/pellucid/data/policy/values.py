"""What a parameter of a step may be."""

from dataclasses import dataclass
from typing import Any

from pellucid.core.config import is_number, is_whole, require

Value = float | int | str | tuple[float, ...]


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`, both included."""

    default: float
    low: float
    high: float

    def read(self, value: Any, name: str) -> float:
        """The value, as it is kept.

        Raises:
            ConfigError: it is none of those allowed. `name` says where.
        """
        fits = is_number(value) and self.low <= value <= self.high
        require(fits, name, f"a number from {self.low:g} to {self.high:g}", value)
        return float(value)


@dataclass(frozen=True)
class Pair:
    """Two numbers from `low` to `high`, the smaller first."""

    default: tuple[float, float]
    low: float
    high: float
    whole: bool = False

    def read(self, value: Any, name: str) -> tuple[float, ...]:
        """The value, as it is kept.

        Raises:
            ConfigError: it is none of those allowed. `name` says where.
        """
        counts = is_whole if self.whole else is_number
        fits = isinstance(value, (list, tuple)) and len(value) == 2 and all(map(counts, value))
        fits = fits and self.low <= value[0] <= value[1] <= self.high
        kind = "whole numbers" if self.whole else "numbers"
        require(fits, name, f"two {kind} from {self.low:g} to {self.high:g}, the smaller first", value)
        return tuple(int(each) if self.whole else float(each) for each in value)


@dataclass(frozen=True)
class Paint:
    """One of some words, or a grey from 0 to 255."""

    default: str | int
    words: tuple[str, ...] = ()

    def read(self, value: Any, name: str) -> str | int:
        """The value, as it is kept.

        Raises:
            ConfigError: it is none of those allowed. `name` says where.
        """
        fits = value in self.words if isinstance(value, str) else is_whole(value) and 0 <= value <= 255
        require(fits, name, " or ".join([*map(repr, self.words), "a grey from 0 to 255"]), value)
        return value if isinstance(value, str) else int(value)


Parameter = Number | Pair | Paint
