"""What is computed beside the layers is no signal of theirs."""

import torch
from torch import Tensor, nn

from pellucid.training.health.monitor.monitor import _watched


class Beside(nn.Module):
    """A network, one function within it, and one beside it, as losses have."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return (self.net(x) - 9).sigmoid()


def test_a_sigmoid_of_the_losses_is_not_watched() -> None:
    model = Beside()
    names = {module: name.removeprefix("net").lstrip(".") for name, module in model.named_modules()}
    with _watched(model, names) as watch:
        model(torch.randn(2, 1, 6, 6))
    assert [measured.kind for measured in watch.measured.values()] == ["relu"]
