"""Which level of a pyramid a box belongs to, and what is pooled there."""

import pytest
import torch

from pellucid.core.errors import DataError
from pellucid.ops.regions import box_level, pool_levels, roi_align


def square(side: float) -> torch.Tensor:
    return torch.tensor([[5.0, 5, 5 + side, 5 + side]])


@pytest.mark.parametrize(
    ("side", "level"),
    [(0, 2), (20, 2), (55, 2), (56, 2), (111.9, 2), (112, 3), (223.9, 3), (224, 4), (448, 5), (5000, 5)],
)
def test_levels_of_the_paper(side: float, level: int) -> None:
    assert box_level(square(side), 2, 5).tolist() == [level]
    wide = torch.tensor([[0.0, 0, side * 4, side / 4]])  # the area counts
    assert box_level(wide, 2, 5).tolist() == [level]


def test_a_corner_that_float32_cannot_hold_changes_no_level() -> None:
    corners = torch.arange(300, 700, 0.1)
    boxes = torch.stack([corners, corners, corners + 224, corners + 224], 1)
    assert (boxes[:, 2] - boxes[:, 0]).min() < 224
    assert set(box_level(boxes, 2, 5).tolist()) == {4}


def test_every_box_gets_what_align_gives_on_its_level() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = {2**k: torch.randn(2, 5, 128 // 2**k, 128 // 2**k, generator=generator) for k in (3, 4, 5)}
    boxes = torch.cat([square(s) for s in (10.0, 112, 230, 500, 3, 100)])
    batch = torch.tensor([0, 1, 0, 1, 1, 0])
    levels = box_level(boxes, 3, 5)
    assert levels.tolist() == [3, 3, 4, 5, 3, 3]
    got = pool_levels(maps, boxes, batch, (2, 3))
    for r in range(6):
        stride = 2 ** int(levels[r])
        one = roi_align(maps[stride], boxes[r : r + 1], batch[r : r + 1], (2, 3), 1 / stride)
        torch.testing.assert_close(got[r : r + 1], one)


def test_every_map_has_a_gradient_and_no_boxes_are_fine() -> None:
    maps = {8: torch.randn(1, 2, 8, 8, requires_grad=True), 16: torch.randn(1, 2, 4, 4, requires_grad=True)}
    for n in (1, 0):
        out = pool_levels(maps, square(30.0)[:n], torch.zeros(n, dtype=torch.int64), 2)
        assert out.shape == (n, 2, 2, 2)
        grads = torch.autograd.grad(out.sum(), list(maps.values()))
        assert grads[1].eq(0).all() and (grads[0].abs().sum() > 0) == (n == 1)


@pytest.mark.parametrize("strides", [(), (8, 12), (0,), (-4,)])
def test_strides_are_powers_of_two(strides: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="strides that are powers of 2, got"):
        pool_levels({s: torch.zeros(1, 1, 2, 2) for s in strides}, torch.zeros(0, 4), torch.zeros(0).long(), 2)
