"""ResNets whose blocks are left out at random in training, the late ones more often than the early.

Huang et al. 2016, "Deep Networks with Stochastic Depth" (https://arxiv.org/abs/1603.09382). Of L blocks, block l
survives with probability 1 - (l / L) (1 - p_L), p_L = 0.5 (the linear decay rule, equation 4), so that about three
quarters of the depth is trained at a time. In evaluation all blocks are there.

Differences from the paper: a block is drawn for every picture instead of once a batch, as in torchvision's layer of
this name, which makes gradients less noisy; and a surviving branch is divided by its probability in training where
the paper multiplies it in evaluation. Evaluation is therefore that of a ResNet, and so are the names of all tensors.
"""

from torch import nn

from pellucid.models.classify.resnet import VARIANTS, build
from pellucid.nn.blocks.stochastic_depth import let_branches_drop


def _build(base: str, n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    model = build(VARIANTS[base], n_classes, channels, image_size)
    let_branches_drop(model)
    return model


def stochastic_depth_resnet18(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-18 with stochastic depth: training leaves out up to half of the last block's turns."""
    return _build("resnet18", n_classes, channels, image_size)


def stochastic_depth_resnet34(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-34 with stochastic depth."""
    return _build("resnet34", n_classes, channels, image_size)


def stochastic_depth_resnet50(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-50 with stochastic depth."""
    return _build("resnet50", n_classes, channels, image_size)


def stochastic_depth_resnet101(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-101 with stochastic depth."""
    return _build("resnet101", n_classes, channels, image_size)


def stochastic_depth_resnet152(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-152 with stochastic depth."""
    return _build("resnet152", n_classes, channels, image_size)
