"""A multilayer perceptron on the pixels: two hidden layers.

Letters: N pictures, C channels, H x W pixels, K classes.
"""

from math import prod

from torch import Tensor, nn

from pellucid.core.shapes import require_shape


class Mlp(nn.Module):
    """Pixels -> hidden layers with ReLU -> logits. It knows nothing of neighbours: shuffled pixels train as well.

    Hidden weights start with He's deviation sqrt(2 / inputs) (https://arxiv.org/abs/1502.01852, equation 10),
    which keeps the mean square of the signal through ReLU layers; the last layer starts at 0.01, so that the
    first loss is ln K. There is no batch norm, on purpose: without space to average over it cannot train on
    a last batch of one picture.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, n_classes: int, channels: int, image_size: tuple[int, int], widths: tuple[int, ...] = (256, 128)
    ) -> None:
        super().__init__()
        self.shape = (channels, *image_size)
        sizes = (prod(self.shape), *widths)
        self.hidden = nn.Sequential()
        for before, after in zip(sizes, widths, strict=False):
            layer = nn.Linear(before, after)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
            self.hidden.extend([layer, nn.ReLU()])
        self.fc = nn.Linear(sizes[-1], n_classes)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits.

        Raises:
            DataError: the pictures have another shape than the network was built for.
        """
        channels, height, width = self.shape
        require_shape(x, "N C H W", "image", C=channels, H=height, W=width)
        x = self.hidden(x.flatten(1))  # (N, widths[-1])
        return self.fc(x)  # (N, K)


def mlp(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Two hidden layers of 256 and 128 units on the pixels; for pictures of exactly `image_size`."""
    return Mlp(n_classes, channels, image_size)
