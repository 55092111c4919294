"""A small Vision Transformer for small pictures and small data.

The blocks are those of Dosovitskiy et al. 2020 (https://arxiv.org/abs/2010.11929). What a transformer has to learn
from millions of pictures is built in here, as a few thousand do not teach it:
tokens come from two 3x3 convolutions of stride 2, which overlap, not from cut patches of 4x4
("Early Convolutions Help Transformers See Better", https://arxiv.org/abs/2106.14881);
positions start as sines and cosines of both axes, which know what is near, and the mean over all tokens is
classified, not a class token ("Better plain ViT baselines for ImageNet-1k", https://arxiv.org/abs/2205.01580).

Letters: N pictures, C channels, H x W pixels, K classes, S = h * w tokens, h = H/4 and w = W/4 rounded up, D width.
"""

import math

import torch
from torch import Tensor, nn

from pellucid.core.shapes import require_shape
from pellucid.models.classify.stem import require_size
from pellucid.models.classify.vit import Encoder
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small

LEAST = 8  # px of a side: two tokens
WIDTH = 192


class SmallVisionTransformer(nn.Module):
    """Two convolutions -> tokens -> encoder -> the mean token -> logits.

    Args:
        n_classes: K.
        channels: C.
        image_size: H and W, for pictures of exactly this size.
        width, depth, heads, hidden: D (a multiple of 4), number of blocks, heads, width of the mlps.
        dropout: share dropped in training in every block.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        image_size: tuple[int, int],
        width: int = WIDTH,
        depth: int = 6,
        heads: int = 6,
        hidden: int = 2 * WIDTH,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape = (channels, *image_size)
        self.grid = (math.ceil(image_size[0] / 4), math.ceil(image_size[1] / 4))  # h, w
        self.tokens = nn.Sequential(
            conv_norm(channels, width // 2, stride=2),
            nn.Conv2d(width // 2, width, 3, stride=2, padding=1),
        )
        initialise(self.tokens)
        self.encoder = Encoder(self.grid[0] * self.grid[1], width, depth, heads, hidden, dropout)
        with torch.no_grad():
            self.encoder.pos_embedding.copy_(sines_and_cosines(self.grid, width))
        self.head = nn.Linear(width, n_classes)
        start_small(self.head)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits.

        Raises:
            DataError: the pictures have another shape than the network was built for.
        """
        channels, height, width = self.shape
        require_shape(x, "N C H W", "image", C=channels, H=height, W=width)
        x = self.tokens(x)  # (N, D, h, w)
        x = self.encoder(x.flatten(2).transpose(1, 2))  # (N, S, D)
        return self.head(x.mean(1))  # (N, K)


def sines_and_cosines(grid: tuple[int, int], width: int) -> Tensor:
    """(1, h * w, D): a quarter of D each is sine of the column, cosine of it, sine of the row, and cosine of it.

    Frequencies fall from 1 to 1/10000 in equal ratios, as in https://arxiv.org/abs/1706.03762, section 3.5.
    """
    n = width // 4
    frequency = 10_000.0 ** -(torch.arange(n) / max(n - 1, 1))  # (n,)
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")  # (h, w) each
    across, down = (axis.flatten()[:, None] * frequency for axis in (columns, rows))  # (h*w, n) each
    return torch.cat([across.sin(), across.cos(), down.sin(), down.cos()], dim=1)[None]


def vit_small(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """A small ViT, tokens of stride 4 from two convolutions, for pictures of exactly `image_size`; from 8 px."""
    require_size("vit_small", image_size, LEAST)
    model = SmallVisionTransformer(n_classes, channels, image_size)
    h, w = model.grid
    model.notes = (f"{h}x{w} tokens, one every 4 px, for pictures of exactly {image_size[0]}x{image_size[1]} px",)
    return model
