"""Vision Transformer: a picture as a sentence of patches.

Dosovitskiy et al. 2020, "An Image is Worth 16x16 Words" (https://arxiv.org/abs/2010.11929), table 1, ViT-Base.
Names and shapes are torchvision's. Differences from the paper: no hidden layer in the head, as in fine-tuning;
the head starts at 0.001 rather than at 0, so that gradients pass it in the first step.

Positions are learned, one for each patch of the size the network is built for; `resize_positions` stretches those
of published weights to another size. A side that the patch does not divide gets zeros, the mean colour of
standardised pixels, at the right and below.

Letters: N pictures, C channels, H x W pixels, K classes, P patch side, S = h * w patches of the picture (and 1 for
the class token), D width, A heads of d = D / A.
"""

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.config import require
from pellucid.core.shapes import require_shape
from pellucid.models.classify.stem import require_size
from pellucid.nn.blocks.stochastic_depth import ResidualBranch
from pellucid.nn.initialise import start_small

EPS = 1e-6  # of layer norm


class SelfAttention(nn.Module):
    """Every place asks all others: softmax(Q K^T / sqrt(d)) V in each head, and a linear map of the heads together.

    Parameters are named as those of torch's `MultiheadAttention`.

    Args:
        width: D.
        heads: A; divides D.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        require(width % heads == 0, "width", f"a multiple of {heads} heads", width)
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        n, s, width = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)  # (N, S, 3 D)
        q, k, v = qkv.view(n, s, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)  # (N, A, S, d) each
        mixed = F.scaled_dot_product_attention(q, k, v)  # (N, A, S, d)
        return self.out_proj(mixed.transpose(1, 2).reshape(n, s, width))  # (N, S, D)


class EncoderBlock(ResidualBranch):
    """x + attention(norm(x)), then x + mlp(norm(x)).

    Args:
        width: D.
        heads: A.
        hidden: width of the layer in the middle of the mlp.
        dropout: share dropped in training after the attention and after each layer of the mlp.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=EPS)
        self.self_attention = SelfAttention(width, heads)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = nn.LayerNorm(width, eps=EPS)
        first, second = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.mlp = nn.Sequential(first, nn.GELU(), nn.Dropout(dropout), second, nn.Dropout(dropout))
        for layer in (first, second):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        x = x + self.kept(self.dropout(self.self_attention(self.ln_1(x))))
        return x + self.kept(self.mlp(self.ln_2(x)))


class Encoder(nn.Module):
    """Positions are added, then come the blocks and a last norm."""

    def __init__(self, places: int, width: int, depth: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, places, width).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential()
        for i in range(depth):
            self.layers.add_module(f"encoder_layer_{i}", EncoderBlock(width, heads, hidden, dropout))
        self.ln = nn.LayerNorm(width, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        """(N, S, D) -> (N, S, D)."""
        return self.ln(self.layers(self.dropout(x + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """Patches -> tokens -> encoder -> the class token -> logits.

    Args:
        n_classes: K.
        channels: C.
        image_size: H and W, for pictures of exactly this size.
        patch: P.
        width, depth, heads, hidden: D, number of blocks, A, width of the mlps.
        dropout: share dropped in training in every block.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        image_size: tuple[int, int],
        patch: int,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape = (channels, *image_size)
        self.grid = (math.ceil(image_size[0] / patch), math.ceil(image_size[1] / patch))  # h, w
        self.border = (0, self.grid[1] * patch - image_size[1], 0, self.grid[0] * patch - image_size[0])
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.conv_proj = nn.Conv2d(channels, width, patch, stride=patch)
        self.encoder = Encoder(1 + self.grid[0] * self.grid[1], width, depth, heads, hidden, dropout)
        head = nn.Linear(width, n_classes)
        self.heads = nn.Sequential(OrderedDict(head=head))
        fan_in = channels * patch * patch
        nn.init.trunc_normal_(self.conv_proj.weight, std=fan_in**-0.5)
        self.conv_proj.bias = nn.Parameter(torch.zeros(width))
        start_small(head, std=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits.

        Raises:
            DataError: the pictures have another shape than the network was built for.
        """
        channels, height, width = self.shape
        require_shape(x, "N C H W", "image", C=channels, H=height, W=width)
        x = self.conv_proj(F.pad(x, self.border) if any(self.border) else x)  # (N, D, h, w)
        x = x.flatten(2).transpose(1, 2)  # (N, h*w, D)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1)  # (N, S, D)
        x = self.encoder(x)
        return self.heads(x[:, 0])  # (N, K)


def resize_positions(positions: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """The positions of a grid of `old` patches, stretched to a grid of `new` ones by bicubic interpolation.

    Corners lie on corners. The position of the class token stays as it is.

    Args:
        positions: (1, 1 + h * w, D), as in `encoder.pos_embedding`.
        old: h and w of the grid they are for; (14, 14) for 224 px in patches of 16.
        new: h and w of the grid wanted, such as `grid` of a network built for another size.

    Returns:
        (1, 1 + new h * new w, D).

    Raises:
        DataError: `positions` are not those of a class token and `old` patches.
    """
    require_shape(positions, "1 S D", "positions", **{"1": 1, "S": 1 + old[0] * old[1]})
    if tuple(old) == tuple(new):
        return positions
    token, patches = positions[:, :1], positions[:, 1:]
    plane = patches.transpose(1, 2).unflatten(2, old)  # (1, D, h, w)
    plane = F.interpolate(plane.float(), new, mode="bicubic", align_corners=True).to(positions.dtype)
    return torch.cat([token, plane.flatten(2).transpose(1, 2)], dim=1)


def _build(name: str, n_classes: int, channels: int, image_size: tuple[int, int], patch: int) -> nn.Module:
    require_size(name, image_size, patch, "vit_small")
    model = VisionTransformer(n_classes, channels, image_size, patch)
    h, w = model.grid
    note = f"{h}x{w} patches of {patch}x{patch} px, for pictures of exactly {image_size[0]}x{image_size[1]} px"
    if any(model.border):
        note += f", which get {model.border[3]} rows and {model.border[1]} columns of zeros"
    model.notes = (note,)
    return model


def vit_b_16(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ViT-Base with patches of 16x16 px, for pictures of exactly `image_size`; from 16 px."""
    return _build("vit_b_16", n_classes, channels, image_size, 16)


def vit_b_32(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """ViT-Base with patches of 32x32 px, for pictures of exactly `image_size`; from 32 px."""
    return _build("vit_b_32", n_classes, channels, image_size, 32)
