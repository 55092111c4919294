"""The battery of detectors: every network of the table is put through the same checks, at the smallest size it takes.

Of the networks of one file the first is tested every time, the others and the very large with the slow tests.
"""

import io
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.seed import seed_everything
from pellucid.models.detect import FITTED, KEYPOINTS, MASKS, MODELS, PROPOSED, PUBLISHED, build
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.truth import Truth

SIDES = (32, 48, 64, 96, 128, 192, 224, 256, 300)
K, POINTS = 3, 4
LIMITS = Limits(score=0.0, iou=0.5, most=20)


@cache
def smallest(name: str) -> int:
    """The first of `SIDES` that the network accepts."""
    with torch.device("meta"):
        for side in SIDES:
            try:
                build(name, K, 3, (side, side), n_keypoints=POINTS)
            except ConfigError:
                continue
            return side
    raise AssertionError(f"{name} accepts no size up to {SIDES[-1]}")


def cases() -> list[Any]:
    """All but the first of each file marked slow, and the published ones, of which a step takes seconds."""
    seen: set[str] = set()
    found: list[Any] = []
    for name, builder in MODELS.items():
        slow = builder.__module__ in seen or name in PUBLISHED
        seen.add(builder.__module__)
        found.append(pytest.param(name, id=name, marks=[pytest.mark.slow] * slow))
    return found


pytestmark = pytest.mark.parametrize("name", cases())


def net_of(name: str, seed: int = 0) -> nn.Module:
    seed_everything(seed)
    side = smallest(name)
    return build(name, K, 3, (side, side), n_keypoints=POINTS)


def truth_of(name: str, n: int, side: int, empty: bool = False, crowd: bool = False) -> Truth:
    """A thing in the left half, a smaller one in the right; every place of the second picture's last is free."""
    boxes = torch.tensor([[0.05, 0.1, 0.45, 0.9], [0.55, 0.3, 0.95, 0.7], [0.0, 0.0, 0.0, 0.0]]) * side
    boxes = boxes.expand(n, 3, 4).clone()
    labels = torch.tensor([[0, K - 1, -1]]).repeat(n, 1)
    if empty:
        labels = torch.full_like(labels, -1)
        boxes = torch.zeros_like(boxes)
    grid = torch.arange(side) + 0.5
    rows = (grid >= boxes[..., 1:2]) & (grid < boxes[..., 3:4])  # (N, M, H)
    columns = (grid >= boxes[..., 0:1]) & (grid < boxes[..., 2:3])  # (N, M, W)
    masks = rows[..., None] & columns[..., None, :] if name in MASKS else None
    points = None
    if name in KEYPOINTS:
        share = torch.tensor([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]])  # (P, 2)
        at = boxes[..., None, :2] + share * (boxes[..., None, 2:] - boxes[..., None, :2])
        points = torch.cat([at, 2 * (labels >= 0)[..., None, None].expand(n, 3, POINTS, 1).float()], -1)
    proposals = None
    if name in PROPOSED:
        moved = torch.tensor([[0.0, 0, 1, 1], [0.05, 0.1, 0.5, 0.9], [0.5, 0.3, 1, 0.75], [0.0, 0.5, 0.3, 1]]) * side
        proposals = moved.expand(n, 4, 4).clone()
    return Truth(boxes, labels, (labels >= 0) & crowd, masks, points, proposals)


def pictures(n: int, side: int) -> Tensor:
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(1))


def losses(net: nn.Module, x: Tensor, truth: Truth) -> Mapping[str, Tensor]:
    return net.losses(net(x, truth), truth)  # type: ignore[operator, no-any-return]


def looked(net: nn.Module, x: Tensor, truth: Truth) -> Found:
    """What is found without knowing what is there, beyond what was proposed."""
    with torch.no_grad():
        blind = None
        if truth.proposals_xyxy is not None:
            none = truth_of("", len(x), x.shape[-1], empty=True)
            blind = Truth(none.boxes_xyxy, none.labels, none.is_crowd, proposals_xyxy=truth.proposals_xyxy)
        return net.eval().found(net(x, blind), LIMITS)  # type: ignore[operator, no-any-return]


def test_losses_are_one_number_a_picture(name: str) -> None:
    side = smallest(name)
    net, truth = net_of(name), truth_of(name, 2, side)
    for training in (True, False):
        given = losses(net.train(training), pictures(2, side), truth)
        assert set(given) == set(net.initial_losses)  # type: ignore[arg-type]
        for loss, value in given.items():
            assert value.shape == (2,) and value.dtype == torch.float32, loss
            assert bool(value.isfinite().all()) and bool((value >= 0).all()), loss


