"""RoI Pool and position-sensitive pooling against their definitions in loops, the drawn case, and gradients."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.regions import position_sensitive_pool, roi_align, roi_pool
from pellucid.ops.regions.roi_pool import snap

Pool = Callable[..., Tensor]
both = pytest.mark.usefixtures("way")


def maps(C: int = 3) -> Tensor:
    return torch.randn(2, C, 9, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def regions() -> tuple[Tensor, Tensor]:
    """For maps of stride 4: inside, across borders, far beside, narrow, halves of places, reversed."""
    boxes = [[2.0, 3, 17, 31], [-9, -6, 14, 9], [20, 25, 60, 70], [4, 4, 4.5, 30], [90, 90, 120, 99], [0, 0, 28, 36]]
    boxes += [[2, 6, 18, 22], [16, 16, 8, 8]]
    return torch.tensor(boxes, dtype=torch.float64), torch.tensor([0, 1, 0, 1, 0, 1, 1, 0])


def away_from_zero(x: float) -> int:
    return int(math.copysign(math.floor(abs(x) + 0.5), x))


def spans(low: float, high: float, bins: int, size: int, last_counts: int) -> list[range]:
    first = away_from_zero(low)
    n = max(away_from_zero(high) - first + last_counts, 1)
    ends = [(first + k * n // bins, first + -(-(k + 1) * n // bins)) for k in range(bins)]
    return [range(max(a, 0), min(b, size)) for a, b in ends]


def by_definition(features: Tensor, boxes: Tensor, batch: Tensor, p: int, q: int, scale: float) -> Tensor:
    result = features.new_zeros(len(boxes), features.shape[1], p, q)
    for r, (x1, y1, x2, y2) in enumerate((boxes * scale).tolist()):
        for i, rows in enumerate(spans(y1, y2, p, features.shape[2], 1)):
            for j, columns in enumerate(spans(x1, x2, q, features.shape[3], 1)):
                for c in range(features.shape[1]):
                    values = [float(features[batch[r], c, y, x]) for y in rows for x in columns]
                    result[r, c, i, j] = max(values, default=0.0)
    return result


def sensitive_by_definition(features: Tensor, boxes: Tensor, batch: Tensor, p: int, q: int, scale: float) -> Tensor:
    D = features.shape[1] // (p * q)
    result = features.new_zeros(len(boxes), D, p, q)
    for r, (x1, y1, x2, y2) in enumerate((boxes * scale).tolist()):
        for i, rows in enumerate(spans(y1, y2, p, features.shape[2], 0)):
            for j, columns in enumerate(spans(x1, x2, q, features.shape[3], 0)):
                for d in range(D):
                    values = [float(features[batch[r], (d * p + i) * q + j, y, x]) for y in rows for x in columns]
                    result[r, d, i, j] = sum(values) / len(values) if values else 0.0
    return result


@both
@pytest.mark.parametrize(("p", "q"), [(2, 3), (1, 1), (7, 7), (5, 2)])
def test_is_the_definition(p: int, q: int) -> None:
    features, (boxes, batch) = maps(), regions()
    torch.testing.assert_close(
        roi_pool(features, boxes, batch, (p, q), 0.25), by_definition(features, boxes, batch, p, q, 0.25)
    )
    features = maps(2 * p * q)
    torch.testing.assert_close(
        position_sensitive_pool(features, boxes, batch, (p, q), 0.25),
        sensitive_by_definition(features, boxes, batch, p, q, 0.25),
    )


@both
def test_the_drawn_case_snaps_down_and_splits_five_into_two_and_three() -> None:
    row = torch.arange(10.0)[None, None, None].expand(1, 1, 10, 10)  # the value of a place is its column
    box, batch = torch.tensor([[2.5, 0, 7.5, 4]]), torch.tensor([0])
    across = roi_pool(row, box, batch, (1, 2), 1.0, uneven=True)[0, 0, 0]
    assert across.tolist() == [3.0, 6.0]  # columns 2 3 | 4 5 6
    down = roi_pool(row.transpose(2, 3), box[:, [1, 0, 3, 2]], batch, (2, 1), 1.0, uneven=True)[0, 0, :, 0]
    assert down.tolist() == [3.0, 6.0]
    lowest = -roi_pool(-row, box, batch, (1, 2), 1.0, uneven=True)[0, 0, 0]
    assert lowest.tolist() == [2.0, 4.0]
    # as published: 2.5 goes to 3 and 7.5 to 8, which belongs to the box; six columns, 3 4 5 | 6 7 8
    assert roi_pool(row, box, batch, (1, 2), 1.0)[0, 0, 0].tolist() == [5.0, 8.0]
    five = torch.tensor([[3.0, 0, 7, 4]])  # 3 4 5 | 5 6 7
    assert roi_pool(row, five, batch, (1, 2), 1.0)[0, 0, 0].tolist() == [5.0, 7.0]
    assert (-roi_pool(-row, five, batch, (1, 2), 1.0)[0, 0, 0]).tolist() == [3.0, 5.0]


@both
def test_more_bins_than_places() -> None:
    row = torch.arange(10.0)[None, None, None].expand(1, 1, 10, 10)
    box, batch = torch.tensor([[4.2, 4.2, 6.1, 4.3]]), torch.tensor([0])
    assert roi_pool(row, box, batch, (1, 4), 1.0, uneven=True)[0, 0, 0].tolist() == [4.0, 4.0, 5.0, 5.0]


def test_snapping_takes_halves_away_from_zero() -> None:
    x = torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997, 2.4, -2.6, 8388609.0])
    assert snap(x).tolist() == [1, 2, 3, -1, -2, 0, 2, -3, 8388609]


@both
def test_what_is_not_a_number_is_never_the_largest() -> None:
    features = torch.tensor([[1.0, math.nan], [2.0, math.nan]])[None, None].requires_grad_()
    boxes, of = torch.tensor([[0.0, 0, 1, 1], [1, 0, 1, 1]]), torch.tensor([0, 0])
    pooled = roi_pool(features, boxes, of, 1, 1.0)
    assert pooled.flatten().tolist() == [2.0, 0.0]  # the second bin holds nothing else
    pooled.sum().backward()
    assert features.grad is not None
    assert features.grad.flatten().tolist() == [0, 0, 1, 0]


def test_no_gradient_reaches_the_boxes_but_in_align() -> None:
    features, (boxes, batch) = maps(4), regions()
    for pool in (roi_pool, position_sensitive_pool):
        leaf, corners = features.clone().requires_grad_(), boxes.clone().requires_grad_()
        pool(leaf, corners, batch, 2, 0.25).square().sum().backward()
        assert corners.grad is None and leaf.grad is not None and leaf.grad.abs().sum() > 0
        moved = pool(features, boxes[:1] + 0.01, batch[:1], 2, 0.25)  # a little moves nothing
        assert torch.equal(moved, pool(features, boxes[:1], batch[:1], 2, 0.25))
    corners = boxes.clone().requires_grad_()
    roi_align(features, corners, batch, 2, 0.25).square().sum().backward()
    assert corners.grad is not None and corners.grad[0].ne(0).all()


@both
@pytest.mark.parametrize("pool", [roi_pool, position_sensitive_pool])
def test_gradients_of_features(pool: Pool) -> None:
    features, (boxes, batch) = maps(4), regions()
    leaf = features.requires_grad_()
    assert torch.autograd.gradcheck(lambda f: pool(f, boxes, batch, 2, 0.25), (leaf,), fast_mode=True)


@both
def test_of_equal_values_the_first_gets_the_gradient() -> None:
    leaf = torch.zeros(1, 1, 4, 4).requires_grad_()
    roi_pool(leaf, torch.tensor([[1.0, 1, 3, 3]]), torch.tensor([0]), 1, 1.0).backward()
    assert leaf.grad is not None and leaf.grad.nonzero().tolist() == [[0, 0, 1, 1]]


@both
@pytest.mark.parametrize("pool", [roi_pool, position_sensitive_pool])
def test_no_regions_regions_beside_the_map_and_dtypes(pool: Pool) -> None:
    leaf = maps(4).requires_grad_()
    none = pool(leaf, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), 2, 0.25)
    assert none.shape[0] == 0 and none.shape[2:] == (2, 2)
    none.sum().backward()
    assert leaf.grad is not None and leaf.grad.eq(0).all()
    far = pool(maps(4), torch.tensor([[900.0, 900, 950, 950]]), torch.tensor([1]), 2, 0.25)
    assert far.eq(0).all()
    boxes, batch = regions()
    low = pool(maps(4).bfloat16(), boxes, batch, 2, 0.25)
    assert low.dtype == torch.bfloat16


def test_channels_that_do_not_divide_are_named() -> None:
    with pytest.raises(DataError, match="2x2 needs a multiple of 4 channels, got 3"):
        position_sensitive_pool(maps(3), torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), 2, 1.0)
