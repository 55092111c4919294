"""The report of a detector, on pictures whose things, answers and errors are made by hand."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.report.blocks import Facts, Figure, Matrix, Pictures, Section, Table
from pellucid.report.page import page
from pellucid.tasks.detect.metrics import METRICS, detections, explain, score, summarise
from pellucid.tasks.detect.report.draw import MISSED, RIGHT, WRONG, Drawn, boxes_on
from pellucid.tasks.detect.report.sections import sections
from pellucid.tasks.detect.report.seen import Seen, View

SIZE = 64
PREPROCESS = Preprocess((SIZE, SIZE), None, 3, "pad", "none", (0.0,) * 3, (1 / 255,) * 3, (0, 0, 0))
FACTS = DataFacts("detect", "made", ("cat", "dog"), (10, 10), PREPROCESS, n_train=4)
# left, top, right, bottom, class, and of found things a score; pixels of the canvas
TRUE = [[(4, 4, 20, 20, 0), (40, 40, 60, 60, 1)], [(10, 10, 30, 30, 0)], [], [(2, 2, 12, 12, 1)]]
FOUND = [
    [(4, 4, 20, 20, 0, 0.9), (41, 40, 60, 60, 0, 0.8), (5, 4, 20, 20, 0, 0.6)],  # right, wrong name, twice
    [(10, 10, 22, 18, 0, 0.7)],  # a poor box
    [(30, 30, 50, 50, 1, 0.55)],  # on nothing
    [],  # missed
]


def outputs_and_batch(masks: bool = False) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Pictures of twice the size of the canvas, moved by 3 and 5 pixels."""
    n, d, m = 4, 5, 3
    found, true = torch.zeros(n, d, 6), torch.zeros(n, m, 5)
    labels, truth = torch.full((n, d), -1), torch.full((n, m), -1)
    for i in range(n):
        for j, row in enumerate(FOUND[i]):
            found[i, j], labels[i, j] = torch.tensor(row), row[4]
        for j, row in enumerate(TRUE[i]):
            true[i, j], truth[i, j] = torch.tensor(row), row[4]
    affine = torch.tensor([[2.0, 0, 3], [0, 2, 5]]).expand(n, 2, 3)
    batch = {
        "image": torch.full((n, 3, SIZE, SIZE), 90, dtype=torch.uint8),
        "boxes_xyxy": true[..., :4],
        "box_label": truth,
        "is_crowd": torch.zeros(n, m, dtype=torch.bool),
        "box_area": 4 * (true[..., 2] - true[..., 0]) * (true[..., 3] - true[..., 1]),
        "canvas_affine": affine,
        "original_hw": torch.full((n, 2), 2 * SIZE + 10),
        "index": torch.arange(n),
    }
    outputs = {"found_boxes_xyxy": found[..., :4], "found_scores": found[..., 5], "found_labels": labels}
    if masks:
        outputs["found_masks"] = torch.ones(n, d, 7, 7)
        y, x = torch.arange(SIZE)[:, None] + 0.5, torch.arange(SIZE) + 0.5
        box = true[..., None, None]
        batch["instance_mask"] = (x > box[:, :, 0]) & (x < box[:, :, 2]) & (y > box[:, :, 1]) & (y < box[:, :, 3])
    return outputs, batch


def made(masks: bool = False) -> tuple[list[Section], dict[str, object]]:
    outputs, batch = outputs_and_batch(masks)
    records = score(outputs, batch)
    summary = summarise(records, FACTS)

    found = sections(summary, records, FACTS, lambda index: Image.new("RGB", (8, 8)), partial(_all, batch, outputs))
    return [section for section in found if not section.empty], summary


def test_records_are_in_pixels_of_the_file() -> None:
    outputs, batch = outputs_and_batch()
    records = score(outputs, batch)
    assert records["boxes_xyxy"][0, 0].tolist() == [11, 13, 43, 45]
    assert records["truth_xyxy"][1, 0].tolist() == [23, 25, 63, 65]
    assert not records["boxes_xyxy"][3].any() and not records["truth_xyxy"][2].any()
    assert detections(records).area[0, 0] == 32 * 32


