"""Shift and scale of the network's input, from the training rows and nothing else.

Two words are kept apart: *standardise* makes mean 0 and standard deviation 1; *scaling* (`unit`, `signed`, `minmax`)
maps a range of pixel values to a range of numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from pellucid.core.choose import choose
from pellucid.core.errors import DataError
from pellucid.core.preprocess import MODES
from pellucid.data.pack import Pack

# N pictures, H height, W width, C channels

CHUNK_BYTES = 1 << 20  # pixels looked at in one go; as floats they still fit the cache
EXACT = 256  # squares of pixels that a float32 adds up without rounding: 256 * 255**2 < 2**24

Measured = tuple[tuple[float, ...], tuple[float, ...], np.ndarray | None]


def measure(pack: Pack, rows: np.ndarray, mode: str) -> Measured:
    """The numbers of `Preprocess` for one mode; a pixel p becomes `(p - shift) * scale`.

    | mode | shift | scale |
    |---|---|---|
    | `standardise` | mean of the channel | 1 / standard deviation |
    | `centre` | mean of the channel | 1/255 |
    | `mean-image` | mean of the pixel | 1/255 |
    | `unit` | 0 | 1/255, so 0..1 |
    | `signed` | 127.5 | 1/127.5, so -1..1 |
    | `minmax` | least value of the channel | 1 / (greatest - least), so 0..1 |
    | `none` | 0 | 1 |

    A constant channel has the scale 1/255. Padding around pictures (outside `valid_hw`) does not count. Sums are
    exact integers, so neither the order nor the number of rows taken at a time changes a bit.

    Args:
        pack: the pictures.
        rows: (N,) rows of the training split.
        mode: one of `MODES`.

    Returns:
        shift and scale, one number a channel, and the mean image (C, H, W) float32 or None.

    Raises:
        DataError: there are no rows to measure.
        ConfigError: an unknown mode.
    """
    choose(mode, dict.fromkeys(MODES), "preprocessing")
    channels = pack.images.shape[3]
    fixed = {"unit": (0.0, 1 / 255), "signed": (127.5, 1 / 127.5), "none": (0.0, 1.0)}
    if mode in fixed:
        shift, scale = fixed[mode]
        return (shift,) * channels, (scale,) * channels, None
    if not len(rows):
        raise DataError(f"Preprocessing {mode!r} is measured on the training split, which is empty. Use unit.")
    if mode == "minmax":
        low, high = _extremes(pack, rows)
        return _tuple(low), _tuple(_inverse(high - low)), None
    if mode == "mean-image":
        mean_image, mean = _mean_image(pack, rows)
        return _tuple(mean), (1 / 255,) * channels, mean_image
    sums = _sums(pack, rows)
    scale_of = _inverse(np.sqrt(sums.variance)) if mode == "standardise" else np.full(channels, 1 / 255)
    return _tuple(sums.mean), _tuple(scale_of), None


@dataclass(frozen=True)
class Sums:
    """Number of pixels, and sums of the values and of their squares in each channel: whole numbers."""

    count: int
    total: np.ndarray
    squares: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        return self.total / self.count

    @property
    def variance(self) -> np.ndarray:
        """Over all pixels (divided by N, not N - 1), from exact integers: no cancellation."""
        exact = [self.count * int(s) - int(t) ** 2 for s, t in zip(self.squares, self.total, strict=True)]
        return np.array([number / self.count**2 for number in exact])


def _sums(pack: Pack, rows: np.ndarray) -> Sums:
    channels = pack.images.shape[3]
    count, total, squares = 0, np.zeros(channels, np.uint64), np.zeros(channels, np.uint64)
    for pixels, shown in _chunks(pack, rows):
        n, height, width, _ = pixels.shape
        values = torch.from_numpy(pixels).to(torch.float32).view(n * height, width * channels)
        if shown is not None:
            values *= torch.from_numpy(shown).view(n * height, width).repeat_interleave(channels, dim=1)
        count += n * height * width if shown is None else int(shown.sum())
        total += _per_channel(values, channels)
        squares += _per_channel(values.square_(), channels)
    return Sums(count, total, squares)


def _per_channel(values: torch.Tensor, channels: int) -> np.ndarray:
    """Column sums of (R, W*C) whole float32 numbers below 2**16, added over W: (C,) uint64, exact."""
    parts = [block.sum(0) for block in values.split(EXACT)]  # (W*C,) each
    columns = torch.stack(parts).to(torch.float64).sum(0)
    return columns.view(-1, channels).sum(0).numpy().astype(np.uint64)


def _mean_image(pack: Pack, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(C, H, W) float32, and its mean of each channel. Pixels that no picture reaches have the channel's mean."""
    height, width, channels = pack.images.shape[1:]
    total = np.zeros((height, width, channels))  # float64 holds whole numbers up to 2**53
    count = np.zeros((height, width, 1))
    for pixels, shown in _chunks(pack, rows):
        if shown is None:
            total += pixels.sum(axis=0, dtype=np.uint32)
            count += len(pixels)
        else:
            total += (pixels * shown[..., None]).sum(axis=0, dtype=np.uint32)
            count += shown.sum(axis=0)[..., None]
    mean = total.sum((0, 1)) / count.sum()  # (C,)
    image = np.where(count > 0, total / np.maximum(count, 1), mean)  # (H, W, C)
    return np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32), mean


def _extremes(pack: Pack, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest value of each channel: of each pixel first, over all pictures."""
    low, high = np.full(pack.images.shape[1:], 255, np.uint8), np.zeros(pack.images.shape[1:], np.uint8)  # (H, W, C)
    for pixels, shown in _chunks(pack, rows):
        darkest = pixels if shown is None else np.where(shown[..., None], pixels, 255)
        lightest = pixels if shown is None else pixels * shown[..., None]
        np.minimum(low, darkest.min(axis=0), out=low)
        np.maximum(high, lightest.max(axis=0), out=high)
    return low.min((0, 1)).astype(np.float64), high.max((0, 1)).astype(np.float64)


def _chunks(pack: Pack, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Some pictures (N, H, W, C) at a time, and (N, H, W) bool where they are picture; None where all of it is."""
    images, valid_hw = np.asarray(pack.images), pack.targets["valid_hw"]
    height, width = images.shape[1:3]
    step = max(1, CHUNK_BYTES // images[0].nbytes)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        valid = valid_hw[some]
        shown = None
        if (valid < (height, width)).any():
            down = np.arange(height) < valid[:, :1]  # (N, H)
            across = np.arange(width) < valid[:, 1:]  # (N, W)
            shown = down[:, :, None] & across[:, None, :]
        yield images[some], shown


def _inverse(spread: np.ndarray) -> np.ndarray:
    """1 / spread; 1/255 for a channel that is constant."""
    return np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 1 / 255)


def _tuple(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
