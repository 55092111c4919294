"""The input of the last linear layer, against the layers before it called by hand."""

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.features import deep_features, last_linear


def net_of(name: str, n_classes: int = 4, channels: int = 3, size: tuple[int, int] = (12, 12)) -> nn.Module:
    torch.manual_seed(0)
    return create(name, n_classes, channels, size).eval()


def pictures(n: int = 3, channels: int = 3, side: int = 12) -> Tensor:
    return torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(1))


def without_its_last_layer(net: nn.Module) -> nn.Module:
    """The same network with nothing in its place."""
    head = last_linear(net)
    path = next(name for name, module in net.named_modules() if module is head)
    parent, _, name = path.rpartition(".")
    setattr(net.get_submodule(parent), name, nn.Identity())
    return net


@pytest.mark.parametrize("name", ["linear", "mlp", "convnet", "resnet18"])
def test_they_are_what_the_network_gives_without_its_last_layer(name: str) -> None:
    net, x = net_of(name), pictures()
    found, divisor = deep_features(net, x), 9 if name == "convnet" else 1
    assert found.shape == (3, last_linear(net).in_features)
    with torch.no_grad():
        torch.testing.assert_close(found, divisor * without_its_last_layer(net)(x))


@pytest.mark.parametrize("name", ["linear", "mlp", "resnet18"])
def test_the_last_layer_makes_the_scores_of_them(name: str) -> None:
    net, x = net_of(name), pictures()
    head = last_linear(net)
    assert head.out_features == 4
    with torch.no_grad():
        torch.testing.assert_close(deep_features(net, x) @ head.weight.T + head.bias, net(x))


def test_the_largest_of_every_map_of_a_convnet() -> None:
    net, x = net_of("convnet"), pictures()
    with torch.no_grad():
        by_hand = net.get_submodule("blocks")(net.get_submodule("stem")(x)).amax((2, 3))
        torch.testing.assert_close(deep_features(net, x), by_hand)
        torch.testing.assert_close(by_hand @ net.get_submodule("head").weight.T / 9, net(x))


def test_an_mlp_by_hand() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
    x = pictures(2, 1, 2)
    hidden = (x.reshape(2, 4) @ net[1].weight.T + net[1].bias).clamp(min=0)
    torch.testing.assert_close(deep_features(net, x), hidden.detach())


def test_a_linear_model_reads_pixels() -> None:
    x = pictures(1)  # a batch of one
    assert torch.equal(deep_features(net_of("linear"), x), x.flatten(1))


def test_a_network_without_a_linear_layer_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match="has no linear layer, so it has no features to read before it") as refused:
        deep_features(net_of("fcn_small"), pictures())
    assert "\n" not in str(refused.value)
    with pytest.raises(ConfigError, match="Conv2d has no linear layer"):
        last_linear(nn.Conv2d(1, 1, 1))


def test_nothing_stays_on_the_network() -> None:
    net, x = net_of("convnet"), pictures()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    scores = net(x)
    deep_features(net, x)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in net.modules())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert torch.equal(net(x), scores)


def test_the_hook_goes_when_the_network_fails() -> None:
    net = net_of("convnet")
    with pytest.raises(RuntimeError):
        deep_features(net, pictures(channels=1))
    assert not any(module._forward_pre_hooks for module in net.modules())


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_left_as_it_is(training: bool) -> None:
    """Who wants running statistics used says `eval()`; a call that changed it silently would end a training."""
    net = net_of("resnet18").train(training)
    deep_features(net, pictures())
    assert all(module.training is training for module in net.modules())


def test_no_gradients() -> None:
    net, x = net_of("mlp"), pictures().requires_grad_()
    assert not deep_features(net, x).requires_grad
    assert all(parameter.requires_grad for parameter in net.parameters())
    net(x).sum().backward()  # the network still learns
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_a_picture_does_not_depend_on_its_company() -> None:
    net, x = net_of("resnet18"), pictures(4)
    torch.testing.assert_close(deep_features(net, x)[1:2], deep_features(net, x[1:2]), rtol=1e-4, atol=1e-5)
