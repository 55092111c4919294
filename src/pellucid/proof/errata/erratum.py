"""Something that course notes print and that is not so, as a test that the printed version fails."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isinf, isnan
from typing import Any

import numpy as np

ROUNDING = 1e-9  # smaller errors differ from machine to machine


@dataclass(frozen=True)
class Erratum:
    """One mistake, with the means to see that it is one.

    Attributes:
        title: what it is about, in a few words.
        printed: what the notes say.
        right: what is so, and why.
        measure: what `error` measures, in words: "largest difference from PyTorch's output".
        error: how far a version is from the truth; 0 when it is right. It may also raise what the version raises.
        printed_version: the printed formula, number or code, whatever `error` takes.
        right_version: the same as it should be; ours where we have it.
        tolerance: up to which a version counts as right.
    """

    title: str
    printed: str
    right: str
    measure: str
    error: Callable[[Any], float]
    printed_version: Any
    right_version: Any
    tolerance: float = 1e-6


@dataclass(frozen=True)
class Outcome:
    """What the two versions gave: an error, or what was raised."""

    error: float
    raised: str = ""

    def holds(self, tolerance: float) -> bool:
        return not self.raised and self.error <= tolerance  # False for NaN

    def words(self) -> str:
        if self.raised:
            return f"raises {self.raised}"
        if isnan(self.error) or isinf(self.error):
            return "not a number" if isnan(self.error) else "infinite"
        return "0, but for rounding" if self.error < ROUNDING else f"{self.error:.2g}"


def try_version(erratum: Erratum, version: Any) -> Outcome:
    """The error of one version; an exception is an answer too."""
    try:
        return Outcome(float(erratum.error(version)))
    except (ArithmeticError, AttributeError, LookupError, NameError, SyntaxError, TypeError, ValueError) as error:
        return Outcome(float("inf"), type(error).__name__)


def apart(version: Any, truth: Any) -> float:
    """The largest difference between two numbers, arrays or tensors."""
    return float(np.max(np.abs(np.asarray(version) - np.asarray(truth))))
