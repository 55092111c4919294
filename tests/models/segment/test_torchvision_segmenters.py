"""FCN and DeepLab v3 on dilated ResNets answer as a restatement of them in plain functions does."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.core.seed import seed_everything
from pellucid.models.segment import AUXILIARY_HEADS, MODELS
from pellucid.models.segment.deeplabv3 import Aspp, ImageMean
from pellucid.models.segment.resnet_segmenter import ResNetSegmenter

State = dict[str, Tensor]
DEPTHS = (3, 4, 6, 3)


def _norm(x: Tensor, state: State, name: str) -> Tensor:
    mean, var, weight, bias = (
        state[f"{name}.{each}"][:, None, None] for each in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (var + 1e-5).sqrt() * weight + bias


def _bottleneck(x: Tensor, state: State, name: str, stride: int, dilation: int) -> Tensor:
    y = F.relu(_norm(F.conv2d(x, state[f"{name}.conv1.weight"]), state, f"{name}.bn1"))
    y = F.conv2d(y, state[f"{name}.conv2.weight"], stride=stride, padding=dilation, dilation=dilation)
    y = F.relu(_norm(y, state, f"{name}.bn2"))
    y = _norm(F.conv2d(y, state[f"{name}.conv3.weight"]), state, f"{name}.bn3")
    if f"{name}.downsample.0.weight" in state:
        x = F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride)
        x = _norm(x, state, f"{name}.downsample.1")
    return F.relu(x + y)


def _resnet50(x: Tensor, state: State) -> tuple[Tensor, Tensor]:
    """The maps of stages 3 and 4: stage 3 dilates by 2 from its second block on, stage 4 by 4 from its second."""
    x = F.relu(_norm(F.conv2d(x, state["backbone.conv1.weight"], stride=2, padding=3), state, "backbone.bn1"))
    x = F.max_pool2d(x, 3, stride=2, padding=1)
    maps = []
    for stage, (stride, first, later) in enumerate(((1, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4)), start=1):
        for block in range(DEPTHS[stage - 1]):
            at_first = block == 0
            name = f"backbone.layer{stage}.{block}"
            x = _bottleneck(x, state, name, stride if at_first else 1, first if at_first else later)
        maps.append(x)
    return maps[2], maps[3]


def _fcn_head(x: Tensor, state: State, name: str) -> Tensor:
    x = F.relu(_norm(F.conv2d(x, state[f"{name}.0.weight"], padding=1), state, f"{name}.1"))
    return F.conv2d(x, state[f"{name}.4.weight"], state[f"{name}.4.bias"])


def _deeplab_head(x: Tensor, state: State) -> Tensor:
    aspp = "classifier.0.convs"
    views = [F.relu(_norm(F.conv2d(x, state[f"{aspp}.0.0.weight"]), state, f"{aspp}.0.1"))]
    for branch, rate in ((1, 12), (2, 24), (3, 36)):
        y = F.conv2d(x, state[f"{aspp}.{branch}.0.weight"], padding=rate, dilation=rate)
        views.append(F.relu(_norm(y, state, f"{aspp}.{branch}.1")))
    mean = F.conv2d(x.mean((2, 3), keepdim=True), state[f"{aspp}.4.1.weight"])
    views.append(F.relu(_norm(mean, state, f"{aspp}.4.2")).expand(-1, -1, *x.shape[2:]))
    x = F.conv2d(torch.cat(views, 1), state["classifier.0.project.0.weight"])
    x = F.relu(_norm(x, state, "classifier.0.project.1"))
    x = F.relu(_norm(F.conv2d(x, state["classifier.1.weight"], padding=1), state, "classifier.2"))
    return F.conv2d(x, state["classifier.4.weight"], state["classifier.4.bias"])


def _shaken(name: str, size: int) -> ResNetSegmenter:
    """A network whose norms are not those of a fresh one, in evaluation mode."""
    seed_everything(0)
    net = MODELS[name](5, 3, (size, size))
    with torch.no_grad():
        for key, tensor in net.state_dict().items():
            if key.endswith(("running_mean", "running_var", "bias")) or (key.endswith("weight") and tensor.dim() == 1):
                tensor.add_(0.2 * torch.rand_like(tensor))
    assert isinstance(net, ResNetSegmenter)
    return net.eval()


@pytest.mark.parametrize("name", ["fcn_resnet50", "deeplabv3_resnet50"])
def test_outputs_are_those_of_the_restatement(name: str) -> None:
    net = _shaken(name, 97)
    state = net.state_dict()
    x = torch.randn(1, 3, 97, 70, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = net.outputs(x)
        third, fourth = _resnet50(x, state)
        scores = _deeplab_head(fourth, state) if name.startswith("deeplab") else _fcn_head(fourth, state, "classifier")
        wanted = {"logits": scores, "auxiliary": _fcn_head(third, state, "aux_classifier")}
        assert list(ours) == list(wanted)
        for key, each in wanted.items():
            resized = F.interpolate(each, size=(97, 70), mode="bilinear", align_corners=False)
            torch.testing.assert_close(ours[key], resized, rtol=1e-4, atol=1e-5 * float(resized.abs().max()))
        assert torch.equal(net(x), ours["logits"])


def test_the_table_of_auxiliary_heads_is_what_the_networks_give() -> None:
    with torch.device("meta"):
        for name, build in MODELS.items():
            if "resnet101" not in name:
                assert hasattr(build(3, 3, (64, 64)), "outputs") == (name in AUXILIARY_HEADS), name
    assert set(AUXILIARY_HEADS.values()) == {1}


def test_the_rates_are_those_of_output_stride_8() -> None:
    """The paper's 6, 12 and 18 are for stride 16 and double at 8; small maps above tell only the first of them."""
    with torch.device("meta"):
        convs = MODELS["deeplabv3_resnet50"](21, 3, (224, 224)).classifier[0].convs
    assert [conv[0].dilation for conv in list(convs)[:4]] == [(1, 1), (12, 12), (24, 24), (36, 36)]


def test_one_picture_in_training_takes_the_running_mean_of_the_whole_map() -> None:
    seed_everything(0)
    pooled = ImageMean(8, 4)
    pooled[2].running_mean.add_(0.3)
    x = torch.randn(1, 8, 5, 6)
    before = pooled[2].running_mean.clone()
    trained = pooled.train()(x)
    assert torch.equal(trained, pooled.eval()(x)) and torch.equal(pooled[2].running_mean, before)
    assert torch.equal(trained, trained[..., :1, :1].expand_as(trained))
    two = torch.cat([x, x + 1])
    assert not torch.equal(pooled.train()(two), pooled.eval()(two))


def test_a_pyramid_of_rates_beyond_the_map_sees_centre_taps_alone() -> None:
    """Where a rate exceeds the map, a 3x3 convolution is its centre: the branch equals a 1x1 one."""
    seed_everything(0)
    aspp = Aspp(6, rates=(12,), width=4).eval()
    x = torch.randn(2, 6, 7, 7)
    conv = aspp.convs[1][0]
    torch.testing.assert_close(conv(x), F.conv2d(x, conv.weight[..., 1:2, 1:2]))
    assert aspp(x).shape == (2, 4, 7, 7)
