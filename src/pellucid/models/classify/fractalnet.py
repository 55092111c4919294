"""FractalNet: as deep as a residual network, and trained without shortcuts.

Larsson et al. 2017, "FractalNet: Ultra-Deep Neural Networks without Residuals" (https://arxiv.org/abs/1605.07648).
A fractal of one column is a convolution; one of n columns joins a convolution with two fractals of n - 1 columns
in a row (section 2). Joins take the mean, and adjacent joins are one. In training, drop-path leaves inputs of the
joins out (section 3): for half of the pictures each input of each join with probability 0.15, but never all of them
("local"), for the other half all columns but one in the whole network ("global").

Differences from the paper: the network is small (3 columns, 4 blocks of 32 to 256 feature maps, 16 convolutions deep,
where the paper has 5 blocks of 64 to 512 maps), so that the last block is followed by the mean over all cells; there
is no dropout beside drop-path; drop-path is drawn for every picture; what is left out is computed and weighed with 0,
so that its norms go on seeing data. Pictures above 64 px first pass the stem of a ResNet.

Letters: N pictures, C channels, H x W pixels, K classes, h x w cells of a feature map, P inputs of a join.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.config import require
from pellucid.models.classify.stem import is_small, require_size, stem_notes
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise, start_small

WIDTHS, COLUMNS = (32, 64, 128, 256), 3


def join(paths: list[Tensor], kept: Tensor | None) -> Tensor:
    """The mean of P tensors (N, C, h, w), for each picture over those that are kept.

    Args:
        kept: (P, N) bool, at least one of P; None keeps all.
    """
    stacked = torch.stack(paths)  # (P, N, C, h, w)
    if kept is None:
        return stacked.mean(0)
    weights = (kept / kept.sum(0)).to(stacked.dtype)  # (P, N)
    return (stacked * weights[:, :, None, None, None]).sum(0)


def draw_kept(n_paths: int, chosen: Tensor, p: float) -> Tensor:
    """Which inputs of a join are kept in training: (P, N) bool, at least one of P.

    Args:
        n_paths: P. They belong to the P deepest columns, the shallowest of them first.
        chosen: (N,) the column, counted from the deepest as 0, that alone is kept in the whole network; -1 where
            inputs are dropped one by one.
        p: probability of dropping in the latter case.
    """
    n, device = len(chosen), chosen.device
    local = torch.rand(n_paths, n, device=device) >= p
    spared = F.one_hot(torch.randint(n_paths, (n,), device=device), n_paths).T.bool()  # if all were dropped
    local = torch.where(local.any(0), local, spared)
    depth = torch.arange(n_paths - 1, -1, -1, device=device)[:, None]  # (P, 1), each path's column
    only = (depth == chosen) | (chosen >= n_paths)  # a column that is not here drops what this join gives later on
    return torch.where(chosen < 0, local, only)


class Fractal(nn.Module):
    """A convolution, beside it two fractals of one column less in a row; of one column, a convolution alone.

    Args:
        c_in, c_out: feature maps.
        columns: ways through, of 1, 2, 4, ... convolutions.
        p: probability with which a join drops an input.
    """

    def __init__(self, c_in: int, c_out: int, columns: int, p: float) -> None:
        super().__init__()
        self.columns, self.p = columns, p
        self.conv = conv_norm(c_in, c_out)
        if columns > 1:
            self.first = Fractal(c_in, c_out, columns - 1, p)
            self.second = Fractal(c_out, c_out, columns - 1, p)

    def paths(self, x: Tensor, chosen: Tensor | None) -> list[Tensor]:
        """(N, c_in, h, w) -> of each column (N, c_out, h, w), the shallowest first; they still have to be joined."""
        shallow = self.conv(x)
        return [shallow] if self.columns == 1 else [shallow, *self.second.paths(self.first(x, chosen), chosen)]

    def forward(self, x: Tensor, chosen: Tensor | None = None) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h, w).

        Args:
            chosen: (N,) what drop-path drew, see `draw_kept`; None drops nothing.
        """
        paths = self.paths(x, chosen)
        if len(paths) == 1:
            return paths[0]
        return join(paths, None if chosen is None else draw_kept(len(paths), chosen, self.p))


class FractalNet(nn.Module):
    """Fractals with pooling between them.

    Args:
        n_classes: K.
        channels: C.
        widths: feature maps of each fractal.
        columns: of each fractal.
        small_stem: none at all, instead of a 7x7 convolution of stride 2 and pooling.
        p: probability with which local drop-path drops an input of a join, in [0, 1).
        globally: share of the pictures for which one column is kept instead, in [0, 1].
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        widths: tuple[int, ...] = WIDTHS,
        columns: int = COLUMNS,
        small_stem: bool = False,
        p: float = 0.15,
        globally: float = 0.5,
    ) -> None:
        super().__init__()
        require(0 <= p < 1, "p", "in [0, 1)", p)
        require(0 <= globally <= 1, "globally", "in [0, 1]", globally)
        self.columns, self.p, self.globally = columns, p, globally
        self.stem: nn.Module = nn.Identity()
        if not small_stem:
            self.stem = nn.Sequential(*conv_norm(channels, widths[0], 7, 2), nn.MaxPool2d(3, stride=2, padding=1))
        sizes = (channels if small_stem else widths[0], *widths)
        self.fractals = nn.ModuleList(Fractal(c_in, c_out, columns, p) for c_in, c_out in pairwise(sizes))
        self.pool = nn.MaxPool2d(2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(widths[-1], n_classes)
        initialise(self)
        start_small(self.fc)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; H and W of 8 or more, 32 with the ImageNet stem."""
        return self._classify(x, self._draw(len(x), x.device) if self.training else None)

    def column(self, x: Tensor, number: int) -> Tensor:
        """(N, C, H, W) -> (N, K) logits of one column alone: 0 is the deepest, `columns - 1` has a convolution a block.

        Section 4.3 of the paper: columns that were trained together are good networks by themselves.
        """
        require(0 <= number < self.columns, "number", f"a column from 0 to {self.columns - 1}", number)
        return self._classify(x, torch.full((len(x),), number, device=x.device))

    def _draw(self, n: int, device: torch.device) -> Tensor:
        """(N,) a column for those pictures that keep only one, -1 for those that drop inputs one by one."""
        columns = torch.randint(self.columns, (n,), device=device)
        return torch.where(torch.rand(n, device=device) < self.globally, columns, -1)

    def _classify(self, x: Tensor, chosen: Tensor | None) -> Tensor:
        x = self.stem(x)  # (N, C, H, W), or (N, 32, H/4, W/4)
        for number, fractal in enumerate(self.fractals):
            x = fractal(self.pool(x) if number else x, chosen)  # half as high and wide as the last
        return self.fc(self.avgpool(x).flatten(1))  # (N, K)


def fractalnet(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """FractalNet of 3 columns and 4 blocks, 16 convolutions deep; drop-path in training."""
    require_size("fractalnet", image_size, 8, "mlp")
    model = FractalNet(n_classes, channels, small_stem=is_small(image_size))
    model.notes = stem_notes(image_size, "none", "7x7, stride 2, then pooling")
    return model
