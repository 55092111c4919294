"""From numbers to pixels, and round tick marks.

Ticks as in Heckbert, "Nice numbers for graph labels", Graphics Gems, 1990.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from pellucid.plots import svg

LARGEST = 1e300  # differences of larger numbers overflow
APART = 6.0  # pixels between two labels, at least


@dataclass(frozen=True)
class Scale:
    """Maps the values `lo..hi` to the pixels `start..stop`, by value or by logarithm."""

    lo: float
    hi: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, values: np.ndarray | float) -> np.ndarray:
        """Pixels of `values`; those a logarithm does not have become NaN."""
        values = np.asarray(values, dtype=np.float64)
        lo, hi = self.lo, self.hi
        if self.log:
            values = np.log10(np.where(values > 0, values, np.nan))
            lo, hi = math.log10(lo), math.log10(hi)
        return self.start + (values - lo) / (hi - lo) * (self.stop - self.start)

    def ticks(self, about: int = 5, whole: bool = False) -> list[float]:
        """Round values between `lo` and `hi`, about so many; `whole` allows no fractions."""
        if self.log and self.hi / self.lo >= 5:
            return _log_ticks(self.lo, self.hi, about)
        step = _nice_step((self.hi - self.lo) / about)
        if whole:
            step = max(1.0, step)
        first, last = math.ceil(self.lo / step - 1e-9), math.floor(self.hi / step + 1e-9)
        return [round(k * step, 12) if step > 1e-9 else k * step for k in range(first, last + 1)]


def fit(values: np.ndarray, start: float, stop: float, log: bool = False, pad: float = 0.05) -> Scale:
    """The scale that shows all usable `values` with a margin of `pad` of their range.

    NaN, infinities and, on a logarithmic scale, numbers that are not positive are left out. A single
    value, and no value at all, get a range of their own.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    values = values[np.abs(values) < LARGEST]  # no comparison holds for NaN
    if log:
        values = values[values > 0]
        if not len(values):
            return Scale(0.1, 1.0, start, stop, log=True)
        factor = max((values.max() / values.min()) ** pad, 1.05)
        return Scale(float(values.min() / factor), float(values.max() * factor), start, stop, log=True)
    if not len(values):
        return Scale(0.0, 1.0, start, stop)
    lo, hi = float(values.min()), float(values.max())
    if hi - lo <= 1e-9 * max(abs(lo), abs(hi)):
        margin = 0.5 if pad == 0 or lo == 0 else 0.1 * abs(lo)
        return Scale(lo - margin, hi + margin, start, stop)
    return Scale(lo - pad * (hi - lo), hi + pad * (hi - lo), start, stop)


def tick_label(value: float, step: float, largest: float) -> str:
    """The tick's value, with as many decimals as its neighbours `step` away need.

    Powers of ten are used where `step` is very small or `largest`, the largest tick, is very large.
    """
    if value == 0:
        return "0"
    if largest >= 1e5 or step < 1e-4:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:.{digits}f}"


def x_axis(scale: Scale, y: float, label: str, whole: bool = False) -> list[str]:
    """The line at the bottom, its ticks and, at its right end, what is counted."""
    ticks = scale.ticks(6, whole)
    if scale.log and _collide(ticks, _labels(ticks, scale), scale):
        ticks = [tick for tick in ticks if round(math.log10(tick), 9).is_integer()] or ticks[:1]
    labels = _labels(ticks, scale)
    parts = [svg.line(scale.start, y, scale.stop, y, "axis")]
    for value, shown in zip(ticks, labels, strict=True):
        at = float(scale(value))
        parts.append(svg.line(at, y, at, y + 4, "axis"))
        parts.append(svg.text(at, y + 18, shown, "soft", "middle"))
    parts.append(svg.text(scale.stop, y + 37, f"{label} →" if label else "", "soft", "end"))
    return parts


def left_of(scale: Scale) -> float:
    """Where the grid may begin, so that the values of its lines fit to its left."""
    return 12 + max((svg.width_of(label) for label in _labels(scale.ticks(), scale)), default=0.0)


def y_axis(scale: Scale, left: float, right: float, label: str) -> list[str]:
    """Horizontal grid lines, their values and, above them, what is measured."""
    ticks = scale.ticks()
    parts = []
    for value, shown in zip(ticks, _labels(ticks, scale), strict=True):
        at = float(scale(value))
        parts.append(svg.line(left, at, right, at, "grid"))
        parts.append(svg.text(left - 8, at + 4.5, shown, "soft", "end"))
    if label:
        parts.append(svg.text(0, scale.stop - 11, f"↑ {label}", "soft"))
    return parts


def _labels(ticks: list[float], scale: Scale) -> list[str]:
    if scale.log and scale.hi / scale.lo >= 5:
        return [tick_label(value, value, value) for value in ticks]
    if len(ticks) < 2:
        return [f"{value:g}" for value in ticks]
    step = ticks[1] - ticks[0]
    largest = max((abs(value) for value in ticks), default=0.0)
    return [tick_label(value, step, largest) for value in ticks]


def _collide(ticks: list[float], labels: list[str], scale: Scale) -> bool:
    """Whether two labels in a row, centred at their ticks, would touch."""
    ends = [(float(scale(tick)), svg.width_of(label) / 2) for tick, label in zip(ticks, labels, strict=True)]
    return any(b - a < half + other + APART for (a, half), (b, other) in itertools.pairwise(ends))


def _nice_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return power * min((1, 2, 5, 10), key=lambda nice: abs(math.log(nice) - math.log(rough / power)))


def _log_ticks(lo: float, hi: float, about: int) -> list[float]:
    low, high = math.floor(math.log10(lo)), math.ceil(math.log10(hi))
    mantissas = (1,) if high - low > 3 else (1, 2, 5)
    stride = max(1, math.ceil((high - low) / (about + 1))) if mantissas == (1,) else 1
    ticks = [m * 10.0**power for power in range(low, high + 1, stride) for m in mantissas]
    return [tick for tick in ticks if lo <= tick <= hi]
