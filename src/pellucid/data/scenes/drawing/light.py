"""Light on a whole picture, and soft shadows in it. Letters: H, W the picture, h, w a cut-out."""

import numpy as np

from pellucid.data.scenes.drawing.paste import windows
from pellucid.data.scenes.drawing.resize import resize

FULL = 128  # a gain of one


def shine(image: np.ndarray, gain: np.ndarray, slope: tuple[int, int]) -> np.ndarray:
    """The picture in another light, which grows or fades evenly from one side to the other.

    Args:
        image: (H, W, 3) uint8.
        gain: (3,) of each channel in the middle, in 1/128, 0..255.
        slope: how much more light there is at the bottom, and at the right, than in the middle, in 1/128; the sizes
            of both together at most 127.
    """
    height, width = image.shape[:2]
    down = slope[0] * (2 * np.arange(height, dtype=np.int32) + 1 - height)[:, None] // height
    across = slope[1] * (2 * np.arange(width, dtype=np.int32) + 1 - width) // width
    level = (FULL + down + across).astype(np.uint16).repeat(3, axis=1)  # (H, 3 W): long rows are faster than threes
    level *= np.tile(gain.astype(np.uint16), width)
    level >>= 7
    np.clip(level, 0, 255, out=level)  # so that 16 bits hold the product; clip is faster than minimum
    level *= image.reshape(level.shape)
    level >>= 7
    return np.clip(level, 0, 255, out=level).astype(np.uint8).reshape(image.shape)


def darken(image: np.ndarray, coverage: np.ndarray, top: int, left: int, strength: int, softness: int) -> None:
    """Lay the soft shadow of a cut-out on a picture, in place.

    Args:
        image: (H, W, 3) uint8.
        coverage: (h, w) uint8.
        top, left: where the shadow of the cut-out's first pixel falls.
        strength: how much of 256 is taken away in the middle of the shadow, 0..256.
        softness: pixels over which the shadow fades; at least 1.
    """
    blurred = _blurred(coverage, softness)
    there, here = windows(image.shape, blurred.shape, top - softness, left - softness)
    if there is None:
        return
    dark = (256 - (blurred[here] * strength >> 8)).astype(np.uint16).repeat(3, axis=1)
    under = image[there]
    dark *= under.reshape(dark.shape)
    dark >>= 8
    image[there] = dark.reshape(under.shape)


def _blurred(coverage: np.ndarray, softness: int) -> np.ndarray:
    """Means of squares, resized back: smooth and cheap. Larger by `softness` on every side. int32."""
    height, width = (side + 2 * softness for side in coverage.shape)
    rows, columns = -(-height // softness), -(-width // softness)
    wide = np.zeros((rows * softness, columns * softness), dtype=np.uint8)
    wide[softness : softness + coverage.shape[0], softness : softness + coverage.shape[1]] = coverage
    strips = np.add.reduceat(wide, np.arange(0, len(wide), softness), axis=0, dtype=np.int32)
    cells = np.add.reduceat(strips, np.arange(0, wide.shape[1], softness), axis=1) // softness**2
    return resize(cells.astype(np.uint8), *wide.shape)[:height, :width]
