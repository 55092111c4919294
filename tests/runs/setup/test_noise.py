"""Noise put into networks from outside: where it goes, that it is there in training, and that nothing else changes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import pellucid
from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.weights import read_weights
from pellucid.nn.blocks.stochastic_depth import ResidualBranch
from pellucid.nn.regularisation.drop_connect import DropConnectConv2d, DropConnectLinear
from pellucid.nn.regularisation.dropped_input import DroppedInput
from pellucid.runs.setup.noise import add_noise
from pellucid.training.config import RegulariseConfig

ALL = RegulariseConfig(dropout=0.5, channel_dropout=0.25, drop_connect=0.5)
SIZE = (3, 32, 32)


def make(name: str) -> nn.Module:
    torch.manual_seed(0)
    return create(name, n_classes=5, image_size=(32, 32))


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("convnet", ("64 channels before blocks.2", "weight of head", "that head gets")),
        ("resnet18", ("256 channels before layer4", "weight of fc", "that fc gets")),
        ("resnet20", ("32 channels before layer3", "weight of fc", "that fc gets")),
        ("fcn_small", ("channels before", "weight of head", "that head gets")),
    ],
)
def test_where_it_goes_and_that_evaluation_and_names_stay(name: str, places: tuple[str, ...]) -> None:
    net, plain = make(name).eval(), make(name).eval()
    rng = torch.get_rng_state()
    said = add_noise(net, ALL, SIZE)
    assert torch.equal(torch.get_rng_state(), rng)
    assert len(said) == 3 and all(place in sentence for place, sentence in zip(places, said, strict=True)), said
    assert list(net.state_dict()) == list(plain.state_dict())
    assert [name for name, _ in net.named_parameters()] == [name for name, _ in plain.named_parameters()]
    x = torch.randn(2, *SIZE)
    with torch.no_grad():
        assert torch.equal(net(x), plain(x))
        net.train()
        for module in net.modules():  # noise alone, without the noise of batch norm
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        assert not torch.equal(net(x), net(x))
    net.eval()
    net.load_state_dict(plain.state_dict())
    assert any(isinstance(module, (DropConnectLinear, DropConnectConv2d)) for module in net.modules())


@pytest.mark.parametrize("name", ["linear", "mlp", "mobilenet_v2", "squeezenet1_1", "vit_small", "vgg11"])
def test_the_other_shapes_of_networks(name: str) -> None:
    net = make(name)
    said = add_noise(net, RegulariseConfig(dropout=0.75, drop_connect=0.25), SIZE)
    own = name in ("mobilenet_v2", "squeezenet1_1", "vgg11")
    assert ("in place of the network's own" in said[1]) == own, said
    assert [m.p for m in net.modules() if isinstance(m, nn.Dropout)].count(0.75) == own
    net.train()
    assert net(torch.randn(4, *SIZE)).sum().isfinite()


def test_drop_connect_shares_the_very_parameters() -> None:
    net = make("convnet")
    weight = net.head.weight
    add_noise(net, RegulariseConfig(drop_connect=0.5), SIZE)
    assert net.head.weight is weight and type(net.head) is DropConnectLinear and net.head.p == 0.5


@pytest.mark.parametrize(
    ("name", "n_blocks"),
    [
        ("resnet18", 8),
        ("resnet20", 9),
        ("preact_resnet18", 8),
        ("se_resnet18", 8),
        ("mobilenet_v2", 10),
        ("mobilenet_v3_small", 7),
        ("efficientnet_lite0", 9),
        ("vit_small", 6),
    ],
)
def test_stochastic_depth_in_every_residual_network(name: str, n_blocks: int) -> None:
    net, plain = make(name).eval(), make(name).eval()
    said = add_noise(net, RegulariseConfig(stochastic_depth=0.5), SIZE)
    blocks = [m for m in net.modules() if isinstance(m, ResidualBranch) and m.drop is not None]
    assert [block.drop.p for block in blocks] == pytest.approx([0.5 * k / n_blocks for k in range(1, n_blocks + 1)])
    assert f"of {n_blocks} residual blocks" in said[0]
    assert list(net.state_dict()) == list(plain.state_dict())
    x = torch.randn(2, *SIZE)
    with torch.no_grad():
        assert torch.equal(net(x), plain(x))
        for block in blocks:
            block.drop.train()
            block.drop.p = 1 - 1e-7  # every branch gone
        skipped = net(x)
        assert not torch.allclose(skipped, plain(x))


@pytest.mark.parametrize("name", ["vit_small", "mobilenet_v2", "preact_resnet18"])
def test_a_dropped_branch_leaves_x_alone(name: str) -> None:
    """All of it: the attention of a transformer's block and its mlp."""
    net = make(name).eval()
    add_noise(net, RegulariseConfig(stochastic_depth=0.5), SIZE)
    seen = 0
    for block in net.modules():
        if (
            not isinstance(block, ResidualBranch)
            or block.drop is None
            or getattr(block, "downsample", None) is not None
        ):
            continue
        first = next(p for p in block.parameters() if p.ndim >= 2)
        x = torch.randn(2, 5, first.shape[1]) if name == "vit_small" else torch.randn(2, first.shape[1], 4, 4)
        assert not torch.equal(block(x), x)
        block.drop.train()
        block.drop.p = 1 - 1e-9
        assert torch.equal(block(x), x)
        seen += 1
    assert seen >= 5


