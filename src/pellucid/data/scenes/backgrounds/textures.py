"""Made-up textures, in whole numbers. Letters: H, W the texture."""

import numpy as np

from pellucid.data.scenes.dice import Draws
from pellucid.data.scenes.drawing.resize import resize


def texture(rng: Draws, height: int, width: int, contrast: int = 100) -> np.ndarray:
    """A background (H, W, 3) uint8: two colours, mixed by a field that is drawn at random, with some noise.

    Args:
        contrast: by how much of 255 the two may differ in each channel.
    """
    field = (_noise, _gradient, _blobs, _stripes)[rng.integers(4)](rng, height, width)
    first = rng.integers(256, size=3)
    second = np.clip(first + rng.integers(-contrast, contrast + 1, size=3), 0, 255)
    ramp = first + (second - first) * np.arange(256)[:, None] // 255  # (256, 3)
    grain = int(rng.integers(1, 16))
    noise = rng.integers(-grain, grain + 1, size=(height, width), dtype=np.int16)
    mixed = ramp.astype(np.int16).take(field, axis=0).reshape(height, 3 * width)  # long rows are faster than threes
    mixed += noise.repeat(3, axis=1)
    return np.clip(mixed, 0, 255, out=mixed).astype(np.uint8).reshape(height, width, 3)


def _noise(rng: Draws, height: int, width: int) -> np.ndarray:
    """Soft noise of three sizes, (H, W) in 0..255, halved from one to the next."""
    coarse, middle, fine = (
        resize(rng.integers(256, size=(cells, cells), dtype=np.int32), height, width) for cells in (4, 8, 16)
    )
    return (4 * coarse + 2 * middle + fine) // 7


def _blobs(rng: Draws, height: int, width: int) -> np.ndarray:
    """Soft noise cut at the middle: islands, (H, W) in 0..255."""
    cells = int(rng.integers(4, 9))
    noise = resize(rng.integers(256, size=(cells, cells), dtype=np.int32), height, width)
    return np.clip((noise - 128) * 8 + 128, 0, 255)


def _gradient(rng: Draws, height: int, width: int) -> np.ndarray:
    """A ramp in a random direction, (H, W) in 0..255."""
    ramp = _ramp(rng, height, width)
    ramp = ramp - ramp.min()
    return ramp * 255 // max(int(ramp.max()), 1)


def _stripes(rng: Draws, height: int, width: int) -> np.ndarray:
    """Stripes in a random direction, hard or soft, (H, W) in 0..255."""
    period = int(rng.integers(max(3, min(height, width) // 12), max(4, min(height, width) // 3)))
    phase = _ramp(rng, height, width) // 4 % (2 * period)
    wave = np.abs(phase - period) * 255 // period
    return wave if rng.integers(2) else (wave > 127) * 255


def _ramp(rng: Draws, height: int, width: int) -> np.ndarray:
    """Distance along a random direction, in about a quarter of a pixel, (H, W) int32."""
    down, right = ((4, 0), (4, 2), (3, 3), (2, 4), (0, 4), (2, -4), (3, -3), (4, -2))[rng.integers(8)]
    return down * np.arange(height, dtype=np.int32)[:, None] + right * np.arange(width, dtype=np.int32)
