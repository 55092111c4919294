"""Dice, focal, Lovasz and border weights against plain loops, closed forms, and what must not matter."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.edges.class_border import class_border
from pellucid.ops.losses import border_weights, cross_entropy, dice_loss, focal_loss, lovasz_softmax
from pellucid.ops.losses.lovasz import jaccard_steps

IGNORE = 255
Loss = Callable[..., Tensor]
ALL: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "dice": dice_loss,
    "focal": focal_loss,
    "lovasz": lovasz_softmax,
    "boundary": lambda x, t, ignore_index: cross_entropy(
        x, t, ignore_index=ignore_index, shares=border_weights(t, ignore_index=ignore_index)
    ),
}
every = pytest.mark.parametrize("loss", ALL.values(), ids=ALL.keys())
SIZES = [(2, 3, 4, 5), (1, 2, 1, 7), (3, 4, 3, 1), (2, 1, 3, 3)]
sizes = pytest.mark.parametrize("size", SIZES, ids=str)


def case(size: tuple[int, ...], share: float = 0.2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(sum(size))
    logits = 2 * torch.randn(size, generator=generator, dtype=torch.float64)
    target = torch.randint(0, max(1, size[1] - 1), (size[0], *size[2:]), generator=generator)  # one class never occurs
    target[torch.rand(target.shape, generator=generator) < share] = IGNORE
    return logits, target


def pixels(logits: Tensor, target: Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each picture: the probabilities (P, K) and classes (P,) of the pixels that count."""
    k = logits.shape[1]
    found = []
    for row, mask in zip(
        logits.movedim(1, -1).reshape(len(logits), -1, k).numpy(), target.flatten(1).numpy(), strict=True
    ):
        kept = np.exp(row[mask != IGNORE])
        found.append((kept / kept.sum(1, keepdims=True), mask[mask != IGNORE]))
    return found


@sizes
def test_dice_is_the_formula_one_class_at_a_time(size: tuple[int, ...]) -> None:
    logits, target = case(size)
    pictures = []
    for p, truth in pixels(logits, target):
        each = [
            1
            - 2 * sum(row[k] * (y == k) for row, y in zip(p, truth, strict=True)) / (p[:, k].sum() + (truth == k).sum())
            for k in set(truth.tolist())
        ]
        pictures += [sum(each) / len(each)] if each else []
    assert dice_loss(logits, target, ignore_index=IGNORE).item() == pytest.approx(np.mean(pictures), abs=1e-12)


def iou_lost(wrong: set[int], truth: np.ndarray, k: int) -> float:
    """1 - IoU of class k when exactly these pixels are wrong about it."""
    true = set(np.flatnonzero(truth == k).tolist())
    called = true ^ wrong
    return 1 - len(true & called) / len(true | called) if true | called else 0.0


@sizes
def test_lovasz_is_the_extension_of_a_set_function(size: tuple[int, ...]) -> None:
    """By its definition: sum over pixels, worst first, of error times what the pixel adds to 1 - IoU, sets counted."""
    logits, target = case(size)
    pictures = []
    for p, truth in pixels(logits, target):
        each = []
        for k in set(truth.tolist()):
            errors = np.abs((truth == k) - p[:, k])
            order = np.argsort(-errors, kind="stable").tolist()
            steps = [iou_lost(set(order[:n]), truth, k) for n in range(len(order) + 1)]
            each.append(sum(errors[i] * (b - a) for i, a, b in zip(order, steps, steps[1:], strict=False)))
        pictures += [sum(each) / len(each)] if each else []
    assert lovasz_softmax(logits, target, ignore_index=IGNORE).item() == pytest.approx(np.mean(pictures), abs=1e-12)


def test_lovasz_of_certain_answers_is_the_iou_that_is_lost() -> None:
    for called in itertools.product((0, 1, 2), repeat=3):
        target = torch.tensor([[[0, 1, 1]]])
        logits = 200.0 * torch.nn.functional.one_hot(torch.tensor([[called]]), 3).movedim(-1, 1).double()
        lost = [
            iou_lost({i for i in range(3) if (called[i] == k) != (target[0, 0, i] == k)}, target[0, 0].numpy(), k)
            for k in (0, 1)
        ]
        assert lovasz_softmax(logits, target, ignore_index=IGNORE).item() == pytest.approx(sum(lost) / 2)


def test_steps_of_the_jaccard_index_add_up_to_what_is_lost_in_all() -> None:
    true = torch.rand(5, 40, generator=torch.Generator().manual_seed(0)) < 0.3
    steps = jaccard_steps(true)
    assert steps.shape == (5, 40) and (steps >= 0).all()
    torch.testing.assert_close(steps.sum(1), torch.ones(5, dtype=torch.float64))  # all wrong: nothing is left


