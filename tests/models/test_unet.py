"""U-Net: its own small form, on networks of the zoo, without skips, and as published."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.segment.unet import UP_WIDTHS, WIDTHS, UNet, unet, unet_plain
from pellucid.models.segment.unet_64 import Unet64
from pellucid.nn.geometry import describe

SIZES = [(1, 1), (2, 3), (7, 5), (31, 33), (64, 65)]


def parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["unet", "unet_plain"])
def test_output_has_exactly_the_picture_s_size(name: str, size: tuple[int, int]) -> None:
    """Of the size it was built for, and of any other."""
    model = create(name, 4, 1, (64, 64)).eval()
    assert model(torch.zeros(2, 1, *size)).shape == (2, 4, *size)
    assert create(name, 4, 3, size).eval()(torch.zeros(1, 3, 40, 3)).shape == (1, 4, 40, 3)


@pytest.mark.parametrize("size", SIZES)
def test_the_published_form_takes_any_size(size: tuple[int, int]) -> None:
    assert Unet64(4, 3, (4, 8, 8, 8, 8)).eval()(torch.zeros(2, 3, *size)).shape == (2, 4, *size)


def test_the_published_form_has_the_published_parameters() -> None:
    """By hand: two 3x3 convolutions and their norms a size, 2x2 transposed ones with bias, a 1x1 classifier."""
    widths = (64, 128, 256, 512, 1024)
    twice = lambda a, b: 9 * a * b + 9 * b * b + 4 * b  # noqa: E731
    down = sum(twice(a, b) for a, b in zip((3, *widths), widths, strict=False))
    up = sum(4 * 2 * w * w + w + twice(2 * w, w) for w in widths[:-1])
    with torch.device("meta"):
        assert parameters(create("unet_64", 2, 3, (572, 572))) == down + up + 64 * 2 + 2 == 31_037_698


def test_small_pictures_get_fewer_steps_down_and_are_told() -> None:
    large, small = unet(3, 3, (128, 128)), unet(3, 3, (28, 100))
    assert isinstance(large, UNet) and isinstance(small, UNet)
    assert list(large.backbone.widths) == [2, 4, 8, 16] and large.notes == ()
    assert list(small.backbone.widths) == [2, 4, 8]
    assert small.notes == (
        "the way down ends at stride 8 because the short side is 28 px (2 cells of 16 px would need 32)",
    )


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_a_skip_brings_what_the_way_down_saw_at_its_size(stride: int) -> None:
    """With all the coarser ways cut, the step up still tells two pictures apart; without skips it does not."""
    for build, differs in ((unet, True), (unet_plain, False)):
        torch.manual_seed(0)
        model = build(3, 1, (64, 64)).eval()
        up = model.ups[str(stride)]  # type: ignore[union-attr, index]
        nn.init.zeros_(up.narrow.weight)  # type: ignore[union-attr, arg-type]
        seen: list[torch.Tensor] = []
        up.register_forward_hook(lambda module, inputs, output, seen=seen: seen.append(output))  # type: ignore[union-attr]
        with torch.no_grad():
            model(torch.randn(2, 1, 64, 64))
        assert seen[0].shape == (2, UP_WIDTHS[stride], 64 // stride, 64 // stride)
        assert torch.equal(seen[0][0], seen[0][1]) is not differs


def test_a_step_up_adds_to_what_comes_from_below() -> None:
    """With all that is added at zero, the logits are the coarsest map through 1x1 convolutions, and nothing else."""
    torch.manual_seed(0)
    model, x = unet(3, 1, (64, 64)).eval(), torch.randn(1, 1, 48, 64)
    assert isinstance(model, UNet)
    for up in model.ups.values():
        nn.init.zeros_(up.mix[1].weight)  # type: ignore[union-attr, index]
    with torch.no_grad():
        coarse = model.backbone(x)[16]
        for up in model.ups.values():
            coarse = up.narrow(coarse)  # type: ignore[operator, union-attr]
        wanted = F.pixel_shuffle(model.head(F.interpolate(coarse, size=(24, 32))), 2)
        torch.testing.assert_close(model(x), wanted)


def test_an_odd_picture_is_answered_as_with_a_row_of_zeros_behind_it() -> None:
    """What a cell has too much lies on the right and at the bottom, so nothing moves."""
    torch.manual_seed(0)
    model, x = unet(3, 1, (64, 64)).eval(), torch.randn(1, 1, 31, 33)
    torch.testing.assert_close(model(x), model(F.pad(x, [0, 1, 0, 1]))[..., :31, :33])


def test_skips_lie_beside_what_comes_up_cell_by_cell() -> None:
    """What each step up convolves is the map of the way down as it was, then the map from below, each cell repeated."""
    torch.manual_seed(0)
    model = unet(3, 1, (64, 64)).eval()
    assert isinstance(model, UNet)
    x, mixed, narrowed = torch.randn(2, 1, 37, 64), {}, {}
    for stride, up in model.ups.items():
        up.mix.register_forward_hook(lambda module, inputs, output, at=int(stride): mixed.update({at: inputs[0]}))  # type: ignore[union-attr]
        up.narrow.register_forward_hook(lambda module, inputs, output, at=int(stride): narrowed.update({at: output}))  # type: ignore[union-attr]
    with torch.no_grad():
        model(x)
        maps = model.backbone(x)
    assert list(mixed) == [8, 4, 2]
    for stride, both in mixed.items():
        fine = maps[stride]
        assert torch.equal(both[:, : fine.shape[1]], fine)
        assert both.shape[1] == fine.shape[1] + UP_WIDTHS[stride]
        assert torch.equal(both[:, fine.shape[1] :], F.interpolate(narrowed[stride], size=fine.shape[-2:]))


def test_killing_a_level_takes_away_its_field_and_nothing_else() -> None:
    """How far a pixel sees is what the levels below give: with the way up cut at s, only what s and finer see."""
    torch.manual_seed(0)
    model = unet(2, 1, (64, 64)).eval()
    assert isinstance(model, UNet)
    reach = {}
    for stride in (None, 8, 4, 2):
        if stride:
            nn.init.zeros_(model.ups[str(stride)].narrow.weight)  # type: ignore[union-attr, arg-type]
        x = torch.randn(1, 1, 256, 256, requires_grad=True)
        (gradient,) = torch.autograd.grad(model(x)[0, 0, 128, 128], x)
        columns = gradient[0, 0].abs().sum(0).nonzero()
        reach[stride] = int(columns.max() - columns.min()) + 1
    assert reach[None] > reach[8] > reach[4] > reach[2]
    # stride 2, then a 3x3 at that stride: 3 + 2 · 2 pixels
    assert reach[2] == 7


def test_the_four_logits_of_a_cell_start_alike() -> None:
    """No checkerboard at the start: a fresh net answers as if its logits were repeated."""
    torch.manual_seed(0)
    logits = unet(3, 1, (32, 32)).eval()(torch.randn(1, 1, 32, 32))
    torch.testing.assert_close(logits, F.interpolate(logits[..., ::2, ::2], scale_factor=2))


def test_narrowing_first_is_repeating_first() -> None:
    """The order of a 1x1 convolution and nearest resizing, which the header claims does not matter."""
    conv, x = nn.Conv2d(6, 3, 1, bias=False), torch.randn(2, 6, 3, 4)
    torch.testing.assert_close(F.interpolate(conv(x), size=(5, 8)), conv(F.interpolate(x, size=(5, 8))))


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_lite0", "vgg11_bn", "convnet"])
@pytest.mark.parametrize("size", [(96, 70), (33, 32)])
def test_networks_of_the_zoo_as_encoders(name: str, size: tuple[int, int]) -> None:
    with torch.device("meta"):
        model = unet(5, 3, size, backbone=name)
        assert isinstance(model, UNet)
        assert model(torch.zeros(2, 3, *size)).shape == (2, 5, *size)
        assert model.notes == model.backbone.notes and parameters(model) > parameters(model.backbone)


def test_a_zoo_encoder_learns_and_its_tensors_keep_their_names() -> None:
    torch.manual_seed(0)
    model = unet(3, 1, (32, 32), backbone="resnet18")
    keys = {key.removeprefix("backbone.") for key in model.state_dict() if key.startswith("backbone.")}
    classifier = create("resnet18", 3, 1, (32, 32)).state_dict()
    assert keys == {key for key in classifier if not key.startswith("fc.")}
    loss = F.cross_entropy(model(torch.randn(2, 1, 32, 32)), torch.randint(3, (2, 32, 32)))
    loss.backward()
    assert all(parameter.grad is not None and bool(parameter.grad.any()) for parameter in model.parameters())


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(ConfigError, match="Unknown backbone 'resnet19'"):
        unet(3, 3, (64, 64), backbone="resnet19")


def test_without_skips_the_convolutions_stay_as_wide() -> None:
    with torch.device("meta"):
        whole, plain = unet(11, 3, (128, 128)), unet_plain(11, 3, (128, 128))
    shapes = [{k: v.shape for k, v in net.state_dict().items() if "narrow" not in k} for net in (whole, plain)]
    assert shapes[0] == shapes[1]
    instead = {16: 96, 8: 48, 4: 16}  # stride below -> maps that the skip no longer brings
    assert parameters(plain) - parameters(whole) == sum(WIDTHS[stride] * maps for stride, maps in instead.items())


def test_it_is_cheap_enough_for_a_processor() -> None:
    """The claim of the table: 0.76 million parameters; and of the header: most work where cells are few."""
    with torch.device("meta"):
        model = unet(11, 3, (128, 128))
        found = describe(model, 3, (128, 128))
        full = describe(create("unet_64", 11, 3, (128, 128)), 3, (128, 128))
    assert found.parameters == 756_156 and list(WIDTHS) == [2, 4, 8, 16]
    assert full.macs > 40 * found.macs and full.training_bytes > 10 * found.training_bytes
