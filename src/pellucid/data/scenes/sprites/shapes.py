"""Plain shapes of no class, which lie about in scenes: discs, rings, bars, crosses, triangles and more."""

from functools import cache

import numpy as np

from pellucid.data.scenes.sprites.cutouts import Sprites

SIDE = 64


@cache
def shapes() -> Sprites:
    """Nine shapes, (9, 64, 64), with label 0."""
    y, x = (2 * each + 1 - SIDE for each in np.mgrid[:SIDE, :SIDE])  # -63..63
    square = x * x + y * y
    inside = np.stack(
        [
            square <= 63**2,  # disc
            (square <= 63**2) & (square >= 35**2),  # ring
            abs(y) <= 15,  # bar
            np.minimum(abs(x), abs(y)) <= 15,  # cross
            2 * abs(x) <= y + 63,  # triangle
            np.maximum(abs(x), abs(y)) <= 49,  # square
            abs(x) + abs(y) <= 63,  # the same on its corner
            (x <= -27) | (y >= 27),  # angle
            (square <= 63**2) & (x * x + (y + 32) ** 2 >= 52**2),  # crescent
        ]
    )
    shade = np.where(inside, 255 - (y + 63), 0).astype(np.uint8)  # darker towards the bottom
    return Sprites(shade, inside.astype(np.uint8) * 255, np.zeros(len(inside), dtype=np.int64))
