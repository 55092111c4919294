"""Receptive fields: worked numbers, published numbers, and the footprint of a gradient as an independent measure."""

import pytest
import torch
from torch import Tensor, nn

from pellucid.models import create
from pellucid.nn.geometry import LayerRow, describe


def last(model: nn.Module, size: tuple[int, int], channels: int = 1) -> LayerRow:
    return describe(model, channels, size).rows[-1]


def footprints(net: nn.Module, size: tuple[int, int], channels: int = 1) -> list[tuple[int, int]]:
    """For every unit of the output: height and width of the part of the picture its gradient reaches.

    Weights are positive and maxima are turned into means, so that no path cancels or is closed.
    """
    torch.manual_seed(0)
    net = open_all_paths(net).double().eval()
    picture = torch.rand(1, channels, *size, dtype=torch.float64, requires_grad=True)
    out = net(picture).sum((0, 1)).flatten()  # one number a unit
    extents = []
    for unit in out:
        (gradient,) = torch.autograd.grad(unit, picture, retain_graph=True)
        reached = gradient[0].abs().sum(0) > 0
        rows, columns = reached.any(1).nonzero(), reached.any(0).nonzero()
        extents.append((int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1))
    return extents


def open_all_paths(net: nn.Module) -> nn.Module:
    for name, child in net.named_children():
        if isinstance(child, nn.MaxPool2d):
            setattr(net, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
        else:
            open_all_paths(child)
    for parameter in net.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0)
    return net


def largest(extents: list[tuple[int, int]]) -> tuple[int, int]:
    return max(height for height, _ in extents), max(width for _, width in extents)


def conv(kernel: int | tuple[int, int], **more: int | tuple[int, int]) -> nn.Conv2d:
    return nn.Conv2d(1, 1, kernel, **more)  # type: ignore[arg-type]


def test_a_stack_by_hand() -> None:
    """3x3; pool 2 step 2; 3x3 step 3; 3x3 step 2: each adds (k - 1) times the product of the steps before."""
    stack = nn.Sequential(conv(3), nn.MaxPool2d(2, 2), conv(3, stride=3), conv(3, stride=2))
    rows = describe(stack, 1, (64, 64)).rows
    assert [row.receptive_field for row in rows] == [(3, 3), (4, 4), (8, 8), (20, 20)]
    assert [row.stride for row in rows] == [(1, 1), (2, 2), (6, 6), (12, 12)]
    assert set(footprints(stack, (45, 45))) == {(20, 20)}


def test_dilation_doubles() -> None:
    stack = nn.Sequential(*(conv(3, dilation=d) for d in (1, 2, 4, 8)))
    assert [row.receptive_field[0] for row in describe(stack, 1, (40, 40)).rows] == [3, 7, 15, 31]


def test_small_kernels_replace_large_ones() -> None:
    """Two 3x3 see what one 5x5 sees, three what one 7x7 sees."""
    for kernel, depth in ((5, 2), (7, 3)):
        deep = last(nn.Sequential(*(conv(3) for _ in range(depth))), (32, 32))
        wide = last(nn.Sequential(conv(kernel)), (32, 32))
        assert deep.receptive_field == wide.receptive_field == (kernel, kernel)
        assert deep.output_shape == wide.output_shape == (1, 33 - kernel, 33 - kernel)


CHAINS = {
    "odd": nn.Sequential(conv(3, stride=2), conv(5), nn.MaxPool2d(3, 2), conv(3, dilation=3)),
    "rectangular": nn.Sequential(conv((3, 5), stride=(2, 1)), nn.AvgPool2d((2, 3), (1, 2)), conv((1, 3), dilation=2)),
    "even": nn.Sequential(conv(4, stride=3), nn.MaxPool2d(2, 1), conv(2, stride=2)),
    "adaptive": nn.Sequential(conv(3), nn.AdaptiveAvgPool2d((7, 5))),
    "padded": nn.Sequential(conv(3, padding=1), nn.MaxPool2d(3, 2, 1), nn.ReLU(), conv(3, padding=2, dilation=2)),
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS.keys())
def test_chains_agree_with_the_gradient(chain: nn.Sequential) -> None:
    assert largest(footprints(chain, (48, 45))) == last(chain, (48, 45)).receptive_field


