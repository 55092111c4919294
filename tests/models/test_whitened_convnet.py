"""The fixed first layer: whitened patches are uncorrelated and of variance 1, and nothing trains it."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.classify.whitened_convnet import FILTERS, whitening_filters


def smooth_pictures(n: int, channels: int, seed: int = 0) -> Tensor:
    """Noise averaged over neighbours, so that pixels are correlated as in photographs; its mean is not 0."""
    noise = torch.randn(n, channels, 30, 30, generator=torch.Generator().manual_seed(seed))
    return F.avg_pool2d(noise, 5, stride=1) * 5 + 0.7


def patches(pictures: Tensor, kernel: int) -> Tensor:
    return F.unfold(pictures, kernel).transpose(1, 2).flatten(0, 1)


@pytest.mark.parametrize(("channels", "kernel"), [(1, 2), (3, 2), (1, 3)])
def test_whitened_patches_have_the_identity_as_covariance(channels: int, kernel: int) -> None:
    pictures = smooth_pictures(40, channels)
    size = channels * kernel**2
    filters = whitening_filters(pictures, kernel, size, eps=0.0)
    before = torch.cov(patches(pictures, kernel).T)
    assert float((before - torch.diag(before.diag())).abs().max()) > 0.5  # there is something to be undone
    after = torch.cov((patches(pictures, kernel) @ filters.T).T, correction=0)
    torch.testing.assert_close(after, torch.eye(size), rtol=0, atol=1e-3)


def test_eps_holds_down_what_is_only_noise() -> None:
    """Of variances v the answers keep v / (v + eps): a direction in which nothing varies is not blown up."""
    flat = torch.ones(5, 1, 8, 8) * torch.arange(5.0)[:, None, None, None]  # every patch is constant
    filters = whitening_filters(flat, 2, 4, eps=1e-2)
    variances = torch.cov((patches(flat, 2) @ filters.T).T, correction=0).diag()
    torch.testing.assert_close(variances[0], torch.tensor(8 / (8 + 1e-2)))  # 4 pixels that vary by 2 together
    assert float(variances[1:].abs().max()) < 1e-6
    assert float(filters.abs().max()) <= 1 / 1e-2**0.5


def test_the_largest_variance_comes_first_and_signs_are_settled() -> None:
    pictures = smooth_pictures(20, 1)
    few, all_ = (whitening_filters(pictures, 3, n) for n in (4, 9))
    assert torch.equal(few, all_[:4])
    variances = (patches(pictures, 3) @ (all_ / all_.norm(dim=1, keepdim=True)).T).var(0)
    assert bool((variances[:-1] >= variances[1:]).all())
    assert bool((all_.sum(1) >= 0).all())


@pytest.mark.parametrize(("channels", "n_filters"), [(1, 4), (3, 12)])
def test_looking_sets_the_layer_and_its_negative(channels: int, n_filters: int) -> None:
    model = create("whitened_convnet", 10, channels, (28, 28))
    pictures = smooth_pictures(20, channels)
    model.look(pictures)
    weight = model.state_dict()["whitening.weight"]
    assert weight.shape == (2 * n_filters, channels, 2, 2)
    assert torch.equal(weight[:n_filters], -weight[n_filters:])
    assert torch.equal(weight[:n_filters].flatten(1), whitening_filters(pictures, 2, n_filters))


def test_the_layer_is_no_parameter_and_travels_with_the_weights() -> None:
    model, other = (create("whitened_convnet", 10, 1, (28, 28)) for _ in range(2))
    model.look(smooth_pictures(20, 1))
    assert not any(name.startswith("whitening") for name, _ in model.named_parameters())
    other.load_state_dict(model.state_dict(), strict=True)
    x = smooth_pictures(2, 1, seed=1)
    assert torch.equal(model.eval()(x), other.eval()(x))


def test_parameters_of_the_form_for_grey_pictures_of_28_px() -> None:
    """Three blocks of two 3x3 convolutions with batch norm, and a linear layer without bias, counted by hand."""
    widths = (8, 48, 128, 192)
    convolutions = sum(9 * c * d + 9 * d * d for c, d in pairwise(widths))
    expected = convolutions + 2 * 2 * sum(widths[1:]) + 10 * widths[-1]
    assert sum(parameter.numel() for parameter in create("whitened_convnet", 10, 1, (28, 28)).parameters()) == expected


@pytest.mark.parametrize(("side", "kernel"), [(64, 2), (65, 4), (128, 4), (129, 8)])
def test_large_pictures_get_wider_patches_and_it_says_so(side: int, kernel: int) -> None:
    model = create("whitened_convnet", 10, 3, (side, side + 9))
    assert model.whitening.kernel_size == (kernel, kernel) and model.whitening.stride == (max(kernel // 2, 1),) * 2
    assert model.whitening.out_channels == 2 * min(3 * kernel**2, FILTERS)
    assert bool(model.notes) == (kernel > 2)


def test_too_small_a_picture_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="needs pictures of at least 17x17 px, got 16x40. Choose a larger --image-size"
    ):
        create("whitened_convnet", 10, 1, (16, 40))
