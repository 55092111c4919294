"""One line of a YOLO label: `class cx cy w h`, `class x y x y x y ...`, or a box and keypoints, as shares of a side.

The forms are described at https://docs.ultralytics.com/datasets/.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.core.errors import DataError
from pellucid.data.image_file import printable
from pellucid.data.readers.detect.things import is_box

NEAR = (-1.0, 2.0)  # shares of a side: boxes may reach over the border, but not as far as pixels would
PRECISION = 9  # digits of a pixel: what is less comes from dividing and multiplying, and would keep 0 from being 0
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Line:
    """One thing in pixels: class, box, outline (V, 2) if there is one, and x, y, mark of keypoints."""

    label: int
    box_xyxy: Box
    outline: np.ndarray | None = None
    keypoints: Sequence[float] = ()


class BrokenLine(DataError):
    """A line that is no thing; `kind` is the word by which such lines are counted."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


def parse_line(text: str, n_classes: int, size: tuple[int, int], keypoints: tuple[int, int] = (0, 0)) -> Line:
    """What a line says.

    Args:
        n_classes: classes are 0..n_classes - 1.
        size: height and width of the picture.
        keypoints: how many, and how many numbers each has (2: x, y; 3: and a mark); (0, 0) for none.

    Raises:
        BrokenLine: it is of another form.
    """
    words = text.split()
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    n_points, n_each = keypoints
    is_form = len(numbers) == 5 + n_points * n_each or (not n_points and len(numbers) >= 7 and len(numbers) % 2)
    if not is_form:
        wanted = (
            f"class cx cy w h and {n_points} keypoints of {n_each}" if n_points else "class cx cy w h, or a polygon"
        )
        why = "not all of them numbers" if words and not numbers else ""
        why = "the last one perhaps a score, which predictions have and labels have not" if len(numbers) == 6 else why
        got = f"{len(words)} words{why and f', {why}'}: {printable(text.strip())[:60]!r}"
        raise BrokenLine(f"it must be {wanted}, got {got}", "bad-label")
    label = numbers[0]
    if not (0 <= label < n_classes and label == int(label)):
        raise BrokenLine(f"its class is {words[0][:20]}, but there are 0..{n_classes - 1}", "unknown-class")
    marks = numbers[7::3] if n_each == 3 else []
    places = numbers[1:5] + [value for i, value in enumerate(numbers[5:]) if n_each != 3 or i % 3 != 2]
    if not all(NEAR[0] <= value <= NEAR[1] for value in places):  # False for NaN
        far = next(value for value in places if not NEAR[0] <= value <= NEAR[1])
        raise BrokenLine(f"its numbers must be shares of the picture's side from 0 to 1, got {far:g}", "bad-box")
    height, width = size
    if len(numbers) > 5 and not n_points:
        outline = np.array(numbers[1:]).reshape(-1, 2) * (width, height)  # (V, 2)
        box = (*outline.min(axis=0).tolist(), *outline.max(axis=0).tolist())
        if not is_box(*box):
            raise BrokenLine("its polygon has no area", "bad-outline")
        return Line(int(label), box, outline)
    box = _box(numbers[1], numbers[2], numbers[3], numbers[4], size)
    if not (numbers[3] > 0 and numbers[4] > 0 and is_box(*box)):
        raise BrokenLine(f"its width and height must be above 0, got {numbers[3]:g} and {numbers[4]:g}", "bad-box")
    if not n_points:
        return Line(int(label), box)
    if not all(mark in (0, 1, 2) for mark in marks):
        raise BrokenLine("the third number of a keypoint must be 0, 1 or 2", "bad-keypoints")
    return Line(int(label), box, None, _points(numbers[5:], n_each, size))


def _box(cx: float, cy: float, w: float, h: float, size: tuple[int, int]) -> Box:
    height, width = size
    sides = (cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height
    left, top, right, bottom = (round(side, PRECISION) for side in sides)
    return left, top, right, bottom


def _points(numbers: Sequence[float], n_each: int, size: tuple[int, int]) -> list[float]:
    """x, y, mark, x, y, mark, ...; without marks, a point at the corner of the picture is not marked."""
    height, width = size
    found: list[float] = []
    for i in range(0, len(numbers), n_each):
        x, y = numbers[i], numbers[i + 1]
        mark = numbers[i + 2] if n_each == 3 else 2.0 if math.hypot(x, y) > 0 else 0.0
        found += [round(x * width, PRECISION), round(y * height, PRECISION), mark]
    return found
