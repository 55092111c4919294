"""Names of tensors in other programs' files, and what they are called here.

Here names are torchvision's where it has the network. Translated are its own older names, and timm's
(https://github.com/huggingface/pytorch-image-models) where the two differ by rule: networks of the same shape whose
parts are called otherwise. timm's residual networks, DenseNets and Inceptions have the names used here.
"""

import re
from collections.abc import Mapping

from torch import Tensor

Tensors = Mapping[str, Tensor]
Rules = tuple[tuple[str, str], ...]  # patterns, the first that matches a whole name counts

OLD_DENSENET: Rules = ((r"(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)", r"\1\2"),)  # norm.1.weight -> norm1.weight

OLD_VIT: Rules = (
    (r"(.*\.mlp)\.linear_1\.(.*)", r"\1.0.\2"),
    (r"(.*\.mlp)\.linear_2\.(.*)", r"\1.3.\2"),
)
OLD_DETECTOR: Rules = (  # until layers got room for a norm
    (r"(backbone\.fpn\.(?:inner|layer)_blocks\.\d)\.(weight|bias)", r"\1.0.\2"),
    (r"(rpn\.head\.conv)\.(weight|bias)", r"\1.0.0.\2"),
    (r"roi_heads\.mask_head\.mask_fcn1\.(.*)", r"roi_heads.mask_head.0.0.\1"),
    (r"roi_heads\.mask_head\.mask_fcn2\.(.*)", r"roi_heads.mask_head.1.0.\1"),
    (r"roi_heads\.mask_head\.mask_fcn3\.(.*)", r"roi_heads.mask_head.2.0.\1"),
    (r"roi_heads\.mask_head\.mask_fcn4\.(.*)", r"roi_heads.mask_head.3.0.\1"),
    (r"(head\.(?:classification|regression)_head\.conv)\.0\.(weight|bias)", r"\1.0.0.\2"),
    (r"(head\.(?:classification|regression)_head\.conv)\.2\.(weight|bias)", r"\1.1.0.\2"),
    (r"(head\.(?:classification|regression)_head\.conv)\.4\.(weight|bias)", r"\1.2.0.\2"),
    (r"(head\.(?:classification|regression)_head\.conv)\.6\.(weight|bias)", r"\1.3.0.\2"),
)
_LAYER = r"encoder.layers.encoder_layer_\1"
TIMM_VIT: Rules = (
    (r"cls_token", "class_token"),
    (r"pos_embed", "encoder.pos_embedding"),
    (r"patch_embed\.proj\.(.*)", r"conv_proj.\1"),
    (r"blocks\.(\d+)\.norm1\.(.*)", rf"{_LAYER}.ln_1.\2"),
    (r"blocks\.(\d+)\.attn\.qkv\.(weight|bias)", rf"{_LAYER}.self_attention.in_proj_\2"),
    (r"blocks\.(\d+)\.attn\.proj\.(.*)", rf"{_LAYER}.self_attention.out_proj.\2"),
    (r"blocks\.(\d+)\.norm2\.(.*)", rf"{_LAYER}.ln_2.\2"),
    (r"blocks\.(\d+)\.mlp\.fc1\.(.*)", rf"{_LAYER}.mlp.0.\2"),
    (r"blocks\.(\d+)\.mlp\.fc2\.(.*)", rf"{_LAYER}.mlp.3.\2"),
    (r"norm\.(.*)", r"encoder.ln.\1"),
    (r"head\.(.*)", r"heads.head.\1"),
)
TIMM_VGG: Rules = (  # its first two linear layers are convolutions over the whole last map
    (r"pre_logits\.fc1\.(.*)", r"classifier.0.\1"),
    (r"pre_logits\.fc2\.(.*)", r"classifier.3.\1"),
    (r"head\.fc\.(.*)", r"classifier.6.\1"),
)
# In timm a block is blocks.STAGE.PLACE; `_counted` has made it block.NUMBER, `first.0` for the one that does not widen.
TIMM_MOBILENET_V2: Rules = (
    (r"conv_stem\.(.*)", r"features.0.0.\1"),
    (r"bn1\.(.*)", r"features.0.1.\1"),
    (r"first\.0\.conv_dw\.(.*)", r"features.1.conv.0.0.\1"),
    (r"first\.0\.bn1\.(.*)", r"features.1.conv.0.1.\1"),
    (r"first\.0\.conv_pw\.(.*)", r"features.1.conv.1.\1"),
    (r"first\.0\.bn2\.(.*)", r"features.1.conv.2.\1"),
    (r"block\.(\d+)\.conv_pw\.(.*)", r"features.\1.conv.0.0.\2"),
    (r"block\.(\d+)\.bn1\.(.*)", r"features.\1.conv.0.1.\2"),
    (r"block\.(\d+)\.conv_dw\.(.*)", r"features.\1.conv.1.0.\2"),
    (r"block\.(\d+)\.bn2\.(.*)", r"features.\1.conv.1.1.\2"),
    (r"block\.(\d+)\.conv_pwl\.(.*)", r"features.\1.conv.2.\2"),
    (r"block\.(\d+)\.bn3\.(.*)", r"features.\1.conv.3.\2"),
    (r"conv_head\.(.*)", r"features.18.0.\1"),
    (r"bn2\.(.*)", r"features.18.1.\1"),
    (r"classifier\.(weight|bias)", r"classifier.1.\1"),
)
TIMM_EFFICIENTNET_LITE: Rules = (
    (r"conv_stem\.(.*)", r"_conv_stem.\1"),
    (r"bn1\.(.*)", r"_bn0.\1"),
    (r"first\.0\.conv_dw\.(.*)", r"_blocks.0._depthwise_conv.\1"),
    (r"first\.0\.bn1\.(.*)", r"_blocks.0._bn1.\1"),
    (r"first\.0\.conv_pw\.(.*)", r"_blocks.0._project_conv.\1"),
    (r"first\.0\.bn2\.(.*)", r"_blocks.0._bn2.\1"),
    (r"block\.(\d+)\.conv_pw\.(.*)", r"_blocks.\1._expand_conv.\2"),
    (r"block\.(\d+)\.bn1\.(.*)", r"_blocks.\1._bn0.\2"),
    (r"block\.(\d+)\.conv_dw\.(.*)", r"_blocks.\1._depthwise_conv.\2"),
    (r"block\.(\d+)\.bn2\.(.*)", r"_blocks.\1._bn1.\2"),
    (r"block\.(\d+)\.conv_pwl\.(.*)", r"_blocks.\1._project_conv.\2"),
    (r"block\.(\d+)\.bn3\.(.*)", r"_blocks.\1._bn2.\2"),
    (r"conv_head\.(.*)", r"_conv_head.\1"),
    (r"bn2\.(.*)", r"_bn1.\1"),
    (r"classifier\.(weight|bias)", r"_fc.\1"),
)

