"""Pictures that one piece of clothing fills, on a texture and in no further circumstances."""

from collections.abc import Callable

import numpy as np

from pellucid.data.scenes.backgrounds.textures import texture
from pellucid.data.scenes.drawing.paste import paste, tint
from pellucid.data.scenes.drawing.resize import resize
from pellucid.data.scenes.sprites.cutouts import Sprites


def make_crop(
    rng: np.random.Generator,
    sprites: Sprites,
    size: int,
    colour: Callable[[np.random.Generator, int], np.ndarray] | None = None,
) -> tuple[np.ndarray, int]:
    """One piece of clothing that fills most of a picture, and what it is: image (size, size, 3) uint8, label from 1.

    Args:
        colour: the generator and the label -> RGB (3,) of the brightest cloth, 0..255; None draws any.
    """
    image, mask = texture(rng, size, size), np.zeros((size, size), dtype=np.uint8)
    row = rng.integers(len(sprites.labels))
    label = int(sprites.labels[row])
    side = int(rng.integers(size * 7 // 10, size + 1))
    top, left = (int(place) for place in rng.integers(0, size - side + 1, 2))
    both = np.stack([sprites.shade[row], sprites.coverage[row]])  # (2, h, w)
    shade, coverage = resize(both[:, :, :: 1 - 2 * int(rng.integers(2))], side, side)
    rgb = rng.integers(30, 256, 3) if colour is None else colour(rng, label)
    paste(image, mask, tint(shade, coverage, rgb), coverage, label, top, left)
    return image, label
