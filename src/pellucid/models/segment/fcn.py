"""FCN-32s, FCN-16s and FCN-8s: a classifier that answers at every place, and finer maps that correct it.

Long et al. 2015, "Fully Convolutional Networks for Semantic Segmentation" (https://arxiv.org/abs/1411.4038). The
coarsest map is scored by a 1x1 convolution, and transposed convolutions that start as bilinear interpolation bring
the scores up: 7 x 7 cells to 224 x 224 pixels by kernels of 64, stride 32 and padding 16. FCN-16s goes up by two, adds
the scores of the map at stride 16, and goes on from there; FCN-8s does so once more. As in the paper the last step is
fixed, those between learn, and the scores of finer maps start at zero.

Differences from the paper: nothing is padded by 100 pixels and cut off again. Every map has its sides rounded up, so
each step cuts off what it has too much on the right and at the bottom, and any picture will do. Beyond the border of
the scores are zeros, so that they fade by up to a half there. VGG keeps its two fully connected layers as convolutions
(of 7x7 and 1x1 and 4,096 maps, padded to keep the size; of 3x3 and 1x1 and 512 maps for pictures below 224 px, where
the others would be most of the network); other backbones, ResNet-18 if none is named, have no such layers, and the
score is made of their last map. Class scores start small instead of at zero.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a map.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pellucid.models.backbones import Backbone
from pellucid.models.backbones import backbone as zoo_backbone
from pellucid.models.classify.vgg import CHANNELS
from pellucid.nn.initialise import initialise, start_small
from pellucid.nn.upsampling.bilinear_transposed import BilinearTransposed

USUAL_BACKBONE = "resnet18"
FULL_HEAD = 224  # px of the short side from which VGG keeps the width of its fully connected layers
SCORE_STD = 0.2  # of a class score, for maps of deviation 1: ln K is met within 3 %, and smaller starts learn later
HEAD_SCORE_STD = 0.02  # after fully connected layers, with nothing before them that norms


class Fcn(nn.Module):
    """A backbone, scores of some of its maps, and steps up that add them, coarse ones first.

    Args:
        n_classes: K.
        net: gives the maps; kept as `backbone`.
        finest: which maps are scored: those from 32 down to this one. 32, 16 or 8.
        head: what the coarsest map passes before it is scored, with its width; None for nothing.
    """

    def __init__(
        self, n_classes: int, net: Backbone, finest: int, head: tuple[nn.Sequential, int] | None = None
    ) -> None:
        super().__init__()
        self.notes = net.notes
        self.backbone = net
        self.head: nn.Module = head[0] if head else nn.Identity()
        width = head[1] if head else net.widths[32]
        scored = [stride for stride in (32, 16, 8) if stride >= finest]
        self.scores = nn.ModuleDict()
        self.ups = nn.ModuleDict()
        for stride in scored:
            score = nn.Conv2d(width if stride == 32 else net.widths[stride], n_classes, 1)
            std = HEAD_SCORE_STD if head else SCORE_STD
            start_small(score, std / math.sqrt(width) if stride == 32 else 0.0)
            self.scores[str(stride)] = score
            if stride > finest:
                self.ups[str(stride)] = BilinearTransposed(n_classes, net.strides[stride] // net.strides[stride // 2])
        self.last_up = _fixed(BilinearTransposed(n_classes, net.strides[finest], learnable=False))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K, H, W) logits; any H and W."""
        maps = self.backbone(x)
        total = self.scores["32"](self.head(maps[32]))  # (N, K, H/32, W/32), rounded up
        for stride, up in self.ups.items():
            finer = self.scores[str(int(stride) // 2)](maps[int(stride) // 2])  # (N, K, H/16, W/16), then of 8
            total = finer + _cut(up(total), finer)
        return _cut(self.last_up(total), x)  # (N, K, H, W)


def _fixed(up: BilinearTransposed) -> BilinearTransposed:
    """The layer with its kernel as a constant: not trained, not counted, not saved."""
    kernel = up.weight.detach()
    del up.weight
    up.register_buffer("weight", kernel, persistent=False)
    return up


def _cut(x: Tensor, like: Tensor) -> Tensor:
    """(N, K, >= h, >= w) -> (N, K, h, w), of the height and width of `like`."""
    return x[..., : like.shape[-2], : like.shape[-1]]


def _fully_connected(c_in: int, image_size: tuple[int, int]) -> tuple[nn.Sequential, int]:
    """VGG's fc6 and fc7 as convolutions that keep the size, and their width."""
    kernel, width = (7, 4096) if min(image_size) >= FULL_HEAD else (3, 512)
    with torch.device("meta"):  # drawn once, below: a hundred million numbers take a second
        fc6 = nn.Conv2d(c_in, width, kernel, padding=kernel // 2)
    head = nn.Sequential(
        fc6.to_empty(device=torch.get_default_device()),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        nn.Conv2d(width, width, 1),
        nn.ReLU(inplace=True),
        nn.Dropout(),
    )
    initialise(head, "fan_in")
    return head, width


def head_of_vgg(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The first two fully connected layers of a VGG for ImageNet, by the names they have in `Fcn` as convolutions.

    A linear layer that reads a map of 7x7 cells, flattened, is a convolution over it: see `fc_as_conv`.

    Args:
        tensors: of the classifier, by name.

    Returns:
        Nothing where the layers do not read 7x7 cells, as in the form for small pictures.
    """
    width = tensors["classifier.3.weight"].shape[0]
    if tensors["classifier.0.weight"].shape[1] != CHANNELS[-1] * 7 * 7:
        return {}
    return {
        "head.0.weight": tensors["classifier.0.weight"].reshape(width, -1, 7, 7),
        "head.0.bias": tensors["classifier.0.bias"],
        "head.3.weight": tensors["classifier.3.weight"].reshape(width, width, 1, 1),
        "head.3.bias": tensors["classifier.3.bias"],
    }


def _build(finest: int, n_classes: int, channels: int, image_size: tuple[int, int], backbone: str) -> nn.Module:
    name = backbone or USUAL_BACKBONE
    net = zoo_backbone(name, channels, image_size)
    head = _fully_connected(net.widths[32], image_size) if name.startswith("vgg") else None
    return Fcn(n_classes, net, finest, head)


def fcn32s(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """FCN-32s: the scores of the coarsest map, brought up by 32 at once; on ResNet-18 unless told."""
    return _build(32, n_classes, channels, image_size, backbone)


def fcn16s(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """FCN-16s: FCN-32s with the scores of the map at stride 16 added; on ResNet-18 unless told."""
    return _build(16, n_classes, channels, image_size, backbone)


def fcn8s(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """FCN-8s: FCN-16s with the scores of the map at stride 8 added; on ResNet-18 unless told."""
    return _build(8, n_classes, channels, image_size, backbone)
