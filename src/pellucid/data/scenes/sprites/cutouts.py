"""Cut-outs that scenes are made of, and what they are called. Letters: N sprites of h x w, K classes, P keypoints."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np


@dataclass(frozen=True, eq=False)
class Sprites:
    """N cut-outs.

    Attributes:
        shade: (N, h, w) uint8, how bright each pixel is, to be tinted; or (N, h, w, 3) uint8, its own colours. What is
            not covered counts as black: at soft edges it is the share that is covered.
        coverage: (N, h, w) uint8, 255 inside, 0 outside.
        labels: (N,) int64, class of each in the mask, from 1.
    """

    shade: np.ndarray
    coverage: np.ndarray
    labels: np.ndarray

    @property
    def tintable(self) -> bool:
        """Whether they take a colour; else they have their own."""
        return self.shade.ndim == 3

    @cached_property
    def points(self) -> np.ndarray:
        """(N, 4, 2) int64: column and row of the outermost pixel at the top, right, bottom and left."""
        return outermost(self.coverage)

    @cached_property
    def boxes(self) -> np.ndarray:
        """(N, 4) int64: top, left, bottom, right of what is covered at all; bottom and right exclusive."""
        rows, columns = (np.asarray(self.coverage.any(axis=axis)) for axis in (2, 1))
        height, width = self.coverage.shape[1:]
        ends = height - rows[:, ::-1].argmax(axis=1), width - columns[:, ::-1].argmax(axis=1)
        return np.stack([rows.argmax(axis=1), columns.argmax(axis=1), *ends], axis=1)

    def take(self, rows: slice | np.ndarray) -> "Sprites":
        """Only these sprites."""
        return Sprites(self.shade[rows], self.coverage[rows], self.labels[rows])


@dataclass(frozen=True)
class Catalogue:
    """A kind of sprite.

    Attributes:
        classes: K names in English.
        chinese: K names in Chinese; the English ones where none are known.
        sprites: role ("train", "val" or "test") -> what scenes of that split may show.
        licence: of the drawings.
        origin: where the drawings are from.
        shared: whether the splits show the same drawings.
    """

    classes: tuple[str, ...]
    chinese: tuple[str, ...]
    sprites: Callable[[str], Sprites] = field(repr=False)
    licence: str
    origin: str
    shared: bool


@lru_cache(maxsize=128)
def words(sprites: Sprites, row: int, halvings: int) -> np.ndarray:
    """One sprite with four planes of 16 bits in a 64-bit word, so that all are interpolated at once.

    Planes, from the lowest bits: shade, 0, 0, coverage; or red, green, blue, coverage. Around it lies a border of
    one empty pixel. (h + 2, w + 2) uint64, where h, w is the sprite's box, or half of it as often as asked for.
    """
    top, left, bottom, right = sprites.boxes[row].tolist()
    shade, coverage = (plane[row, top:bottom, left:right] for plane in (sprites.shade, sprites.coverage))
    planes = [shade] if sprites.tintable else [shade[..., channel] for channel in range(3)]
    for _ in range(halvings):
        planes, coverage = [_half(plane) for plane in planes], _half(coverage)
    packed = np.zeros((coverage.shape[0] + 2, coverage.shape[1] + 2), dtype=np.uint64)
    for shift, plane in [*zip((0, 16, 32), planes, strict=False), (48, coverage)]:
        packed[1:-1, 1:-1] |= plane.astype(np.uint64) << np.uint64(shift)
    packed.flags.writeable = False
    return packed


def _half(plane: np.ndarray) -> np.ndarray:
    """The mean of every two by two pixels; what is missing at the border counts as empty."""
    height, width = plane.shape
    wide = np.zeros((height + height % 2, width + width % 2), dtype=np.uint16)
    wide[:height, :width] = plane
    return ((wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2] + 2) >> 2).astype(np.uint8)


def outermost(coverage: np.ndarray) -> np.ndarray:
    """Top, right, bottom and left pixel of silhouettes (N, h, w), as (N, 4, 2) int64: column, row.

    Of several pixels that are equally far out the middle one; what covers no pixel by half counts with all it covers.
    """
    inside = coverage >= 128
    inside |= (coverage > 0) & ~inside.any(axis=(1, 2), keepdims=True)
    count, height, width = inside.shape
    rows, columns = (np.asarray(inside.any(axis=axis)) for axis in (2, 1))
    each = np.arange(count)
    top, left = rows.argmax(axis=1), columns.argmax(axis=1)
    bottom, right = height - 1 - rows[:, ::-1].argmax(axis=1), width - 1 - columns[:, ::-1].argmax(axis=1)
    points = (
        (_middle(inside[each, top]), top),
        (right, _middle(inside[each, :, right])),
        (_middle(inside[each, bottom]), bottom),
        (left, _middle(inside[each, :, left])),
    )
    return np.stack([np.stack(point, axis=1) for point in points], axis=1)


def _middle(lines: np.ndarray) -> np.ndarray:
    """Of the pixels set in each line (N, n) bool, the place of the middle one, (N,)."""
    counted = lines.cumsum(axis=1)
    return (counted >= counted[:, -1:] // 2 + 1).argmax(axis=1)
