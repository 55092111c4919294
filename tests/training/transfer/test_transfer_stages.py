"""Stages of a network: every parameter in one of them, in the order of the picture's way."""

import pytest
import torch
from torch import nn

from pellucid.models.classify import MODELS
from pellucid.models.published.shapes import MARK, wanted_shapes
from pellucid.training.transfer.stages import LAST, stages


def stages_of(name: str, size: tuple[int, int] = (224, 224)) -> tuple[nn.Module, list[str], list[tuple[str, ...]]]:
    with torch.device("meta"):
        net = MODELS[name](10, 3, size)
    last = {key for key, shape in wanted_shapes(name, size, 3).items() if MARK in shape}
    found = stages(net, last)
    return net, [stage.name for stage in found], [stage.parameters for stage in found]


# what a person would call the stages
BY_EYE = {
    "resnet18": ["conv1", "layer1", "layer2", "layer3", "layer4"],
    "resnext50_32x4d": ["conv1", "layer1", "layer2", "layer3", "layer4"],
    "preact_resnet18": ["conv1", "layer1", "layer2", "layer3", "layer4"],
    "vgg11_bn": [*(f"features.{k}" for k in (0, 4, 8, 11, 15, 18, 22, 25)), "classifier.0", "classifier.3"],
    "alexnet": [*(f"features.{k}" for k in (0, 3, 6, 8, 10)), "classifier.1", "classifier.4"],
    "efficientnet_lite0": ["_conv_stem", *(f"_blocks.{k}" for k in range(16)), "_conv_head"],
    "mobilenet_v2": [f"features.{k}" for k in range(19)],
    "vit_b_16": ["conv_proj", *(f"encoder.layers.encoder_layer_{k}" for k in range(12))],
    "shufflenet_v2_x1_0": ["conv1", "stage2", "stage3", "stage4", "conv5"],
    "convnet": ["stem", "blocks.0", "blocks.1", "blocks.2"],
    "linear": [],
}


@pytest.mark.parametrize("name", BY_EYE)
def test_stages_are_those_a_person_would_name(name: str) -> None:
    net, names, parameters = stages_of(name)
    assert names == [*BY_EYE[name], LAST]
    assert sorted(sum(parameters, ())) == sorted(key for key, _ in net.named_parameters())


def test_norms_belong_to_the_stage_before_them() -> None:
    _, names, parameters = stages_of("resnet18")
    assert parameters[0] == ("conv1.weight", "bn1.weight", "bn1.bias")
    assert parameters[-1] == ("fc.weight", "fc.bias")
    _, names, parameters = stages_of("efficientnet_lite0")
    assert parameters[names.index("_conv_head")] == ("_conv_head.weight", "_bn1.weight", "_bn1.bias")


def test_tokens_and_positions_belong_to_the_stage_after_them() -> None:
    _, names, parameters = stages_of("vit_b_16")
    assert "class_token" in parameters[0]
    assert "encoder.pos_embedding" in parameters[names.index("encoder.layers.encoder_layer_0")]
    assert "encoder.ln.weight" in parameters[names.index("encoder.layers.encoder_layer_11")]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_lies_in_one_stage(name: str) -> None:
    net, names, parameters = stages_of(name, (299, 299) if "inception" in name else (224, 224))
    assert sorted(sum(parameters, ())) == sorted(key for key, _ in net.named_parameters())
    assert names[-1] == LAST and all(parameters) and len(set(names)) == len(names)
