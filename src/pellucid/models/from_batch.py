"""From a plain network, tensors in and tensors out, to the batch-in, outputs-out form of the tasks."""

from collections.abc import Mapping

from torch import Tensor, nn

from pellucid.core.preprocess import Preprocess
from pellucid.ops.normalise import normalise


class FromBatch(nn.Module):
    """Normalise `batch["image"]` (N, C, H, W) uint8 and give `{"logits": net(x)}`.

    The preprocessing lies inside, so nobody can feed the network numbers it was not trained on.
    """

    def __init__(self, net: nn.Module, preprocess: Preprocess) -> None:
        super().__init__()
        self.net = net
        self.preprocess = preprocess

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"logits": self.net(normalise(batch["image"], self.preprocess))}


class FromPixels(nn.Module):
    """Give `{"logits": net(batch["image"])}`: for nets that begin with the pixels as they are, (N, C, H, W) uint8."""

    def __init__(self, net: nn.Module, preprocess: Preprocess) -> None:
        super().__init__()
        self.net = net
        self.preprocess = preprocess

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"logits": self.net(batch["image"])}