# network -> a name that only such a file has, who names so, the rules
DIALECTS: dict[str, tuple[tuple[str, str, Rules], ...]] = {
    **dict.fromkeys(
        ("densenet121", "densenet161", "densenet169", "densenet201"),
        (("features.denseblock1.denselayer1.norm.1.weight", "an older torchvision", OLD_DENSENET),),
    ),
    **dict.fromkeys(
        ("vit_b_16", "vit_b_32"),
        (
            ("encoder.layers.encoder_layer_0.mlp.linear_1.weight", "an older torchvision", OLD_VIT),
            ("blocks.0.attn.qkv.weight", "timm", TIMM_VIT),
        ),
    ),
    **dict.fromkeys(
        [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")],
        (("pre_logits.fc1.weight", "timm", TIMM_VGG),),
    ),
    **dict.fromkeys(
        ("fasterrcnn_resnet50_fpn", "retinanet_resnet50_fpn", "maskrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn"),
        (("backbone.fpn.inner_blocks.0.weight", "an older torchvision", OLD_DETECTOR),),
    ),
    "mobilenet_v2": (("blocks.0.0.conv_dw.weight", "timm", TIMM_MOBILENET_V2),),
    **dict.fromkeys(
        ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"),
        (("blocks.0.0.conv_dw.weight", "timm", TIMM_EFFICIENTNET_LITE),),
    ),
}
FIRST_BLOCK = {"mobilenet_v2": 1}  # number of the first block where it is not 0

# names below these exist for training only, and some publishers leave them out
AUXILIARY: dict[str, tuple[str, ...]] = {
    "googlenet": ("aux1.", "aux2."),
    "inception_v3": ("AuxLogits.",),
    **dict.fromkeys(
        ("fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101"), ("aux_classifier.",)
    ),
}

# timm's names of architectures that are called otherwise here; equal names need no row
ARCHITECTURES = {
    "mobilenetv2_100": "mobilenet_v2",
    "tf_efficientnet_lite0": "efficientnet_lite0",
    "tf_efficientnet_lite1": "efficientnet_lite1",
    "tf_efficientnet_lite2": "efficientnet_lite2",
    "vit_base_patch16_224": "vit_b_16",
    "vit_base_patch32_224": "vit_b_32",
    **{f"seresnet{depth}": f"se_resnet{depth}" for depth in (18, 34, 50, 101, 152)},
}


def translate(network: str, tensors: Tensors) -> tuple[dict[str, Tensor], str]:
    """Tensors by the names used here, and who named them otherwise ("" when nobody did).

    Args:
        network: name of the architecture they are to fit.
        tensors: as they were in the file.
    """
    for mark, who, rules in DIALECTS.get(network, ()):
        if mark in tensors:
            counted = _counted(tensors, FIRST_BLOCK.get(network, 0))
            renamed = {_renamed(name, rules): tensor for name, tensor in counted.items()}
            return {name: _flat(name, tensor) for name, tensor in renamed.items()}, who
    return dict(tensors), ""


def _renamed(name: str, rules: Rules) -> str:
    for pattern, replacement in rules:
        found = re.fullmatch(pattern, name)
        if found:
            return found.expand(replacement)
    return name


def _counted(tensors: Tensors, first: int) -> dict[str, Tensor]:
    """`blocks.STAGE.PLACE.rest` as `block.NUMBER.rest`, counted through the stages; the very first is `first.0`."""
    pattern = re.compile(r"blocks\.(\d+)\.(\d+)\.(.*)")
    found = {name: match for name in tensors if (match := pattern.fullmatch(name))}
    places = sorted({(int(match[1]), int(match[2])) for match in found.values()})
    numbers = {place: number + first for number, place in enumerate(places)}

    def renamed(name: str) -> str:
        if name not in found:
            return name
        place = (int(found[name][1]), int(found[name][2]))
        return f"first.0.{found[name][3]}" if place == (0, 0) else f"block.{numbers[place]}.{found[name][3]}"

    return {renamed(name): tensor for name, tensor in tensors.items()}


def _flat(name: str, tensor: Tensor) -> Tensor:
    """Linear layers that were kept as convolutions, as (out, in)."""
    return tensor.flatten(1) if re.fullmatch(r"classifier\.\d\.weight", name) and tensor.dim() == 4 else tensor
