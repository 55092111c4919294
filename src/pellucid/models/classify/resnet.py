"""ResNet-18, "Deep Residual Learning for Image Recognition" (https://arxiv.org/abs/1512.03385).

With the 7x7 stem the names and shapes of all parameters are torchvision's, so that published weights
load with `strict=True`. Differences from the paper: shortcuts that change shape are 1x1 convolutions
(option B), the last layer starts at 0.01 (https://arxiv.org/abs/1706.02677, section 5.1), and pictures
up to 64 px get the CIFAR stem: one 3x3 convolution of stride 1 and no pooling, as otherwise a 32 px
picture would be a single cell after the last stage.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from torch import Tensor, nn

SMALL_IMAGE = 64  # px of the short side up to which the small-image stem is taken


class BasicBlock(nn.Module):
    """H(x) = relu(F(x) + x), where F is two 3x3 convolutions; where the shape changes, x passes a 1x1 one."""

    def __init__(self, c_in: int, c_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.downsample: nn.Module | None = None
        if stride != 1 or c_in != c_out:
            self.downsample = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h/stride, w/stride), rounded up."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))  # (N, c_out, h/stride, w/stride)
        x = self.bn2(self.conv2(x))
        return self.relu(x + shortcut)


class ResNet(nn.Module):
    """A ResNet of basic blocks in four stages of 64, 128, 256 and 512 feature maps.

    Args:
        n_classes: K.
        channels: C.
        depths: blocks of each stage; (2, 2, 2, 2) is ResNet-18.
        small_stem: 3x3 convolution of stride 1 instead of 7x7 of stride 2 and pooling.
        zero_init_residual: the last norm of each block starts at 0, so that every block starts as the
            identity (https://arxiv.org/abs/1706.02677); its convolutions then get no gradient in step 1.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        depths: tuple[int, int, int, int] = (2, 2, 2, 2),
        small_stem: bool = False,
        zero_init_residual: bool = False,
    ) -> None:
        super().__init__()
        kernel, stride = (3, 1) if small_stem else (7, 2)
        self.conv1 = nn.Conv2d(channels, 64, kernel, stride, kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if small_stem else nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = _stage(64, 64, depths[0], stride=1)
        self.layer2 = _stage(64, 128, depths[1], stride=2)
        self.layer3 = _stage(128, 256, depths[2], stride=2)
        self.layer4 = _stage(256, 512, depths[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, n_classes)
        self._initialise(zero_init_residual)

    def _initialise(self, zero_init_residual: bool) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, BasicBlock) and zero_init_residual:
                nn.init.zeros_(module.bn2.weight)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, 64, H/2, W/2), or H, W with the small stem
        x = self.maxpool(x)  # (N, 64, H/4, W/4)
        x = self.layer1(x)
        x = self.layer2(x)  # (N, 128, H/8, W/8)
        x = self.layer3(x)  # (N, 256, H/16, W/16)
        x = self.layer4(x)  # (N, 512, H/32, W/32), or H/8, W/8 with the small stem
        x = self.avgpool(x).flatten(1)  # (N, 512)
        return self.fc(x)  # (N, K)


def _stage(c_in: int, c_out: int, depth: int, stride: int) -> nn.Sequential:
    first = BasicBlock(c_in, c_out, stride)
    return nn.Sequential(first, *(BasicBlock(c_out, c_out) for _ in range(depth - 1)))


def resnet18(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ResNet-18 with the stem that fits `image_size`; `notes` says which and why."""
    short = min(image_size)
    small = short <= SMALL_IMAGE
    model = ResNet(n_classes, channels, small_stem=small)
    stem = "small-image stem (3x3, stride 1, no pooling)" if small else "ImageNet stem (7x7, stride 2, then pooling)"
    limit = f"{SMALL_IMAGE} or less" if small else f"above {SMALL_IMAGE}"
    model.notes = (f"{stem} because the short side is {short} px ({limit})",)
    return model
