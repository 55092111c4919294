"""What a fitted classifier sees, as modules: (N, C, H, W) uint8 pictures -> (N, D) features.

Every module says before it has seen a picture how many features there will be (`dimension`) and of which type
(`dtype`). One that `learns` fills its state from training pictures first.
"""

from math import prod

import torch
from torch import Tensor, nn

from pellucid.classic.features.table import FEATURES
from pellucid.core.choose import choose
from pellucid.core.preprocess import Preprocess
from pellucid.models.deep_features import deep_features, last_linear
from pellucid.ops.normalise import normalise


class PictureFeatures(nn.Module):
    """What all of them have in common.

    Attributes:
        dimension: D.
        dtype: of the features.
        learns: whether `learn` has to be called before the first picture.
    """

    dimension: int
    dtype: torch.dtype = torch.float32
    learns: bool = False

    def learn(self, images: Tensor, seed: int) -> None:
        """Fill the state from training pictures (N, C, H, W) uint8; most have none."""


class Pixels(PictureFeatures):
    """The pixels themselves: standardised as the settings say, or raw, which keeps distances exact integers."""

    def __init__(self, preprocess: Preprocess, raw: bool) -> None:
        super().__init__()
        self.preprocess = preprocess
        self.raw = raw
        self.dimension = preprocess.channels * prod(preprocess.size)
        self.dtype = torch.uint8 if raw else torch.float32

    def forward(self, image: Tensor) -> Tensor:
        return (image if self.raw else normalise(image, self.preprocess)).flatten(1)


class HandMade(PictureFeatures):
    """Features of `classic.features`, by name; what they learn from training pictures (a codebook) is their state."""

    def __init__(self, name: str, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.make = choose(name, FEATURES, "features")
        self.dimension = self.make.dimension(channels, size)
        for key, shape in self.make.state_shapes(channels, size).items():
            self.register_buffer(key, torch.zeros(shape))
            self.learns = True

    def learn(self, images: Tensor, seed: int) -> None:
        """Fill the state from training pictures (N, C, H, W) uint8."""
        for key, value in self.make.fit(images, seed).items():
            getattr(self, key).copy_(value)

    def forward(self, image: Tensor) -> Tensor:
        return self.make(image, dict(self.named_buffers()))


class Deep(PictureFeatures):
    """What the last linear layer of a trained network reads."""

    def __init__(self, net: nn.Module, preprocess: Preprocess) -> None:
        super().__init__()
        self.net = net.eval().requires_grad_(False)
        self.preprocess = preprocess
        self.dimension = last_linear(net).in_features

    def train(self, mode: bool = True) -> "Deep":
        """Stay in evaluation mode: the network is not trained here."""
        return super().train(False)

    def forward(self, image: Tensor) -> Tensor:
        return deep_features(self.net, normalise(image, self.preprocess)).float()