@sizes
@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_focal_is_the_formula(size: tuple[int, ...], gamma: float) -> None:
    logits, target = case(size)
    weights = torch.linspace(0.5, 2, size[1], dtype=torch.float64)
    total = norm = 0.0
    for p, truth in pixels(logits, target):
        for row, y in zip(p, truth.tolist(), strict=True):
            total += float(weights[y]) * (1 - row[y]) ** gamma * -math.log(row[y])
            norm += float(weights[y])
    loss = focal_loss(logits, target, ignore_index=IGNORE, gamma=gamma, weights=weights)
    assert loss.item() == pytest.approx(total / norm, abs=1e-9)  # K = 1: 1 - p is 0 but for the least that is taken


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_focal_at_gamma_0_is_cross_entropy_to_the_bit(weighted: bool, smoothing: float) -> None:
    logits, target = case((2, 3, 5, 7))
    more = {"ignore_index": IGNORE, "weights": torch.tensor([1.0, 3, 2]) if weighted else None}
    a, b = (logits.clone().requires_grad_() for _ in range(2))
    one = focal_loss(a, target, gamma=0, label_smoothing=smoothing, **more)
    two = cross_entropy(b, target, label_smoothing=smoothing, **more)
    one.backward()
    two.backward()
    assert torch.equal(one, two) and torch.equal(a.grad, b.grad)


@pytest.mark.parametrize("k", [2, 5, 21])
def test_equal_logits(k: int) -> None:
    """What the losses are of a network that knows nothing."""
    target = torch.arange(64).view(2, 4, 8) % k
    logits = torch.full((2, k, 4, 8), 0.7, dtype=torch.float64)
    assert lovasz_softmax(logits, target, ignore_index=IGNORE).item() == pytest.approx(1 - 1 / k)
    focal = focal_loss(logits, target, ignore_index=IGNORE, gamma=3, label_smoothing=0.1)
    assert focal.item() == pytest.approx((1 - 1 / k) ** 3 * math.log(k))
    assert ALL["boundary"](logits, target, ignore_index=IGNORE).item() == pytest.approx(math.log(k))
    halves = torch.zeros(1, 4, 4, dtype=torch.int64)
    halves[:, 2:] = 1
    each = dice_loss(torch.zeros(1, k, 4, 4), halves, ignore_index=IGNORE)
    assert each.item() == pytest.approx(1 - 2 * 0.5 / (1 + k / 2))


@every
def test_right_and_sure_costs_nothing(loss: Loss) -> None:
    target = case((2, 3, 4, 5))[1]
    known = target.where(target != IGNORE, 0)
    logits = 1e3 * torch.nn.functional.one_hot(known, 3).movedim(-1, 1).double()
    assert loss(logits, target, ignore_index=IGNORE).item() == pytest.approx(0, abs=1e-6)


@every
@pytest.mark.parametrize("size", SIZES[:3], ids=str)
def test_gradient_is_the_derivative(loss: Loss, size: tuple[int, ...]) -> None:
    logits, target = case(size)
    assert torch.autograd.gradcheck(lambda x: loss(x, target, ignore_index=IGNORE), logits.requires_grad_())


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0])
def test_focal_has_a_gradient_where_all_is_right(gamma: float) -> None:
    logits = torch.tensor([[500.0, 0, 0], [0, 500, 0], [0, 0, -500]], requires_grad=True)
    loss = focal_loss(logits, torch.tensor([0, 1, 2]), ignore_index=IGNORE, gamma=gamma)
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()


