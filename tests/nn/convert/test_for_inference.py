"""Networks made ready for use: the same answers within the stated tolerance, for every kind of network."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.core.device import has_fast_bf16
from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.classify import MODELS
from pellucid.nn.convert.fold import traced
from pellucid.nn.convert.for_inference import TOLERANCE, for_inference, noise_for
from pellucid.nn.convert.pack import pack
from pellucid.nn.convert.packed import PackedConv2d, PackedLinear, can_pack, packed

PACKS = can_pack()


def off(got: Tensor, wanted: Tensor) -> float:
    return float(((got - wanted).square().mean().sqrt() / wanted.square().mean().sqrt()).detach())


def lived_in(model: nn.Module) -> nn.Module:
    torch.manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.7, 1.4)
    return model


SMALL = [
    "linear", "mlp", "convnet", "resnet18", "preact_resnet18", "se_resnet18", "stochastic_depth_resnet18", "fractalnet",
    "squeezenet1_1", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "efficientnet_lite0",
    "googlenet", "vit_small", "row_rnn", "glimpse_rnn", "fcn_small",
]  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_answers_stay_within_the_stated_tolerance(name: str):
    torch.manual_seed(0)
    size = (32, 33) if name not in ("linear", "mlp", "vit_small") else (32, 32)
    model = lived_in(create(name, 10, 3, size))
    before = copy.deepcopy(model.state_dict())
    x = torch.randn(2, 3, *size)
    ready = for_inference(model, x)
    wanted = copy.deepcopy(model).eval()(x)
    got = ready(x)
    assert got.shape == wanted.shape and got.dtype == torch.float32 and not got.requires_grad
    assert off(got, wanted) <= ready.tolerance
    assert ready.difference == pytest.approx(off(got, wanted), abs=1e-3)
    assert ready.tolerance == TOLERANCE[ready.precision]
    assert model.training and all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    one = ready(x[:1])  # another batch than the example's
    assert off(one, wanted[:1]) <= 2 * ready.tolerance


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(MODELS) - set(SMALL)))
def test_every_other_network(name: str):
    torch.manual_seed(0)
    for side in (32, 64, 96, 160, 224):
        try:
            model = create(name, 10, 3, (side, side))
        except ConfigError:  # smaller than its least
            continue
        break
    x = torch.randn(2, 3, side, side)
    ready = for_inference(model, x)
    assert off(ready(x), model.eval()(x)) <= ready.tolerance


def test_float32_is_equal_up_to_rounding_and_says_what_was_done():
    model = lived_in(create("resnet18", 10, 3, (32, 32)))
    ready = for_inference(model, torch.randn(2, 3, 32, 32), precision="fp32")
    assert ready.precision == "fp32" and ready.difference < 1e-5
    assert "20 norms folded into the layers before them" in ready.notes and "channels last" in ready.notes
    assert ready.notes[-1].startswith("outputs differ by ") and ready.notes[-1].endswith("0.0001 is allowed")
    if PACKS:
        assert "21 layers packed, 17 of them with their activation" in ready.notes  # 20 convolutions less 3 shortcuts


@pytest.mark.skipif(not has_fast_bf16("cpu"), reason="this processor is not fast in bf16")
def test_bf16_is_the_default_where_the_hardware_has_it():
    ready = for_inference(create("convnet", 10, 1, (28, 28)), torch.randn(2, 1, 28, 28))
    assert ready.precision == "bf16" and 0 < ready.difference <= 0.05


def test_larger_and_smaller_pictures_than_the_example():
    model = lived_in(create("resnet18", 10, 3, (65, 70)))
    ready = for_inference(model, torch.randn(1, 3, 65, 70), precision="fp32")
    model.eval()
    for shape in ((3, 3, 64, 64), (1, 3, 97, 81)):
        x = torch.randn(shape)
        assert off(ready(x), model(x)) < 1e-4


def test_without_an_example_noise_is_tried():
    model = create("convnet", 10, 1, (28, 28))
    assert noise_for(model.eval()).shape[:2] == (2, 1)
    assert not for_inference(model, precision="fp32").notes[-1].startswith("not compared")
    lstm = nn.Sequential(nn.Flatten(2), nn.LSTM(4, 3))
    assert noise_for(lstm) is None


class Own(nn.Module):
    """Makes numbers of a type of its own, and chooses by numbers: neither traceable nor bf16 throughout."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.cell = nn.RNNCell(4, 5)
        self.head = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x).mean(2)  # (N, 4, w)
        state = torch.zeros(len(x), 5)  # float32, whatever x is
        for column in x.unbind(2):
            state = self.cell(column, state) if column.abs().sum() > 0 else state
        return self.head(state)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_what_does_not_work_is_left_out_part_by_part(precision: str):
    torch.manual_seed(0)
    model, x = lived_in(Own()), torch.randn(2, 3, 8, 8)
    ready = for_inference(model, x, precision)  # type: ignore[arg-type]
    assert off(ready(x), model.eval()(x)) <= ready.tolerance
    assert "1 norms folded into the layers before them" in ready.notes
    if precision == "bf16":
        assert "not bf16: RuntimeError" in ready.notes and "bf16 by autocast" in ready.notes
    elif PACKS:
        assert "2 layers packed, 1 of them with their activation" in ready.notes


