"""Squeeze and excitation: channels weighed by what the whole map shows.

Hu et al. 2018, "Squeeze-and-Excitation Networks" (https://arxiv.org/abs/1709.01507), equations 2 to 4.

Letters: N pictures, C channels, h x w cells of a feature map, S squeezed channels.
"""

from collections.abc import Callable

from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """x * gate(W2 act(W1 mean(x))): one factor a channel and picture.

    Both layers are 1x1 convolutions named `fc1` and `fc2`, as in published weights.

    Args:
        channels: C.
        squeezed: S, often C / 16 or C / 4.
        activation: between the layers.
        gate: after the second: sigmoid in the paper, a hard sigmoid in MobileNet v3.
    """

    def __init__(
        self,
        channels: int,
        squeezed: int,
        activation: Callable[[], nn.Module] = nn.ReLU,
        gate: Callable[[], nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.activation = activation()
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.gate = gate()

    def factors(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, C, 1, 1), between 0 and 1 with the usual gates."""
        squeezed = x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        return self.gate(self.fc2(self.activation(self.fc1(squeezed))))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> the same shape."""
        return x * self.factors(x)
