"""The things in one picture: boxes, classes, masks and keypoints of each. Letters: M things, P keypoints, H, W."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.ops.masks.rle import Rle, decode, encode, from_coco, to_coco


@dataclass(frozen=True, eq=False)
class Objects:
    """M things of one picture, in any order; the arrays are read-only.

    Attributes:
        boxes_xyxy: (M, 4) float32: left, top, right, bottom in pixels of the picture, where pixel i covers [i, i + 1];
            so a box around pixels 2..4 reaches from 2 to 5. May reach over the border.
        labels: (M,) int64, class of each, an index into the names of the data set.
        masks: M run-length codes of one size, or None. An array (M, H, W) is encoded; `dense` gives it back.
        keypoints: (M, P, 3) float32: x, y as in boxes, and 0 = not marked, 1 = hidden, 2 = seen; or None.
        is_crowd: (M,) bool: a group of things that were not told apart, which no measure counts; all False if None.
        area: (M,) float32 in pixels: by which measures sort things into small and large; where None, pixels of the
            masks, without these of the boxes.

    Raises:
        DataError: a shape does not fit, or a box, class, mask or mark is none.
    """

    boxes_xyxy: np.ndarray
    labels: np.ndarray
    masks: Sequence[Rle] | np.ndarray | None = None
    keypoints: np.ndarray | None = None
    is_crowd: np.ndarray | None = None
    area: np.ndarray | None = None

    def __post_init__(self) -> None:
        m = len(self.boxes_xyxy)
        boxes = _numbers(self.boxes_xyxy, "boxes_xyxy") if m else np.zeros((0, 4), dtype=np.float32)
        require_shape(boxes, "M four", "boxes_xyxy", four=4)
        is_box = np.isfinite(boxes).all(axis=1) & (boxes[:, :2] < boxes[:, 2:]).all(axis=1)
        if not is_box.all():
            i = int(np.argmin(is_box))
            raise DataError(
                f"Box {i} is {boxes[i].tolist()}: it must be left, top, right, bottom with left < right, top < bottom."
            )
        labels = np.asarray(self.labels)
        require_shape(labels, "M", "labels", M=m)
        if m and (labels.dtype.kind not in "iu" or labels.min() < 0):
            raise DataError(f"Classes of things are whole numbers from 0, got {labels.dtype} {labels.min()}.")
        codes = _as_codes(self.masks, m)
        crowd = np.zeros(m, dtype=bool) if self.is_crowd is None else np.array(self.is_crowd, dtype=bool)
        require_shape(crowd, "M", "is_crowd", M=m)
        values = {
            "boxes_xyxy": boxes,
            "labels": labels.astype(np.int64),
            "masks": codes,
            "keypoints": _as_keypoints(self.keypoints, m),
            "is_crowd": crowd,
            "area": _as_area(self.area, boxes, codes),
        }
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.boxes_xyxy)

    def __eq__(self, other: object) -> bool:
        """Whether both say the same of as many things in the same order."""
        if not isinstance(other, Objects):
            return NotImplemented
        return all(
            np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
            for mine, theirs in ((value, getattr(other, name)) for name, value in self.__dict__.items())
        )

    __hash__ = None  # type: ignore[assignment]  # compared by content, and arrays have no hash

    @classmethod
    def empty(cls, n_keypoints: int = 0, has_masks: bool = False) -> "Objects":
        """A picture in which there is nothing."""
        keypoints = np.zeros((0, n_keypoints, 3), dtype=np.float32) if n_keypoints else None
        return cls(np.zeros((0, 4)), np.zeros(0, dtype=np.int64), () if has_masks else None, keypoints)

    @classmethod
    def from_masks(cls, masks: Sequence[Rle] | np.ndarray, labels: np.ndarray) -> "Objects":
        """Things with the tightest boxes around their masks.

        Raises:
            DataError: a mask is empty, so that there is no box.
        """
        codes = _as_codes(masks, len(labels)) or ()
        nothing = [i for i, code in enumerate(codes) if not code.area]
        if nothing:
            raise DataError(f"Mask {nothing[0]} is empty, so there is no box around it: leave that thing out.")
        return cls(np.array([code.box_xyxy for code in codes]).reshape(-1, 4), labels, codes)

    def take(self, rows: np.ndarray | Sequence[int]) -> "Objects":
        """Only these things, in this order; `rows` are numbers or M times True or False."""
        picked = np.arange(len(self))[np.asarray(rows, dtype=None if len(rows) else np.int64)]
        masks = None if self.masks is None else tuple(self.masks[row] for row in picked.tolist())
        keypoints = None if self.keypoints is None else self.keypoints[picked]
        assert self.is_crowd is not None and self.area is not None  # filled in above
        return Objects(
            self.boxes_xyxy[picked], self.labels[picked], masks, keypoints, self.is_crowd[picked], self.area[picked]
        )

    def dense(self) -> np.ndarray:
        """The masks as (M, H, W) bool, decoded now.

        Raises:
            DataError: there are none.
        """
        if not self.masks:
            raise DataError("These things have no masks." if self.masks is None else "There is no thing to have masks.")
        return np.stack([decode(code) for code in self.masks])

    def as_dict(self) -> dict[str, Any]:
        """The same in words and numbers, for JSON."""
        assert self.is_crowd is not None and self.area is not None  # filled in above
        return {
            "boxes_xyxy": self.boxes_xyxy.tolist(),
            "labels": self.labels.tolist(),
            "masks": None if self.masks is None else [to_coco(code) for code in self.masks],
            "keypoints": None if self.keypoints is None else self.keypoints.tolist(),
            "is_crowd": self.is_crowd.tolist(),
            "area": self.area.tolist(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Objects":
        """What `as_dict` gave; where there is no thing, how many keypoints one would have is not kept.

        Raises:
            DataError: a field is missing or of another form.
        """
        try:
            masks, keypoints = content.get("masks"), content.get("keypoints")
            if keypoints is not None:
                keypoints = np.array(keypoints, dtype=np.float32).reshape(len(keypoints), -1 if keypoints else 0, 3)
            return cls(
                np.array(content["boxes_xyxy"], dtype=np.float32).reshape(-1, 4),
                np.array(content["labels"], dtype=np.int64),
                None if masks is None else tuple(from_coco(mask) for mask in masks),
                keypoints,
                content.get("is_crowd"),
                content.get("area"),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"Things of a picture are boxes_xyxy and labels at least, got an error: {error}.") from None


class ObjectsOnDemand(Sequence[Objects]):
    """The things of N pictures, made anew whenever they are asked for: nobody pays for what is not looked at.

    Args:
        make: the number of a picture -> its things, whose classes are right.
        rows: (N,) the numbers of the pictures.
    """

    def __init__(self, make: Callable[[int], Objects], rows: np.ndarray) -> None:
        self._make, self._rows = make, np.asarray(rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Objects: ...
    @overload
    def __getitem__(self, place: slice) -> "ObjectsOnDemand": ...
    def __getitem__(self, place: int | slice) -> "Objects | ObjectsOnDemand":
        if isinstance(place, slice):
            return ObjectsOnDemand(self._make, self._rows[place])
        return self._make(int(self._rows[place]))

    def take(self, rows: np.ndarray) -> "ObjectsOnDemand":
        """Only these pictures, in this order."""
        return ObjectsOnDemand(self._make, self._rows[rows])


def _numbers(values: Any, name: str) -> np.ndarray:
    """A copy as float32."""
    try:
        return np.array(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be an array of numbers, got an error: {error}.") from None


def _as_codes(masks: Sequence[Rle] | np.ndarray | None, m: int) -> tuple[Rle, ...] | None:
    """Masks as run-length codes of one size."""
    if masks is None:
        return None
    codes = tuple(mask if isinstance(mask, Rle) else encode(mask) for mask in masks)
    if len(codes) != m:
        raise DataError(f"There are {m} things, but {len(codes)} masks.")
    sizes = sorted({f"{code.height}x{code.width}" for code in codes})
    if len(sizes) > 1:
        raise DataError(f"Masks of one picture have one size (height x width), got {', '.join(sizes)}.")
    return codes


def _as_keypoints(keypoints: np.ndarray | None, m: int) -> np.ndarray | None:
    if keypoints is None:
        return None
    keypoints = _numbers(keypoints, "keypoints")
    require_shape(keypoints, "M P three", "keypoints", M=m, three=3)
    marks = keypoints[..., 2]
    if not np.isfinite(keypoints).all() or not np.isin(marks, (0, 1, 2)).all():
        raise DataError("Keypoints are x, y and 0 (not marked), 1 (hidden) or 2 (seen); got another mark, NaN or inf.")
    return keypoints


def _as_area(area: np.ndarray | None, boxes: np.ndarray, masks: tuple[Rle, ...] | None) -> np.ndarray:
    if area is not None:
        area = _numbers(area, "area")
        require_shape(area, "M", "area", M=len(boxes))
        if not (np.isfinite(area) & (area >= 0)).all():
            raise DataError("Areas are finite numbers of pixels, 0 or more.")
        return area
    if masks is not None:
        return np.array([code.area for code in masks], dtype=np.float32)
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), dtype=np.float32)
