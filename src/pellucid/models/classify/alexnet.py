"""AlexNet in its common form: one tower, no local response norm.

Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks"
(https://arxiv.org/abs/1404.5997), footnote 1, is where this form comes from; the network of 2012 is in
`alexnet_notes`. Names and shapes are torchvision's. Differences from torchvision: weights start as He et al. 2015
has it, the last layer at 0.0003, so that the first loss is ln K in spite of 4,096 inputs and three max poolings.

AlexNet made ReLU and dropout prominent, it was the first with neither: ReLU is in Nair and Hinton 2010
(https://www.cs.toronto.edu/~fritz/absps/reluICML.pdf), dropout in a preprint of July 2012
(https://arxiv.org/abs/1207.0580).

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

import torch
from torch import Tensor, nn

from pellucid.models.classify.stem import require_size
from pellucid.nn.initialise import blank_linear, initialise, start_small

LEAST = 63  # px of a side that the last pooling leaves one cell of


class AlexNet(nn.Module):
    """Five convolutions, three poolings, three fully connected layers: eight layers, as layers are counted.

    Args:
        n_classes: K.
        channels: C.
        dropout: share of the inputs of the first two fully connected layers that training drops.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 64, 11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)  # changes nothing at 224 px, where the map is 6x6 already
        last = nn.Linear(4096, n_classes)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            blank_linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            blank_linear(4096, 4096),
            nn.ReLU(inplace=True),
            last,
        )
        initialise(self, "fan_in")
        start_small(last, std=0.0003)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; H and W of 63 or more."""
        x = self.features(x)  # (N, 256, h, w)
        x = torch.flatten(self.avgpool(x), 1)  # (N, 9216)
        return self.classifier(x)  # (N, K)


def alexnet(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """AlexNet, one tower without local response norm, the form published weights have; from 63 px."""
    require_size("alexnet", image_size, LEAST)
    return AlexNet(n_classes, channels)