def test_a_dropped_channel_is_gone_as_a_whole() -> None:
    x = torch.rand(8, 16, 5, 5) + 1
    out = DroppedInput(0.25, channels=True).drop(x)
    gone = (out == 0).flatten(2)
    assert torch.equal(gone.all(2), gone.any(2)) and 0 < gone.all(2).float().mean() < 0.6
    assert torch.allclose(out[out != 0], (x / 0.75)[out != 0])


def test_no_place_for_it() -> None:
    with pytest.raises(ConfigError, match=r"--stochastic-depth: ConvNet has no residual blocks .* --model resnet18"):
        add_noise(make("convnet"), RegulariseConfig(stochastic_depth=0.5), SIZE)
    with pytest.raises(ConfigError, match=r"--channel-dropout: \w+ has no stage that gets feature maps"):
        add_noise(make("mlp"), RegulariseConfig(channel_dropout=0.5), SIZE)
    with pytest.raises(ConfigError, match=r"drop_connect must be in \[0, 1\), got 1"):
        RegulariseConfig(drop_connect=1.0)
    with pytest.raises(ConfigError, match="need a linear layer or a convolution"):
        add_noise(nn.BatchNorm2d(3), RegulariseConfig(dropout=0.5), SIZE)
    assert add_noise(nn.BatchNorm2d(3), RegulariseConfig(), SIZE) == ()


def test_a_run_is_evaluated_without_it(tmp_path: Path, photos: Path) -> None:
    asked = {"dropout": 0.5, "channel_dropout": 0.2, "drop_connect": 0.3, "stochastic_depth": 0.5}
    run = pellucid.train(
        photos, model="resnet20", epochs=1, image_size="16", out=tmp_path / "run", threads=1, progress="quiet", **asked
    )
    assert run.config.regularise == replace(RegulariseConfig(), **asked)
    net = run.trained.model.net
    assert not any(module._forward_pre_hooks or hasattr(module, "p") for module in net.modules())
    assert set(read_weights(tmp_path / "run" / "model.safetensors").tensors) == set(net.state_dict())
    assert all(verdict.status == "pass" for verdict in run.verify())
    exported = torch.export.export(net, (torch.randn(2, 3, 16, 16),))
    x = torch.randn(2, 3, 16, 16)
    assert torch.allclose(exported.module()(x), net(x), atol=1e-5)
