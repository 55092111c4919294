"""Folding: equal outputs, and nothing folded where something else reads the layer's output."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.core.errors import ConfigError, DataError
from pellucid.models import create
from pellucid.nn.convert.fold import Pair, fold, fold_pair, foldable_pairs


def lived_in(model: nn.Module, seed: int = 0) -> nn.Module:
    """With norms that have seen something: statistics, scales and shifts that are not those of the start."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            if module.running_mean is not None:
                module.running_mean.normal_(0, 0.3, generator=generator)
                module.running_var.uniform_(0.5, 2, generator=generator)
            if module.affine:
                with torch.no_grad():
                    module.weight.uniform_(0.5, 1.5, generator=generator)
                    module.bias.normal_(0, 0.3, generator=generator)
    return model


def norms_left(model: nn.Module) -> int:
    return sum(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())


PAIRS = {
    "convolution": (nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), (2, 3, 7, 9)),
    "without bias": (nn.Conv2d(3, 6, 3, bias=False), nn.BatchNorm2d(6, eps=1e-3), (1, 3, 5, 5)),
    "in groups": (nn.Conv2d(4, 6, 3, groups=2), nn.BatchNorm2d(6), (2, 4, 5, 5)),
    "no affine norm": (nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, affine=False), (2, 3, 4, 4)),
    "reflecting": (nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.BatchNorm2d(4), (2, 3, 5, 5)),
    "one axis": (nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), (2, 3, 8)),
    "three axes": (nn.Conv3d(2, 4, 2), nn.BatchNorm3d(4), (2, 2, 3, 4, 5)),
    "transposed": (nn.ConvTranspose2d(3, 5, 4, 2, 1), nn.BatchNorm2d(5), (2, 3, 4, 5)),
    "transposed in groups": (nn.ConvTranspose2d(4, 6, 3, 2, groups=2, bias=False), nn.BatchNorm2d(6), (2, 4, 3, 3)),
    "transposed, one axis": (nn.ConvTranspose1d(4, 6, 3, groups=2), nn.BatchNorm1d(6), (2, 4, 5)),
    "linear": (nn.Linear(5, 7), nn.BatchNorm1d(7), (3, 5)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_folded_pair_equals_the_pair(name: str):
    layer, norm, shape = copy.deepcopy(PAIRS[name])
    pair, x = lived_in(nn.Sequential(layer, norm)).eval(), torch.randn(shape)
    torch.testing.assert_close(fold_pair(layer, norm)(x), pair(x), atol=1e-5, rtol=1e-5)
    folded = fold(pair, x)
    assert [type(part) for part in folded] == [type(layer), nn.Identity]
    torch.testing.assert_close(folded(x), pair(x), atol=1e-5, rtol=1e-5)


def test_a_folded_scalar_by_hand():
    layer, norm = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, eps=0.0)
    with torch.no_grad():
        for tensor, value in ((layer.weight, 2.0), (layer.bias, 3.0), (norm.weight, 5.0), (norm.bias, 7.0)):
            tensor.fill_(value)
    norm.running_mean.fill_(1.0)
    norm.running_var.fill_(4.0)
    folded = fold_pair(layer, norm)
    assert (folded.weight.item(), folded.bias.item()) == (5.0, 12.0)  # 2 · 5/2, (3 - 1) · 5/2 + 7


@pytest.mark.parametrize("size", [(32, 32), (65, 70)])
def test_a_residual_network_is_folded_whole_and_stays_as_it_was(size: tuple[int, int]):
    torch.manual_seed(0)
    model = lived_in(create("resnet18", 10, 3, size))
    before = copy.deepcopy(model.state_dict())
    folded, x = fold(model), torch.randn(2, 3, *size)
    assert model.training and not folded.training and norms_left(folded) == 0 and norms_left(model) == 20
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    wanted = copy.deepcopy(model).eval()(x)
    torch.testing.assert_close(folded(x), wanted, atol=1e-5 * wanted.abs().max().item(), rtol=1e-5)


