"""AlexNet as it was in 2012, and as lecture notes describe it: local response norm, 227 px, every layer by its name.

Krizhevsky, Sutskever, Hinton 2012, "ImageNet Classification with Deep Convolutional Neural Networks"
(https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks).

Two forms. The notes' has one tower and pools before it normalises: 3,747,200 parameters in convolutions and
58,631,144 in fully connected layers, 62,378,344 in all. The paper's has two towers, one a GPU, that see each other
in the third convolution and in the fully connected layers only (`groups=2`), and normalises before it pools:
60,965,224. The paper prints 224 px, but its 55x55 map needs 227. Differences from the paper: weights start as
He et al. 2015 has it (the paper's 0.01 everywhere, with biases of 1, starts slowly), the last layer at 0.001.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map.
"""

from torch import Tensor, nn

from pellucid.models.classify.stem import require_size
from pellucid.nn.initialise import blank_linear, initialise, start_small

LEAST = 67  # px of a side that the last pooling leaves one cell of
CELLS = 6  # a side of the last map at 227 px


class AlexNetNotes(nn.Module):
    """conv1 to conv5 and fc6 to fc8, with two local response norms and three overlapping poolings (3x3, stride 2).

    Args:
        n_classes: K.
        channels: C.
        groups: towers of conv2, conv4 and conv5: 1, or 2 as in the paper.
        norm_first: normalise before pooling, as in the paper, not after it, as in the notes.
        dropout: share of the outputs of fc6 and fc7 that training drops.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, n_classes: int, channels: int, groups: int = 1, norm_first: bool = False, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.conv1 = nn.Conv2d(channels, 96, 11, stride=4)
        self.relu1 = nn.ReLU(inplace=True)
        self.pool1 = nn.MaxPool2d(3, stride=2)
        self.norm1 = response_norm()
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=groups)
        self.relu2 = nn.ReLU(inplace=True)
        self.pool2 = nn.MaxPool2d(3, stride=2)
        self.norm2 = response_norm()
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.relu3 = nn.ReLU(inplace=True)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=groups)
        self.relu4 = nn.ReLU(inplace=True)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=groups)
        self.relu5 = nn.ReLU(inplace=True)
        self.pool3 = nn.MaxPool2d(3, stride=2)
        self.fit = nn.AdaptiveAvgPool2d(CELLS)  # changes nothing at 227 px
        self.fc6 = blank_linear(256 * CELLS * CELLS, 4096)
        self.relu6 = nn.ReLU(inplace=True)
        self.drop6 = nn.Dropout(dropout)
        self.fc7 = blank_linear(4096, 4096)
        self.relu7 = nn.ReLU(inplace=True)
        self.drop7 = nn.Dropout(dropout)
        self.fc8 = nn.Linear(4096, n_classes)
        initialise(self, "fan_in")
        start_small(self.fc8, std=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; H and W of 67 or more. Sizes below are for 227 px."""
        x = self.relu1(self.conv1(x))  # (N, 96, 55, 55)
        x = self.pool1(self.norm1(x)) if self.norm_first else self.norm1(self.pool1(x))  # (N, 96, 27, 27)
        x = self.relu2(self.conv2(x))  # (N, 256, 27, 27)
        x = self.pool2(self.norm2(x)) if self.norm_first else self.norm2(self.pool2(x))  # (N, 256, 13, 13)
        x = self.relu3(self.conv3(x))  # (N, 384, 13, 13)
        x = self.relu4(self.conv4(x))
        x = self.relu5(self.conv5(x))  # (N, 256, 13, 13)
        x = self.fit(self.pool3(x)).flatten(1)  # (N, 9216)
        x = self.drop6(self.relu6(self.fc6(x)))  # (N, 4096)
        x = self.drop7(self.relu7(self.fc7(x)))
        return self.fc8(x)  # (N, K)


def response_norm() -> nn.Module:
    """The paper's constants: n = 5 neighbouring channels, k = 2, alpha = 1e-4, beta = 0.75.

    torch divides alpha by n, the paper does not: 1e-4 there is 5e-4 here.
    """
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)


def cells(image_size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the map that pool3 gives: 6x6 at 227 px.

    A side of s px is (s - 11) // 4 + 1 after conv1, and (s - 3) // 2 + 1 after each of the three poolings.
    """
    sides = [(side - 11) // 4 + 1 for side in image_size]
    for _ in range(3):
        sides = [(side - 3) // 2 + 1 for side in sides]
    return sides[0], sides[1]


def alexnet_notes(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """AlexNet of 2012 as one tower, with local response norm, made for 227 px; from 67 px."""
    require_size("alexnet_notes", image_size, LEAST)
    return _said(AlexNetNotes(n_classes, channels), image_size)


def alexnet_notes_groups2(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """AlexNet of 2012 with the paper's two towers, made for 227 px; from 67 px."""
    require_size("alexnet_notes_groups2", image_size, LEAST)
    return _said(AlexNetNotes(n_classes, channels, groups=2, norm_first=True), image_size)


def _said(model: AlexNetNotes, image_size: tuple[int, int]) -> AlexNetNotes:
    height, width = cells(image_size)
    if (height, width) != (CELLS, CELLS):
        model.notes = (
            f"pictures of {image_size[0]}x{image_size[1]} px end in a {height}x{width} map, which is averaged or "
            f"repeated to {CELLS}x{CELLS}; 227x227 px need neither",
        )
    return model
