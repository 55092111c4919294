"""Selective Search: boxes that may hold a thing, the likeliest first.

Uijlings et al. 2013 (https://doi.org/10.1007/s11263-013-0620-5). One way to cut and group a picture finds some things
and misses others, so several are tried, in different colour spaces, from fine and from coarse pieces, and by different
likenesses; their regions are put together. A few hundred boxes hold nearly every thing where a sliding window would
have to look at tens of thousands.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pellucid.classic.proposals.graph_segments import graph_segments
from pellucid.classic.proposals.grouping import grouped_boxes
from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.seed import numpy_generator
from pellucid.ops.colour import rgb_to_hsv, rgb_to_lab
from pellucid.ops.pictures import Pictures, as_planes

ALL, NO_COLOUR = ("colour", "texture", "size", "fill"), ("texture", "size", "fill")
SIGMA = 0.8


def _hsv(rgb: torch.Tensor) -> torch.Tensor:
    hsv: torch.Tensor = rgb_to_hsv(rgb)
    return hsv * hsv.new_tensor([255 / 360, 255.0, 255.0]).view(3, 1, 1)


def _lab(rgb: torch.Tensor) -> torch.Tensor:
    lab: torch.Tensor = rgb_to_lab(rgb)
    return lab * lab.new_tensor([2.55, 1.0, 1.0]).view(3, 1, 1) + lab.new_tensor([0.0, 128.0, 128.0]).view(3, 1, 1)


# name -> (3, H, W) floats in 0..1 to about 0..255 in each channel
SPACES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"hsv": _hsv, "lab": _lab, "rgb": lambda rgb: rgb * 255}


@dataclass(frozen=True)
class Ways:
    """Every combination of these is tried.

    Attributes:
        spaces: names in `SPACES`.
        scales: of `graph_segments`, which also leaves no piece of fewer pixels than `least`.
        alike: what decides which regions are joined, see `grouping.ALIKE`.
    """

    spaces: tuple[str, ...]
    scales: tuple[float, ...]
    alike: tuple[tuple[str, ...], ...]


WAYS: dict[str, Ways] = {
    "single": Ways(("hsv",), (100.0,), (ALL,)),
    "fast": Ways(("hsv", "lab"), (50.0, 100.0), (ALL, NO_COLOUR)),
    "quality": Ways(("hsv", "lab", "rgb"), (50.0, 100.0, 150.0, 300.0), (ALL, NO_COLOUR, ("fill",), ("size",))),
}


def selective_search(
    image: Pictures, mode: str = "fast", most: int = 0, least: int = 20, smallest: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Propose boxes for the things in a picture.

    Args:
        image: (3, H, W) uint8 or floats in 0..1; (H, W) or (1, H, W) grey.
        mode: single (one grouping), fast (eight) or quality (48).
        most: how many boxes at most; 0 gives all.
        least: pixels of the smallest pieces.
        smallest: leave out boxes with a side below this many pixels.
        seed: regions of the groupings are shuffled by it among those that were joined equally late.

    Returns:
        (R, 4) float32 x1, y1, x2, y2, each box once: regions that were joined late, and so are large, tend to the
        front, by the paper's rule: the place in its grouping from the end, times a random number.

    Raises:
        DataError: not one picture.
        ConfigError: an unknown mode, or a number out of range.
    """
    ways = choose(mode, WAYS, "mode of selective search")
    require(most >= 0, "most", "0 (all) or positive", most)
    rgb = _rgb(image)
    random = numpy_generator(seed, "selective search")
    boxes, ranks = [], []
    for space in ways.spaces:
        planes = SPACES[space](rgb)
        for scale in ways.scales:
            pieces = graph_segments(planes, scale, SIGMA, least)
            for alike in ways.alike:
                found = grouped_boxes(np.moveaxis(planes.numpy().astype(np.float64), 0, 2), pieces, alike)[::-1]
                boxes.append(found)
                ranks.append(random.random(len(found)) * np.arange(1, len(found) + 1))
    every = np.concatenate(boxes).astype(np.float32)
    ordered = every[np.argsort(np.concatenate(ranks), kind="stable")]
    ordered = ordered[(ordered[:, 2:] - ordered[:, :2]).min(1) >= smallest]
    _, first = np.unique(ordered, axis=0, return_index=True)
    kept = ordered[np.sort(first)]
    return kept[:most] if most else kept


def _rgb(image: Any) -> torch.Tensor:
    """(3, H, W) float32 in 0..1."""
    planes = as_planes(image, channels=(1, 3))
    require(len(planes.tensor) == 1, "image", "one picture", tuple(planes.tensor.shape))
    x = planes.tensor[0].cpu()
    x = x.float() / 255 if x.dtype == torch.uint8 else x.float()
    return x.expand(3, *x.shape[1:])