UPWARDS = {
    "bilinear": nn.Sequential(conv(2, stride=2), nn.Upsample(scale_factor=2, mode="bilinear"), conv(2)),
    "bilinear of a half": nn.Sequential(conv(3), nn.Upsample(scale_factor=0.5, mode="bilinear"), conv(2)),
    "nearest": nn.Sequential(conv(2, stride=4), nn.Upsample(scale_factor=4), conv(2)),
    "bicubic": nn.Sequential(conv(2, stride=2), nn.Upsample(scale_factor=2, mode="bicubic"), conv(2)),
    "transposed": nn.Sequential(conv(4, stride=4), nn.ConvTranspose2d(1, 1, 4, stride=2, padding=1), conv(2)),
    "uneven transposed": nn.Sequential(conv(3, stride=3), nn.ConvTranspose2d(1, 1, 5, stride=3, padding=1)),
    "shuffled": nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.PixelShuffle(2), nn.Conv2d(1, 1, 2)),
}


@pytest.mark.parametrize("net", UPWARDS.values(), ids=UPWARDS.keys())
def test_after_resampling_the_field_is_the_largest(net: nn.Sequential) -> None:
    """No unit sees more than the field, and the luckiest sees all of it but for less than a coarse cell."""
    rows = describe(net, 1, (20, 20)).rows
    coarse = max(row.stride[0] for row in rows)
    seen, field = largest(footprints(net, (20, 20)))[0], rows[-1].receptive_field[0]
    assert field - coarse < seen <= field


class Branches(nn.Module):
    """A 1x1 path beside a 5x5 path and a pooled path, concatenated; then added to a shortcut of stride 1."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.wide, self.pool = conv(1), conv(5, padding=2), nn.AvgPool2d(3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([self.narrow(x), self.wide(x), self.pool(x)], 1)
        return joined.sum(1, keepdim=True) + x


def test_where_branches_meet_the_largest_counts() -> None:
    found = describe(Branches(), 1, (16, 16)).rows[-1]
    assert (found.kind, found.receptive_field, found.stride) == ("add", (5, 5), (1, 1))
    assert largest(footprints(Branches(), (16, 16))) == (5, 5)


class Squeeze(nn.Module):
    """Every unit is scaled by the mean of the whole map."""

    def forward(self, x: Tensor) -> Tensor:
        return x * x.mean((2, 3), keepdim=True)


def test_a_global_mean_sees_everything_at_the_stride_of_the_map() -> None:
    found = last(nn.Sequential(conv(3, stride=2), Squeeze()), (21, 21))
    assert (found.receptive_field, found.stride) == ((21, 21), (2, 2))


@pytest.mark.parametrize("stage, n_blocks", [("layer1", 2), ("layer2", 4), ("layer3", 6)])
def test_resnet_agrees_with_the_gradient(stage: str, n_blocks: int) -> None:
    """One unit in the middle of a picture that is large enough."""
    model = create("resnet18", 2, 1, (64, 64))
    rows = [row for row in describe(model, 1, (64, 64)).rows if row.name.startswith(stage)]
    body = nn.Sequential(*list(model.children())[: 4 + n_blocks // 2])
    middle = nn.Sequential(body, Crop(64 // int(rows[-1].stride[0]) // 2))
    assert footprints(middle, (64, 64)) == [rows[-1].receptive_field]


class Crop(nn.Module):
    """The one unit at (place, place)."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, self.place : self.place + 1, self.place : self.place + 1]


def test_fcn_small_sees_no_more_than_its_field() -> None:
    model = create("fcn_small", 3, 1, (128, 128))
    field = describe(model, 1, (128, 128)).rows[-1].receptive_field[0]
    places = [footprints(nn.Sequential(model, Crop(place)), (128, 128))[0][0] for place in range(60, 68)]
    assert field - 8 < max(places) <= field


@pytest.mark.parametrize("name", ["linear", "mlp", "convnet", "resnet18"])
def test_classifiers_see_the_whole_picture(name: str) -> None:
    height, width = last(create(name, 2, 1, (28, 36)), (28, 36)).receptive_field
    assert height >= 28 and width >= 36


def test_fully_connected_layers_see_exactly_the_picture() -> None:
    assert last(create("mlp", 2, 3, (28, 36)), (28, 36), 3).receptive_field == (28, 36)


def test_a_linear_layer_at_every_place_sees_no_more_than_before() -> None:
    """Channels last: (1, H*W, C) through a linear layer mixes channels, not places."""

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patch, self.mix = nn.Conv2d(1, 8, 4, stride=4), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return self.mix(self.patch(x).flatten(2).transpose(1, 2))

    assert last(Tokens(), (16, 16)).receptive_field == (4, 4)
