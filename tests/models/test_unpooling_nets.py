"""SegNet and DeconvNet: switches, mirrored halves, published sizes."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models import create
from pellucid.models.segment.deconvnet import DeconvNet
from pellucid.models.segment.segnet import SMALL, VGG16, SegNet

SIZES = [(1, 1), (2, 3), (7, 5), (31, 33), (64, 65)]
TINY = ((1, 4), (2, 6), (1, 8))


def nets() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {"segnet": SegNet(3, 1, TINY), "deconvnet": DeconvNet(3, 1, TINY, bottom=8, kernel=3)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["segnet", "deconvnet"])
def test_output_has_exactly_the_picture_s_size(name: str, size: tuple[int, int]) -> None:
    assert nets()[name].eval()(torch.zeros(2, 1, *size)).shape == (2, 3, *size)


def by_torch(net: SegNet | DeconvNet, x: Tensor) -> Tensor:
    """The same layers, wired anew around torch's own pooling and unpooling."""
    kept = []
    for down in net.downs:
        x = down(x)
        before = x.shape
        x, switches = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
        kept.append((switches, before))
    x = net.bottom(x) if isinstance(net, DeconvNet) else x
    for up, (switches, before) in zip(net.ups, reversed(kept), strict=True):
        x = up(F.max_unpool2d(x, switches, 2, output_size=list(before)))
    return net.head(x)


@pytest.mark.parametrize("size", [(16, 24), (13, 9), (1, 5)])
@pytest.mark.parametrize("name", ["segnet", "deconvnet"])
def test_unpooling_is_torch_s_by_the_switches_of_its_own_stage(name: str, size: tuple[int, int]) -> None:
    net = nets()[name].double()
    x = torch.randn(2, 1, *size, dtype=torch.float64, requires_grad=True)
    out, wanted = net(x), by_torch(net, x)  # type: ignore[arg-type]
    torch.testing.assert_close(out, wanted)
    dout = torch.randn_like(out)
    torch.testing.assert_close(*(torch.autograd.grad(each, x, dout, retain_graph=True)[0] for each in (out, wanted)))


@pytest.mark.parametrize("name", ["segnet", "deconvnet"])
def test_the_gradient_is_the_slope(name: str) -> None:
    net = nets()[name].double().eval()  # batch norm as a fixed layer, so that slopes are large enough to compare
    x = torch.randn(1, 1, 6, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(net, (x,))


@pytest.mark.parametrize("name", ["segnet", "deconvnet"])
def test_switches_carry_places_that_maps_do_not(name: str) -> None:
    """The same maxima at other places in their windows: what is pooled is alike, what comes out is not."""
    net = nets()[name].eval()
    for module in net.downs[0].modules():  # type: ignore[union-attr]
        if isinstance(module, nn.Conv2d):
            nn.init.dirac_(module.weight)  # the first stage passes the picture on
    x = torch.zeros(1, 1, 16, 16)
    x[..., ::2, ::2] = torch.rand(8, 8) + 0.5
    moved = x.roll((1, 1), (2, 3))  # still each in its own window of 2 x 2
    seen: list[tuple[Tensor, Tensor]] = []
    net.pool.register_forward_hook(lambda module, inputs, output: seen.append(output))  # type: ignore[union-attr]
    with torch.no_grad():
        logits, others = net(x), net(moved)
    assert torch.equal(seen[0][0][:, 0], seen[3][0][:, 0])
    assert not torch.equal(seen[0][1][:, 0], seen[3][1][:, 0]) and not torch.allclose(logits, others)


def test_segnet_has_the_published_parameters() -> None:
    """VGG-16's thirteen convolutions with norms, and the same backwards, ending in the classifier, by hand."""
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    down = sum(9 * a * b + 2 * b for a, b in pairwise(widths))
    back = widths[:0:-1]
    up = sum(9 * a * b + 2 * b for a, b in pairwise(back)) + 9 * 64 * 11 + 11
    with torch.device("meta"):
        net = create("segnet", 11, 3, (360, 480))
        assert net(torch.zeros(1, 3, 360, 480)).shape == (1, 11, 360, 480)
    convs = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    assert len(convs) == 26
    assert sum(p.numel() for p in net.parameters()) == down + up == 29_441_419


def test_deconvnet_has_the_published_parameters() -> None:
    """About 252 million; of them 205 million in the two layers of 7 x 7 cells, and 17 in the 1x1 between them."""
    with torch.device("meta"):
        net = create("deconvnet", 21, 3, (224, 224))
    assert isinstance(net, DeconvNet)
    assert sum(p.numel() for p in net.bottom.parameters()) == 2 * 49 * 512 * 4096 + 4096**2 + 4 * 4096 + 2 * 512
    assert round(sum(p.numel() for p in net.parameters()) / 1e6) == 252
    assert sum(isinstance(module, nn.ConvTranspose2d) for module in net.modules()) == 14


def test_small_pictures_are_pooled_less_often_and_it_is_told() -> None:
    for name in ("segnet", "deconvnet"):
        with torch.device("meta"):
            nets = {side: create(name, 2, 1, (side, 2 * side)) for side in (1, 16, 63, 64)}
        assert {side: len(net.downs) for side, net in nets.items()} == {1: 1, 16: 3, 63: 4, 64: 5}  # type: ignore[arg-type]
        assert (
            nets[63].notes == ("4 poolings because the short side is 63 px (5 would need 64)",) and nets[64].notes == ()
        )


def test_a_turned_kernel_is_a_convolution() -> None:
    """The header's claim: at stride 1 a transposed convolution is one with the kernel turned by half a circle."""
    net = DeconvNet(3, 1, TINY, bottom=8, kernel=3)
    layer = next(module for module in net.modules() if isinstance(module, nn.ConvTranspose2d))
    x = torch.randn(1, layer.in_channels, 5, 6)
    turned = layer.weight.flip(2, 3).transpose(0, 1)
    torch.testing.assert_close(layer(x), F.conv2d(x, turned, padding=1))


def test_signals_keep_their_size_at_the_start() -> None:
    """Without norms: He's start of the transposed layers, which torch's own initialiser would count the other way."""
    torch.manual_seed(0)
    net = DeconvNet(3, 1, ((1, 64),), bottom=256, kernel=3)
    layer = net.bottom[2][0]  # 256 -> 64
    with torch.no_grad():
        out = layer(torch.randn(4, 256, 16, 16).relu())  # half the squares of a normal are left
    assert float(out[..., 1:-1, 1:-1].std()) == pytest.approx(1, rel=0.1)


def test_stages_are_mirrored() -> None:
    for stages in (SMALL, VGG16):
        with torch.device("meta"):
            net = SegNet(2, 3, stages)
        into, out = [], []
        for down, up in zip(net.downs, reversed(net.ups), strict=True):
            into.append([layer[0].out_channels for layer in down])  # type: ignore[union-attr, index]
            out.append([layer[0].in_channels for layer in up])  # type: ignore[union-attr, index]
        assert into[1:] == out[1:] and into[0][1:] == out[0]
