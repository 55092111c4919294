"""SE-ResNet: residual networks whose channels are weighed by squeeze and excitation.

Hu et al. 2018, "Squeeze-and-Excitation Networks" (https://arxiv.org/abs/1709.01507), figure 3: the residual branch
passes the weighing last, before it is added. Names of tensors are those of timm's `seresnet*`
(https://github.com/huggingface/pytorch-image-models), which squeezes to a sixteenth of the channels but to 8 at the
least, where the paper would take 4 for the 64 channels of the first stage. All else is as in resnet.py.
"""

from functools import partial

from torch import nn

from pellucid.models.classify.resnet import BasicBlock, Bottleneck, Variant, build
from pellucid.nn.blocks.squeeze_excitation import SqueezeExcitation


def weigh(channels: int) -> nn.Module:
    """Squeeze and excitation for a residual branch of so many channels."""
    return SqueezeExcitation(channels, max(8, channels // 16))


VARIANTS: dict[str, Variant] = {
    "se_resnet18": (partial(BasicBlock, weigh=weigh), 1, (2, 2, 2, 2)),
    "se_resnet34": (partial(BasicBlock, weigh=weigh), 1, (3, 4, 6, 3)),
    "se_resnet50": (partial(Bottleneck, weigh=weigh), 4, (3, 4, 6, 3)),
    "se_resnet101": (partial(Bottleneck, weigh=weigh), 4, (3, 4, 23, 3)),
    "se_resnet152": (partial(Bottleneck, weigh=weigh), 4, (3, 8, 36, 3)),
}


def se_resnet18(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-18 with squeeze and excitation in every block."""
    return build(VARIANTS["se_resnet18"], n_classes, channels, image_size)


def se_resnet34(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-34 with squeeze and excitation in every block."""
    return build(VARIANTS["se_resnet34"], n_classes, channels, image_size)


def se_resnet50(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-50 with squeeze and excitation in every block."""
    return build(VARIANTS["se_resnet50"], n_classes, channels, image_size)


def se_resnet101(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-101 with squeeze and excitation in every block."""
    return build(VARIANTS["se_resnet101"], n_classes, channels, image_size)


def se_resnet152(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-152 with squeeze and excitation in every block."""
    return build(VARIANTS["se_resnet152"], n_classes, channels, image_size)
