"""Residual networks with full pre-activation: nothing stands on the way round a block.

He et al. 2016, "Identity Mappings in Deep Residual Networks" (https://arxiv.org/abs/1603.05027), figure 4e and the
appendix: norm and ReLU come before each convolution; the first block of all has none of its own, as the stem ends
with them, and the last block is followed by one more pair. Where the shape changes, the way round starts after the
block's first pair and is a 1x1 convolution without norm, as in the authors' code. No published weights have these
names. Stems, strides and the last layer are those of resnet.py.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map, e expansion (1, or 4 with
bottlenecks).
"""

from torch import Tensor, nn

from pellucid.models.classify.stem import RESIDUAL_STEMS, is_small, stem_notes
from pellucid.nn.blocks.stochastic_depth import ResidualBranch
from pellucid.nn.initialise import initialise, start_small

# name -> (whether blocks are bottlenecks, blocks of each stage)
VARIANTS: dict[str, tuple[bool, tuple[int, int, int, int]]] = {
    "preact_resnet18": (False, (2, 2, 2, 2)),
    "preact_resnet34": (False, (3, 4, 6, 3)),
    "preact_resnet50": (True, (3, 4, 6, 3)),
    "preact_resnet101": (True, (3, 4, 23, 3)),
    "preact_resnet152": (True, (3, 8, 36, 3)),
}


class PreActBlock(ResidualBranch):
    """H(x) = F(x) + x, where F is norm, ReLU and convolution, two or three times.

    Args:
        c_in: feature maps of x.
        width: of the 3x3 convolutions.
        stride: of the first 3x3 convolution.
        bottleneck: 1x1, 3x3 and 1x1 to 4 `width`, instead of 3x3 and 3x3.
        activated: x comes from a norm and a ReLU, so that the first pair is left out.
    """

    def __init__(
        self, c_in: int, width: int, stride: int = 1, bottleneck: bool = False, activated: bool = False
    ) -> None:
        super().__init__()
        c_out = 4 * width if bottleneck else width
        self.bn1 = nn.Identity() if activated else nn.BatchNorm2d(c_in)
        self.relu1 = nn.Identity() if activated else nn.ReLU()  # not in place: x itself is still needed
        if bottleneck:
            convolutions = [
                nn.Conv2d(c_in, width, 1, bias=False),
                nn.Conv2d(width, width, 3, stride, padding=1, bias=False),
                nn.Conv2d(width, c_out, 1, bias=False),
            ]
        else:
            convolutions = [
                nn.Conv2d(c_in, width, 3, stride, padding=1, bias=False),
                nn.Conv2d(width, width, 3, padding=1, bias=False),
            ]
        parts: list[nn.Module] = [convolutions[0]]
        for convolution in convolutions[1:]:
            parts += [nn.BatchNorm2d(width), nn.ReLU(inplace=True), convolution]
        self.branch = nn.Sequential(*parts)
        self.downsample: nn.Module | None = None
        if stride != 1 or c_in != c_out:
            self.downsample = nn.Conv2d(c_in, c_out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, e width, h/stride, w/stride), rounded up."""
        activated = self.relu1(self.bn1(x))  # (N, c_in, h, w)
        shortcut = x if self.downsample is None else self.downsample(activated)
        return self.kept(self.branch(activated)) + shortcut

    def without_residual(self, x: Tensor) -> Tensor:
        """The block with F = 0."""
        return x if self.downsample is None else self.downsample(self.relu1(self.bn1(x)))


class PreActResNet(nn.Module):
    """Blocks with pre-activation in four stages of 64, 128, 256 and 512 times e feature maps.

    Args:
        n_classes: K.
        channels: C.
        depths: blocks of each stage.
        bottleneck: blocks of three convolutions, e = 4.
        small_stem: 3x3 convolution of stride 1 instead of 7x7 of stride 2 and pooling.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        depths: tuple[int, int, int, int] = (2, 2, 2, 2),
        bottleneck: bool = False,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        kernel, stride = (3, 1) if small_stem else (7, 2)
        expansion = 4 if bottleneck else 1
        self.conv1 = nn.Conv2d(channels, 64, kernel, stride, kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if small_stem else nn.MaxPool2d(3, stride=2, padding=1)
        stages, c_in = [], 64
        for number, (width, depth) in enumerate(zip((64, 128, 256, 512), depths, strict=True)):
            first = PreActBlock(c_in, width, 1 if number == 0 else 2, bottleneck, activated=number == 0)
            c_in = width * expansion
            stages.append(nn.Sequential(first, *(PreActBlock(c_in, width, 1, bottleneck) for _ in range(depth - 1))))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.bn2 = nn.BatchNorm2d(c_in)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(c_in, n_classes)
        initialise(self)
        start_small(self.fc)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, 64, H/2, W/2), or H, W with the small stem
        x = self.maxpool(x)  # (N, 64, H/4, W/4)
        x = self.layer1(x)  # (N, 64 e, H/4, W/4)
        x = self.layer2(x)  # (N, 128 e, H/8, W/8)
        x = self.layer3(x)  # (N, 256 e, H/16, W/16)
        x = self.layer4(x)  # (N, 512 e, H/32, W/32), or H/8, W/8 with the small stem
        x = self.avgpool(self.relu(self.bn2(x))).flatten(1)  # (N, 512 e)
        return self.fc(x)  # (N, K)


def _build(name: str, n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    bottleneck, depths = VARIANTS[name]
    model = PreActResNet(n_classes, channels, depths, bottleneck, is_small(image_size))
    model.notes = stem_notes(image_size, *RESIDUAL_STEMS)
    return model


def preact_resnet18(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-18 with norm and activation before each convolution."""
    return _build("preact_resnet18", n_classes, channels, image_size)


def preact_resnet34(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-34 with norm and activation before each convolution."""
    return _build("preact_resnet34", n_classes, channels, image_size)


def preact_resnet50(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-50 with norm and activation before each convolution."""
    return _build("preact_resnet50", n_classes, channels, image_size)


def preact_resnet101(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-101 with norm and activation before each convolution."""
    return _build("preact_resnet101", n_classes, channels, image_size)


def preact_resnet152(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-152 with norm and activation before each convolution."""
    return _build("preact_resnet152", n_classes, channels, image_size)
