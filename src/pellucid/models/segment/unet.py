"""U-Net: what the way down saw at each size is laid beside what comes back up.

Ronneberger et al. 2015, "U-Net" (https://arxiv.org/abs/1505.04597). The coarsest map knows what is there and not
exactly where; the finer maps of the way down know where, and the skips bring them back. `unet_64.py` has the paper's
own widths. This one is made to be trained on a processor, so it differs:

- It begins at half the resolution and makes its logits there, four places a cell, by pixel shuffle (Shi et al. 2016,
  https://arxiv.org/abs/1609.05158), started so that the four agree (Aitken et al. 2017,
  https://arxiv.org/abs/1707.02937). Work at full size would cost more than all the rest.
- Each step up adds to what comes from below instead of replacing it. So the coarse map reaches the logits through 1x1
  convolutions alone and learns from the first step on, and the finer steps correct it; otherwise what is thin on the
  way has to be learned before what is deep can be.
- Convolutions are padded, so that sizes stay, and batch norm follows each.
- The encoder may be a network of the zoo.

Letters: N pictures, C channels, H x W pixels, K classes, s a stride, M feature maps, h x w cells of a map.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.backbones import Backbone
from pellucid.models.backbones import backbone as zoo_backbone
from pellucid.models.backbones.small import SmallEncoder
from pellucid.models.necks.up import Up

WIDTHS = {2: 16, 4: 48, 8: 96, 16: 160}  # stride -> M; most of the work is done where cells are few
UP_WIDTHS = {2: 16, 4: 48, 8: 96, 16: 160}  # on the way up, for any encoder; the classifier reads the first
LEAST_CELLS = 2  # along the short side of the coarsest map
HEAD_STD = 0.05  # see `fcn_small.py`: smaller starts hold all classes but the background together


class UNet(nn.Module):
    """An encoder, steps up from its coarsest map to its finest, and logits for every pixel.

    Args:
        n_classes: K.
        encoder: gives the maps; kept as `backbone`.
        skips: False cuts the maps of the way down off, to see what they are worth.
    """

    def __init__(self, n_classes: int, encoder: SmallEncoder | Backbone, skips: bool = True) -> None:
        super().__init__()
        self.backbone = encoder
        maps = encoder.widths
        self.notes = encoder.notes
        coarsest, *upwards = sorted(maps, reverse=True)
        self.ups = nn.ModuleDict()
        width = maps[coarsest]
        for stride in upwards:
            wide, width = width, UP_WIDTHS[stride]
            self.ups[str(stride)] = Up(wide, maps[stride], width, skips)
        self.factor = encoder.strides[min(maps)]
        self.head = nn.Conv2d(width, n_classes * self.factor**2, 1)
        with torch.no_grad():
            first = torch.empty(n_classes, width, 1, 1).normal_(std=HEAD_STD)
            self.head.weight.copy_(first.repeat_interleave(self.factor**2, 0))
            nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K, H, W) logits; any H and W."""
        maps = self.backbone(x)  # s -> (N, M, H/s, W/s), rounded up
        y = maps[max(maps)]
        for stride, up in self.ups.items():
            y = up(y, maps[int(stride)])
        logits = F.pixel_shuffle(self.head(y), self.factor)  # (N, K, >= H, >= W)
        return logits[..., : x.shape[-2], : x.shape[-1]]


def _encoder(backbone: str, channels: int, image_size: tuple[int, int]) -> SmallEncoder | Backbone:
    if backbone:
        return zoo_backbone(backbone, channels, image_size)
    deepest = max([2, *(stride for stride in WIDTHS if min(image_size) >= LEAST_CELLS * stride)])
    encoder = SmallEncoder(channels, {stride: width for stride, width in WIDTHS.items() if stride <= deepest})
    if deepest < max(WIDTHS):
        encoder.notes = (
            f"the way down ends at stride {deepest} because the short side is {min(image_size)} px "
            f"({LEAST_CELLS} cells of {2 * deepest} px would need {LEAST_CELLS * 2 * deepest})",
        )
    return encoder


def unet(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """U-Net for a processor: skips at every stride, logits by pixel shuffle; 0.8 M parameters, or a zoo encoder."""
    return UNet(n_classes, _encoder(backbone, channels, image_size))


def unet_plain(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """`unet` with its skips cut, to see what they are worth; the convolutions are as wide."""
    return UNet(n_classes, _encoder(backbone, channels, image_size), skips=False)
