"""The things of many pictures as a few long arrays, as files of arrays hold them.

Letters: N pictures, T things in all, R runs of their masks in all, P keypoints of a thing.
"""

from collections.abc import Sequence

import numpy as np

from pellucid.data.objects import Objects, ObjectsOnDemand
from pellucid.ops.masks.rle import Rle

PREFIX = "things_"


def flatten(objects: Sequence[Objects]) -> dict[str, np.ndarray]:
    """Arrays that say all of N pictures' things, under names that begin with `things_`.

    How many keypoints the things of a picture without any would have is kept where all other pictures have as many.
    """
    masks = [mask for things in objects for mask in things.masks or ()]
    points = [things.keypoints for things in objects if things.keypoints is not None]
    p = max((each.shape[1] for each in points), default=0)
    arrays = {
        "count": np.array([len(things) for things in objects], dtype=np.int64),
        "boxes_xyxy": _joined([things.boxes_xyxy for things in objects], (4,), np.float32),
        "labels": _joined([things.labels for things in objects], (), np.int64),
        "is_crowd": _joined([things.is_crowd for things in objects], (), np.bool_),
        "area": _joined([things.area for things in objects], (), np.float32),
        "has_masks": np.array([things.masks is not None for things in objects], dtype=np.bool_),
        "mask_hw": np.array([(mask.height, mask.width) for mask in masks], dtype=np.int64).reshape(-1, 2),
        "n_runs": np.array([len(mask.counts) for mask in masks], dtype=np.int64),
        "runs": _joined([mask.counts for mask in masks], (), np.int64).astype(np.int32),
        "n_keypoints": np.array([-1 if o.keypoints is None else o.keypoints.shape[1] for o in objects], dtype=np.int64),
        "keypoints": _joined(
            [np.pad(each, ((0, 0), (0, p - each.shape[1]), (0, 0))) for each in points], (p, 3), np.float32
        ),
    }
    return {PREFIX + name: values for name, values in arrays.items()}


def unflatten(arrays: dict[str, np.ndarray]) -> ObjectsOnDemand:
    """The inverse of `flatten`; the things of a picture are put together when they are asked for."""
    mine = {name.removeprefix(PREFIX): values for name, values in arrays.items() if name.startswith(PREFIX)}
    count = mine["count"]
    has_masks, has_points = mine["has_masks"], mine["n_keypoints"] >= 0
    first, first_mask, first_point = (_begin(count * counted) for counted in (1, has_masks, has_points))
    first_run = _begin(mine["n_runs"])

    def mask(i: int) -> Rle:
        height, width = mine["mask_hw"][i].tolist()
        return Rle(height, width, mine["runs"][first_run[i] : first_run[i + 1]])

    def make(row: int) -> Objects:
        part = slice(first[row], first[row + 1])
        keypoints = None
        if has_points[row]:
            keypoints = mine["keypoints"][first_point[row] : first_point[row + 1], : mine["n_keypoints"][row]]
        return Objects(
            mine["boxes_xyxy"][part],
            mine["labels"][part],
            tuple(mask(i) for i in range(first_mask[row], first_mask[row + 1])) if has_masks[row] else None,
            keypoints,
            mine["is_crowd"][part],
            mine["area"][part],
        )

    return ObjectsOnDemand(make, np.arange(len(count)))


def _joined(parts: Sequence[np.ndarray | None], shape: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.concatenate([np.zeros((0, *shape), dtype), *(part for part in parts if part is not None)]).astype(dtype)


def _begin(counts: np.ndarray) -> np.ndarray:
    """(N + 1,) where each part begins, and the end."""
    return np.concatenate([[0], np.cumsum(counts)])
