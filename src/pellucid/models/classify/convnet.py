"""A small convolutional network that trains fast on a CPU; the default for small pictures.

After the "airbench" network (https://arxiv.org/abs/2404.00498): the same blocks, narrower; batch norm is
torch's own; the first layer is learned instead of a fixed whitening, which would need a look at the data
before training. What it reaches in the demo, seed by seed, is measured in `docs/demo.md`.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from torch import Tensor, nn

from pellucid.core.errors import ConfigError


class ConvNet(nn.Module):
    """Stem, blocks that halve the picture, global max pooling, and a linear layer without bias.

    Args:
        n_classes: K.
        channels: C.
        stem_stride: 1 for small pictures; more makes large ones affordable.
        stem_width: feature maps after the stem.
        widths: feature maps of the blocks.
        logit_divisor: the logits are divided by this; 9 keeps them small, so that the first loss is ln K.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        stem_stride: int = 1,
        stem_width: int = 16,
        widths: tuple[int, ...] = (32, 64, 128),
        logit_divisor: float = 9.0,
    ) -> None:
        super().__init__()
        self.stem = _stem(channels, stem_width, stem_stride)
        sizes = (stem_width, *widths)
        self.blocks = nn.Sequential(*(halving_block(c, d) for c, d in zip(sizes, widths, strict=False)))
        self.head = nn.Linear(sizes[-1], n_classes, bias=False)
        self.logit_divisor = logit_divisor

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W that leave a cell after the blocks."""
        x = self.stem(x)  # (N, 16, H/stem_stride, W/stem_stride)
        x = self.blocks(x)  # (N, 128, h, w), each block halves both sides
        x = x.amax((2, 3))  # (N, 128)
        return self.head(x) / self.logit_divisor  # (N, K)


def _stem(c_in: int, c_out: int, stride: int) -> nn.Sequential:
    kernel = max(3, 2 * stride - 1)  # neighbouring windows overlap, whatever the stride
    conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU())


def halving_block(c_in: int, c_out: int) -> nn.Sequential:
    """Two 3x3 convolutions with a pooling that halves both sides: (N, c_in, h, w) -> (N, c_out, h // 2, w // 2).

    Pooling comes before the first norm and ReLU, where it leaves them a quarter of the work.
    """
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
        nn.Conv2d(c_out, c_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


def convnet(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """A small convolutional network, fast on a CPU; full resolution up to 64 px, then a coarser stem.

    The stem has stride 2 above 64 px and stride 4 above 128 px; `notes` says so.

    Raises:
        ConfigError: a side is below 8 px, which three halvings do not survive.
    """
    short = min(image_size)
    if short < 8:
        raise ConfigError(
            f"convnet halves the picture three times and needs at least 8x8 px, got {image_size[0]}x{image_size[1]}. "
            "Choose a larger --image-size, or --model mlp."
        )
    stride = 1 if short <= 64 else 2 if short <= 128 else 4
    model = ConvNet(n_classes, channels, stem_stride=stride)
    if stride > 1:
        model.notes = (f"stem stride {stride} because the short side is {short} px (above {32 * stride})",)
    return model
