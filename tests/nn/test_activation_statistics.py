"""Activation statistics of torch networks, against the same computed by hand."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.nn.activation_statistics import ActivationRow, activation_statistics, lines
from pellucid.scratch.checks.activation_statistics import expected_statistics


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def deep(activation: type[nn.Module], gain: float, depth: int = 6, width: int = 400) -> nn.Sequential:
    """Layers without bias whose weights have the deviation gain / √width."""
    generator = torch.Generator().manual_seed(1)
    net = nn.Sequential()
    for _ in range(depth):
        layer = nn.Linear(width, width, bias=False)
        nn.init.normal_(layer.weight, std=gain / math.sqrt(width), generator=generator)
        net.extend([layer, activation()])
    return net


def test_every_number_of_a_small_net() -> None:
    net, x = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Tanh()), noise(5, 3)
    outputs = [x]
    for layer in net:
        outputs.append(layer(outputs[-1]).detach())
    rows = activation_statistics(net, x)
    assert [(row.name, row.kind, row.hidden) for row in rows] == [
        ("input", "", 0),
        ("0", "Linear", None),
        ("1", "ReLU", 1),
        ("2", "Linear", None),
        ("3", "Tanh", 2),
    ]
    for row, out in zip(rows, outputs, strict=True):
        assert row.shape == tuple(out.shape[1:])
        assert row.mean == pytest.approx(float(out.mean()), abs=1e-6)
        assert row.std == pytest.approx(float(out.std(correction=0)), abs=1e-6)
        assert row.zeros == pytest.approx(float((out == 0).float().mean()))
    assert [row.saturated for row in rows[:4]] == [None] * 4
    assert rows[4].saturated == pytest.approx(float((outputs[4].abs() > 0.9).float().mean()))


@pytest.mark.parametrize(
    ("activation", "name", "gain"), [(nn.Tanh, "tanh", 0.64), (nn.Tanh, "tanh", 3.2), (nn.ReLU, "relu", math.sqrt(2))]
)
def test_deep_nets_do_what_theory_says(activation: type[nn.Module], name: str, gain: float) -> None:
    rows = [row for row in activation_statistics(deep(activation, gain), noise(500, 400)) if row.hidden]
    for row, (mean, std) in zip(rows, expected_statistics(name, gain, 6), strict=True):
        assert row.std == pytest.approx(std, rel=0.15)
        assert row.mean == pytest.approx(mean, abs=0.15)


def test_lines_are_those_of_the_notes() -> None:
    rows = [
        ActivationRow("input", "", (3,), 0.0009268, 0.998388, 0, None, 0),
        ActivationRow("fc", "Linear", (3,), 1, 1, 0, None, None),
        ActivationRow("act", "Tanh", (3,), -0.0000021, 0.0106331, 0, 0.0, 1),
    ]
    assert lines(rows) == [
        "input layer had mean 0.000927 and std 0.998388",
        "hidden layer 1 had mean -0.000002 and std 0.010633",
    ]


class Functions(nn.Module):
    """Activations as functions, one of them in place, between modules."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu_(self.first(x))
        return torch.sigmoid(self.second(x) + x)


def test_functions_are_seen_like_modules() -> None:
    rows = activation_statistics(Functions(), noise(6, 4))
    assert [(row.name, row.kind, row.hidden) for row in rows] == [
        ("input", "", 0),
        ("first", "Linear", None),
        ("Functions", "relu", 1),
        ("second", "Linear", None),
        ("Functions", "sigmoid", 2),
    ]
    assert rows[2].zeros > 0
    assert rows[4].saturated == 0


