"""What a scene is a lesson for: every label follows from one map, in which each pixel has the number of its thing.

A thing of which no pixel is seen has no label of any kind. Letters: H, W the scene, M things that are seen, K classes.
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.data.objects import Objects
from pellucid.data.scenes.scene import KEYPOINTS, Scene
from pellucid.ops.masks.rle import encode_each

FOREGROUND, BACKGROUND = 1, 2  # as lecture notes and some data sets code the two


def seen(scene: Scene) -> np.ndarray:
    """(M,) int64: which of `scene.things` have a pixel in the picture, from the back to the front."""
    return np.flatnonzero(pixels(scene))


def pixels(scene: Scene) -> np.ndarray:
    """How many pixels are seen of each of `scene.things`, int64."""
    return np.bincount(scene.instances.ravel(), minlength=len(scene.things) + 1)[1:]


def class_label(scene: Scene) -> int:
    """Class 0..K-1 of the thing of which most is seen; of equals, the one further back.

    Raises:
        DataError: nothing is seen.
    """
    areas = pixels(scene)
    if not areas.any():
        raise DataError("There is nothing to be seen in this scene, so the picture has no class.")
    return scene.things[int(areas.argmax())].label


def class_counts(scene: Scene, n_classes: int) -> np.ndarray:
    """How many things of each class are seen: (K,) int64."""
    return np.bincount([scene.things[i].label for i in seen(scene)], minlength=n_classes).astype(np.int64)


def semantic_mask(scene: Scene) -> np.ndarray:
    """The class of each pixel plus 1; 0 is background. (H, W) uint8."""
    return np.array([0, *(thing.label + 1 for thing in scene.things)], dtype=np.uint8)[scene.instances]


def foreground_mask(scene: Scene) -> np.ndarray:
    """1 where a thing is seen, 2 where none is. (H, W) uint8."""
    return np.where(scene.instances > 0, FOREGROUND, BACKGROUND).astype(np.uint8)


def instance_ids(scene: Scene) -> np.ndarray:
    """(H, W) uint8: 0 is background, i shows thing i of `objects(scene)`, counted from 1 without gaps."""
    numbers = np.zeros(len(scene.things) + 1, dtype=np.uint8)
    shown = seen(scene)
    numbers[shown + 1] = np.arange(1, len(shown) + 1)
    return numbers[scene.instances]


def objects(scene: Scene, first: int = 0) -> Objects:
    """The M things that are seen, from the back to the front: box around what is seen, class, mask, keypoints.

    `area` is that of the mask. Keypoints of a thing may lie outside of its box: what is hidden still is somewhere.

    Args:
        first: number of the first class; 1 where the names of the set begin with the background.
    """
    shown = seen(scene)
    if not len(shown):
        return Objects.empty(len(KEYPOINTS), has_masks=True)
    things, codes = [scene.things[i] for i in shown], encode_each(scene.instances, len(scene.things))
    masks = [codes[i] for i in shown]
    return Objects(
        boxes_xyxy=np.array([mask.box_xyxy for mask in masks], dtype=np.float32),
        labels=np.array([thing.label + first for thing in things], dtype=np.int64),
        masks=masks,
        keypoints=np.stack([thing.keypoints for thing in things]),
    )
