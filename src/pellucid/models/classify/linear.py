"""Softmax regression: one linear layer on the pixels. The baseline every other network has to beat.

Letters: N pictures, C channels, H x W pixels, K classes.
"""

from math import prod, sqrt

from torch import Tensor, nn

from pellucid.core.shapes import require_shape


class LinearClassifier(nn.Module):
    """logits = W x + b on all pixels at once; a row of W is a template of its class, as large as the picture.

    W starts as small random numbers of deviation 0.1 / sqrt(C H W): logits of standardised pixels then start
    with deviation 0.1 and the loss at ln K, whatever the size. The usual fixed 0.01 does so for 100 pixels
    only; at 3 x 224 x 224 it would give logits of deviation 4.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.shape = (channels, *image_size)
        n_pixels = prod(self.shape)
        self.fc = nn.Linear(n_pixels, n_classes)
        nn.init.normal_(self.fc.weight, std=0.1 / sqrt(n_pixels))
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits.

        Raises:
            DataError: the pictures have another shape than the network was built for.
        """
        channels, height, width = self.shape
        require_shape(x, "N C H W", "image", C=channels, H=height, W=width)
        return self.fc(x.flatten(1))  # (N, C*H*W) -> (N, K)


def linear(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Softmax regression: one linear layer on the pixels; for pictures of exactly `image_size`."""
    return LinearClassifier(n_classes, channels, image_size)
