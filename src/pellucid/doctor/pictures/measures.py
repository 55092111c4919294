"""A few numbers of every picture, read once: what is dark, bright, uniform or blurred is judged from them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pellucid.core.progress import Progress, Quiet
from pellucid.data.pack import Pack
from pellucid.doctor.pictures.blur import blur
from pellucid.ops.colour import rgb_to_grey

# N pictures, C channels, h x w the part of the canvas that is picture

CHUNK = 1 << 22  # bytes of pictures looked at in one go
LOOKED_AT = 64  # rows and columns of a picture whose pixels are sorted; more would not change a percentile


@dataclass(frozen=True)
class Measures:
    """N pictures in numbers; grey values from 0 to 255.

    Attributes:
        low, high: (N,) first and 99th percentile of the grey values.
        spread: (N,) their standard deviation.
        blur: (N,) from 0 (sharp) to 1 (blurred); NaN for a picture of one colour.
        mean, deviation: (N, C) of each channel.
    """

    low: np.ndarray
    high: np.ndarray
    spread: np.ndarray
    blur: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    def __len__(self) -> int:
        return len(self.low)


def measure(pack: Pack, progress: Progress | None = None) -> Measures:
    """Read every picture of a pack once. Padding around pictures does not count."""
    n, height, width, channels = pack.images.shape
    valid = pack.targets["valid_hw"]
    whole = (valid == (height, width)).all(axis=1)
    table = np.empty((n, 4 + 2 * channels))
    step = max(1, CHUNK // (height * width * channels))
    with (progress or Quiet()).bar("Looking at pictures", n) as advance:
        for start in range(0, n, step):
            rows = np.arange(start, min(start + step, n))
            block = torch.from_numpy(np.array(pack.images[start : start + step])).permute(0, 3, 1, 2)
            full = whole[rows]
            if full.any():
                table[rows[full]] = _numbers(block[torch.from_numpy(full)])
            for row in rows[~full]:
                top, left = (int(side) for side in valid[row])
                table[row] = _numbers(block[row - start : row - start + 1, :, :top, :left])
            advance(int(rows[-1]) + 1)
    columns = table.T
    low, high, spread, blurred = columns[:4]
    return Measures(low, high, spread, blurred, columns[4 : 4 + channels].T, columns[4 + channels :].T)


def _numbers(pictures: Tensor) -> np.ndarray:
    """(N, 4 + 2C) of pictures (N, C, h, w) uint8."""
    values = pictures.flatten(2).float()  # (N, C, h w)
    grey = rgb_to_grey(pictures)[:, 0].float()  # (N, h, w)
    seen = grey[:, :: -(-grey.shape[1] // LOOKED_AT), :: -(-grey.shape[2] // LOOKED_AT)].flatten(1).sort(dim=1).values
    last = seen.shape[1] - 1
    parts = [seen[:, round(0.01 * last)], seen[:, round(0.99 * last)], grey.flatten(1).std(dim=1, correction=0)]
    means, deviations = values.mean(dim=2), values.std(dim=2, correction=0)
    return torch.cat([torch.stack([*parts, blur(grey)], 1), means, deviations], 1).double().numpy()
