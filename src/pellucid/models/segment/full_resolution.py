"""All layers at the picture's own size: the plainest network that gives a class to each pixel, and why nobody uses it.

Ten 3x3 convolutions need no way down and none up, and the answer is sharp. But every one of their maps has H x W cells,
all of which training must keep, and the field grows by two pixels a layer only. The same layers behind a smaller map
cost less by the square of what it is smaller: `shrink` lets the first convolutions stride and resizes the logits.

Letters: N pictures, C channels, H x W pixels, K classes, M feature maps, h x w cells of a map.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.config import require
from pellucid.models.segment.fcn_small import HEAD_STD
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small

WIDTH, DEPTH = 32, 10


class FullResolution(nn.Module):
    """A stack of 3x3 convolutions and a 1x1 classifier.

    Args:
        n_classes: K.
        channels: C.
        width: M, the same throughout.
        depth: how many convolutions.
        halvings: how many of the first ones have a stride of 2; 0 keeps the size. The weights are as many.

    Raises:
        ConfigError: there are more halvings than convolutions.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, n_classes: int, channels: int, width: int = WIDTH, depth: int = DEPTH, halvings: int = 0
    ) -> None:
        super().__init__()
        require(0 <= halvings <= depth, "halvings", f"0 to {depth}, the number of convolutions", halvings)
        self.layers = nn.Sequential(
            *(conv_norm(width if at else channels, width, stride=2 if at < halvings else 1) for at in range(depth))
        )
        self.head = nn.Conv2d(width, n_classes, 1)
        initialise(self)
        start_small(self.head, HEAD_STD)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K, H, W) logits; any H and W."""
        logits = self.head(self.layers(x))  # (N, K, h, w); H, W without halvings
        if logits.shape[-2:] == x.shape[-2:]:
            return logits
        return F.interpolate(logits, size=x.shape[-2:], mode="bilinear")


def full_resolution(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """Ten convolutions at full size, without a way down or up, the same for every size."""
    return FullResolution(n_classes, channels)