@every
@pytest.mark.parametrize("size", [(0, 3, 4, 4), (2, 3, 4, 4), (1, 1, 1, 1)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_nothing_counts_is_zero_with_a_gradient_of_zero(loss: Loss, size: tuple[int, ...], dtype: torch.dtype) -> None:
    logits = torch.randn(size, generator=torch.Generator().manual_seed(0)).to(dtype).requires_grad_()
    value = loss(logits, torch.full((size[0], *size[2:]), IGNORE), ignore_index=IGNORE)
    value.backward()
    assert value.shape == () and value.dtype == torch.float32 and value.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@every
def test_logits_of_ignored_pixels_do_not_matter(loss: Loss) -> None:
    logits, target = case((2, 3, 6, 5), share=0.5)
    generator = torch.Generator().manual_seed(1)
    noise = 100 * torch.randn(logits.shape, generator=generator, dtype=torch.float64)
    other = torch.where((target == IGNORE)[:, None], noise, logits).requires_grad_()
    value = loss(other, target, ignore_index=IGNORE)
    assert torch.equal(value, loss(logits, target, ignore_index=IGNORE))
    value.backward()
    assert not other.grad.movedim(1, -1)[target == IGNORE].any()


@every
def test_names_of_classes_do_not_matter(loss: Loss) -> None:
    logits, target = case((2, 4, 6, 5))
    order = torch.tensor([2, 0, 3, 1])
    renamed = torch.where(target == IGNORE, IGNORE, order.argsort()[target.clamp_max(3)])
    value = loss(logits[:, order], renamed, ignore_index=IGNORE)
    assert value.item() == pytest.approx(loss(logits, target, ignore_index=IGNORE).item(), abs=1e-12)


@every
def test_mirrored_pictures_cost_the_same(loss: Loss) -> None:
    logits, target = case((2, 3, 6, 5))
    mirrored = loss(logits.flip(-1), target.flip(-1), ignore_index=IGNORE)
    assert mirrored.item() == pytest.approx(loss(logits, target, ignore_index=IGNORE).item(), abs=1e-12)


@every
def test_a_common_shift_of_all_logits_changes_nothing(loss: Loss) -> None:
    logits, target = case((2, 3, 6, 5))
    shifted = loss(logits + 7, target, ignore_index=IGNORE)
    assert shifted.item() == pytest.approx(loss(logits, target, ignore_index=IGNORE).item(), abs=1e-12)


@pytest.mark.parametrize("loss", [dice_loss, lovasz_softmax])
def test_each_picture_stands_alone_and_empty_ones_do_not_count(loss: Loss) -> None:
    logits, target = case((3, 3, 4, 5))
    target[1] = IGNORE
    alone = [loss(logits[n : n + 1], target[n : n + 1], ignore_index=IGNORE).item() for n in (0, 2)]
    assert loss(logits, target, ignore_index=IGNORE).item() == pytest.approx(sum(alone) / 2)


@pytest.mark.parametrize("loss", [dice_loss, lovasz_softmax])
def test_what_is_called_an_absent_class_costs_where_it_belongs(loss: Loss) -> None:
    target = torch.zeros(1, 4, 4, dtype=torch.int64)
    logits = torch.zeros(1, 3, 4, 4)
    logits[:, 0] = 50
    logits[0, :, 0, 0] = torch.tensor([0.0, 0, 50])
    value = loss(logits, target, ignore_index=IGNORE).item()
    assert value == pytest.approx(1 - 30 / 31 if loss is dice_loss else 1 / 16)


@every
def test_half_precision_is_computed_in_float32(loss: Loss) -> None:
    logits, target = case((2, 3, 6, 5))
    half = logits.to(torch.bfloat16)
    value = loss(half, target, ignore_index=IGNORE)
    assert value.dtype == torch.float32 and torch.equal(value, loss(half.float(), target, ignore_index=IGNORE))


@every
def test_shapes_that_do_not_fit_are_refused_in_one_line(loss: Loss) -> None:
    with pytest.raises(
        DataError, match=r"^target must have shape \(2, 5, 7\) to fit logits \(2, 3, 5, 7\), got \(2, 7, 5\)\.$"
    ):
        loss(torch.zeros(2, 3, 5, 7), torch.zeros(2, 7, 5, dtype=torch.int64), ignore_index=IGNORE)


def test_borders_by_hand() -> None:
    labels = torch.tensor([[[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 255, 255], [0, 0, 255, 2]]])
    assert class_border(labels, IGNORE).int().tolist() == [
        [[0, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 0, 0]],
    ]


@pytest.mark.parametrize("shape", [(0, 3, 3), (1, 1, 1), (2, 1, 5), (2, 5, 1), (1, 0, 4)], ids=str)
def test_pictures_too_small_for_a_border(shape: tuple[int, ...]) -> None:
    assert not class_border(torch.zeros(shape, dtype=torch.int64), IGNORE).any()
    assert border_weights(torch.zeros(shape, dtype=torch.int64), ignore_index=IGNORE).shape == shape


@pytest.mark.parametrize(("w0", "sigma"), [(10.0, 5.0), (3.0, 2.0), (10.0, 0.4), (0.0, 5.0)])
def test_weights_fall_with_the_euclidean_distance_from_the_border(w0: float, sigma: float) -> None:
    target = torch.zeros(2, 40, 33, dtype=torch.int64)
    target[0, 10:20, 12:25] = 1
    target[1, 7, 8] = 2
    target[0, 30:] = IGNORE
    found = border_weights(target, ignore_index=IGNORE, w0=w0, sigma=sigma)
    for weights, mask in zip(found.double().numpy(), target.numpy(), strict=True):
        here = class_border(torch.from_numpy(mask)[None], IGNORE)[0].numpy()
        distance = ndimage.distance_transform_edt(~here)
        expected = (1 + w0 * np.exp(-2 * (distance / sigma) ** 2)) * (mask != IGNORE)
        assert np.abs(weights - expected).max() <= w0 / 2900 + 1e-5
        assert weights.max() == pytest.approx(1 + w0) and (weights[mask == IGNORE] == 0).all()


def test_a_mask_without_a_border_weighs_one_everywhere() -> None:
    assert (border_weights(torch.full((2, 9, 9), 3), ignore_index=IGNORE) == 1).all()
