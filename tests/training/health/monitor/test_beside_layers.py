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


class Choosing(nn.Module):
    """A head whose scores choose something, as those of region proposals do."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layer(x)
        with torch.no_grad():
            best = logits.sigmoid().flatten(2).argmax(-1)
        return logits.relu() * best[..., None, None]


def test_what_chooses_without_gradients_is_no_layer() -> None:
    model = nn.Sequential(Choosing())
    names = {module: name for name, module in model.named_modules()}
    with _watched(model, names) as watch:
        model(torch.randn(2, 1, 6, 6))
    assert [measured.kind for measured in watch.measured.values()] == ["relu"]