def test_first_losses_are_what_theory_says(name: str) -> None:
    side = smallest(name)
    net = net_of(name).train()
    given = losses(net, pictures(2, side), truth_of(name, 2, side))
    theory: dict[str, float] = net.initial_losses  # type: ignore[assignment]
    for loss, value in theory.items():
        if not math.isnan(value):
            assert float(given[loss].detach().mean()) == pytest.approx(value, rel=0.15), loss


@pytest.fixture
def trained_by_steps(name: str) -> None:
    if name in FITTED:
        pytest.skip(f"{name} is fitted in one go, no gradient reaches it")


@pytest.mark.usefixtures("trained_by_steps")
def test_nothing_and_crowds_are_finite_and_lead_back(name: str) -> None:
    side = smallest(name)
    for truth in (truth_of(name, 2, side, empty=True), truth_of(name, 2, side, crowd=True)):
        net = net_of(name).train()
        total = torch.stack(list(losses(net, pictures(2, side), truth).values())).sum()
        assert bool(total.isfinite())
        total.backward()
        assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in net.parameters())
        assert any(p.grad is not None for p in net.parameters())


@pytest.mark.usefixtures("trained_by_steps")
def test_gradients_reach_every_parameter(name: str) -> None:
    side = smallest(name)
    net = net_of(name).train()
    torch.stack(list(losses(net, pictures(2, side), truth_of(name, 2, side)).values())).sum().backward()
    wanted = [(key, p) for key, p in net.named_parameters() if p.requires_grad]
    assert [key for key, p in wanted if p.grad is None] == []
    assert all(bool(p.grad.isfinite().all()) for _, p in wanted if p.grad is not None)


def test_what_is_found_keeps_the_contract(name: str) -> None:
    side = smallest(name)
    truth = truth_of(name, 2, side)
    found = looked(net_of(name), pictures(2, side), truth)
    d = LIMITS.most
    assert found.boxes_xyxy.shape == (2, d, 4) and found.scores.shape == found.labels.shape == (2, d)
    assert found.labels.dtype == torch.int64 and found.boxes_xyxy.dtype == found.scores.dtype == torch.float32
    there = found.labels >= 0
    assert bool((found.scores[:, :-1] >= found.scores[:, 1:]).all()), "the surest first"
    assert bool((found.scores[~there] == 0).all()) and bool((found.boxes_xyxy[~there] == 0).all())
    assert bool((found.labels < K).all()) and bool(((found.scores >= 0) & (found.scores <= 1)).all())
    boxes = found.boxes_xyxy[there]
    assert bool((boxes >= 0).all()) and bool((boxes <= side).all())
    assert bool((boxes[:, :2] <= boxes[:, 2:]).all())
    assert (found.masks is not None) == (name in MASKS)
    assert (found.keypoints is not None) == (name in KEYPOINTS)
    if found.masks is not None:
        assert found.masks.shape[:2] == (2, d) and found.masks.shape[2] == found.masks.shape[3]
        assert bool(((found.masks >= 0) & (found.masks <= 1)).all())
    if found.keypoints is not None:
        assert found.keypoints.shape == (2, d, POINTS, 3)


def test_a_batch_equals_its_pictures(name: str) -> None:
    side = smallest(name)
    net, x, truth = net_of(name).eval(), pictures(2, side), truth_of(name, 2, side)
    with torch.no_grad():
        together = losses(net, x, truth)
        for row in range(2):
            parts = {key: None if v is None else v[row : row + 1] for key, v in vars(truth).items()}
            alone = losses(net, x[row : row + 1], Truth(**parts))
            for loss, value in alone.items():
                torch.testing.assert_close(value[0], together[loss][row], rtol=1e-3, atol=1e-4, msg=loss)
    both = looked(net, x, truth)
    parts = {key: None if v is None else v[1:] for key, v in vars(truth).items()}
    one = looked(net, x[1:], Truth(**parts))
    torch.testing.assert_close(one.scores[0], both.scores[1], rtol=1e-4, atol=1e-5)


def test_same_seed_same_net_and_weights_come_back(name: str) -> None:
    side = smallest(name)
    first, second, other = net_of(name), net_of(name), net_of(name, seed=1)
    truth, x = truth_of(name, 1, side), pictures(1, side)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True), strict=True)
    one, again = looked(first, x, truth), looked(other, x, truth)
    assert torch.equal(one.boxes_xyxy, again.boxes_xyxy) and torch.equal(one.labels, again.labels)


def test_no_pictures_at_all(name: str) -> None:
    side = smallest(name)
    found = looked(net_of(name), pictures(0, side), truth_of(name, 0, side))
    assert found.boxes_xyxy.shape == (0, LIMITS.most, 4)