def test_summary_by_hand() -> None:
    _, summary = made()
    assert summary["ap50"] == pytest.approx((51 / 101 + 0) / 2), "one of two cats, surest first; no dog"
    assert summary["per_class"]["things"] == [2, 2]
    # from 0.9 on one of one is right: F1 = 2 * 1 * (1/4) / (1 + 1/4)
    assert summary["best_conf"] == pytest.approx(0.9) and summary["f1"] == pytest.approx(0.4)
    assert summary["precision"] == 1.0 and summary["recall"] == 0.25
    assert np.array(summary["confusion"]).tolist() == [[1, 0, 1], [0, 0, 2], [0, 0, 0]]
    json.dumps(summary)
    assert {metric.name for metric in METRICS[:8]} <= set(summary)
    assert not any(name.startswith(("mask", "keypoint")) for name in summary)


def test_masks_that_fill_their_boxes_have_the_numbers_of_boxes() -> None:
    """All edges lie between pixels here, so the masks of boxes are the boxes."""
    outputs, batch = outputs_and_batch(masks=True)
    records = score(outputs, batch)
    by_boxes, by_masks = detections(records), detections(records, "masks")
    assert by_masks.area[0, 0] == 32 * 32, "pixels of the canvas, each four of the file"
    summary = summarise(records, FACTS)
    for name in ("ap", "ap50", "ap75", "ar100"):
        assert summary[f"mask_{name}"] == pytest.approx(summary[name])
    assert by_masks.overlap is not None and by_masks.overlap[0, 0, 0] == pytest.approx(1.0)
    assert by_masks.overlap[1, 0, 0] == pytest.approx(12 * 8 / 400)
    crowd = score(outputs, {**batch, "is_crowd": batch["box_label"] >= 0})
    assert crowd["mask_iou"][1, 0, 0] == pytest.approx(1.0), "over the found thing alone"
    assert by_boxes.overlap is None


def test_keypoints_are_compared_in_the_file() -> None:
    outputs, batch = outputs_and_batch()
    true, found = batch["boxes_xyxy"], outputs["found_boxes_xyxy"]
    marks = torch.full((4, 3, 2, 1), 2.0)
    marks[0, 1, 1] = 0
    marks[3] = 0
    batch["keypoints"] = torch.cat([true.reshape(4, 3, 2, 2), marks], -1)  # two opposite corners of each box
    outputs["found_keypoints"] = torch.cat([found.reshape(4, 5, 2, 2), torch.ones(4, 5, 2, 1)], -1)
    records = score(outputs, batch)
    assert records["truth_points"].tolist() == [[2, 1, 2], [2, 2, 2], [2, 2, 2], [0, 0, 0]]
    assert records["keypoint_similarity"][0, 0, 0] == pytest.approx(1.0)
    area, off, k = 4 * 400, 2.0, 2 * 0.06  # one of two corners is marked, and one pixel of the canvas off
    assert records["keypoint_similarity"][0, 1, 1] == pytest.approx(np.exp(-(off**2) / (2 * area * k**2)))
    summary = summarise(records, FACTS)
    # right, wrong, and right by one corner of two: the poor box of the other cat; the last dog has no marked point
    assert summary["keypoint_ap50"] == pytest.approx(((51 + 50 * 2 / 3) / 101 + 0) / 2)
    assert {"keypoint_ap", "keypoint_ap75", "keypoint_ar20"} <= set(summary)


