"""A sprite enlarged, mirrored and turned, all in one resampling. Letters: h, w the sprite, H, W what is drawn.

Four planes of 16 bits lie in each 64-bit word (see `cutouts.words`), so one multiplication weighs all four.
"""

import math
from dataclasses import dataclass

import numpy as np

from pellucid.data.scenes.drawing.paste import undimmed
from pellucid.data.scenes.sprites.cutouts import Sprites, words

ONE = 1 << 16  # fixed point
# Rounded to 1/65536, so that no two mathematical libraries differ.
SINES = tuple(round(ONE * math.sin(math.radians(degrees))) for degrees in range(360))
LOW_BYTES = np.uint64(0x00FF00FF00FF00FF)
HALVES = np.uint64(0x0080008000800080)
EIGHT = np.uint64(8)


@dataclass(frozen=True)
class Turned:
    """A sprite as it will be pasted.

    Attributes:
        shade: (H, W) to be tinted, dimmed at soft edges; or (H, W, 3), its own colours, not dimmed. uint8.
        coverage: (H, W) uint8.
        points: where its top, right, bottom and left went: x, y from the patch's corner in 1/65536 pixel.
    """

    shade: np.ndarray
    coverage: np.ndarray
    points: list[tuple[int, int]]


def turn(sprites: Sprites, row: int, side: int, degrees: int = 0, mirrored: bool = False) -> Turned:
    """Draw sprite `row` with the longer side of its box `side` pixels long, mirrored first and turned clockwise then.

    Args:
        side: at least 1.
        degrees: any whole number.
    """
    top, left, bottom, right = sprites.boxes[row].tolist()
    height, width = bottom - top, right - left
    longer, halvings = max(height, width), 0
    while longer >> (halvings + 1) >= side:  # bilinear sampling sees all pixels down to half the size
        halvings += 1
    packed = words(sprites, row, halvings)
    across, down, patch = _grid((height, width), halvings, side, degrees % 360, mirrored)
    mixed = _sample(packed, across, down)
    planes = mixed.astype("<u8", copy=False).view(np.uint8).reshape(*patch, 8)
    coverage = np.ascontiguousarray(planes[:, :, 6])
    if sprites.tintable:
        shade = np.ascontiguousarray(planes[:, :, 0])
    else:
        dimmed = planes[:, :, 0:6:2].reshape(patch[0], 3 * patch[1])  # long rows are faster than threes
        shade = undimmed(dimmed, coverage.repeat(3, axis=1)).reshape(*patch, 3)
    points = [(x - left, y - top) for x, y in sprites.points[row].tolist()]
    points = _moved(points, (height, width), side, degrees % 360, mirrored, patch)
    return Turned(shade, coverage, points)


def _grid(
    frame: tuple[int, int], halvings: int, side: int, degrees: int, mirrored: bool
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """For each pixel drawn its column and row in the bordered sprite, in 1/256, each (H, W) int32; and (H, W).

    Args:
        frame: (h, w) of the sprite before it was halved.
    """
    sine, cosine = SINES[degrees], SINES[(degrees + 90) % 360]
    tall, wide = frame
    patch = tuple(
        (abs(cosine) * side * along + abs(sine) * side * other) // max(frame) // ONE + 2
        for along, other in ((tall, wide), (wide, tall))
    )
    height, width = -(-tall >> halvings), -(-wide >> halvings)  # rounded up at every step
    step = (max(frame) * ONE >> halvings) // side  # sprite pixels per pixel drawn
    right = 2 * np.arange(patch[1], dtype=np.int32) + 1 - patch[1]  # from the middle, in half pixels
    below = (2 * np.arange(patch[0], dtype=np.int32) + 1 - patch[0])[:, None]
    along, aside = cosine * step // ONE, sine * step // ONE
    # Half a pixel back, since a pixel's value stands at its centre; one on, because of the border.
    across = along * right + (aside * below + (wide * ONE >> halvings) + ONE)
    down = -aside * right + (along * below + (tall * ONE >> halvings) + ONE)
    across >>= 9
    down >>= 9
    if mirrored:
        np.subtract(256 * (width + 1), across, out=across)
    np.clip(across, 0, 256 * (width + 1) - 1, out=across)
    np.clip(down, 0, 256 * (height + 1) - 1, out=down)
    return across, down, (patch[0], patch[1])


def _sample(packed: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Bilinear mean of the four words around each place, (H, W) uint64."""
    stride = packed.shape[1]
    first = (down >> 8) * stride + (across >> 8)
    right, below = (across & 255).astype(np.uint64), (down & 255).astype(np.uint64)
    left, above = np.uint64(256) - right, np.uint64(256) - below

    def row(start: np.ndarray) -> np.ndarray:
        mixed = packed.take(start)
        mixed *= left
        second = packed.take(start + 1)
        second *= right
        mixed += second
        mixed += HALVES  # at most 255 * 256 + 128 in each plane: nothing is carried into the next
        mixed >>= EIGHT
        mixed &= LOW_BYTES
        return mixed

    mixed, second = row(first), row(first + stride)
    mixed *= above
    second *= below
    mixed += second
    mixed += HALVES
    mixed >>= EIGHT
    mixed &= LOW_BYTES
    return mixed


def _moved(
    points: list[tuple[int, int]],
    frame: tuple[int, int],
    side: int,
    degrees: int,
    mirrored: bool,
    patch: tuple[int, int],
) -> list[tuple[int, int]]:
    """Where the outermost pixels of a sprite are drawn: x, y in 1/65536 pixel. Without NumPy: they are but four.

    The names hold for the thing as it stands upright: what a mirror brings to the right is its right.
    """
    height, width = frame
    if mirrored:
        points = [(width - 1 - x, y) for x, y in (points[0], points[3], points[2], points[1])]
    scale = side * ONE // max(frame)  # pixels drawn per sprite pixel
    sine, cosine = SINES[degrees], SINES[(degrees + 90) % 360]
    moved = []
    for column, row in points:
        # Twice the distance of the pixel's centre from the middle.
        x, y = (2 * column + 1 - width) * scale, (2 * row + 1 - height) * scale
        moved.append(
            (
                (cosine * x - sine * y) // (2 * ONE) + patch[1] * ONE // 2,
                (sine * x + cosine * y) // (2 * ONE) + patch[0] * ONE // 2,
            )
        )
    return moved
