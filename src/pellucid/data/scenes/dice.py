"""Random whole numbers that stay the same from one version of NumPy to the next.

NumPy keeps the bits of its generators for ever, but not how `Generator` makes numbers of them (NEP 19,
https://numpy.org/neps/nep-0019-rng-policy.html). So scenes take the bits and make the numbers themselves.
"""

from typing import Any, Protocol

import numpy as np

BLOCK = 64  # words that are drawn at once for single numbers


class Draws(Protocol):
    """What drawing needs of a source of random numbers; `Dice` and NumPy's `Generator` both have it."""

    def integers(self, low: Any, high: Any = None, size: Any = None, dtype: Any = ...) -> Any:
        """Whole numbers from low to high - 1, or from 0 to low - 1."""
        ...


class Dice:
    """Whole numbers from the bits of PCG64.

    Args:
        seed: what fixes the numbers.
    """

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(list(seed))
        self._words: list[int] = []

    def integers(
        self, low: int, high: int | None = None, size: int | tuple[int, ...] | None = None, dtype: Any = np.int64
    ) -> Any:
        """Whole numbers from low to high - 1, or from 0 to low - 1.

        One number takes 32 bits, many take 16 each: ranges are at most 65,536 wide there, and a number is off its
        fair share by less than 1 / 65,536.

        Returns:
            an int, or an array of `size` if one is given.
        """
        low, n = (0, low) if high is None else (low, high - low)
        if size is None:
            if not self._words:
                self._words = self._bits.random_raw(BLOCK).tolist()
            return low + ((self._words.pop() >> 32) * n >> 32)
        count = int(np.prod(size))
        raw = self._bits.random_raw(-(-count // 4)).astype("<u8").view("<u2")[:count].astype(np.uint32)
        raw *= np.uint32(n)
        raw >>= np.uint32(16)
        return (raw.astype(dtype) + np.dtype(dtype).type(low)).reshape(size)

    def between(self, ends: tuple[int, int]) -> int:
        """One number from the first to the second, both included."""
        return int(self.integers(ends[0], ends[1] + 1))

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred cases."""
        return bool(self.integers(100) < percent)