def test_every_section_is_there() -> None:
    found, summary = made()
    titles = [section.title for section in found]
    assert titles == [
        "How much is found",
        "Class by class",
        "What is taken for what",
        "What kinds of errors",
        "Where it is wrong",
        "Small and large things",
        "How sure it is",
    ]
    first = found[0]
    assert "4 things are there" in first.lead and "25% are found" in first.lead
    checked = next(block for block in first.blocks if isinstance(block, Facts))
    assert checked.items[0][1] in ("none", "1e-16"), "faster-coco-eval says the same"
    kinds = next(block for block in found[3].blocks if isinstance(block, Table))
    assert {str(row[0]) for row in kinds.rows} == {"class", "location", "both", "duplicate", "background", "missed"}
    matrix = next(block for block in found[2].blocks if isinstance(block, Matrix))
    assert list(matrix.columns) == ["cat", "dog", "nothing"]
    assert sum(isinstance(block, Figure) for block in found[1].blocks) == 2
    worst = next(block for block in found[4].blocks if isinstance(block, Pictures))
    assert worst.items[0].caption == "0 wrong, 1 missed" and worst.items[0].image.size == (256, 256)
    html = page("A detector", "", [], found, "")
    assert "cat is missed" in html and summary["ap"] is not None


def test_outlines_are_drawn_where_there_are_some() -> None:
    found, _ = made(masks=True)
    drawn = next(section for section in found if section.title == "Outlines")
    (pictures,) = (block for block in drawn.blocks if isinstance(block, Pictures))
    colours = {tuple(pixel) for pixel in np.asarray(pictures.items[0].image).reshape(-1, 3)[::7].tolist()}
    assert len(colours) > 1, "something is tinted"


def _all(batch: dict[str, Tensor], outputs: dict[str, Tensor], rows: Sequence[int]) -> tuple[Any, Any]:
    return {k: v[list(rows)] for k, v in batch.items()}, {k: v[list(rows)] for k, v in outputs.items()}


def test_nothing_found_and_nothing_there() -> None:
    outputs, batch = outputs_and_batch()
    none = {**outputs, "found_labels": torch.full_like(outputs["found_labels"], -1), "found_scores": torch.zeros(4, 5)}
    empty = {**batch, "box_label": torch.full_like(batch["box_label"], -1)}
    for given, truth in ((none, batch), (outputs, empty), (none, empty)):
        records = score(given, truth)
        summary = summarise(records, FACTS)
        seen = partial(_all, truth, given)
        found = sections(summary, records, FACTS, lambda index: Image.new("RGB", (8, 8)), seen)
        page("A detector", "", [], found, "")
    assert summary["f1"] != summary["f1"], "nothing there, nothing found: no number"
    assert [verdict.rule for verdict in explain(summary, records, FACTS)] == ["zero-metric-empty-targets"]


def test_boxes_are_drawn_where_they_are_in_the_colour_of_what_they_are() -> None:
    view = View(0, np.zeros((SIZE, SIZE, 3), np.uint8), np.array([2.0, 2.0]), np.array([3.0, 5.0]))
    things = [Drawn(np.array([23.0, 25, 63, 65]), "", RIGHT), Drawn(np.array([83.0, 85, 103, 105]), "", WRONG)]
    drawn = np.asarray(boxes_on(view, things))
    factor = drawn.shape[0] // SIZE
    assert tuple(drawn[30 * factor - 1, 20 * factor]) == RIGHT, "the lower edge ends at 30 of the canvas"
    assert tuple(drawn[45 * factor, 40 * factor]) == WRONG
    assert tuple(drawn[35 * factor, 35 * factor]) == (0, 0, 0)
    assert MISSED not in {tuple(pixel) for pixel in drawn.reshape(-1, 3).tolist()}


def test_a_picture_goes_through_the_model_once() -> None:
    outputs, batch = outputs_and_batch()
    asked: list[int] = []

    def look(indices: Sequence[int]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        asked.extend(indices)
        return _all(batch, outputs, indices)

    seen = Seen(look)
    assert [view.index for view in [*seen([2, 0, 2]), *seen([0, 1])]] == [2, 0, 2, 0, 1]
    assert asked == [2, 0, 1]


def test_pictures_are_called_what_the_data_calls_them() -> None:
    class Look:
        def __call__(self, indices: Sequence[int]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
            raise AssertionError("a name needs no look")

        def name(self, index: int) -> str:
            return f"images/{index}.jpg"

    assert Seen(Look()).name(2) == "images/2.jpg"
    assert Seen(lambda indices: ({}, {})).name(2) == "picture 2"
