"""Names of tensors as timm and older torchvision write them, spelt out here from their sources, and what they mean."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models import create, load_published
from pellucid.models.published.names import _flat, translate
from pellucid.models.published.shapes import COUNTER, compare

NORM = ("weight", "bias", "running_mean", "running_var", COUNTER)


def shapes_of(name: str, size: tuple[int, int] = (224, 224)) -> dict[str, Tensor]:
    with torch.device("meta"):
        return create(name, 1000, 3, size).state_dict()


def timm_vit(patch: int) -> dict[str, Tensor]:
    tensors = {
        "cls_token": (1, 1, 768),
        "pos_embed": (1, (224 // patch) ** 2 + 1, 768),
        "patch_embed.proj.weight": (768, 3, patch, patch),
        "patch_embed.proj.bias": (768,),
        "norm.weight": (768,),
        "norm.bias": (768,),
        "head.weight": (1000, 768),
        "head.bias": (1000,),
    }
    for i in range(12):
        for layer, out, inside in [("attn.qkv", 2304, 768), ("attn.proj", 768, 768), ("mlp.fc1", 3072, 768)]:
            tensors |= {f"blocks.{i}.{layer}.weight": (out, inside), f"blocks.{i}.{layer}.bias": (out,)}
        tensors |= {f"blocks.{i}.mlp.fc2.weight": (768, 3072), f"blocks.{i}.mlp.fc2.bias": (768,)}
        tensors |= {f"blocks.{i}.norm{k}.{what}": (768,) for k in (1, 2) for what in ("weight", "bias")}
    return {name: torch.empty(shape, device="meta") for name, shape in tensors.items()}


@pytest.mark.parametrize(("name", "patch"), [("vit_b_16", 16), ("vit_b_32", 32)])
def test_vision_transformers_of_timm(name: str, patch: int) -> None:
    named, who = translate(name, timm_vit(patch))
    assert who == "timm" and compare(name, (224, 224), named).fits
    assert compare(name, (224, 224), named).classes == (1000,)


def test_one_projection_for_query_key_and_value_means_the_same_in_both() -> None:
    """timm: (N, T, 3, heads, d) of one linear layer; torch: rows of `in_proj_weight` are query, key, value."""
    torch.manual_seed(0)
    weight, bias, x = torch.randn(24, 8), torch.randn(24), torch.randn(2, 5, 8)
    q, k, v = F.linear(x, weight, bias).reshape(2, 5, 3, 2, 4).permute(2, 0, 3, 1, 4)
    by_hand = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 5, 8)
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    layer.load_state_dict(
        {
            "in_proj_weight": weight,
            "in_proj_bias": bias,
            "out_proj.weight": torch.eye(8),
            "out_proj.bias": torch.zeros(8),
        }
    )
    torch.testing.assert_close(layer(x, x, x, need_weights=False)[0], by_hand)


def test_vision_transformers_of_an_older_torchvision() -> None:
    older = {
        key.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): tensor
        for key, tensor in shapes_of("vit_b_16").items()
    }
    assert sum("linear_" in key for key in older) == 48
    named, who = translate("vit_b_16", older)
    assert who == "an older torchvision" and compare("vit_b_16", (224, 224), named).fits


def test_densenets_of_an_older_torchvision() -> None:
    older = {}
    for key, tensor in shapes_of("densenet121").items():
        if COUNTER in key:
            continue
        inside = "denselayer" in key
        for part in ("norm1", "norm2", "conv1", "conv2"):
            key = key.replace(part, f"{part[:-1]}.{part[-1]}") if inside else key
        older[key] = tensor
    assert "features.denseblock1.denselayer1.norm.1.weight" in older
    assert not compare("densenet121", (224, 224), older).fits
    named, _ = translate("densenet121", older)
    assert compare("densenet121", (224, 224), named).fits
    assert named.keys() == {key for key in shapes_of("densenet121") if COUNTER not in key}


@pytest.mark.parametrize("name", ["vgg11", "vgg16_bn"])
def test_vggs_of_timm(name: str) -> None:
    theirs = {key: tensor for key, tensor in shapes_of(name).items() if key.startswith("features.")}
    shapes = {"pre_logits.fc1": (4096, 512, 7, 7), "pre_logits.fc2": (4096, 4096, 1, 1), "head.fc": (1000, 4096)}
    for key, shape in shapes.items():
        theirs |= {f"{key}.weight": torch.empty(shape, device="meta"), f"{key}.bias": torch.empty(shape[0])}
    assert compare(name, (224, 224), translate(name, theirs)[0]).fits


def test_a_convolution_over_the_whole_map_is_a_linear_layer_of_it_flattened() -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(4, 2, 3, 3), torch.randn(5, 2, 3, 3)
    flat = _flat("classifier.0.weight", weight)
    torch.testing.assert_close(F.linear(x.flatten(1), flat), F.conv2d(x, weight).flatten(1))


def timm_mobile(stages: list[int]) -> list[tuple[str, str]]:
    """(name, kind) of the layers of timm's mobile networks: `blocks.STAGE.PLACE`, the first block without widening."""
    layers = [("conv_stem", "conv"), ("bn1", "norm")]
    for stage, depth in enumerate(stages):
        for place in range(depth):
            parts = (
                ("conv_dw", "bn1", "conv_pw", "bn2")
                if stage == 0
                else ("conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3")
            )
            layers += [(f"blocks.{stage}.{place}.{part}", "norm" if part[:2] == "bn" else "conv") for part in parts]
    return [*layers, ("conv_head", "conv"), ("bn2", "norm"), ("classifier", "linear")]


