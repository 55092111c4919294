"""Colour for cut-outs, and laying them onto a picture. Letters: H, W the picture, h, w the cut-out."""

from functools import cache

import numpy as np

DARKEST = 80  # of 255: how bright the darkest cloth is drawn
Window = tuple[slice, slice]


def tint(shade: np.ndarray, coverage: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Cloth of one colour: (h, w, 3) uint16 in 0..255.

    Args:
        shade, coverage: (h, w) in 0..255; at soft edges the shade is that of the part that is covered.
        colour: (3,) RGB of the brightest cloth.
    """
    ramp = DARKEST + (255 - DARKEST) * np.arange(256, dtype=np.int32) // 255  # brightness -> brightness drawn
    colours = (ramp[:, None] * colour.astype(np.int32) // 255).astype(np.uint16)  # (256, 3)
    return colours.take(undimmed(shade, coverage), axis=0)  # (h, w, 3)


def undimmed(shade: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """How bright the covered part of each pixel is: uint8, of the shape of `shade`.

    Args:
        shade: 0..255, dimmed where only a part is covered.
        coverage: 0..255, of a shape that fits.
    """
    return _quotients().take((coverage.astype(np.int32) << 8) + shade)


@cache
def _quotients() -> np.ndarray:
    """min(255, shade * 255 / coverage), rounded down, for all 256 x 256 pairs; a table is faster than to divide."""
    coverage, shade = np.arange(256)[:, None], np.arange(256)
    return np.minimum(shade * 255 // np.maximum(coverage, 1), 255).astype(np.uint8).ravel()


def paste(
    image: np.ndarray, mask: np.ndarray, colour: np.ndarray, coverage: np.ndarray, label: int, top: int, left: int
) -> None:
    """Lay a cut-out onto a scene, in place; what reaches over the border is cut off.

    Args:
        image, mask: (H, W, 3) and (H, W) uint8.
        colour, coverage: (h, w, 3) and (h, w), 0..255.
        label: written to the mask where coverage is above one half (128 and more).
        top, left: where the cut-out's first pixel lies; may be negative.
    """
    there, here = windows(mask.shape, coverage.shape, top, left)
    if there is None:
        return
    coverage = coverage[here]
    weight = coverage.astype(np.uint16).repeat(3, axis=1)  # (h, 3 w): long rows are faster than threes
    weight += weight >> 7  # 0..256, so that a shift divides
    blend = colour[here].astype(np.uint16).reshape(weight.shape)
    blend *= weight
    np.subtract(256, weight, out=weight)
    weight *= image[there].reshape(weight.shape)  # 255 * 256 + 128 is the most that 16 bits are asked to hold
    blend += weight
    blend += 128
    blend >>= 8
    image[there] = blend.reshape(*coverage.shape, 3)
    mask[there][coverage >= 128] = label


def beneath(mask: np.ndarray, coverage: np.ndarray, top: int, left: int) -> tuple[int, ...]:
    """What a cut-out would hide: the numbers from 1 on that `paste` would overwrite, less 1, rising."""
    there, here = windows(mask.shape, coverage.shape, top, left)
    if there is None or not mask[there].any():
        return ()
    counts = np.bincount(mask[there][coverage[here] >= 128])
    return tuple((np.flatnonzero(counts[1:])).tolist())


def windows(picture: tuple[int, ...], cutout: tuple[int, ...], top: int, left: int) -> tuple[Window | None, Window]:
    """Where a cut-out lies on the picture, and which part of it that is; None where it lies outside."""
    rows = slice(max(0, top), min(picture[0], top + cutout[0]))
    columns = slice(max(0, left), min(picture[1], left + cutout[1]))
    here = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    return (None if rows.start >= rows.stop or columns.start >= columns.stop else (rows, columns)), here