class PreActivation(nn.Module):
    """The shortcut reads the convolution that stands before the first norm; the norm of the branch is foldable."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.norm1, self.conv1 = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        branch = self.conv1(F.relu(self.norm1(x)))
        return x + self.conv2(F.relu(self.norm2(branch)))


class Untraceable(nn.Module):
    """Its path depends on the numbers, which torch.fx cannot follow."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) if x.abs().sum() > 0 else x


class Shared(nn.Module):
    """One norm behind two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.norm = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.b(self.norm(self.a(x))))


class Twice(nn.Module):
    """One convolution called twice, the norm behind it once."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.conv(x)))


class Given(nn.Module):
    """What the convolution gives is an output too."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv(x)
        return x, self.norm(x)


class InPlace(nn.Module):
    """Between the two the tensor changes under its name."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x.relu_()
        return self.norm(x)


class ReadsTheWeight(nn.Module):
    """The convolution's weight is used elsewhere too, as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) + F.conv2d(x, self.conv.weight)


class Later(nn.Module):
    """A norm with an activation before it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(F.relu(self.conv(x)))


CASES: dict[str, tuple[type[nn.Module], list[Pair]]] = {
    "pre-activation": (PreActivation, [Pair("conv1", "norm2")]),
    "shared norm": (Shared, []),
    "convolution twice": (Twice, []),
    "output too": (Given, []),
    "in place": (InPlace, []),
    "weight read": (ReadsTheWeight, []),
    "activation between": (Later, []),
}


@pytest.mark.parametrize("traceable", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_only_what_is_safe_is_folded(name: str, traceable: bool):
    kind, wanted = CASES[name]
    model, x = lived_in(kind()).eval(), torch.randn(2, 3, 6, 6)
    if not traceable:
        model, wanted = Untraceable(model), [Pair(*(f"inner.{part}" for part in pair)) for pair in wanted]
    assert foldable_pairs(model, x) == wanted
    torch.testing.assert_close(fold(model, x)(x), model(x), atol=1e-5, rtol=1e-5)


def test_what_cannot_be_traced_is_folded_by_watching_a_run():
    torch.manual_seed(0)
    model, x = Untraceable(lived_in(create("resnet18", 10, 3, (32, 32)))).eval(), torch.randn(2, 3, 32, 32)
    assert len(foldable_pairs(model, x)) == 20
    assert foldable_pairs(model) == []  # nothing to watch
    wanted = model(x)
    torch.testing.assert_close(fold(model, x)(x), wanted, atol=1e-5 * wanted.abs().max().item(), rtol=1e-5)


def test_a_norm_over_another_axis_is_left_alone():
    """(N, 4, 4) out of a linear layer: the norm takes axis 1, the layer's features stand in axis 2."""
    model, x = lived_in(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))).eval(), torch.randn(2, 4, 3)
    assert foldable_pairs(model, x) == []
    assert foldable_pairs(model) == []  # without a run nobody knows
    assert foldable_pairs(model, torch.randn(2, 3)) == [Pair("0", "1")]
    torch.testing.assert_close(fold(model, x)(x), model(x))


def test_hooks_and_norms_without_statistics_are_left_alone():
    hooked = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    hooked[0].register_forward_hook(lambda module, args, out: out * 2)
    without = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False))
    for model in (hooked, without):
        assert foldable_pairs(model) == [] and norms_left(fold(model)) == 1


def test_the_model_s_mode_and_hooks_are_left_as_they_were():
    model = Untraceable(PreActivation())
    model.inner.norm2.eval()
    foldable_pairs(model, torch.randn(1, 3, 4, 4))
    assert model.training and not model.inner.norm2.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_pairs_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="a batch norm are needed, got ReLU and BatchNorm2d"):
        fold_pair(nn.ReLU(), nn.BatchNorm2d(3))
    with pytest.raises(DataError, match="the layer gives 4 channels, the norm takes 3"):
        fold_pair(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(3))
    with pytest.raises(DataError, match="keeps no running statistics"):
        fold_pair(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False))
