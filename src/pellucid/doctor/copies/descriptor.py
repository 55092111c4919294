"""What a picture looks like in a few numbers that survive resizing, encoding, and changes of contrast.

Low frequencies of the discrete cosine transform, taken straight from the pixels: a cosine spans the picture (or a
window of it) whatever its size, so a copy of any size has nearly the same numbers. They are made equally telling by
what the set itself looks like: what all pictures share (a white border, the outline of a shirt) counts for little, what
tells two of them apart counts much.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pellucid.data.pack import Pack
from pellucid.ops.colour import rgb_to_grey

# N pictures, h x w their pixels, F frequencies up and across, D numbers of a descriptor, W windows

FREQUENCIES = 12
PRIOR = 200  # pictures that the assumed look of any picture counts for, beside those of the set
FLOOR = 0.02  # least share of the mean variance that a direction is taken to have
FLAT = 1.0  # amplitude, in grey values of 255, below which there is nothing to compare
CHUNK = 1 << 24  # bytes of grey values at a time
FIT_ON = 20_000


def frequencies(side: int, most: int = FREQUENCIES) -> int:
    """How many frequencies a picture of so many pixels has, at most `most`."""
    return max(1, min(most, side - 1))


def pairs_of(most: int) -> np.ndarray:
    """(D, 2) int64: frequency up and across of each number; without the mean, and none where both are high."""
    return np.array([(up, across) for up in range(most + 1) for across in range(most + 1) if 0 < up + across <= most])


def basis(n: int, most: int, start: float = 0.0, size: float = 1.0) -> Tensor:
    """(most + 1, n) cosines over a window of n pixels in a row, 0 outside it.

    Args:
        start, size: of the window, as shares of the row; it may reach beyond it.
    """
    place = ((torch.arange(n, dtype=torch.float64) + 0.5) / n - start) / size
    inside = ((place >= 0) & (place <= 1)).to(torch.float64)
    waves = torch.cos(torch.pi * torch.arange(most + 1, dtype=torch.float64)[:, None] * place)
    return (waves * inside / inside.sum().clamp(min=1)).float()


def raw(grey: Tensor, windows: Sequence[tuple[float, float, float]] = ((0, 0, 1),), most: int = FREQUENCIES) -> Tensor:
    """(N, W, D) unit vectors of the windows of (N, h, w) grey pictures; zeros where a window is nearly flat.

    Amplitudes are multiplied by their frequency, since those of photographs fall like 1 / frequency (Field 1987).

    Args:
        windows: (top, left, side) of each, as shares of the picture's sides.
    """
    chosen = torch.from_numpy(pairs_of(most))
    weight = chosen.double().norm(dim=1).float()
    height, width = grey.shape[1:]
    found = []
    ups: dict[tuple[float, float], Tensor] = {}
    for top, left, side in windows:
        if (top, side) not in ups:
            ups[top, side] = basis(height, most, top, side) @ grey  # (N, F, w)
        numbers = ups[top, side] @ basis(width, most, left, side).T  # (N, F, F)
        found.append(numbers[:, chosen[:, 0], chosen[:, 1]] * weight)
    vectors = torch.stack(found, dim=1)
    length = vectors.norm(dim=2, keepdim=True)
    return torch.where(length < FLAT, 0.0, vectors / length.clamp(min=FLAT))


def grey_of(pack: Pack, rows: np.ndarray) -> list[Tensor]:
    """Grey values (n, h, w) of some rows; one tensor when no picture of the pack is padded, else one for each."""
    height, width = pack.images.shape[1:3]
    valid = pack.targets["valid_hw"][rows]
    block = torch.from_numpy(np.asarray(pack.images)[rows]).permute(0, 3, 1, 2)
    grey = rgb_to_grey(block)[:, 0].float()
    if (valid == (height, width)).all():
        return [grey]
    return [grey[i : i + 1, : int(valid[i, 0]), : int(valid[i, 1])] for i in range(len(rows))]


def describe(
    pack: Pack, rows: np.ndarray, windows: Sequence[tuple[float, float, float]] = ((0, 0, 1),), most: int = FREQUENCIES
) -> Tensor:
    """(len(rows), W, D) descriptors of the part of each canvas that is picture."""
    step = max(1, CHUNK // (4 * int(np.prod(pack.images.shape[1:3]))))
    parts = [
        raw(grey, windows, most)
        for start in range(0, len(rows), step)
        for grey in grey_of(pack, rows[start : start + step])
    ]
    return torch.cat(parts) if parts else torch.zeros(0, len(windows), len(pairs_of(most)))


@dataclass(frozen=True)
class Whitening:
    """Makes directions equally telling: `(x - mean) @ matrix`, then a unit vector.

    Attributes:
        mean: (D,).
        matrix: (D, D) symmetric.
    """

    mean: Tensor
    matrix: Tensor

    @classmethod
    def fit(cls, vectors: Tensor) -> "Whitening":
        """From (N, D) unit vectors, shrunk towards equal variances as if `PRIOR` more pictures had these."""
        some = vectors[:: max(1, -(-len(vectors) // FIT_ON))].double()
        n, d = some.shape
        mean = some.sum(dim=0) / (n + PRIOR)
        centred = some - mean
        covariance = (centred.T @ centred + PRIOR * torch.eye(d, dtype=torch.float64) / d) / (n + PRIOR)
        values, directions = torch.linalg.eigh(covariance)
        values = values.clamp(min=FLOOR * float(values.mean()))
        return cls(mean.float(), (directions / values.sqrt() @ directions.T).float())

    def __call__(self, vectors: Tensor) -> Tensor:
        """Unit vectors (..., D)."""
        white = (vectors - self.mean) @ self.matrix
        return white / white.norm(dim=-1, keepdim=True).clamp(min=1e-6)


def mirrored(vectors: Tensor, most: int, upside_down: bool = False) -> Tensor:
    """Descriptors (not yet whitened) of the pictures' mirror images: odd cosines change their sign."""
    odd = torch.from_numpy(pairs_of(most)[:, 0 if upside_down else 1] % 2 == 1)
    return torch.where(odd, -vectors, vectors)
