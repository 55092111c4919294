"""K colours that can be told apart, the same ones every time."""

from functools import cache

import numpy as np

# Okabe and Ito, "Color universal design", 2008: distinguishable with the common kinds of colour blindness.
FIRST = ("0072b2", "e69f00", "009e73", "cc79a7", "56b4e9", "d55e00", "f0e442", "666666")
LEVELS = 14  # of each of red, green and blue among which later colours are sought

# sRGB -> cone responses -> OKLab (Björn Ottosson, "A perceptual color space for image processing", 2020).
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


@cache
def palette(n: int) -> np.ndarray:
    """The first `n` colours, (n, 3) uint8 RGB, read-only; `palette(n)[:m]` equals `palette(m)`.

    Eight colours that the colour-blind can tell apart come first. Each later one is the colour farthest
    from all before it, measured in OKLab, among those neither nearly black nor nearly white. After 256
    colours they repeat.
    """
    first = np.array([list(bytes.fromhex(colour)) for colour in FIRST], dtype=np.uint8)
    colours = first[:n] if n <= len(first) else np.resize(_extended(), (n, 3))
    colours.setflags(write=False)  # the cache hands the same array to everyone
    return colours


def oklab(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) sRGB in 0..255 -> (..., 3) OKLab: lightness in 0..1 and two colour axes around 0."""
    s = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ TO_CONES.T) @ TO_LAB.T


@cache
def _extended() -> np.ndarray:
    """(256, 3) uint8: the first colours, then greedily the farthest from all chosen."""
    first = palette(len(FIRST))
    levels = np.linspace(0, 255, LEVELS).round().astype(np.uint8)
    pool = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = oklab(pool)
    seen = (lab[:, 0] > 0.4) & (lab[:, 0] < 0.92)
    pool, lab = pool[seen], lab[seen]
    nearest = np.min(((lab[:, None] - oklab(first)[None]) ** 2).sum(-1), axis=1)
    chosen = list(first)
    for _ in range(256 - len(first)):
        k = int(nearest.argmax())  # the first of equals, so the same on every machine
        chosen.append(pool[k])
        nearest = np.minimum(nearest, ((lab - lab[k]) ** 2).sum(-1))
    return np.array(chosen, dtype=np.uint8)
