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
from pellucid.nn.convert.following import NOTHING, After
from pellucid.nn.convert.for_inference import TOLERANCE, for_inference, noise_for
from pellucid.nn.convert.int8 import FromInt8, Int8Conv2d, Scale, ToInt8, can_int8
from pellucid.nn.convert.max_pool import ShiftedMaxPool2d, can_shift
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


# ---------------------------------------------------------------------------------------------- max pooling


@pytest.mark.parametrize("size", [(7, 8), (12, 5)])
@pytest.mark.parametrize(
    "pool", [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1), nn.MaxPool2d((3, 2), (1, 2)), nn.MaxPool2d(3, 1)]
)
def test_pooling_by_shifts_is_max_pooling(pool: nn.MaxPool2d, size: tuple[int, int]):
    assert can_shift(pool)
    x = torch.randn(2, 3, *size).to(memory_format=torch.channels_last)
    assert torch.equal(ShiftedMaxPool2d(pool)(x), pool(x))
    assert torch.equal(ShiftedMaxPool2d(pool)(x.bfloat16()), pool(x.bfloat16()))
    levels = torch.randint(0, 256, x.shape)
    assert torch.equal(ShiftedMaxPool2d(pool)(levels.to(torch.uint8)).float(), pool(levels.float()))


def test_other_poolings_are_left_alone():
    for pool in (nn.MaxPool2d(2, ceil_mode=True), nn.MaxPool2d(2, dilation=2), nn.MaxPool2d(2, return_indices=True)):
        assert not can_shift(pool)
    assert not can_shift(nn.AvgPool2d(2)) and not can_shift(nn.MaxPool2d(1))


# ------------------------------------------------------------------------------------------------ eight bits

EIGHT = pytest.mark.skipif(not (PACKS and can_int8()), reason="this torch has no convolutions of eight bits")


def test_a_scale_has_zero_on_a_level():
    assert Scale.spanning(0.0, 2.55) == Scale(pytest.approx(0.01), 0)
    assert Scale.spanning(-1.0, 1.55).zero == 100
    assert Scale.spanning(1.0, 2.0).zero == 0 and Scale.spanning(-2.0, -1.0).zero == 255  # 0 is always within
    assert Scale.spanning(0.0, 0.0).step > 0


def test_there_and_back_is_within_half_a_level():
    x = torch.rand(2, 3, 5, 5) * 3 - 1
    scale = Scale.spanning(float(x.min()), float(x.max()))
    back = FromInt8(scale, torch.float32)(ToInt8(scale)(x))
    assert (back - x).abs().max() <= scale.step * 1.0001  # half a level, and half of one for where zero lies
    assert ToInt8(scale)(torch.tensor([[[[9.0, -9.0]]]])).flatten().tolist() == [255, 0]


@EIGHT
@pytest.mark.parametrize("after", [NOTHING, After("relu", function=F.relu), After("hardtanh", (0.0, 6.0), "", F.relu6)])
def test_a_convolution_of_eight_bits_is_exact_on_levels(after: After):
    """Whole numbers in, whole weights: nothing is rounded but the output."""
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 6, 3, 2, 1, groups=2)
    with torch.no_grad():
        conv.weight.copy_(torch.randint(-127, 128, conv.weight.shape) * 0.5)
        conv.weight[:, 0, 0, 0] = 63.5  # so that a level of the weights is 1/2
    given = Scale(0.25, 7)
    q = torch.randint(0, 256, (2, 4, 9, 8), dtype=torch.uint8).to(memory_format=torch.channels_last)
    wanted = after.function(conv((q.float() - 7) * 0.25)).detach()
    exact = Int8Conv2d(conv, after, given, None, torch.float32, [2, 4, 9, 8])
    torch.testing.assert_close(exact(q), wanted, atol=1e-2, rtol=1e-5)
    out = Scale.spanning(float(wanted.min()), float(wanted.max()))
    got = Int8Conv2d(conv, after, given, out, torch.float32, [2, 4, 9, 8])(q)
    assert got.dtype == torch.uint8
    assert ((got.float() - out.zero) * out.step - wanted).abs().max() <= out.step


@EIGHT
@pytest.mark.parametrize("name", ["resnet18", "googlenet", "densenet121", "mobilenet_v2"])
def test_networks_in_eight_bits_stay_close(name: str):
    torch.manual_seed(0)
    model, x = lived_in(create(name, 10, 3, (32, 32))), torch.randn(4, 3, 32, 32)
    ready = for_inference(model, x, precision="int8")
    assert ready.precision == "int8" and ready.difference < 0.1
    assert any(isinstance(part, Int8Conv2d) for part in ready.modules())
    model.eval()
    assert off(ready(x[:1]), model(x[:1])) < 0.2
    torch.testing.assert_close(ready(x), ready(x))  # nothing that is read again was written over


@EIGHT
def test_sums_and_pools_stay_in_eight_bits_and_nothing_is_spoilt():
    torch.manual_seed(0)
    model, x = Sums(), torch.randn(2, 4, 6, 6)
    kept = x.clone()
    ready = for_inference(model, x, precision="int8")
    assert ready.precision == "int8" and torch.equal(x, kept)
    first = ready(x)
    assert torch.equal(ready(x), first) and torch.equal(x, kept)
    assert off(first, model.eval()(x)) < 0.1


@EIGHT
def test_eight_bits_need_an_example_and_a_graph():
    with pytest.raises(ConfigError, match="int8 needs an example"):
        for_inference(create("convnet", 10, 1, (28, 28)), precision="int8")
    ready = for_inference(Own(), torch.randn(2, 3, 8, 8), precision="int8")
    assert ready.precision != "int8" and "not int8, packed for oneDNN: ConfigError" in ready.notes


def test_what_is_no_network_and_what_does_not_fit_are_refused_in_one_line():
    with pytest.raises(
        ConfigError, match=r"^for_inference takes an nn.Module, such as models.create gives; got str\.$"
    ):
        for_inference("resnet18")
    with pytest.raises(
        ConfigError, match="^The network does not take the example of shape 1x5x28x28: .* Give another"
    ) as no:
        for_inference(create("convnet", 10, 1, (28, 28)), torch.zeros(1, 5, 28, 28))
    assert "\n" not in str(no.value)
