"""Residual networks, "Deep Residual Learning for Image Recognition" (https://arxiv.org/abs/1512.03385).

With them come wide ones (https://arxiv.org/abs/1605.07146) and ResNeXt (https://arxiv.org/abs/1611.05431), which
differ in the width and the groups of the 3x3 convolutions of a bottleneck.

With the 7x7 stem the names, shapes and order of all tensors are torchvision's, so that published weights load with
`strict=True`. Differences from the papers: shortcuts that change shape are 1x1 convolutions (option B); a bottleneck
has its stride on the 3x3 convolution, not on the first 1x1 ("v1.5", as in all published torch weights); the last
layer starts at 0.01 (https://arxiv.org/abs/1706.02677, section 5.1); and pictures up to 64 px get the CIFAR stem: one
3x3 convolution of stride 1 and no pooling, as otherwise a 32 px picture would be a single cell after the last stage.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map, e expansion (1, or 4 with
bottlenecks).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.classify.stem import RESIDUAL_STEMS, is_small, stem_notes
from pellucid.nn.blocks.stochastic_depth import ResidualBranch
from pellucid.nn.initialise import initialise, start_small

BlockMaker = Callable[[int, int, int, int], nn.Module]  # (c_in, width, stride, dilation) -> block of e * width maps
Variant = tuple[BlockMaker, int, tuple[int, int, int, int]]  # maker of blocks, their e, blocks of each stage


class ResidualBlock(ResidualBranch, ABC):
    """H(x) = relu(F(x) + x). Where F changes the shape, x passes `downsample`."""

    relu: nn.Module
    se: nn.Module | None  # weighs the channels of F
    downsample: nn.Module | None

    @abstractmethod
    def convolutions(self, x: Tensor) -> Tensor:
        """F without `se` and `drop`: (N, c_in, h, w) -> (N, e width, h/stride, w/stride), rounded up."""

    def residual(self, x: Tensor) -> Tensor:
        """F: (N, c_in, h, w) -> (N, e width, h/stride, w/stride), rounded up."""
        x = self.convolutions(x)
        return self.kept(x if self.se is None else self.se(x))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, e width, h/stride, w/stride), rounded up."""
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(self.residual(x) + shortcut)

    def without_residual(self, x: Tensor) -> Tensor:
        """The block with F = 0."""
        return F.relu(x if self.downsample is None else self.downsample(x))  # not in place: x may be needed elsewhere


