"""Which pixels of its receptive field a stack of dilated convolutions really reads.

A kernel of dilation d reads every d-th unit. If all rates share a divisor, whole lattices of pixels stay unread
however many layers are stacked: gridding. Counted here exactly, as the set of all sums of one tap offset a layer.

Wang et al. 2018, "Understanding Convolution for Semantic Segmentation" (https://arxiv.org/abs/1702.08502), give a
rule of thumb on the largest gap between taps, M_i = max(M_{i+1} - 2 r_i, 2 r_i - M_{i+1}, r_i) with M_n = r_n, and
ask for M_2 <= K. That alone passes [2, 2, 2], of which every second pixel stays unread; so a stack is judged by the
count, and the rule is there to be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.config import require


@dataclass(frozen=True)
class Coverage:
    """What one unit reads along an axis.

    Attributes:
        field: pixels from the first that is read to the last.
        read: those that are read at all.
        weights: how many paths lead to each pixel of the field; 0 for those not read.
    """

    field: int
    read: int
    weights: tuple[int, ...]

    @property
    def share(self) -> float:
        """Of the field that is read, along an axis; 1 leaves no holes."""
        return self.read / self.field

    @property
    def share_of_square(self) -> float:
        """Of the square field that is read, where both axes have these taps."""
        return self.share**2


def tap_coverage(rates: Sequence[int], kernel: int = 3, strides: Sequence[int] | None = None) -> Coverage:
    """Count the pixels that a stack of convolutions reads.

    Args:
        rates: dilation of each layer.
        kernel: taps of each, along the axis.
        strides: of each layer; None for 1 everywhere.

    Raises:
        ConfigError: no layer, a rate or kernel below 1, or not as many strides as rates.
    """
    require(len(rates) > 0 and min(rates) >= 1, "rates", "one or more dilations of 1 or more", list(rates))
    require(kernel >= 1, "kernel", "1 or more", kernel)
    strides = [1] * len(rates) if strides is None else strides
    require(len(strides) == len(rates), "strides", f"as many as rates, {len(rates)}", list(strides))
    paths, jump = np.ones(1, dtype=object), 1  # Python's integers: paths of deep stacks overflow 64 bits
    for rate, stride in zip(rates, strides, strict=True):
        taps = np.zeros((kernel - 1) * rate * jump + 1, dtype=object)
        taps[:: rate * jump] = 1
        paths, jump = np.convolve(paths, taps), jump * stride
    weights = tuple(int(path) for path in paths)
    return Coverage(len(weights), sum(path > 0 for path in weights), weights)


def coverage_map(rates: Sequence[int], kernel: int = 3) -> np.ndarray:
    """Paths to each pixel of the square field, (field, field), as shares of all paths.

    Raises:
        ConfigError: as `tap_coverage`.
    """
    found = tap_coverage(rates, kernel)
    line = np.array([path / sum(found.weights) for path in found.weights])
    return np.outer(line, line)


def doubling_field(last_rate: int) -> int:
    """Field of 3-tap layers of rates 1, 2, 4, ..., r: 2^(log2 r + 2) - 1 = 4 r - 1. Of no other rates.

    Raises:
        ConfigError: r is not a power of two.
    """
    require(
        last_rate >= 1 and last_rate & (last_rate - 1) == 0,
        "last_rate",
        "a power of two, since the rates double from 1",
        last_rate,
    )
    return 4 * last_rate - 1


def largest_gap(rates: Sequence[int]) -> int:
    """M_2 of the published rule, the largest distance between taps that the layers above the first leave.

    Raises:
        ConfigError: no rate, or one below 1.
    """
    require(len(rates) > 0 and min(rates) >= 1, "rates", "one or more dilations of 1 or more", list(rates))
    gap = rates[-1]
    for rate in reversed(rates[1:-1]):
        gap = max(gap - 2 * rate, 2 * rate - gap, rate)
    return gap


def passes_gap_rule(rates: Sequence[int], kernel: int = 3) -> bool:
    """Whether the published inequality M_2 <= K holds; it alone does not rule out gridding.

    Raises:
        ConfigError: as `largest_gap`.
    """
    return largest_gap(rates) <= kernel
