"""Broken networks, each named by its rule; sound ones pass; the zoo is silent but for what is known."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.classify import MODELS
from pellucid.nn.lint import RULES, lint


def conv(
    c_in: int = 4, c_out: int = 4, kernel: int = 3, rate: int = 1, bias: bool = True, stride: int = 1
) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, kernel, stride, padding=rate * (kernel // 2), dilation=rate, bias=bias)


def head(n: int = 3) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, n)]


def net(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(conv(3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), *layers, *head())


class Idle(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.idle = net(), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class FunctionalEnd(nn.Module):
    """Softmax as a function, and a view after it."""

    def __init__(self) -> None:
        super().__init__()
        self.body = net()

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(self.body(x), 1).view(len(x), -1)


def stack(*rates: int, pad: bool = True) -> nn.Sequential:
    layers = [nn.Conv2d(3 if i == 0 else 4, 4, 3, padding=rate * pad, dilation=rate) for i, rate in enumerate(rates)]
    return nn.Sequential(*layers, nn.ReLU(), *head())


# network -> the rule that names it, how bad that is, and a part of what was seen
BROKEN = {
    "an odd map, halved": (net(conv(stride=2), nn.MaxPool2d(2)), "sizes", "warn", "4 drops 1 row and 1 column"),
    "windows that leave a rest": (net(nn.Conv2d(4, 4, 4, 3)), "sizes", "warn", "3 drops 2 rows and 2 columns"),
    "bias before norm": (net(conv(), nn.BatchNorm2d(4), nn.ReLU()), "bias-before-norm", "warn", "3: a bias goes"),
    "bias before norm of vectors": (
        nn.Sequential(nn.Flatten(), nn.Linear(3 * 42 * 42, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)),
        "bias-before-norm", "warn", "1: a bias goes",
    ),
    "norm after the activation": (
        net(conv(), nn.ReLU(), nn.BatchNorm2d(4)), "norm-after-activation", "warn", "5 (after relu)",
    ),
    "gridding": (stack(2, 2, 2), "gridding", "fail", "rates [2, 2, 2] of 0 to 2 read 7 of 13 pixels"),
    "gridding without padding": (stack(2, 2, 2, pad=False), "gridding", "fail", "alone would pass them"),
    "gridding by leaps": (stack(1, 2, 9), "gridding", "fail", "read 21 of 25"),
    "gridding, filled before": (stack(1, 2, 2, 2), "gridding", "warn", "3 layers of rate 2 in a row read 53.8%"),
    "checkerboard": (
        net(nn.ConvTranspose2d(4, 4, 3, 2, 1)), "checkerboard", "warn", "3 (kernel 3x3, stride 2x2)",
    ),
    "checkerboard of even kernels": (
        net(nn.ConvTranspose2d(4, 4, 4, 3, 0)), "checkerboard", "warn", "3 (kernel 4x4, stride 3x3)",
    ),
    "checkerboard by dilation": (
        net(nn.ConvTranspose2d(4, 4, 4, 2, 0, dilation=2)), "checkerboard", "warn", "3 (kernel 7x7, stride 2x2)",
    ),
    "softmax twice": (nn.Sequential(net(), nn.Softmax(1)), "double-softmax", "fail", "ends with softmax (1)"),
    "softmax as a function": (FunctionalEnd(), "double-softmax", "fail", "ends with softmax (FunctionalEnd)"),
    "log-softmax": (nn.Sequential(net(), nn.LogSoftmax(1)), "double-softmax", "warn", "ends with log-softmax (1)"),
    "logits cut off": (nn.Sequential(net(), nn.ReLU()), "activation-at-the-end", "warn", "ends with relu (1)"),
    "frozen": (net().requires_grad_(False), "frozen", "fail", "none of 5 parameters is trained"),
    "unused": (Idle(), "unused-parameters", "warn", "idle: 25 parameters are never used"),
    "two pictures": (net(), "small-batch", "warn", "1 batch norms see 2 pictures a batch"),
}  # fmt: skip


@pytest.mark.parametrize(("model", "rule", "status", "seen"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_networks(model: nn.Module, rule: str, status: str, seen: str) -> None:
    found = [v for v in lint(model, 3, (42, 42), 2 if rule == "small-batch" else None) if v.status != "pass"]
    assert [(v.rule, v.status) for v in found] == [(rule, status)]
    assert seen in found[0].evidence
    assert found[0].cause and found[0].cure


SOUND = {
    "plain": net(conv(bias=False), nn.BatchNorm2d(4), nn.ReLU()),
    "rates 1, 2, 5": stack(1, 2, 5),
    "rates 1, 2, 4, 8": stack(1, 2, 4, 8),
    "one dilated layer": stack(2),
    "dilated after down-sampling": net(conv(stride=2), conv(rate=2)),
    "even transposed": net(nn.ConvTranspose2d(4, 4, 4, 2, 1), nn.ConvTranspose2d(4, 4, 3, 3)),
    "group norm after a bias": net(conv(), nn.GroupNorm(2, 4), nn.ReLU()),
    "softmax inside": net(nn.Softmax(1), conv()),
    "some frozen": net(conv().requires_grad_(False)),
}


@pytest.mark.parametrize("model", SOUND.values(), ids=SOUND.keys())
def test_sound_networks(model: nn.Module) -> None:
    verdicts = lint(model, 3, (42, 42), batch=32)
    assert [v.sentence() for v in verdicts if v.status != "pass"] == []
    assert {v.rule for v in verdicts} == set(RULES)


class Filled(nn.Module):
    """A path of rate 1 beside the stack of [2, 2] fills what that leaves out; without it there are holes."""

    def __init__(self, beside: bool) -> None:
        super().__init__()
        self.first, self.second = conv(3, rate=2), conv(rate=2)
        self.dense = nn.Conv2d(3, 4, 7, padding=3) if beside else None
        self.fc = nn.Sequential(*head())

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(self.first(x))
        return self.fc(y if self.dense is None else y + self.dense(x))


def test_branches_fill_each_others_holes() -> None:
    def status(beside: bool) -> str:
        return next(v.status for v in lint(Filled(beside), 3, (40, 40)) if v.rule == "gridding")

    assert (status(False), status(True)) == ("fail", "pass")


def test_a_map_of_one_cell_and_a_batch_of_one_cannot_train() -> None:
    model = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv(3, kernel=1, bias=False), nn.BatchNorm2d(4), nn.Flatten())
    verdict = lint(model, 3, (8, 8), batch=1)[-1]
    assert (verdict.rule, verdict.status) == ("small-batch", "fail")
    assert verdict.evidence == "2: a batch of 1 on a map of 1x1 is one number a channel"
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        model.train()(torch.zeros(1, 3, 8, 8))
    assert lint(model, 3, (8, 8), batch=2)[-1].status == "warn"


def of_the_zoo(name: str) -> set[tuple[str, str]]:
    side = 299 if "inception" in name else 227 if name.startswith("alexnet_notes") else 224
    with torch.device("meta"):
        verdicts = lint(create(name, 1000, 3, (side, side)), 3, (side, side), batch=32)
    return {(v.rule, v.status) for v in verdicts if v.status != "pass"}


def known(name: str) -> set[tuple[str, str]]:
    """What is not as it should be, and has a reason."""
    if name.startswith("vgg") and name.endswith("_bn"):
        return {("bias-before-norm", "warn")}  # published weights have these biases
    if name.startswith("squeezenet"):
        return {("sizes", "warn")}  # 7x7 or 3x3 of stride 2 without padding; the paper's own picture has 224 px
    if name == "whitened_convnet":
        return {("sizes", "warn")}  # made for 28 px, not for 224
    return set()


@pytest.mark.parametrize("name", ["vgg16_bn", "googlenet", "resnet18", "squeezenet1_1", "mobilenet_v2", "vit_b_16"])
def test_the_zoo_is_silent(name: str) -> None:
    assert of_the_zoo(name) == known(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_whole_zoo_is_silent(name: str) -> None:
    assert of_the_zoo(name) == known(name)


def test_auxiliary_heads_are_used() -> None:
    """They run in training only, and so are no unused parameters."""
    assert ("unused-parameters", "warn") not in of_the_zoo("inception_v3")


def test_the_model_stays_as_it_was() -> None:
    model = create("resnet18", 3, 1, (32, 32)).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    lint(model, 1, (32, 32))
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_what_is_refused() -> None:
    with pytest.raises(ConfigError, match="batch must be 1 or more, got 0"):
        lint(net(), 3, (32, 32), batch=0)
    with pytest.raises(ConfigError, match=r"does not fit through layer 0 \(Conv2d\), which got 1x32x32"):
        lint(net(), 1, (32, 32))