class BasicBlock(ResidualBlock):
    """F is two 3x3 convolutions; where the shape changes, x passes a 1x1 one.

    Args:
        c_in: feature maps of x.
        width: feature maps of H.
        stride, dilation: of the first convolution, and of both. (torchvision's basic block knows no dilation.)
        weigh: makes what F's channels pass last, such as squeeze and excitation, from their number.
        shortcut: makes what x passes where the shape changes, from c_in, width and stride; None: a 1x1 convolution.
    """

    expansion = 1

    def __init__(
        self,
        c_in: int,
        width: int,
        stride: int = 1,
        dilation: int = 1,
        weigh: Callable[[int], nn.Module] | None = None,
        shortcut: Callable[[int, int, int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, width, 3, stride, padding=dilation, dilation=dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.se = weigh(width) if weigh else None
        keeps_shape = stride == 1 and c_in == width
        self.downsample = (shortcut or projection)(c_in, width, stride) if not keeps_shape else None

    def convolutions(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, width, h/stride, w/stride), rounded up."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, width, h/stride, w/stride)
        return self.bn2(self.conv2(x))


class Bottleneck(ResidualBlock):
    """F narrows with a 1x1 convolution, has a 3x3 one, and widens with a 1x1 one.

    Args:
        c_in: feature maps of x.
        width: a quarter of the feature maps of H.
        stride, dilation: of the 3x3 convolution.
        groups: of the 3x3 convolution (ResNeXt's cardinality).
        width_per_group: feature maps of a group where `width` is 64; in proportion where it is more.
        weigh: makes what F's channels pass last, such as squeeze and excitation, from their number.
    """

    expansion = 4

    def __init__(
        self,
        c_in: int,
        width: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        width_per_group: int = 64,
        weigh: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        inner, c_out = width * width_per_group // 64 * groups, width * self.expansion
        self.conv1 = nn.Conv2d(c_in, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, dilation, dilation, groups, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.relu = nn.ReLU(inplace=True)
        self.se = weigh(c_out) if weigh else None
        self.downsample = projection(c_in, c_out, stride)

    def convolutions(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, 4 width, h/stride, w/stride), rounded up."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, inner, h, w)
        x = self.relu(self.bn2(self.conv2(x)))  # (N, inner, h/stride, w/stride)
        return self.bn3(self.conv3(x))  # (N, 4 width, h/stride, w/stride)


def projection(c_in: int, c_out: int, stride: int) -> nn.Module | None:
    """What x passes on the way round F; nothing where the shapes agree."""
    if stride == 1 and c_in == c_out:
        return None
    return nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))


class ResNet(nn.Module):
    """Residual blocks in four stages of 64, 128, 256 and 512 times e feature maps.

    Args:
        n_classes: K.
        channels: C.
        depths: blocks of each stage; (2, 2, 2, 2) of basic blocks is ResNet-18.
        small_stem: 3x3 convolution of stride 1 instead of 7x7 of stride 2 and pooling.
        zero_init_residual: the last norm of each block starts at 0, so that every block starts as the
            identity (https://arxiv.org/abs/1706.02677); its convolutions then get no gradient in step 1.
        block: makes a block from c_in, width, stride and dilation.
        expansion: e, of those blocks.
        replace_stride_with_dilation: of stages 2 to 4, which keep the size and dilate instead of halving it, as
            networks for segmentation do.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        depths: tuple[int, int, int, int] = (2, 2, 2, 2),
        small_stem: bool = False,
        zero_init_residual: bool = False,
        block: BlockMaker = BasicBlock,
        expansion: int = 1,
        replace_stride_with_dilation: tuple[bool, bool, bool] = (False, False, False),
    ) -> None:
        super().__init__()
        kernel, stride = (3, 1) if small_stem else (7, 2)
        self.conv1 = nn.Conv2d(channels, 64, kernel, stride, kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if small_stem else nn.MaxPool2d(3, stride=2, padding=1)
        stages, c_in, dilation = [stage(block, 64, 64, depths[0], expansion)], 64 * expansion, 1
        for depth, width, dilate in zip(depths[1:], (128, 256, 512), replace_stride_with_dilation, strict=True):
            stride, grown = (1, 2 * dilation) if dilate else (2, dilation)
            stages.append(stage(block, c_in, width, depth, expansion, stride, dilation, grown))
            c_in, dilation = width * expansion, grown
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * expansion, n_classes)
        for part in (self.conv1, *stages):
            initialise(part)
        if zero_init_residual:
            self._zero_residuals()
        start_small(self.fc, 0.01 / expansion)  # four times the features would make the first scores that much larger

    def _zero_residuals(self) -> None:
        for module in self.modules():
            if isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
            elif isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """(N, C, H, W) -> the feature maps after each stage, by the stage's name; sizes are rounded up.

        With the small stem they are four times as high and wide as given here.
        """
        x = self.relu(self.bn1(self.conv1(x)))  # (N, 64, H/2, W/2)
        layer1 = self.layer1(self.maxpool(x))  # (N, 64 e, H/4, W/4)
        layer2 = self.layer2(layer1)  # (N, 128 e, H/8, W/8)
        layer3 = self.layer3(layer2)  # (N, 256 e, H/16, W/16)
        layer4 = self.layer4(layer3)  # (N, 512 e, H/32, W/32)
        return {"layer1": layer1, "layer2": layer2, "layer3": layer3, "layer4": layer4}

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        x = self.avgpool(self.stages(x)["layer4"]).flatten(1)  # (N, 512 e)
        return self.fc(x)  # (N, K)


def stage(
    block: BlockMaker,
    c_in: int,
    width: int,
    depth: int,
    expansion: int = 1,
    stride: int = 1,
    first_dilation: int = 1,
    dilation: int = 1,
) -> nn.Sequential:
    """`depth` blocks of one width; the first has the stride, and may be dilated less than the others."""
    first = block(c_in, width, stride, first_dilation)
    return nn.Sequential(first, *(block(width * expansion, width, 1, dilation) for _ in range(depth - 1)))


VARIANTS: dict[str, Variant] = {
    "resnet18": (BasicBlock, 1, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, 1, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, 4, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, 4, (3, 4, 23, 3)),
    "resnet152": (Bottleneck, 4, (3, 8, 36, 3)),
    "wide_resnet50_2": (partial(Bottleneck, width_per_group=128), 4, (3, 4, 6, 3)),
    "wide_resnet101_2": (partial(Bottleneck, width_per_group=128), 4, (3, 4, 23, 3)),
    "resnext50_32x4d": (partial(Bottleneck, groups=32, width_per_group=4), 4, (3, 4, 6, 3)),
    "resnext101_32x8d": (partial(Bottleneck, groups=32, width_per_group=8), 4, (3, 4, 23, 3)),
}


def build(variant: Variant, n_classes: int, channels: int, image_size: tuple[int, int]) -> ResNet:
    """A residual network with the stem that fits `image_size`; `notes` says which and why."""
    block, expansion, depths = variant
    model = ResNet(n_classes, channels, depths, is_small(image_size), block=block, expansion=expansion)
    model.notes = stem_notes(image_size, *RESIDUAL_STEMS)
    return model


def resnet18(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-18: 8 basic blocks."""
    return build(VARIANTS["resnet18"], n_classes, channels, image_size)


def resnet34(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-34: 16 basic blocks."""
    return build(VARIANTS["resnet34"], n_classes, channels, image_size)


def resnet50(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-50: 16 bottlenecks, with the stride on the 3x3 convolution."""
    return build(VARIANTS["resnet50"], n_classes, channels, image_size)


def resnet101(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-101: 33 bottlenecks."""
    return build(VARIANTS["resnet101"], n_classes, channels, image_size)


def resnet152(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-152: 50 bottlenecks."""
    return build(VARIANTS["resnet152"], n_classes, channels, image_size)


def wide_resnet50_2(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Wide ResNet-50-2: ResNet-50 with twice as many feature maps inside its bottlenecks."""
    return build(VARIANTS["wide_resnet50_2"], n_classes, channels, image_size)


def wide_resnet101_2(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Wide ResNet-101-2: ResNet-101 with twice as many feature maps inside its bottlenecks."""
    return build(VARIANTS["wide_resnet101_2"], n_classes, channels, image_size)


def resnext50_32x4d(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNeXt-50: ResNet-50 with 3x3 convolutions in 32 groups of 4 feature maps (more in later stages)."""
    return build(VARIANTS["resnext50_32x4d"], n_classes, channels, image_size)


def resnext101_32x8d(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNeXt-101: ResNet-101 with 3x3 convolutions in 32 groups of 8 feature maps (more in later stages)."""
    return build(VARIANTS["resnext101_32x8d"], n_classes, channels, image_size)
