"""SqueezeNet 1.0 and 1.1, "AlexNet-level accuracy with 50x fewer parameters" (https://arxiv.org/abs/1602.07360).

Names, shapes and order of all tensors are torchvision's. The last layer is a convolution followed by a ReLU, so a
class whose logit falls below zero everywhere would never learn again; its weights therefore start small and its
biases at 1, equal for all classes: the first loss is ln K and every logit starts alive. The rest starts after He.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pellucid.models.classify.stem import is_small, require_size, stem_notes
from pellucid.nn.initialise import initialise, start_small


class Settings(NamedTuple):
    """One version."""

    stem: int  # feature maps of the first convolution
    kernel: int  # of the first convolution; stride 2, no padding
    layers: tuple[tuple[int, int] | str, ...]  # squeezed maps and maps of each expansion; "pool" halves the sides


VARIANTS = {
    "squeezenet1_0": Settings(
        stem=96,
        kernel=7,
        layers=(
            *("pool", (16, 64), (16, 64), (32, 128)),
            *("pool", (32, 128), (48, 192), (48, 192), (64, 256)),
            *("pool", (64, 256)),
        ),
    ),
    "squeezenet1_1": Settings(
        stem=64,
        kernel=3,
        layers=(
            *("pool", (16, 64), (16, 64)),
            *("pool", (32, 128), (32, 128)),
            *("pool", (48, 192), (48, 192), (64, 256), (64, 256)),
        ),
    ),
}
LEAST = 8  # px; three poolings of 3x3, stride 2 leave one cell


class Fire(nn.Module):
    """A 1x1 convolution squeezes; 1x1 and 3x3 convolutions of what is left expand it, side by side."""

    def __init__(self, c_in: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(c_in, squeezed, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, 2 * expanded, h, w)."""
        x = self.squeeze_activation(self.squeeze(x))  # (N, squeezed, h, w)
        points = self.expand1x1_activation(self.expand1x1(x))  # (N, expanded, h, w)
        patches = self.expand3x3_activation(self.expand3x3(x))  # (N, expanded, h, w)
        return torch.cat((points, patches), 1)


class SqueezeNet(nn.Module):
    """Fire modules between poolings, a 1x1 convolution to K maps, and the mean of each map.

    Args:
        n_classes: K.
        channels: C.
        settings: first convolution and fire modules.
        small_stem: the first convolution is 3x3 of stride 1 that keeps the size.
        dropout: probability before the last convolution.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, n_classes: int, channels: int, settings: Settings, small_stem: bool = False, dropout: float = 0.5
    ) -> None:
        super().__init__()
        width = settings.stem
        kernel, stride, padding = (3, 1, 1) if small_stem else (settings.kernel, 2, 0)
        first = nn.Conv2d(channels, width, kernel, stride, padding)
        parts: list[nn.Module] = [first, nn.ReLU(inplace=True)]
        for layer in settings.layers:
            if isinstance(layer, str):
                parts.append(nn.MaxPool2d(3, stride=2, ceil_mode=True))
            else:
                parts.append(Fire(width, *layer))
                width = 2 * layer[1]
        self.features = nn.Sequential(*parts)
        last = nn.Conv2d(width, n_classes, 1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), last, nn.ReLU())
        initialise(self, "fan_in")
        start_small(last, std=0.001)  # nothing normalises: how large features are differs from draw to draw
        if last.bias is not None:
            nn.init.ones_(last.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits, none below 0; any H and W from the smallest on."""
        x = self.features(x)  # (N, 512, H/16, W/16), or H/8, W/8 with the small stem
        return self.classifier(x).mean((2, 3))  # (N, K)


def _build(name: str, n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    require_size(name, image_size, LEAST)
    model = SqueezeNet(n_classes, channels, VARIANTS[name], is_small(image_size))
    kernel = VARIANTS[name].kernel
    model.notes = stem_notes(image_size, "3x3, stride 1, then pooling", f"{kernel}x{kernel}, stride 2, then pooling")
    return model


def squeezenet1_0(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """SqueezeNet 1.0: eight fire modules without any fully connected layer; 1.25 M parameters."""
    return _build("squeezenet1_0", n_classes, channels, image_size)


def squeezenet1_1(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """SqueezeNet 1.1: version 1.0 with less than half of the arithmetic, by a lighter stem and earlier pooling."""
    return _build("squeezenet1_1", n_classes, channels, image_size)
