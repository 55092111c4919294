"""IoU and its relatives against worked numbers, pycocotools, loops, and what must not matter."""

import math
from collections.abc import Callable

import pytest
import torch
from pycocotools import mask as coco
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.boxes import iou
from pellucid.ops.losses import complete_iou_loss, distance_iou_loss, generalized_iou_loss

Overlap = Callable[[Tensor, Tensor], Tensor]
KINDS: dict[str, tuple[Overlap, Overlap]] = {
    "iou": (iou.box_iou, iou.paired_iou),
    "generalized": (iou.generalized_iou, iou.paired_generalized_iou),
    "distance": (iou.distance_iou, iou.paired_distance_iou),
    "complete": (iou.complete_iou, iou.paired_complete_iou),
}
kinds = pytest.mark.parametrize(("pairwise", "paired"), KINDS.values(), ids=KINDS.keys())

# side by side they share a 1 x 2 strip: areas 4 and 4, union 6, hull 3 x 2, centres 1 apart
A, B = torch.tensor([0.0, 0, 2, 2]), torch.tensor([1.0, 0, 3, 2])


def boxes(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(n, 2, generator=generator, dtype=dtype) * 20
    return torch.cat([low, low + 0.5 + torch.rand(n, 2, generator=generator, dtype=dtype) * 15], 1)


def by_definition(kind: str, a: list[float], b: list[float]) -> float:
    """One pair, with plain numbers."""
    inter = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    plain = inter / union
    wide, high = max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])
    if kind == "iou":
        return plain
    if kind == "generalized":
        return plain - (wide * high - union) / (wide * high)
    apart = ((a[0] + a[2] - b[0] - b[2]) / 2) ** 2 + ((a[1] + a[3] - b[1] - b[3]) / 2) ** 2
    distance = plain - apart / (wide**2 + high**2)
    if kind == "distance":
        return distance
    angle = math.atan((b[2] - b[0]) / (b[3] - b[1])) - math.atan((a[2] - a[0]) / (a[3] - a[1]))
    v = 4 / math.pi**2 * angle**2
    return distance - (v / (1 - plain + v) * v if v else 0.0)


def test_by_hand() -> None:
    assert math.isclose(iou.paired_iou(A, B), 2 / 6, rel_tol=1e-6)
    assert math.isclose(iou.paired_generalized_iou(A, B), 2 / 6, rel_tol=1e-6)  # the hull is the union
    assert math.isclose(iou.paired_distance_iou(A, B), 2 / 6 - 1 / 13, rel_tol=1e-6)
    assert math.isclose(iou.paired_complete_iou(A, B), 2 / 6 - 1 / 13, rel_tol=1e-6)  # both are squares
    far = torch.tensor([4.0, 0, 6, 2])  # union 8, hull 6 x 2, centres 4 apart
    assert iou.paired_iou(A, far) == 0
    assert math.isclose(iou.paired_generalized_iou(A, far), -4 / 12, rel_tol=1e-6)
    assert math.isclose(iou.paired_distance_iou(A, far), -16 / 40, rel_tol=1e-6)
    flat = torch.tensor([0.0, 0, 4, 1])  # same area; shares 2 of 6; atan 4 against atan 1
    v = 4 / math.pi**2 * (math.atan(4) - math.atan(1)) ** 2
    expected = 2 / 6 - ((2 - 1) ** 2 + 0.5**2) / (16 + 4) - v / (1 - 2 / 6 + v) * v
    assert math.isclose(iou.paired_complete_iou(A, flat), expected, rel_tol=1e-6)
    assert iou.crowd_iou(A[None], B[None]).item() == 0.5  # half of what was found lies in the crowd


