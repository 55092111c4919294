"""SegNet: maps come back up to where their maxima were, and convolutions fill the gaps.

Badrinarayanan et al. 2015, "SegNet" (https://arxiv.org/abs/1511.00561). Each pooling of the way down keeps where its
maxima stood, the switches; its mirror image on the way up puts values there and zeros elsewhere. So outlines find
back to their pixels for one small integer a value, where U-Net keeps whole maps. The encoder is VGG-16's convolutions
with batch norm, the decoder the same backwards.

Differences from the paper: the last convolution makes the logits, with a bias and a small start; poolings round
up, so that any size passes; weights start as He et al. 2015 has it, not from a trained VGG.

Letters: N pictures, C channels, H x W pixels, K classes, M feature maps, h x w cells of a map.
"""

from itertools import pairwise

from torch import Tensor, nn

from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small
from pellucid.nn.upsampling.max_unpool import MaxUnpool, SwitchedMaxPool

Stage = tuple[int, int]  # convolutions, M

VGG16: tuple[Stage, ...] = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
LEAST_CELLS = 2  # along the short side of the smallest map, so that one picture has statistics to normalise by
SCORE_STD = 0.33  # of a class score for maps of deviation 1: the first loss is then within 3 % of ln K
SMALL: tuple[Stage, ...] = ((2, 32), (2, 64), (2, 96), (2, 128))


class SegNet(nn.Module):
    """Stages of convolutions, each ended by a pooling that keeps its switches, and their mirror image.

    Args:
        n_classes: K.
        channels: C.
        stages: convolutions and feature maps of each, finest first.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, stages: tuple[Stage, ...] = VGG16) -> None:
        super().__init__()
        self.pool, self.unpool = SwitchedMaxPool(2, ceil_mode=True), MaxUnpool()
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        before = channels
        for depth, width in stages:
            self.downs.append(_convs([before, *[width] * depth]))
            before = width
        for number, (depth, width) in reversed(list(enumerate(stages))):
            after = [stages[number - 1][1]] if number else []  # the finest stage's last convolution makes the logits
            self.ups.append(_convs([width] * depth + after))
        self.head = nn.Conv2d(stages[0][1], n_classes, 3, padding=1)
        initialise(self)
        start_small(self.head, SCORE_STD / (9 * stages[0][1]) ** 0.5)  # it sums over nine cells of so many maps

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K, H, W) logits; any H and W."""
        kept = []
        for down in self.downs:
            fine = down(x)  # (N, M, h, w)
            x, switches = self.pool(fine)  # (N, M, h/2, w/2), rounded up
            kept.append((switches, fine.shape))
        for up in self.ups:
            x = up(self.unpool(x, *kept.pop()))  # (N, M of the stage above, h, w), doubled each time
        return self.head(x)


def _convs(widths: list[int]) -> nn.Sequential:
    return nn.Sequential(*(conv_norm(c_in, c_out) for c_in, c_out in pairwise(widths)))


def for_size(stages: tuple[Stage, ...], image_size: tuple[int, int]) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    """The stages after whose poolings there are at least `LEAST_CELLS`, and what was decided."""
    fitting = [n for n in range(1, len(stages) + 1) if min(image_size) >= LEAST_CELLS * 2**n]
    kept = max(fitting, default=1)
    if kept == len(stages):
        return stages, ()
    need = LEAST_CELLS * 2 ** (kept + 1)
    why = f"{kept} poolings because the short side is {min(image_size)} px ({kept + 1} would need {need})"
    return stages[:kept], (why,)


def segnet(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """SegNet on VGG-16, with fewer poolings for small pictures; 29.4 M parameters."""
    stages, notes = for_size(VGG16, image_size)
    net = SegNet(n_classes, channels, stages)
    net.notes = notes
    return net


def segnet_small(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """SegNet with up to four poolings and 32 to 128 feature maps, for a processor."""
    stages, notes = for_size(SMALL, image_size)
    net = SegNet(n_classes, channels, stages)
    net.notes = notes
    return net
