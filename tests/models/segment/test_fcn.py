"""FCN-32s, 16s and 8s."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.core.seed import seed_everything
from pellucid.models.segment import BACKBONES, MODELS
from pellucid.models.segment.fcn import Fcn, head_of_vgg


def drawn(name: str, backbone: str = "", size: int = 96, n_classes: int = 3, channels: int = 3) -> Fcn:
    seed_everything(0)
    net = MODELS[name](n_classes, channels, (size, size), backbone)
    assert isinstance(net, Fcn)
    return net


@pytest.mark.parametrize(("name", "scale", "cells"), [("fcn32s", 32, 7), ("fcn16s", 16, 14), ("fcn8s", 8, 28)])
def test_the_last_step_brings_224_px_back_and_keeps_a_constant(name: str, scale: int, cells: int) -> None:
    """7 cells by stride 32, kernel 64 and padding 16: (7 - 1) 32 - 2 16 + 64 = 224."""
    up = drawn(name).last_up
    assert (up.stride, up.kernel_size, up.padding) == ((scale,) * 2, (2 * scale,) * 2, (scale // 2,) * 2)
    out = up(torch.full((1, 3, cells, cells), 2.5))
    assert out.shape == (1, 3, 224, 224)
    inside = out[..., scale // 2 : -scale // 2, scale // 2 : -scale // 2]
    torch.testing.assert_close(inside, torch.full_like(inside, 2.5))
    assert float(out[0, 0, 0, 0]) < 2.5  # beyond the border are zeros


@pytest.mark.parametrize("name", ["fcn32s", "fcn16s", "fcn8s"])
def test_logits_are_those_of_the_paper_written_down(name: str) -> None:
    """Scores, bilinear steps and sums, said again with `F.interpolate`; far from the border, where both agree."""
    net = drawn(name, "vgg11", size=96, n_classes=2).eval()
    for score in net.scores.values():
        nn.init.normal_(score.weight, std=0.05)
    x = torch.randn(1, 3, 192, 192)
    with torch.no_grad():
        maps = net.backbone(x)
        total = net.scores["32"](net.head(maps[32]))
        for stride in (16, 8):
            if str(stride) in net.scores:
                up = F.interpolate(total, scale_factor=2, mode="bilinear", align_corners=False)
                total = net.scores[str(stride)](maps[stride]) + up
        wanted = F.interpolate(total, size=(192, 192), mode="bilinear", align_corners=False)
        torch.testing.assert_close(net(x)[..., 56:-56, 56:-56], wanted[..., 56:-56, 56:-56], rtol=1e-4, atol=1e-4)


def test_finer_maps_start_without_a_say() -> None:
    net = drawn("fcn8s")
    assert {key: bool(score.weight.any()) for key, score in net.scores.items()} == {"32": True, "16": False, "8": False}
    assert not any(bool(score.bias.any()) for score in net.scores.values())


@pytest.mark.parametrize("backbone", ["resnet18", "vgg11", "efficientnet_lite0", "convnet", "densenet121"])
def test_any_height_and_width_and_any_backbone(backbone: str) -> None:
    net = drawn("fcn8s", backbone, size=48, channels=1).eval()
    for height, width in ((48, 48), (31, 70), (1, 1), (5, 40)):
        with torch.no_grad():
            assert net(torch.randn(2, 1, height, width)).shape == (2, 3, height, width)


def test_what_is_cut_off_does_not_move_the_picture() -> None:
    """A cell more on the right and below changes nothing far from there: maps are laid on from the top left."""
    net = drawn("fcn8s", "vgg11", size=96).eval()
    for score in net.scores.values():
        nn.init.normal_(score.weight, std=0.05)
    x = torch.zeros(1, 3, 320, 320)
    x[..., 20:60, 20:60] = 1.0
    with torch.no_grad():
        whole, cut = net(x), net(x[..., :311, :317])
    # field of the coarsest map and head, in pixels, is below 230
    torch.testing.assert_close(cut[..., :64, :64], whole[..., :64, :64], rtol=1e-4, atol=1e-4)


def test_the_head_of_vgg_is_the_papers_for_large_pictures_and_slim_for_small_ones() -> None:
    with torch.device("meta"):
        large, small = drawn("fcn32s", "vgg16", 224, 21), drawn("fcn32s", "vgg16", 128, 21)
    assert large.head[0].weight.shape == (4096, 512, 7, 7) and large.head[3].weight.shape == (4096, 4096, 1, 1)
    assert small.head[0].weight.shape == (512, 512, 3, 3)
    assert sum(p.numel() for p in large.parameters()) == pytest.approx(134e6, rel=0.01)  # the paper's table 1


def test_the_fully_connected_layers_of_a_classifier_slide() -> None:
    """In the middle of its 7x7 cells, where the padding does not reach, the head says what the classifier says."""
    torch.manual_seed(0)
    first, second = nn.Linear(512 * 49, 5), nn.Linear(5, 5)
    tensors = {f"classifier.{place}.{key}": value for place, layer in ((0, first), (3, second))
               for key, value in layer.state_dict().items()}  # fmt: skip
    found = head_of_vgg(tensors)
    x = torch.randn(2, 512, 7, 7)
    with torch.no_grad():
        wanted = second(first(x.flatten(1)).relu())
        y = F.conv2d(x, found["head.0.weight"], found["head.0.bias"], padding=3).relu()
        y = F.conv2d(y, found["head.3.weight"], found["head.3.bias"])
    torch.testing.assert_close(y[:, :, 3, 3], wanted, rtol=1e-4, atol=1e-5)
    with torch.device("meta"):
        names = drawn("fcn32s", "vgg11", 224).state_dict()
    assert set(found) <= set(names)
    small = {"classifier.0.weight": torch.zeros(512, 512), "classifier.3.weight": torch.zeros(512, 512)}
    assert head_of_vgg(small) == {}


def test_the_last_step_is_fixed_and_those_between_learn() -> None:
    net = drawn("fcn8s")
    names = {key for key, _ in net.named_parameters()}
    assert {"ups.32.weight", "ups.16.weight"} <= names and not any(
        key.startswith("last_up") for key in net.state_dict()
    )
    before = net.last_up.weight.clone()
    optimiser = torch.optim.SGD(net.parameters(), lr=1.0)
    net(torch.randn(2, 3, 64, 64)).square().mean().backward()
    optimiser.step()
    assert torch.equal(net.last_up.weight, before)


def test_backbones_are_named_and_unknown_ones_refused() -> None:
    assert {"fcn32s", "fcn16s", "fcn8s"} <= set(BACKBONES)
    assert drawn("fcn8s").backbone.name == "resnet18"
    with pytest.raises(ConfigError, match=r"backbone.*resnet1.*resnet18"):
        drawn("fcn8s", "resnet1")
