"""What was found in pictures beside what is there. Letters: N pictures, D places for found things, M for true ones.

Boxes are in pixels of the files, `boxes_xyxy`, where pixel i covers [i, i + 1]. A place that holds nothing has the
label -1. Everything is float64 inside, as in the COCO evaluation, so that a tie stays a tie.
"""

from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape

NOTHING = -1


@dataclass(frozen=True, eq=False)
class Detections:
    """Found and true things of N pictures.

    Attributes:
        boxes_xyxy: (N, D, 4) float64, what was found.
        scores: (N, D) float64, higher is surer.
        labels: (N, D) int64, class 0..K-1; -1 = nothing.
        truth_xyxy: (N, M, 4) float64, what is there.
        truth_label: (N, M) int64, class 0..K-1; -1 = nothing.
        truth_crowd: (N, M) bool: groups that were not told apart (or things marked difficult, see `voc`). Finding them
            is neither right nor wrong.
        truth_area: (N, M) float64, by which true things are called small or large; None takes that of the boxes.
        area: (N, D) float64, the same of what was found; None takes that of the boxes.
        overlap: (N, D, M) float64 in 0..1, how well each found thing covers each true one: IoU of masks, or similarity
            of keypoints; None computes the IoU of the boxes.

    Raises:
        DataError: shapes do not fit, or a number is not finite.
    """

    boxes_xyxy: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    truth_xyxy: np.ndarray
    truth_label: np.ndarray
    truth_crowd: np.ndarray = None  # type: ignore[assignment]  # filled in below
    truth_area: np.ndarray = None  # type: ignore[assignment]  # filled in below
    area: np.ndarray = None  # type: ignore[assignment]  # filled in below
    overlap: np.ndarray | None = None

    def __post_init__(self) -> None:
        labels, truth = np.asarray(self.labels), np.asarray(self.truth_label)
        require_shape(labels, "N D", "labels")
        n, d = labels.shape
        require_shape(truth, "N M", "truth_label", N=n)
        m = truth.shape[1]
        shapes = {
            "boxes_xyxy": (n, d, 4),
            "scores": (n, d),
            "truth_xyxy": (n, m, 4),
            "truth_area": (n, m),
            "area": (n, d),
            "overlap": (n, d, m),
        }
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "truth_label", truth.astype(np.int64))
        crowd = np.zeros((n, m), bool) if self.truth_crowd is None else np.asarray(self.truth_crowd, dtype=bool)
        require_shape(crowd, "N M", "truth_crowd", N=n, M=m)
        object.__setattr__(self, "truth_crowd", crowd)
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is None and name in ("truth_area", "area"):
                value = _areas(self.truth_xyxy if name == "truth_area" else self.boxes_xyxy)
            if value is None:
                continue
            value = np.asarray(value, dtype=np.float64)
            if value.shape != shape:
                raise DataError(f"{name} must have shape {shape} to fit the labels, got {value.shape}.")
            object.__setattr__(self, name, value)
        self._require_finite()

    def _require_finite(self) -> None:
        for name, there in (("boxes_xyxy", self.labels), ("scores", self.labels), ("truth_xyxy", self.truth_label)):
            values = getattr(self, name)
            finite = np.isfinite(values).all(-1) if values.ndim == 3 else np.isfinite(values)
            wrong = ~finite & (there != NOTHING)
            if wrong.any():
                picture, place = np.argwhere(wrong)[0].tolist()
                raise DataError(
                    f"{name} of picture {picture}, thing {place}, is {values[picture, place].tolist()}: give finite "
                    "numbers, or the label -1 where there is nothing."
                )

    def __len__(self) -> int:
        return len(self.labels)

    def of_pictures(self, rows: slice) -> "Detections":
        """Only some of the pictures."""
        overlap = None if self.overlap is None else self.overlap[rows]
        others = {name: value[rows] for name, value in vars(self).items() if name != "overlap"}
        return Detections(**others, overlap=overlap)

    @property
    def found(self) -> np.ndarray:
        """(N, D) bool: places that hold something."""
        return self.labels != NOTHING

    @property
    def true(self) -> np.ndarray:
        """(N, M) bool: places that hold a thing, crowds among them."""
        return self.truth_label != NOTHING


def _areas(boxes_xyxy: np.ndarray) -> np.ndarray:
    boxes = np.asarray(boxes_xyxy, dtype=np.float64)
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def overlaps(boxes_xyxy: np.ndarray, truth_xyxy: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """Each against each, see `overlaps_of_pairs`.

    Args:
        boxes_xyxy: (..., D, 4).
        truth_xyxy: (..., M, 4).
        crowd: (..., M) bool.

    Returns:
        (..., D, M) float64 in 0..1.
    """
    return overlaps_of_pairs(boxes_xyxy[..., :, None, :], truth_xyxy[..., None, :, :], crowd[..., None, :])


def overlaps_of_pairs(boxes_xyxy: np.ndarray, truth_xyxy: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes; over the found box alone where the true one is a crowd, as COCO does.

    The sums are those of COCO's own code, by left, top, width and height, so that a rounding falls the same way.

    Args:
        boxes_xyxy, truth_xyxy: (..., 4), of shapes that fit together.
        crowd: (...) bool.

    Returns:
        (...) float64 in 0..1, 0 for boxes without an area.
    """
    (left_a, top_a, wide_a, high_a), (left_b, top_b, wide_b, high_b) = _xywh(boxes_xyxy), _xywh(truth_xyxy)
    across = np.minimum(left_a + wide_a, left_b + wide_b) - np.maximum(left_a, left_b)
    down = np.minimum(top_a + high_a, top_b + high_b) - np.maximum(top_a, top_b)
    inside = np.maximum(across, 0) * np.maximum(down, 0)
    own = wide_a * high_a
    union = np.where(crowd, own, own + wide_b * high_b - inside)
    return np.divide(inside, union, out=np.zeros_like(inside), where=inside > 0)


def _xywh(boxes_xyxy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    left, top, right, bottom = np.moveaxis(np.asarray(boxes_xyxy, np.float64), -1, 0)
    return left, top, right - left, bottom - top
