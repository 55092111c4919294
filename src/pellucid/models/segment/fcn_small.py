"""A small fully convolutional network for masks, made for this package: no paper describes it.

The idea is that of FCN (https://arxiv.org/abs/1411.4038): an encoder that halves the picture three times,
and a decoder that comes back by bilinear steps and adds the encoder's finer maps on the way. A dilated
convolution at the coarsest level widens the field to 71 px before the way back. Logits are made at half
resolution and resized, which costs outlines a pixel and saves most of the time.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from torch import Tensor, nn
from torch.nn import functional as F

HEAD_STD = 0.05


class FcnSmall(nn.Module):
    """Encoder with strides 2, 4 and 8, decoder with added skips, and a 1x1 classifier of every cell.

    The classifier starts at `HEAD_STD`, small enough that the first loss is within 2 % of ln K. Smaller is no
    better: at 0.01 Adam moved the rows of all classes but the background alike for hundreds of steps.

    Args:
        n_classes: K.
        channels: C.
        widths: feature maps at strides 2, 4 and 8.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, widths: tuple[int, int, int] = (32, 64, 96)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.down2 = _conv(channels, fine, stride=2)
        self.down4 = nn.Sequential(_conv(fine, middle, stride=2), _conv(middle, middle))
        self.down8 = nn.Sequential(
            _conv(middle, coarse, stride=2), _conv(coarse, coarse), _conv(coarse, coarse, dilation=2)
        )
        self.narrow8 = nn.Conv2d(coarse, middle, 1)
        self.mix4 = _conv(middle, middle)
        self.narrow4 = nn.Conv2d(middle, fine, 1)
        self.mix2 = _conv(fine, fine)
        self.head = nn.Conv2d(fine, n_classes, 1)
        nn.init.normal_(self.head.weight, std=HEAD_STD)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K, H, W) logits; any H and W, odd ones too."""
        x2 = self.down2(x)  # (N, 32, H/2, W/2), rounded up
        x4 = self.down4(x2)  # (N, 64, H/4, W/4)
        x8 = self.down8(x4)  # (N, 96, H/8, W/8)
        y4 = self.mix4(x4 + _resize(self.narrow8(x8), x4))  # (N, 64, H/4, W/4)
        y2 = self.mix2(x2 + _resize(self.narrow4(y4), x2))  # (N, 32, H/2, W/2)
        return _resize(self.head(y2), x)  # (N, K, H, W)


def _conv(c_in: int, c_out: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU())


def _resize(x: Tensor, like: Tensor) -> Tensor:
    """`x` with the height and width of `like`; sizes are passed on, not factors, as halves were rounded up."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


def fcn_small(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """A small encoder-decoder for masks, the same for every `image_size`."""
    return FcnSmall(n_classes, channels)
