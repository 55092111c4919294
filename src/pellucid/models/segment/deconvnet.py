"""DeconvNet: a classifier, and the same backwards by unpooling and transposed convolutions.

Noh et al. 2015, "Learning Deconvolution Network for Semantic Segmentation" (https://arxiv.org/abs/1505.04366). VGG-16
down to its fully connected layers, which are convolutions here (the first over 7 x 7 cells); a transposed
convolution over 7 x 7 cells begins the way up, on which each stage unpools to where the maxima were (see `segnet.py`)
and convolves by transposed convolutions, which here keep the size: they are convolutions whose kernel is turned.

Differences from the paper: the 7 x 7 layers are padded, so that any size passes (the paper's maps of 7 x 7 become a
single cell there); poolings round up; it learns whole pictures, not proposals, in one stage.

Letters: N pictures, C channels, H x W pixels, K classes, M feature maps, h x w cells of a map.
"""

from itertools import pairwise

from torch import Tensor, nn

from pellucid.models.segment.fcn_small import HEAD_STD
from pellucid.models.segment.segnet import SMALL, VGG16, Stage, for_size
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small
from pellucid.nn.upsampling.max_unpool import MaxUnpool, SwitchedMaxPool

BOTTOM, BOTTOM_KERNEL = 4096, 7  # maps of what were VGG's fully connected layers, and the side of the first


class DeconvNet(nn.Module):
    """Convolutions and poolings with switches, a wide bottom, transposed convolutions and unpoolings.

    Args:
        n_classes: K.
        channels: C.
        stages: convolutions and feature maps of each, finest first.
        bottom: feature maps between the two halves.
        kernel: side of the layers that lead to the bottom and away from it, odd.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        stages: tuple[Stage, ...] = VGG16,
        bottom: int = BOTTOM,
        kernel: int = BOTTOM_KERNEL,
    ) -> None:
        super().__init__()
        self.pool, self.unpool = SwitchedMaxPool(2, ceil_mode=True), MaxUnpool()
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        before = channels
        for depth, width in stages:
            widths = [before, *[width] * depth]
            self.downs.append(nn.Sequential(*(conv_norm(a, b) for a, b in pairwise(widths))))
            before = width
        self.bottom = nn.Sequential(
            conv_norm(before, bottom, kernel), conv_norm(bottom, bottom, 1), _turned(bottom, before, kernel)
        )
        for number, (depth, width) in reversed(list(enumerate(stages))):
            widths = [width] * depth + [stages[max(number - 1, 0)][1]]
            self.ups.append(nn.Sequential(*(_turned(a, b) for a, b in pairwise(widths))))
        self.head = nn.Conv2d(stages[0][1], n_classes, 1)
        initialise(self)
        start_small(self.head, HEAD_STD)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K, H, W) logits; any H and W."""
        kept = []
        for down in self.downs:
            fine = down(x)  # (N, M, h, w)
            x, switches = self.pool(fine)  # (N, M, h/2, w/2), rounded up
            kept.append((switches, fine.shape))
        x = self.bottom(x)  # (N, M of the last stage, h, w)
        for up in self.ups:
            x = up(self.unpool(x, *kept.pop()))  # (N, M of the stage above, h, w), doubled each time
        return self.head(x)


def _turned(c_in: int, c_out: int, kernel: int = 3) -> nn.Sequential:
    """A transposed convolution that keeps the size, its norm and ReLU."""
    transposed = nn.ConvTranspose2d(c_in, c_out, kernel, padding=kernel // 2, bias=False)
    # at stride 1 each output sums over c_in kernels, as in a convolution, which is what He's start counts
    nn.init.normal_(transposed.weight, std=(2 / (c_in * kernel**2)) ** 0.5)
    return nn.Sequential(transposed, nn.BatchNorm2d(c_out), nn.ReLU())


def deconvnet(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """DeconvNet on VGG-16, with fewer poolings for small pictures; 252 M parameters, most of them at its bottom."""
    stages, notes = for_size(VGG16, image_size)
    net = DeconvNet(n_classes, channels, stages)
    net.notes = notes
    return net


def deconvnet_small(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """DeconvNet with up to four poolings, 32 to 128 feature maps and a bottom of 128, for a processor."""
    stages, notes = for_size(SMALL, image_size)
    net = DeconvNet(n_classes, channels, stages, bottom=128, kernel=3)
    net.notes = notes
    return net
