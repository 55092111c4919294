"""One generated scene: its pixels, and of every pixel which thing it shows. All labels follow from these.

Letters: H, W the scene, M its things, P keypoints of a thing.
"""

from dataclasses import dataclass

import numpy as np

KEYPOINTS = ("top", "right", "bottom", "left")  # the outermost points of a thing that stands upright
HIDDEN, VISIBLE = 1, 2  # how a keypoint is marked, as COCO does; 0 is outside of the picture


@dataclass(frozen=True)
class Thing:
    """One thing in a scene.

    Attributes:
        label: class 0..K-1, background not counted.
        colour: name of its colour in English, one of `COLOURS`; "" where it keeps its own.
        keypoints: (P, 3) float32: x, y in pixels of the scene, where pixel i covers [i, i + 1], and visibility.
        area: pixels that it would cover, were nothing in front of it and the picture larger.
        covers: rows of `things` that are partly or wholly hidden by it: of each at least one pixel that was seen
            until it was drawn.
    """

    label: int
    colour: str
    keypoints: np.ndarray
    area: int
    covers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scene:
    """A picture and what is where in it.

    Attributes:
        image: (H, W, 3) uint8.
        instances: (H, W) uint8: 0 is background, i the pixels in which `things[i - 1]` is seen.
        things: from the one at the back to the one in front; one that is hidden altogether keeps its number.
    """

    image: np.ndarray
    instances: np.ndarray
    things: tuple[Thing, ...]
