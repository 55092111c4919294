"""U-Net with the paper's widths: 64 feature maps at full size, doubled at each of four poolings up to 1024.

Ronneberger et al. 2015 (https://arxiv.org/abs/1505.04597), figure 1. Differences: convolutions are padded, so that a
mask has the size of its picture (the paper's 572 px gave masks of 388); batch norm precedes each ReLU; poolings round
up, so that odd sizes pass; no dropout at the bottom.

Letters: N pictures, C channels, H x W pixels, K classes, M feature maps, h x w cells of a map.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small

WIDTHS = (64, 128, 256, 512, 1024)
SCORE_STD = 0.28  # of a class score for maps of deviation 1: the first loss is then within 3 % of ln K


class Unet64(nn.Module):
    """Two 3x3 convolutions at each size; 2x2 max pooling down, 2x2 transposed convolutions with stride 2 up.

    Args:
        n_classes: K.
        channels: C.
        widths: feature maps at each size, finest first.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.downs, self.ups, self.mixes = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        before = channels
        for width in widths:
            self.downs.append(_twice(before, width))
            before = width
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        for width in reversed(widths[:-1]):
            self.ups.append(nn.ConvTranspose2d(before, width, 2, 2))
            self.mixes.append(_twice(2 * width, width))
            before = width
        self.head = nn.Conv2d(before, n_classes, 1)
        initialise(self)
        start_small(self.head, SCORE_STD / before**0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K, H, W) logits; any H and W."""
        skips = []
        for number, down in enumerate(self.downs):
            x = down(self.pool(x) if number else x)  # (N, M, h, w), halved each time, rounded up
            skips.append(x)
        skips.pop()
        for up, mix in zip(self.ups, self.mixes, strict=True):
            fine = skips.pop()
            x = up(x)[..., : fine.shape[-2], : fine.shape[-1]]  # a half that was rounded up gives a row too many
            x = mix(torch.cat([fine, x], 1))  # (N, M, h, w), doubled each time
        return self.head(x)


def _twice(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(conv_norm(c_in, c_out), conv_norm(c_out, c_out))


def unet_64(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """U-Net as published, 64 to 1024 feature maps, the same for every size; 31.0 M parameters."""
    return Unet64(n_classes, channels)
