"""Suppression against plain loops, worked cases, and what must not matter."""

import importlib
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from onnx.backend.test.case import node as onnx_cases
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.boxes.iou import box_iou
from pellucid.ops.boxes.suppress import nms, nms_per_class, soft_nms

both = pytest.mark.usefixtures("way")


def crowd(n: int, seed: int = 0, things: int = 6, side: float = 100.0) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes around a few things, as detectors propose them; scores with ties."""
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(things, 2, generator=generator) * side
    size = 5 + torch.rand(things, 2, generator=generator) * side / 3
    mine = torch.randint(0, things, (n,), generator=generator)
    size = size[mine] * torch.exp(0.3 * torch.randn(n, 2, generator=generator))
    centre = centre[mine] + 0.15 * size * torch.randn(n, 2, generator=generator)
    scores = (torch.rand(n, generator=generator) * 50).round() / 50
    return torch.cat([centre - size / 2, centre + size / 2], 1), scores, torch.randint(0, 3, (n,), generator=generator)


def by_definition(boxes: Tensor, scores: Tensor, labels: Tensor, threshold: float) -> list[int]:
    """One box after the other, against all that were kept."""
    kept: list[int] = []
    too_much = ((box_iou(boxes, boxes) > threshold) & (labels[:, None] == labels)).tolist()
    score = scores.tolist()
    for i in sorted(range(len(boxes)), key=lambda i: (-score[i], i)):
        if not any(too_much[i][j] for j in kept):
            kept.append(i)
    return kept


@both
@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.3, 0.5, 0.75, 0.95, 1.0])
@pytest.mark.parametrize(("n", "side"), [(1, 100.0), (300, 100.0), (300, 3000.0)])
def test_is_the_definition(n: int, side: float, threshold: float) -> None:
    boxes, scores, labels = crowd(n, seed=n, side=side)
    one = torch.zeros_like(labels)
    assert nms(boxes, scores, threshold).tolist() == by_definition(boxes, scores, one, threshold)
    assert nms_per_class(boxes, scores, labels, threshold).tolist() == by_definition(boxes, scores, labels, threshold)


@both
@pytest.mark.parametrize("seed", range(8))
def test_is_the_definition_with_boxes_of_all_sizes(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    low = torch.randn(200, 2, generator=generator) * 4
    size = torch.exp(3 * torch.randn(200, 2, generator=generator))
    boxes = torch.cat([low, low + size], 1)
    boxes[::7] = boxes[1::7][: len(boxes[::7])] * (1 + 1e-3)
    boxes[5] = boxes[6]
    scores = torch.rand(200, generator=generator)
    labels = torch.zeros(200, dtype=torch.int64)
    for threshold in (0.01, 0.2, 0.5, 0.7):
        assert nms(boxes, scores, threshold).tolist() == by_definition(boxes, scores, labels, threshold)


@both
def test_exactly_the_threshold_is_kept() -> None:
    boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 1]])  # IoU 1/2
    scores = torch.tensor([0.9, 0.8])
    assert nms(boxes, scores, 0.5).tolist() == [0, 1]
    assert nms(boxes, scores, 0.4999).tolist() == [0]


@both
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_last_bit_of_the_threshold_decides(dtype: torch.dtype) -> None:
    """What is computed without dividing must not decide where a division would decide otherwise."""
    generator = torch.Generator().manual_seed(0)
    low = torch.rand(200, 2, 2, generator=generator, dtype=dtype)
    pairs = torch.cat([low, low + 1 + torch.rand(200, 2, 2, generator=generator, dtype=dtype)], -1)
    scores = torch.tensor([0.9, 0.8])
    for pair in pairs:
        overlap = box_iou(pair[:1], pair[1:])[0, 0]
        below = overlap.nextafter(torch.zeros_like(overlap))
        assert nms(pair, scores, float(overlap)).tolist() == [0, 1]
        assert nms(pair, scores, float(below)).tolist() == [0]


@both
def test_of_equal_scores_the_first_box_goes_first() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10]]).repeat(40, 1)
    assert nms(boxes, torch.full((40,), 0.5), 0.5).tolist() == [0]
    apart = boxes + 20 * torch.arange(40)[:, None]
    assert nms(apart, torch.full((40,), 0.5), 0.5).tolist() == list(range(40))
    assert nms(apart, torch.tensor([0.0, -0.0] * 20), 0.5).tolist() == list(range(40))


@both
def test_what_was_suppressed_suppresses_nothing() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]])  # a chain: neighbours overlap by 6/14
    assert nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.4).tolist() == [0, 2]


@both
def test_classes_and_pictures_do_not_suppress_each_other() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10]]).repeat(4, 1)
    scores = torch.tensor([0.1, 0.4, 0.3, 0.2])
    assert nms_per_class(boxes, scores, torch.tensor([5, -2, 5, 2**40]), 0.5).tolist() == [1, 2, 3]
    pictures = [crowd(60, seed=s) for s in range(3)]
    together = [torch.cat([p[i] for p in pictures]) for i in range(3)]
    picture = torch.arange(3).repeat_interleave(60)
    kept = nms_per_class(together[0], together[1], picture * 3 + together[2], 0.5)
    for number, (b, s, labels) in enumerate(pictures):
        mine = kept[picture[kept] == number] - 60 * number
        assert mine.tolist() == nms_per_class(b, s, labels, 0.5).tolist()


@both
@pytest.mark.parametrize("n", [1100, 1600])
def test_many_boxes_are_kept_as_one_after_the_other_would_be(n: int) -> None:
    """So many that blocks, cells and groups are all in use."""
    boxes, scores, labels = crowd(n, seed=9, things=900, side=700.0)
    scores = scores + torch.arange(n) % 7 * 1e-3
    for given in (labels * 0, labels, labels * 2**33 - 2**62, torch.full_like(labels, -(2**63))):
        got = nms_per_class(boxes, scores, given, 0.6)
        assert got.tolist() == by_definition(boxes, scores, given, 0.6) and len(got) > 512


@both
@pytest.mark.parametrize("move", [0.0, 1e4])
def test_where_the_boxes_lie_does_not_matter(move: float) -> None:
    boxes, scores, labels = crowd(200, seed=4)
    boxes = (boxes * 8).round() / 8  # so that moving rounds nothing
    assert nms_per_class(boxes + move, scores, labels, 0.5).tolist() == by_definition(boxes, scores, labels, 0.5)


@both
def test_no_boxes_and_boxes_without_area() -> None:
    none = nms(torch.zeros(0, 4), torch.zeros(0), 0.5)
    assert none.dtype == torch.int64 and none.shape == (0,)
    flat = torch.tensor([[3.0, 3, 3, 9]]).repeat(3, 1)
    assert nms(flat, torch.tensor([0.1, 0.3, 0.2]), 0.0).tolist() == [1, 2, 0]
    turned = torch.tensor([[9.0, 9, 3, 3], [3, 3, 9, 9]])
    assert nms(turned, torch.tensor([0.5, 0.4]), 0.0).tolist() == [0, 1]


@both
def test_what_is_no_number_comes_last_and_overlaps_nothing() -> None:
    boxes = torch.tensor(
        [[0.0, 0, 10, 10], [0, 0, 10, 10], [50, 0, 60, 10], [math.nan, 0, 10, 10], [0, 0, math.inf, 9]]
    )
    scores = torch.tensor([math.nan, -math.inf, 0.5, 0.7, 0.6])
    assert nms(boxes, scores, 0.5).tolist() == [3, 4, 2, 1]  # 0 comes after 1, on which it lies
    assert nms(boxes[[0, 2]], scores[[0, 1]], 0.5).tolist() == [1, 0]


@both
def test_dtypes_and_gradients() -> None:
    boxes, scores, labels = crowd(100, seed=2)
    for dtype in (torch.float64, torch.bfloat16, torch.float16):
        b, s = boxes.to(dtype), scores.to(dtype)
        assert nms(b, s, 0.5).tolist() == by_definition(b, s, labels * 0, 0.5)
    kept = nms(boxes.clone().requires_grad_(), scores.clone().requires_grad_(), 0.5)
    assert not kept.requires_grad and kept.tolist() == by_definition(boxes, scores, labels * 0, 0.5)
    assert nms(boxes[::2], scores[::2], 0.5).tolist() == nms(boxes[::2].clone(), scores[::2].clone(), 0.5).tolist()


def test_shapes_are_named() -> None:
    with pytest.raises(DataError, match=r"shapes \(D, 4\), \(D,\), \(D,\), got \(3, 4\), \(2,\), \(2,\)"):
        nms(torch.zeros(3, 4), torch.zeros(2), 0.5)


@both
def test_the_cases_of_onnx() -> None:
    """Those with one picture and one class, no limit that cuts, and corners."""
    state = np.random.get_state()  # noqa: NPY002 - the module seeds it
    importlib.import_module(f"{onnx_cases.__name__}.nonmaxsuppression")  # registers its cases
    np.random.set_state(state)  # noqa: NPY002
    found = 0
    for case in onnx_cases._NodeTestCases:
        node = case.model.graph.node[0]
        if node.op_type != "NonMaxSuppression":
            continue
        (inputs, outputs), *_ = case.data_sets
        boxes, scores, most, threshold, least = (torch.from_numpy(x.copy()) for x in inputs)
        if node.attribute or scores.shape[:2] != (1, 1) or int(most) == 0:
            continue
        # corners are y, x, y, x there, in any order
        y, x = boxes[0][:, [0, 2]].sort(1).values, boxes[0][:, [1, 3]].sort(1).values
        kept = nms(torch.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], 1), scores[0, 0], float(threshold))
        kept = kept[scores[0, 0][kept] > least][: int(most)]
        assert kept.tolist() == outputs[0][:, 2].tolist(), case.name
        found += 1
    assert found >= 5


def soft_by_definition(
    boxes: Tensor, scores: Tensor, fall: Callable[[float], float], least: float
) -> tuple[list[int], list[float]]:
    """The paper's figure 2, with lists."""
    rest, overlap = dict(enumerate(scores.tolist())), box_iou(boxes, boxes).tolist()
    taken, new = [], []
    while rest:
        best = max(rest, key=lambda i: (rest[i], -i))
        if rest[best] <= least:
            break
        taken.append(best)
        new.append(rest.pop(best))
        for i in rest:
            rest[i] *= fall(overlap[best][i])
    return taken, new


