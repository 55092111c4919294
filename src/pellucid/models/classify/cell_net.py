"""A network of cells: what a search over architectures finds, and any cell written as text.

One cell is stacked, as in NASNet (Zoph et al. 2018, https://arxiv.org/abs/1707.07012) and AmoebaNet (Real et al. 2019,
https://arxiv.org/abs/1802.01548): three stages of cells, and between them the picture is halved and the width doubled.
Differences from both: a cell has one input, not two; there is no second kind of cell that halves, a pooling does;
separable convolutions are applied once, not twice. `genotype` says how a cell is written.

Letters: N pictures, C channels, H x W pixels, K classes, F feature maps of a stage, L loose ends of the cell,
h x w cells of a feature map.
"""

import torch
from torch import Tensor, nn

from pellucid.core.config import require
from pellucid.models.classify.genotype import Genotype, Node, parse
from pellucid.models.classify.stem import RESIDUAL_STEMS, is_small, require_size, stem_notes
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.blocks.separable import SeparableConv2d
from pellucid.nn.initialise import initialise, start_small

# `make cell-search` found it, on Fashion-MNIST: docs/architectures/found_cell.md
FOUND = "conv3(0)+average3(0) skip(0)+max3(1) separable3(1)+max3(1)"
WIDTH, DEPTH, STAGES, LEAST = 32, 2, 3, 8


def operation(name: str, maps: int) -> nn.Module:
    """An operation of a cell on F maps, which keeps their number and size.

    Convolutions come after a ReLU and before a norm, so that what skips them meets neither.
    """
    match name:
        case "conv3":
            return nn.Sequential(nn.ReLU(), nn.Conv2d(maps, maps, 3, padding=1, bias=False), nn.BatchNorm2d(maps))
        case "separable3" | "separable5":
            separable = SeparableConv2d(maps, maps, int(name[-1]), bias=False)
            return nn.Sequential(nn.ReLU(), separable, nn.BatchNorm2d(maps))
        case "max3":
            return nn.MaxPool2d(3, stride=1, padding=1)
        case "average3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return nn.Identity()


class Sum(nn.Module):
    """A node: first(a) + second(b), two operations on F maps each."""

    def __init__(self, node: Node, maps: int) -> None:
        super().__init__()
        self.first, self.second = (operation(edge.operation, maps) for edge in node)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(N, F, h, w) twice -> (N, F, h, w)."""
        return self.first(a) + self.second(b)


class Cell(nn.Module):
    """Nodes, each the sum of two operations on what came before; what no node reads, side by side.

    Args:
        genotype: which operations on what.
        c_in: feature maps of the input, which a 1x1 convolution takes to F.
        maps: F.
    """

    def __init__(self, genotype: Genotype, c_in: int, maps: int) -> None:
        super().__init__()
        self.genotype = genotype
        self.entry = nn.Sequential(nn.ReLU(), nn.Conv2d(c_in, maps, 1, bias=False), nn.BatchNorm2d(maps))
        self.nodes = nn.ModuleList(Sum(node, maps) for node in genotype.nodes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, L * F, h, w)."""
        states = [self.entry(x)]  # (N, F, h, w) each
        for (a, b), node in zip(self.genotype.nodes, self.nodes, strict=True):
            states.append(node(states[a.source], states[b.source]))
        return torch.cat([states[number] for number in self.genotype.loose_ends], 1)


class CellNet(nn.Module):
    """Stem, three stages of equal cells, the mean, and a linear layer.

    Args:
        genotype: the cell, as text or parsed.
        n_classes: K.
        channels: C.
        width: F of the first stage; that of the second and third is twice and four times as large.
        depth: cells of each stage.
        small_stem: 3x3 convolution of stride 1 instead of 7x7 of stride 2 and pooling.

    Raises:
        ConfigError: the text describes no cell, or a number is below 1.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        genotype: str | Genotype,
        n_classes: int,
        channels: int,
        width: int = WIDTH,
        depth: int = DEPTH,
        small_stem: bool = False,
    ) -> None:
        super().__init__()
        require(width >= 1, "width", "1 or more", width)
        require(depth >= 1, "depth", "1 or more", depth)
        cell = parse(genotype) if isinstance(genotype, str) else genotype
        if small_stem:
            self.stem = conv_norm(channels, width, 3, activation=None)
        else:
            self.stem = conv_norm(channels, width, 7, stride=2, activation=None)
            self.stem.append(nn.MaxPool2d(3, stride=2, padding=1))
        self.stages = nn.ModuleList()
        c_in = width
        for number in range(STAGES):
            maps = width * 2**number
            stage = nn.Sequential(*([nn.MaxPool2d(3, stride=2, padding=1)] if number else []))
            for _ in range(depth):
                stage.append(Cell(cell, c_in, maps))
                c_in = maps * len(cell.loose_ends)
            self.stages.append(stage)
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(c_in, n_classes)
        # fan_in, as torch counts all channels, not one, in the fan_out of a depthwise convolution
        initialise(self, "fan_in")
        start_small(self.fc)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        x = self.stem(x)  # (N, F, H, W) with the small stem, else H/4, W/4
        for stage in self.stages:
            x = stage(x)  # (N, L * F, h, w); each stage but the first halves and doubles F
        x = self.avgpool(self.relu(x)).flatten(1)  # (N, L * F)
        return self.fc(x)  # (N, K)


def cell_net_of(genotype: str, n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """The network of any cell, with the stem that fits `image_size`; `notes` says the cell and the stem.

    Raises:
        ConfigError: the text describes no cell, or a side is below 8 px.
    """
    require_size("cell_net", image_size, LEAST)
    model = CellNet(genotype, n_classes, channels, small_stem=is_small(image_size))
    model.notes = (f"cell {genotype}", *stem_notes(image_size, *RESIDUAL_STEMS))
    return model


def cell_net(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """A network stacked of the cell that architecture search found on Fashion-MNIST; `notes` says which it is."""
    return cell_net_of(FOUND, n_classes, channels, image_size)
