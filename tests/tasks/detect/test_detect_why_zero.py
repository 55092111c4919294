"""Why AP is 0, through the whole way: data sets whose annotations were spoilt, measured with a detector that is right.

Pictures have bars of three colours; the detector is a threshold for each colour, so it needs no training.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn

from pellucid.core.verdict import Verdict
from pellucid.data.objects import Objects
from pellucid.data.source import Source
from pellucid.models.detect.found import Found, Limits
from pellucid.runs.checking.why_zero import explain
from pellucid.tasks import get_task
from pellucid.tasks.detect.model import FromPictures
from pellucid.training.scoring import evaluate

COLOURS = ("red", "green", "blue")
N, HEIGHT, WIDTH = 40, 48, 72
Spoil = Callable[[np.ndarray], np.ndarray]


class Thresholds(nn.Module):
    """Finds what is bright in one colour; `at_least` hides part of it, as a high threshold would."""

    def __init__(self, at_least: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.at_least = at_least

    def forward(self, x: Tensor, truth: object = None) -> dict[str, Tensor]:
        return {"x": x + 0 * self.weight}

    def losses(self, outputs: dict[str, Tensor], truth: object) -> dict[str, Tensor]:
        return {"none": outputs["x"].flatten(1).mean(1) * 0}

    def found(self, outputs: dict[str, Tensor], limits: Limits) -> Found:
        bright = (outputs["x"] > 0.6).cpu().numpy()  # (N, 3, H, W)
        boxes, scores = torch.zeros(len(bright), limits.most, 4), torch.zeros(len(bright), limits.most)
        labels = torch.full((len(bright), limits.most), -1)
        for i, picture in enumerate(bright):
            place = 0
            for k, channel in enumerate(picture):
                for rows, columns in ndimage.find_objects(ndimage.label(channel)[0]):
                    score = 0.99 - 0.02 * place
                    if score >= self.at_least:
                        boxes[i, place] = torch.tensor([columns.start, rows.start, columns.stop, rows.stop])
                        scores[i, place], labels[i, place] = score, k
                        place += 1
        return Found(boxes, scores, labels)


def right() -> Source:
    """One to three bars that do not touch, each in a column of its own; of the lower half, never in the middle."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (N, HEIGHT, WIDTH, 3), dtype=np.uint8)
    objects = []
    for i in range(N):
        boxes, labels = [], []
        for column in range(1 + i % 3):
            k, wide, high = int(rng.integers(3)), int(rng.integers(8, 18)), int(rng.integers(8, 20))
            left, top = 24 * column + int(rng.integers(1, 23 - wide)), int(rng.integers(2, HEIGHT - high - 1))
            images[i, top : top + high, left : left + wide, k] += 190
            boxes.append((left, top, left + wide, top + high))
            labels.append(k)
        objects.append(Objects(np.array(boxes), np.array(labels)))
    return Source("bars", images, [f"{i}.png" for i in range(N)], COLOURS, objects=objects)


def spoilt(how: Spoil) -> Source:
    """Every box through a mistake; those that are none then are left out, as readers do."""
    source = right()
    assert source.objects is not None
    objects = []
    for things in source.objects:
        boxes = how(things.boxes_xyxy.astype(np.float64))
        fine = (boxes[:, :2] < boxes[:, 2:]).all(1)
        objects.append(Objects(boxes[fine], things.labels[fine]) if fine.any() else Objects.empty())
    return replace(source, objects=objects)


def every(how: Callable[[Objects], Objects]) -> Source:
    source = right()
    assert source.objects is not None
    return replace(source, objects=[how(things) for things in source.objects])


def moved() -> Source:
    source = right()
    assert source.objects is not None
    return replace(source, objects=[*source.objects[1:], source.objects[0]])


def verdicts(source: Source, at_least: float = 0.0) -> tuple[float, list[Verdict]]:
    """AP of the detector on these annotations, and what is said of it."""
    task = get_task("detect")
    cfg = task.config()
    known = task.make_data(cfg, right()).facts
    splits = task.make_data(cfg, source, None, known.preprocess, True)
    model = FromPictures(Thresholds(at_least), replace(known.preprocess, shift=(0.0,) * 3, scale=(1 / 255,) * 3))
    batches = splits.loader("test", 16).epoch(0)
    summary, records = evaluate(task, cfg, known, model, batches, "fp32", torch.device("cpu"))
    return summary["ap"], explain(task, known, summary, records, splits, "test")


def size_of(b: np.ndarray) -> np.ndarray:
    return b[:, 2:] - b[:, :2]


BROKEN: dict[str, tuple[str, Callable[[], Source]]] = {
    "left, top, width, height as corners": (
        "zero-metric-box-format",
        lambda: spoilt(lambda b: np.concatenate([b[:, :2], size_of(b)], 1)),
    ),
    "corners as left, top, width, height": (
        "zero-metric-box-format",
        lambda: spoilt(lambda b: np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], 1)),
    ),
    "middles as corners": (
        "zero-metric-box-format",
        lambda: spoilt(lambda b: b + np.tile(size_of(b) / 2, 2)),
    ),
    "normalised": ("zero-metric-box-scale", lambda: spoilt(lambda b: b / (WIDTH, HEIGHT, WIDTH, HEIGHT))),
    "of pictures half as large": ("zero-metric-box-scale", lambda: spoilt(lambda b: b / 2)),
    "x and y swapped": ("zero-metric-box-axes", lambda: spoilt(lambda b: b[:, [1, 0, 3, 2]])),
    "y from the bottom": (
        "zero-metric-box-mirrored",
        lambda: spoilt(lambda b: np.stack([b[:, 0], HEIGHT - b[:, 3], b[:, 2], HEIGHT - b[:, 1]], 1)),
    ),
    "one picture later": ("zero-metric-wrong-pictures", moved),
    "classes one too high": (
        "zero-metric-label-offset",
        lambda: every(lambda o: replace(o.take(o.labels < 2), labels=o.labels[o.labels < 2] + 1)),
    ),
    "two classes swapped": (
        "zero-metric-class-map",
        lambda: every(lambda o: replace(o.take(o.labels < 2), labels=1 - o.labels[o.labels < 2])),
    ),
    "no annotations": ("zero-metric-empty-targets", lambda: every(lambda o: Objects.empty())),
    "all marked as crowds": (
        "zero-metric-ignored-everything",
        lambda: every(lambda o: replace(o, is_crowd=np.ones(len(o), dtype=bool))),
    ),
    "a box around every picture": (
        "zero-metric-background-class",
        lambda: every(lambda o: Objects(np.array([[0, 0, WIDTH, HEIGHT]]), np.array([0]))),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_spoilt_annotations_are_named(name: str) -> None:
    rule, make = BROKEN[name]
    ap, said = verdicts(make())
    assert not ap >= 0.25
    assert [verdict.rule for verdict in said] == [rule]


def test_a_threshold_that_hides_everything_is_named() -> None:
    ap, said = verdicts(right(), at_least=1.0)
    assert ap == 0.0
    assert [verdict.rule for verdict in said] == ["zero-metric-threshold"]


def test_of_right_annotations_nothing_is_said() -> None:
    ap, said = verdicts(right())
    assert ap == pytest.approx(1.0) and said == []