class Swish(nn.Module):
    """An activation of one's own."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x)


@pytest.mark.parametrize(
    ("activation", "bounds"),
    [
        (nn.Tanh(), (-1, 1)), (nn.Sigmoid(), (0, 1)), (nn.Hardsigmoid(), (0, 1)), (nn.ReLU6(), (0, 6)),
        (nn.Hardtanh(), (-1, 1)), (nn.Hardtanh(-2, 3), (-2, 3)),
        (nn.ReLU(), None), (nn.ReLU(inplace=True), None), (nn.LeakyReLU(), None), (nn.PReLU(), None),
        (nn.ELU(), None), (nn.SELU(), None), (nn.CELU(), None), (nn.GELU(), None), (nn.GELU("tanh"), None),
        (nn.SiLU(), None), (nn.Hardswish(), None), (nn.Mish(), None), (nn.Softplus(), None), (nn.RReLU(), None),
        (nn.LogSigmoid(), None), (nn.Threshold(0.1, 0.0), None), (Swish(), None),
    ],
)  # fmt: skip
def test_every_activation_of_torch_is_a_hidden_layer(activation: nn.Module, bounds: tuple[int, int] | None) -> None:
    x = 6 * noise(40, 8)
    with torch.no_grad():
        out = activation.eval()(x.clone())
    (_, row) = activation_statistics(activation, x.clone())
    assert row.hidden == 1
    if bounds is None:
        assert row.saturated is None
    else:
        low, high = bounds
        near = (out < low + 0.05 * (high - low)) | (out > high - 0.05 * (high - low))
        assert row.saturated == pytest.approx(float(near.float().mean()))
        assert row.saturated > 0.1


def test_what_is_no_activation_is_none() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Dropout(), nn.Identity(), nn.Softmax(1))
    assert [row.hidden for row in activation_statistics(net, noise(3, 4))] == [0, None, None, None, None, None]


def test_outputs_that_are_no_tensors() -> None:
    """An LSTM gives a tuple; attention's parts are seen, also where torch has a faster way around them."""
    rows = activation_statistics(nn.LSTM(4, 3, batch_first=True), noise(2, 5, 4))
    assert rows[-1].shape == (5, 3)
    rows = activation_statistics(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), noise(2, 3, 8))
    assert "linear1" in [row.name for row in rows]
    assert [row.kind for row in rows if row.hidden] == ["relu"]


def test_nothing_of_the_model_changes() -> None:
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.5))
    net[3].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    flags = [module.training for module in net.modules()]
    for training in (False, True):
        activation_statistics(net, noise(4, 1, 6, 6), training)
        assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
        assert [module.training for module in net.modules()] == flags
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_as_in_training_the_batch_is_its_own_norm() -> None:
    net = nn.Sequential(nn.BatchNorm1d(5))
    x = 3 * noise(50, 5) + 7
    assert activation_statistics(net, x)[-1].mean == pytest.approx(7, abs=0.5)  # running mean 0 and variance 1
    row = activation_statistics(net, x, training=True)[-1]
    assert (row.mean, row.std) == pytest.approx((0, 1), abs=1e-4)


def test_a_batch_that_does_not_fit_names_the_layer() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 2))
    with pytest.raises(ConfigError, match=r"^The batch \(2, 3\) does not fit through layer 2 \(Linear\): "):
        activation_statistics(net, noise(2, 3))
    assert not net[2]._forward_hooks


# one of each kind; where gates weigh the channels, means over whole maps are hidden layers too, and vary little
KINDS = ("linear", "mlp", "convnet", "all_conv", "vgg11", "googlenet", "resnet18", "preact_resnet18", "densenet121")
KINDS += ("squeezenet1_1", "mobilenet_v2", "shufflenet_v2_x0_5", "vit_small", "row_rnn", "fcn_small")


@pytest.mark.parametrize("name", KINDS)
def test_networks_of_every_kind(name: str) -> None:
    torch.manual_seed(0)
    rows = activation_statistics(create(name, 5, 3, (32, 32)), noise(4, 3, 32, 32), training=True)
    assert [row.hidden for row in rows if row.hidden] == list(range(1, len(lines(rows))))
    assert all(0.05 < row.std < 5 for row in rows if row.hidden)
