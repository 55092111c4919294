"""Classifiers: `(N, C, H, W)` standardised pixels -> `(N, K)` logits."""

from collections.abc import Callable

from torch import nn

from pellucid.models.classify.alexnet import alexnet
from pellucid.models.classify.alexnet_notes import alexnet_notes, alexnet_notes_groups2
from pellucid.models.classify.all_conv import all_conv
from pellucid.models.classify.cell_net import cell_net
from pellucid.models.classify.cifar_resnet import plain20, plain56, resnet20, resnet56
from pellucid.models.classify.convnet import convnet
from pellucid.models.classify.densenet import densenet121, densenet161, densenet169, densenet201
from pellucid.models.classify.efficientnet_lite import efficientnet_lite0, efficientnet_lite1, efficientnet_lite2
from pellucid.models.classify.fractalnet import fractalnet
from pellucid.models.classify.glimpse_rnn import glimpse_rnn
from pellucid.models.classify.googlenet import googlenet, googlenet_paper
from pellucid.models.classify.inception_resnet_v2 import inception_resnet_v2
from pellucid.models.classify.inception_v3 import inception_v3
from pellucid.models.classify.inception_v4 import inception_v4
from pellucid.models.classify.linear import linear
from pellucid.models.classify.mlp import mlp
from pellucid.models.classify.mobilenet_v1 import mobilenet_v1
from pellucid.models.classify.mobilenet_v2 import mobilenet_v2
from pellucid.models.classify.mobilenet_v3 import mobilenet_v3_large, mobilenet_v3_small
from pellucid.models.classify.plain import plain18, plain34
from pellucid.models.classify.preact_resnet import (
    preact_resnet18,
    preact_resnet34,
    preact_resnet50,
    preact_resnet101,
    preact_resnet152,
)
from pellucid.models.classify.resnet import (
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    resnext101_32x8d,
    wide_resnet50_2,
    wide_resnet101_2,
)
from pellucid.models.classify.row_rnn import row_rnn
from pellucid.models.classify.se_resnet import (
    se_resnet18,
    se_resnet34,
    se_resnet50,
    se_resnet101,
    se_resnet152,
)
from pellucid.models.classify.shufflenet_v2 import (
    shufflenet_v2_x0_5,
    shufflenet_v2_x1_0,
    shufflenet_v2_x1_5,
    shufflenet_v2_x2_0,
)
from pellucid.models.classify.squeezenet import squeezenet1_0, squeezenet1_1
from pellucid.models.classify.stochastic_depth_resnet import (
    stochastic_depth_resnet18,
    stochastic_depth_resnet34,
    stochastic_depth_resnet50,
    stochastic_depth_resnet101,
    stochastic_depth_resnet152,
)
from pellucid.models.classify.vgg import vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn
from pellucid.models.classify.vit import vit_b_16, vit_b_32
from pellucid.models.classify.vit_small import vit_small
from pellucid.models.classify.whitened_convnet import whitened_convnet
from pellucid.models.classify.zfnet import zfnet, zfnet_wide

# name -> (n_classes, channels, image_size) -> network
MODELS: dict[str, Callable[[int, int, tuple[int, int]], nn.Module]] = {
    "linear": linear,
    "mlp": mlp,
    "convnet": convnet,
    "whitened_convnet": whitened_convnet,
    "alexnet": alexnet,
    "alexnet_notes": alexnet_notes,
    "alexnet_notes_groups2": alexnet_notes_groups2,
    "zfnet": zfnet,
    "zfnet_wide": zfnet_wide,
    "all_conv": all_conv,
    "vgg11": vgg11,
    "vgg11_bn": vgg11_bn,
    "vgg13": vgg13,
    "vgg13_bn": vgg13_bn,
    "vgg16": vgg16,
    "vgg16_bn": vgg16_bn,
    "vgg19": vgg19,
    "vgg19_bn": vgg19_bn,
    "googlenet": googlenet,
    "googlenet_paper": googlenet_paper,
    "inception_v3": inception_v3,
    "inception_v4": inception_v4,
    "inception_resnet_v2": inception_resnet_v2,
    "resnet20": resnet20,
    "resnet56": resnet56,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "resnet101": resnet101,
    "resnet152": resnet152,
    "preact_resnet18": preact_resnet18,
    "preact_resnet34": preact_resnet34,
    "preact_resnet50": preact_resnet50,
    "preact_resnet101": preact_resnet101,
    "preact_resnet152": preact_resnet152,
    "wide_resnet50_2": wide_resnet50_2,
    "wide_resnet101_2": wide_resnet101_2,
    "resnext50_32x4d": resnext50_32x4d,
    "resnext101_32x8d": resnext101_32x8d,
    "se_resnet18": se_resnet18,
    "se_resnet34": se_resnet34,
    "se_resnet50": se_resnet50,
    "se_resnet101": se_resnet101,
    "se_resnet152": se_resnet152,
    "stochastic_depth_resnet18": stochastic_depth_resnet18,
    "stochastic_depth_resnet34": stochastic_depth_resnet34,
    "stochastic_depth_resnet50": stochastic_depth_resnet50,
    "stochastic_depth_resnet101": stochastic_depth_resnet101,
    "stochastic_depth_resnet152": stochastic_depth_resnet152,
    "fractalnet": fractalnet,
    "plain20": plain20,
    "plain56": plain56,
    "plain18": plain18,
    "plain34": plain34,
    "densenet121": densenet121,
    "densenet161": densenet161,
    "densenet169": densenet169,
    "densenet201": densenet201,
    "squeezenet1_0": squeezenet1_0,
    "squeezenet1_1": squeezenet1_1,
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
    "mobilenet_v3_small": mobilenet_v3_small,
    "mobilenet_v3_large": mobilenet_v3_large,
    "shufflenet_v2_x0_5": shufflenet_v2_x0_5,
    "shufflenet_v2_x1_0": shufflenet_v2_x1_0,
    "shufflenet_v2_x1_5": shufflenet_v2_x1_5,
    "shufflenet_v2_x2_0": shufflenet_v2_x2_0,
    "efficientnet_lite0": efficientnet_lite0,
    "efficientnet_lite1": efficientnet_lite1,
    "efficientnet_lite2": efficientnet_lite2,
    "vit_b_16": vit_b_16,
    "vit_b_32": vit_b_32,
    "vit_small": vit_small,
    "cell_net": cell_net,
    "row_rnn": row_rnn,
    "glimpse_rnn": glimpse_rnn,
}

# name -> auxiliary heads: in training `outputs` of the network has auxiliary1, auxiliary2, ... beside the logits
AUXILIARY_HEADS: dict[str, int] = {"googlenet": 2, "googlenet_paper": 2, "inception_v3": 1}