@kinds
def test_all_pairs_are_the_definition(pairwise: Overlap, paired: Overlap, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.id
    a, b = boxes(9), boxes(7, seed=1)
    expected = torch.tensor([[by_definition(kind, x, y) for y in b.tolist()] for x in a.tolist()], dtype=torch.float64)
    torch.testing.assert_close(pairwise(a, b), expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(paired(a[:7], b), expected[:7].diagonal(), rtol=1e-9, atol=1e-9)


def test_iou_is_that_of_pycocotools() -> None:
    a, b = boxes(30), boxes(20, seed=1)
    corner_and_size = [torch.cat([x[:, :2], x[:, 2:] - x[:, :2]], 1).numpy() for x in (a, b)]
    expected = torch.from_numpy(coco.iou(*corner_and_size, [0] * 20))
    torch.testing.assert_close(iou.box_iou(a, b), expected, rtol=1e-12, atol=1e-12)
    crowd = torch.from_numpy(coco.iou(*corner_and_size, [1] * 20))
    torch.testing.assert_close(iou.crowd_iou(a, b), crowd, rtol=1e-12, atol=1e-12)


@kinds
def test_what_must_not_matter(pairwise: Overlap, paired: Overlap) -> None:
    a, b = boxes(6), boxes(6, seed=1)
    torch.testing.assert_close(pairwise(a, b), pairwise(b, a).T)
    torch.testing.assert_close(pairwise(3 * a + 5, 3 * b + 5), pairwise(a, b))
    torch.testing.assert_close(paired(a, a), torch.ones(6, dtype=torch.float64))
    batch = pairwise(torch.stack([a, b]), torch.stack([b, a]))
    assert batch.shape == (2, 6, 6)
    torch.testing.assert_close(batch[1], pairwise(b, a))


@kinds
def test_boxes_without_area_and_no_boxes(pairwise: Overlap, paired: Overlap) -> None:
    empty = torch.zeros(1, 4)
    turned = torch.tensor([[2.0, 2, 0, 0]])
    for a in (empty, turned):
        for b in (empty, A[None], turned):
            assert pairwise(a, b).isfinite().all() and iou.box_iou(a, b).eq(0).all()
    assert pairwise(A[None], torch.zeros(0, 4)).shape == (1, 0)
    assert pairwise(torch.zeros(2, 0, 4), torch.zeros(2, 3, 4)).shape == (2, 0, 3)
    with pytest.raises(DataError, match=r"Boxes must have shape \(..., boxes, 4\), got \(2, 5\)"):
        pairwise(torch.zeros(2, 5), empty)
    with pytest.raises(DataError, match=r"Boxes must have shape \(..., 4\), got \(5,\)"):
        paired(torch.zeros(5), empty)


@kinds
def test_gradients_also_where_boxes_do_not_touch(pairwise: Overlap, paired: Overlap) -> None:
    a = torch.tensor([[0.0, 0, 2, 2], [5, 5, 9, 6], [0, 0, 3, 1]], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([[1.0, 0.5, 3, 2.5], [0, 0, 2, 3], [0.5, 0.2, 2, 0.7]], dtype=torch.float64)
    if paired is not iou.paired_complete_iou:  # whose weight is no part of the slope
        assert torch.autograd.gradcheck(lambda x: paired(x, b), (a,))
    paired(a, b).sum().backward()
    assert a.grad is not None and a.grad.isfinite().all()
    assert (a.grad[1].abs().sum() > 0) == (paired is not iou.paired_iou)


def test_the_weight_of_complete_iou_is_no_part_of_its_slope() -> None:
    a = boxes(3).requires_grad_()
    b = boxes(3, seed=2)

    def with_fixed_weight(x: Tensor) -> Tensor:
        angle = [torch.atan((each[:, 2] - each[:, 0]) / (each[:, 3] - each[:, 1])) for each in (x, b)]
        v = 4 / math.pi**2 * (angle[1] - angle[0]) ** 2
        weight = (v / (1 - iou.paired_iou(x, b) + v)).detach()
        return iou.paired_distance_iou(x, b) - weight * v

    (expected,) = torch.autograd.grad(with_fixed_weight(a).sum(), a)
    (got,) = torch.autograd.grad(iou.paired_complete_iou(a, b).sum(), a)
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("loss", [generalized_iou_loss, distance_iou_loss, complete_iou_loss])
def test_losses_are_none_for_a_hit_and_fall_on_the_way_to_it(loss: Overlap) -> None:
    target = torch.tensor([10.0, 10, 14, 16])
    torch.testing.assert_close(loss(target, target), torch.tensor(0.0))
    away = torch.stack([target + shift for shift in (0.0, 1.0, 3.0, 8.0, 30.0)])
    values = loss(away, target.expand(5, 4))
    assert (values.diff() > 0).all()
    for flat in (torch.zeros(4), torch.tensor([12.0, 12, 12, 12])):
        box = flat.clone().requires_grad_()
        loss(box, target).backward()
        assert box.grad is not None and box.grad.isfinite().all()


def test_half_precision_is_computed_in_float32() -> None:
    a = (boxes(4) * 30).bfloat16()
    assert iou.box_iou(a, a).dtype == torch.float32
    torch.testing.assert_close(iou.box_iou(a, a), iou.box_iou(a.float(), a.float()))
