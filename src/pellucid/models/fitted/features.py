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
from pellucid.models.features import deep_features, last_linear
from pellucid.ops.normalise import normalise

LEAST = 1e-12  # squared length of a part that is 0 in every training picture


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
    """Features of `classic.features`, by name; what they learn from training pictures (a codebook) is their state.

    Where there are several parts (HOG and colours), each is scaled to a mean squared length of 1 over the training
    pictures: in units of their own, one of them would drown the others.
    """

    scale: Tensor

    def __init__(self, name: str, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.make = choose(name, FEATURES, "features")
        self.dimension = self.make.dimension(channels, size)
        self.parts = self.make.parts(channels, size)
        shapes = self.make.state_shapes(channels, size)
        for key, shape in shapes.items():
            self.register_buffer(key, torch.zeros(shape))
        if len(self.parts) > 1:
            self.register_buffer("scale", torch.ones(len(self.parts)))
        self.learns = bool(shapes) or len(self.parts) > 1

    def learn(self, images: Tensor, seed: int) -> None:
        for key, value in self.make.fit(images, seed).items():
            getattr(self, key).copy_(value)
        if len(self.parts) > 1:
            squares = self._seen(images).square().mean(0).split(self.parts)
            self.scale.copy_(torch.stack([part.sum().clamp(min=LEAST).rsqrt() for part in squares]))

    def forward(self, image: Tensor) -> Tensor:
        features = self._seen(image)
        if len(self.parts) > 1:
            for part, scale in zip(features.split(self.parts, dim=1), self.scale, strict=True):
                part.mul_(scale)
        return features

    def _seen(self, image: Tensor) -> Tensor:
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
