"""Cross-entropy against PyTorch, a plain loop, and what theory says."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.losses import cross_entropy

SHAPES = [(7, 5), (1, 5), (3, 4, 6), (2, 3, 5, 7), (4, 1)]


def case(shape: tuple[int, ...], ignore_index: int = 255, share: float = 0.2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(sum(shape))
    logits = torch.randn(shape, generator=generator, dtype=torch.float64) * 3
    sides = (shape[0], *shape[2:])
    target = torch.randint(0, shape[1], sides, generator=generator)
    target[torch.rand(sides, generator=generator) < share] = ignore_index
    target.view(-1)[0] = 0  # at least one counts
    return logits, target


def by_hand(logits: Tensor, target: Tensor, ignore_index: int, weights: Tensor, smoothing: float) -> float:
    """The formula of the docstring, one position at a time."""
    k = logits.shape[1]
    rows = logits.movedim(1, -1).reshape(-1, k).tolist()
    total = norm = 0.0
    for row, y in zip(rows, target.flatten().tolist(), strict=True):
        if y == ignore_index:
            continue
        log_sum = math.log(sum(math.exp(value) for value in row))
        share = [smoothing / k + (1 - smoothing) * (c == y) for c in range(k)]
        total += float(weights[y]) * sum(q * (log_sum - value) for q, value in zip(share, row, strict=True))
        norm += float(weights[y])
    return total / norm


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ignore_index", [-1, 255])
@pytest.mark.parametrize(("weighted", "smoothing"), [(False, 0.0), (True, 0.0), (False, 0.1)])
def test_torch_twin(shape: tuple[int, ...], ignore_index: int, weighted: bool, smoothing: float) -> None:
    logits, target = case(shape, ignore_index)
    weights = torch.linspace(0.5, 2, shape[1], dtype=torch.float64) if weighted else None
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = cross_entropy(ours, target, weights=weights, label_smoothing=smoothing, ignore_index=ignore_index)
    twin = F.cross_entropy(theirs, target, weights, ignore_index=ignore_index, label_smoothing=smoothing)
    assert loss.shape == () and loss.dtype == torch.float64
    assert loss.item() == pytest.approx(twin.item(), abs=1e-12)
    loss.backward()
    twin.backward()
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_weights_and_smoothing_together_equal_the_formula(shape: tuple[int, ...]) -> None:
    logits, target = case(shape)
    weights = torch.linspace(0.5, 2, shape[1], dtype=torch.float64)
    loss = cross_entropy(logits, target, weights=weights, label_smoothing=0.3, ignore_index=255)
    assert loss.item() == pytest.approx(by_hand(logits, target, 255, weights, 0.3))


@pytest.mark.parametrize("k", [2, 10, 1000])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("weighted", [False, True])
def test_equal_logits_cost_ln_k(k: int, smoothing: float, weighted: bool) -> None:
    target = torch.arange(20) % k
    weights = torch.arange(1.0, k + 1) if weighted else None
    loss = cross_entropy(torch.full((20, k), 3.0), target, weights=weights, label_smoothing=smoothing, ignore_index=-1)
    assert loss.item() == pytest.approx(math.log(k), rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(0, 3), (4, 3), (2, 3, 2, 2)])
def test_nothing_counts_is_zero_with_a_gradient_of_zero(
    shape: tuple[int, ...], weighted: bool, dtype: torch.dtype
) -> None:
    logits = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype).requires_grad_()
    target = torch.full((shape[0], *shape[2:]), 255)
    weights = torch.ones(3) if weighted else None
    loss = cross_entropy(logits, target, weights=weights, label_smoothing=0.1, ignore_index=255)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_all_weights_that_occur_zero() -> None:
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = cross_entropy(logits, torch.zeros(4, dtype=torch.int64), weights=torch.tensor([0.0, 1, 1]), ignore_index=-1)
    loss.backward()
    assert loss.item() == 0 and not logits.grad.any()


@pytest.mark.parametrize("weighted", [False, True])
def test_ignored_positions_do_not_matter(weighted: bool) -> None:
    logits, target = case((2, 3, 5, 7), share=0.5)
    weights = torch.tensor([1.0, 2, 3], dtype=torch.float64) if weighted else None
    other = torch.where((target == 255)[:, None], 1e4, logits).requires_grad_()
    settings = {"weights": weights, "label_smoothing": 0.1, "ignore_index": 255}
    loss = cross_entropy(other, target, **settings)
    assert torch.equal(loss, cross_entropy(logits, target, **settings))
    loss.backward()
    assert not other.grad.movedim(1, -1)[target == 255].any()


def test_only_the_ratio_of_weights_matters() -> None:
    logits, target = case((9, 4))
    weights = torch.tensor([1.0, 2, 3, 4], dtype=torch.float64)
    loss = cross_entropy(logits, target, weights=weights, label_smoothing=0.1, ignore_index=255)
    scaled = cross_entropy(logits, target, weights=8 * weights, label_smoothing=0.1, ignore_index=255)
    assert torch.equal(loss, scaled)
    equal = cross_entropy(logits, target, weights=torch.full((4,), 5.0), ignore_index=255)
    assert equal.item() == pytest.approx(cross_entropy(logits, target, ignore_index=255).item())


def test_gradient_is_the_derivative() -> None:
    logits, target = case((4, 3, 2))
    weights = torch.tensor([0.5, 1, 3], dtype=torch.float64)

    def loss(x: Tensor) -> Tensor:
        return cross_entropy(x, target, weights=weights, label_smoothing=0.2, ignore_index=255)

    assert torch.autograd.gradcheck(loss, logits.requires_grad_())


def test_a_stated_normaliser_makes_parts_add_up_to_the_whole() -> None:
    logits, target = case((10, 4))
    weights = torch.tensor([1.0, 2, 3, 4], dtype=torch.float64)
    whole = cross_entropy(logits, target, weights=weights, ignore_index=255)
    norm = weights[target[target != 255]].sum()
    parts = [
        cross_entropy(logits[part], target[part], weights=weights, ignore_index=255, normaliser=norm)
        for part in (slice(0, 3), slice(3, 10))
    ]
    assert sum(parts).item() == pytest.approx(whole.item())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    logits, target = case((64, 100))
    half = logits.to(dtype)
    loss = cross_entropy(half, target, ignore_index=255)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, cross_entropy(half.float(), target, ignore_index=255))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(cross_entropy(half, target, ignore_index=255), loss)


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([0, 0]), ignore_index=-1)
    loss.backward()
    assert loss.item() == 1e4 and logits.grad.isfinite().all()


def test_shapes_that_do_not_fit_are_refused_in_one_line() -> None:
    with pytest.raises(
        DataError, match=r"^target must have shape \(2, 5, 7\) to fit logits \(2, 3, 5, 7\), got \(2, 7, 5\)\.$"
    ):
        cross_entropy(torch.zeros(2, 3, 5, 7), torch.zeros(2, 7, 5, dtype=torch.int64), ignore_index=255)
    with pytest.raises(DataError, match=r"^weights must have shape \(K\) = \(3\), got \(4,\)\.$"):
        cross_entropy(torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64), weights=torch.ones(4), ignore_index=-1)
