"""Focal loss of yes-or-no questions and smooth L1: worked numbers, formulas, slopes."""

import math

import pytest
import torch
import torch.nn.functional as F

from pellucid.ops.losses import sigmoid_focal_loss, smooth_l1


def logit(p: float) -> torch.Tensor:
    return torch.tensor(math.log(p / (1 - p)), dtype=torch.float64)


def test_an_easy_example_counts_a_hundredth() -> None:
    """p = 0.9, gamma 2: (1 - 0.9)^2 (-ln 0.9) against -ln 0.9."""
    one = torch.tensor(1.0)
    assert sigmoid_focal_loss(logit(0.9), one, alpha=None, gamma=2).item() == pytest.approx(0.0010536, abs=5e-8)
    assert sigmoid_focal_loss(logit(0.9), one, alpha=None, gamma=0).item() == pytest.approx(0.1053605, abs=5e-8)
    assert sigmoid_focal_loss(logit(0.1), 1 - one, alpha=None).item() == pytest.approx(0.0010536, abs=5e-8)
    assert sigmoid_focal_loss(logit(0.9), one).item() == pytest.approx(0.25 * 0.0010536, abs=5e-8)
    assert sigmoid_focal_loss(logit(0.1), 1 - one).item() == pytest.approx(0.75 * 0.0010536, abs=5e-8)


def test_gamma_0_is_binary_cross_entropy() -> None:
    logits = 4 * torch.randn(5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    targets = (torch.rand(5, 7, generator=torch.Generator().manual_seed(1)) > 0.5).double()
    expected = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    torch.testing.assert_close(sigmoid_focal_loss(logits, targets, alpha=None, gamma=0), expected)
    torch.testing.assert_close(sigmoid_focal_loss(logits, targets, alpha=0.5, gamma=0), expected / 2)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_is_the_formula_and_its_slope(gamma: float) -> None:
    logits = 3 * torch.randn(40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    targets = (torch.arange(40) % 3 == 0).double()
    p = torch.where(targets == 1, torch.sigmoid(logits), 1 - torch.sigmoid(logits))
    expected = torch.where(targets == 1, 0.25, 0.75) * (1 - p) ** gamma * -p.log()
    torch.testing.assert_close(sigmoid_focal_loss(logits, targets, gamma=gamma), expected)
    assert torch.autograd.gradcheck(lambda x: sigmoid_focal_loss(x, targets, gamma=gamma), (logits.requires_grad_(),))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_sure_answers_right_and_wrong_are_finite(gamma: float) -> None:
    logits = torch.tensor([-200.0, 200.0, -200.0, 200.0, 0.0], requires_grad=True)
    targets = torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0])
    loss = sigmoid_focal_loss(logits, targets, alpha=None, gamma=gamma)
    assert loss[:2].lt(1e-30).all() and loss[2:4].eq(200).all()
    loss.sum().backward()
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_half_precision_is_computed_in_float32_and_nothing_is_averaged() -> None:
    logits = torch.randn(3, 4).bfloat16()
    loss = sigmoid_focal_loss(logits, torch.ones(3, 4))
    assert loss.shape == (3, 4) and loss.dtype == torch.float32
    assert smooth_l1(logits, torch.zeros(3, 4)).dtype == torch.float32
    assert sigmoid_focal_loss(logits[:0], torch.ones(0, 4)).sum() == 0


def test_smooth_l1_by_hand() -> None:
    predicted, target = torch.tensor([0.0, 0.5, 1.0, 3.0, -3.0]), torch.zeros(5)
    assert smooth_l1(predicted, target).tolist() == [0, 0.125, 0.5, 2.5, 2.5]
    assert smooth_l1(predicted, target, beta=0.0).tolist() == [0, 0.5, 1, 3, 3]
    ninth = smooth_l1(torch.tensor([1 / 18, 1.0]), torch.zeros(2), beta=1 / 9)
    torch.testing.assert_close(ninth, torch.tensor([1 / 72, 1 - 1 / 18]))


@pytest.mark.parametrize("beta", [0.0, 1 / 9, 1.0, 2.0])
def test_smooth_l1_is_torchs(beta: float) -> None:
    a, b = (2 * torch.randn(30, dtype=torch.float64, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    torch.testing.assert_close(smooth_l1(a, b, beta), F.smooth_l1_loss(a, b, reduction="none", beta=beta))
    assert torch.autograd.gradcheck(lambda x: smooth_l1(x, b, beta), (a.requires_grad_(),))