@pytest.mark.parametrize("gaussian", [True, False])
def test_soft_is_the_definition(gaussian: bool) -> None:
    boxes, scores, _ = crowd(40, seed=3)
    boxes, scores = boxes.double(), scores.double() + torch.arange(40) * 1e-6
    fall = (lambda o: math.exp(-(o**2) / 0.5)) if gaussian else (lambda o: 1 - o if o >= 0.3 else 1.0)
    taken, new = soft_by_definition(boxes, scores, fall, 0.05)
    got, got_scores = soft_nms(boxes, scores, gaussian=gaussian, least_score=0.05)
    assert got.tolist() == taken and 1 < len(taken) < 40
    torch.testing.assert_close(got_scores, torch.tensor(new, dtype=torch.float64))
    assert (got_scores.diff() <= 0).all()


def test_soft_by_hand_and_at_the_edges() -> None:
    boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 1], [5, 5, 6, 6]])
    scores = torch.tensor([0.9, 0.8, 0.1])
    kept, new = soft_nms(boxes, scores, gaussian=False)
    assert kept.tolist() == [0, 1, 2]
    torch.testing.assert_close(new, torch.tensor([0.9, 0.4, 0.1]))
    kept, new = soft_nms(boxes, scores, sigma=0.5)
    torch.testing.assert_close(new, torch.tensor([0.9, 0.8 * math.exp(-0.5), 0.1]))
    kept, new = soft_nms(boxes, scores, gaussian=False, least_score=0.4)
    assert kept.tolist() == [0]
    kept, new = soft_nms(boxes, scores, gaussian=False, iou_threshold=0.5)  # half: exactly the threshold falls too
    torch.testing.assert_close(new, torch.tensor([0.9, 0.4, 0.1]))
    kept, new = soft_nms(boxes[:0], scores[:0])
    assert kept.shape == new.shape == (0,)
    kept, new = soft_nms(boxes, torch.tensor([math.nan, 0.5, 0.4]), least_score=0.001)
    assert kept.tolist() == [1, 2]