@pytest.mark.parametrize(
    ("name", "stages", "size"),
    [
        ("mobilenet_v2", [1, 2, 3, 4, 3, 3, 1], 224),
        ("efficientnet_lite0", [1, 2, 2, 3, 3, 4, 1], 224),
        ("efficientnet_lite2", [1, 3, 3, 4, 4, 5, 1], 260),
    ],
)
def test_mobile_networks_of_timm(name: str, stages: list[int], size: int) -> None:
    """Both name their layers in the order they are used, so the shapes of ours in order are those of timm's."""
    ours = iter(shapes_of(name, (size, size)).values())
    theirs: dict[str, Tensor] = {}
    for layer, kind in timm_mobile(stages):
        parts = {"conv": ("weight",), "norm": NORM, "linear": ("weight", "bias")}[kind]
        theirs |= {f"{layer}.{part}": next(ours) for part in parts}
    assert next(ours, None) is None
    named, who = translate(name, theirs)
    assert who == "timm" and compare(name, (size, size), named).fits
    assert list(named) == list(shapes_of(name, (size, size)))


@pytest.mark.parametrize(("name", "size", "first"), [("googlenet", 224, "aux1."), ("inception_v3", 299, "AuxLogits.")])
def test_auxiliary_heads_may_be_missing_but_not_by_halves(name: str, size: int, first: str) -> None:
    tensors = shapes_of(name, (size, size))
    without = {key: tensor for key, tensor in tensors.items() if not key.lower().startswith("aux")}
    assert len(without) < len(tensors)
    assert compare(name, (size, size), tensors).fits and compare(name, (size, size), without).fits
    halves = {key: tensor for key, tensor in tensors.items() if key in without or not key.startswith(first)}
    halves |= {key: tensors[key] for key in list(tensors)[:-4] if key.startswith(first)}
    del halves[next(key for key in halves if key.startswith(first) and key.endswith("weight"))]
    assert not compare(name, (size, size), halves).fits


def test_old_files_without_counters_of_batches_load(tmp_path) -> None:
    torch.manual_seed(0)
    net = create("shufflenet_v2_x0_5", 4).eval()
    state = {key: tensor for key, tensor in net.state_dict().items() if not key.endswith(COUNTER)}
    torch.save(state, tmp_path / "a.pth")
    found, x = load_published("shufflenet_v2_x0_5", tmp_path / "a.pth"), torch.randn(1, 3, 96, 96)
    with torch.no_grad():
        assert torch.equal(found.net(x), net(x))
    assert all(int(b) == 0 for key, b in found.net.named_buffers() if key.endswith(COUNTER))
