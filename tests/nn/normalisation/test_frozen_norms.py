"""Norms that stand still."""

import torch
from torch import nn

from pellucid.nn.normalisation.frozen import FrozenBatchNorm2d, freeze_norms


def made_up() -> nn.Sequential:
    net = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Sequential(nn.BatchNorm2d(5, eps=1e-3), nn.ReLU()))
    norm = net[1][0]
    for name, low in (("weight", 0.5), ("bias", -1.0), ("running_mean", -1.0), ("running_var", 0.5)):
        getattr(norm, name).data = low + torch.rand(5)
    return net


def test_answers_are_those_of_evaluation_in_training_too() -> None:
    net = made_up().eval()
    x = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        expected = net(x)
        freeze_norms(net).train()
        torch.testing.assert_close(net(x), expected)
        before = {name: value.clone() for name, value in net.state_dict().items()}
        net(10 * x)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_nothing_of_them_is_learned_or_counted() -> None:
    net = freeze_norms(made_up())
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    norm = ["1.0.weight", "1.0.bias", "1.0.running_mean", "1.0.running_var"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", *norm]


def test_eps_is_kept_or_replaced() -> None:
    kept, replaced = freeze_norms(made_up()), freeze_norms(made_up(), eps=0.0)
    assert isinstance(kept[1][0], FrozenBatchNorm2d) and kept[1][0].eps == 1e-3  # type: ignore[index]
    assert replaced[1][0].eps == 0.0  # type: ignore[index]
    x = torch.randn(1, 5, 2, 2)
    norm = replaced[1][0]  # type: ignore[index]
    shape = (5, 1, 1)
    mean, var = norm.running_mean.view(shape), norm.running_var.view(shape)
    expected = (x - mean) / var.sqrt() * norm.weight.view(shape) + norm.bias.view(shape)
    torch.testing.assert_close(norm(x), expected)