class Sensitive(nn.Module):
    """Lives on digits that bf16 does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return (self.conv(x) * 1e4).sin()


def test_bf16_is_given_up_where_answers_would_differ():
    torch.manual_seed(0)
    model, x = Sensitive(), torch.randn(2, 1, 4, 4)
    ready = for_inference(model, x, precision="bf16")
    assert ready.precision == "fp32" and any("outputs would differ by" in note for note in ready.notes)


def test_local_response_norm_runs_in_float32_amid_bf16():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.LocalResponseNorm(5), nn.Conv2d(8, 4, 3))
    ready = for_inference(model, torch.randn(2, 3, 8, 8), precision="bf16")
    assert ready.precision == "bf16" and not ready.autocast


def test_it_stays_in_evaluation_and_refuses_unknown_precisions():
    ready = for_inference(create("mlp", 3, 1, (8, 8)), torch.randn(1, 1, 8, 8))
    assert not ready.train().training and not ready.net.training
    with pytest.raises(ConfigError, match="Unknown precision 'fp16'"):
        for_inference(nn.Linear(1, 1), precision="fp16")  # type: ignore[arg-type]


# --------------------------------------------------------------------------------------------------- packing


class Sums(nn.Module):
    """Every way in which a sum may follow a convolution: some may be written over the other summand, some not."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c, self.d, self.e, self.f = (nn.Conv2d(4, 4, 3, padding=1) for _ in range(6))
        self.row = nn.Parameter(torch.randn(1, 4, 1, 1))
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x) + x  # the input is the caller's
        y = F.relu(self.b(x) + x)  # x is read again below
        z = self.c(y)
        z = (y + z).relu()  # the last use of y: may be written over
        z = self.d(z) + self.row + x  # a sum that stretches, then another
        z = torch.add(self.e(z), z)  # z is the convolution's own input
        view = z.flatten(1)  # a second name of z
        z = self.f(self.pool(z)) + self.pool(z)
        return z.sum((2, 3)) + view.sum(1, keepdim=True)


@pytest.mark.skipif(not PACKS, reason="this torch has no packed layers")
def test_sums_are_never_written_over_what_is_read_again():
    torch.manual_seed(0)
    model = Sums().eval().requires_grad_(False)
    x = torch.randn(2, 4, 6, 6).to(memory_format=torch.channels_last)
    kept = x.clone()
    fast = pack(model, traced(model), x)
    over = [node.args[2] for node in fast.graph.nodes if node.op == "call_module" and len(node.args) == 3]
    assert over.count(True) >= 1 and over.count(False) >= 3
    with torch.no_grad():
        torch.testing.assert_close(fast(x), model(x), atol=1e-4, rtol=1e-5)
    assert torch.equal(x, kept)


ACTIVATIONS = [
    nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6(), nn.LeakyReLU(0.2), nn.Sigmoid(), nn.Tanh(), nn.SiLU(), nn.Hardswish(),
    nn.Hardsigmoid(), nn.GELU(), nn.GELU("tanh"), nn.ELU(),
]  # fmt: skip


@pytest.mark.skipif(not PACKS, reason="this torch has no packed layers")
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
@pytest.mark.parametrize("layer", ["conv", "sum", "linear"])
def test_each_activation_is_drawn_in_rightly(activation: nn.Module, layer: str):
    torch.manual_seed(0)
    if layer == "linear":
        model, x = nn.Sequential(nn.Linear(5, 7), activation), torch.randn(3, 5) * 4
    elif layer == "conv":
        model, x = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), activation), torch.randn(2, 3, 7, 6) * 4
    else:

        class Residual(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.conv, self.activation = nn.Conv2d(3, 3, 3, padding=1), activation

            def forward(self, x: Tensor) -> Tensor:
                return self.activation(x + self.conv(x))

        model, x = Residual(), torch.randn(2, 3, 5, 6) * 4
    model.eval().requires_grad_(False)
    fast = pack(model, traced(model), x)
    torch.testing.assert_close(fast(x), model(x), atol=1e-4, rtol=1e-4)
    drawn_in = not any(type(part) is type(activation) for part in fast.modules())
    assert drawn_in == (isinstance(activation, nn.ReLU) if layer == "sum" else not isinstance(activation, nn.ELU))


@pytest.mark.skipif(not PACKS, reason="this torch has no packed layers")
def test_a_sum_that_stretches_the_convolution_is_done_outside():
    conv = PackedConv2d(nn.Conv2d(2, 3, 1).requires_grad_(False))
    x, row = torch.randn(2, 2, 4, 4), torch.randn(1, 3, 1, 1)
    torch.testing.assert_close(conv(x, row, True), conv(x) + row)
    torch.testing.assert_close(conv(x[..., :1, :1], torch.ones(2, 3, 4, 4)), conv(x[..., :1, :1]) + torch.ones(4, 4))


@pytest.mark.skipif(not PACKS, reason="this torch has no packed layers")
def test_what_cannot_be_packed_is_left_alone():
    hooked = nn.Linear(2, 2)
    hooked.register_forward_hook(lambda module, args, out: out + 1)
    for layer in (hooked, nn.Conv2d(2, 2, 3, padding="same"), nn.Conv2d(2, 2, 3, padding_mode="reflect"), nn.ReLU()):
        assert packed(layer, None) is None
    assert isinstance(packed(nn.Linear(2, 3), (4, 5, 2)), PackedLinear)


class Tied(nn.Module):
    """One convolution called twice, with different things behind it; and a layer whose weight is read apart."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 3, 1), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.relu(self.conv(x))).mean((2, 3))
        return self.fc(x) @ self.fc.weight


@pytest.mark.skipif(not PACKS, reason="this torch has no packed layers")
def test_a_layer_used_twice_takes_in_nothing():
    torch.manual_seed(0)
    model, x = Tied().eval().requires_grad_(False), torch.randn(2, 3, 4, 4)
    fast = pack(model, traced(model), x)
    assert isinstance(fast.conv, PackedConv2d) and fast.conv.after.name == "none" and isinstance(fast.fc, nn.Linear)
    torch.testing.assert_close(fast(x), model(x), atol=1e-5, rtol=1e-4)
