"""How well predicted outlines follow the true ones, and where pixels are wrong: near a border or inside.

Letters: N pictures, H and W pixels, K classes. Borders are those of `pellucid.ops.edges.class_border`: none is known
where a class meets ignored pixels, so that masks whose every outline is ignored (a band of 255 around each thing, as in
Pascal VOC) have none to be measured on. Counts of pictures come first, numbers from the counts of all of them. A number
that nothing was measured for is NaN, and averages skip it.
"""

import itertools
import math

import torch
from torch import Tensor

from pellucid.core.config import require
from pellucid.core.shapes import require_shape
from pellucid.ops.edges.class_border import class_border

TOLERANCE = 0.0075  # of the diagonal, as in Csurka et al.
BAND = 2.0  # pixels from a border that are near it


def usual_tolerance(height: int, width: int) -> float:
    """0.75 % of the diagonal, in pixels, and never below 1: outlines lie between pixels."""
    return max(1.0, TOLERANCE * math.hypot(height, width))


def boundary_counts(
    predictions: Tensor, masks: Tensor, n_classes: int, ignore_index: int = 255, tolerance: float | None = None
) -> Tensor:
    """Count the pixels on outlines of each picture and class, and those that have their like near.

    Args:
        predictions: (N, H, W) whole numbers in 0..K-1. What they say at ignored pixels does not matter.
        masks: (N, H, W) whole numbers in 0..K-1, or `ignore_index`.
        n_classes: K.
        ignore_index: value of the pixels that do not count.
        tolerance: how far the other outline may be, in pixels, from centre to centre; None is `usual_tolerance`.

    Returns:
        (N, K, 4) int64: pixels on true outlines; those of them that have a predicted outline of their class near;
        pixels on predicted outlines; those of them that have a true one near.

    Raises:
        DataError: the shapes differ.
        ConfigError: the tolerance is negative.
    """
    require_shape(masks, "N H W", "masks")
    n, height, width = masks.shape
    require_shape(predictions, "N H W", "predictions", N=n, H=height, W=width)
    tolerance = usual_tolerance(height, width) if tolerance is None else tolerance
    require(tolerance >= 0, "tolerance", "0 or positive", tolerance)
    ignored = masks == ignore_index
    small, none = (torch.uint8, 255) if n_classes < 254 else (torch.int16, 32767)  # bytes are compared fastest
    true, called = (each.masked_fill(ignored, none).to(small) for each in (masks, predictions))
    true, called = (each.masked_fill(~class_border(each, none), none) for each in (true, called))  # outlines alone
    found, right = torch.zeros_like(ignored), torch.zeros_like(ignored)
    for down, across in _disc(tolerance, height, width):
        here = _window(down, across, height, width)
        there = _window(-down, -across, height, width)
        alike = true[here] == called[there]
        found[here] |= alike
        right[there] |= alike
    columns = [_by_class(each, n_classes) for each in (true, true.masked_fill(~found, none))]
    columns += [_by_class(each, n_classes) for each in (called, called.masked_fill(~right, none))]
    return torch.stack(columns, dim=2)


def _disc(radius: float, height: int, width: int) -> list[tuple[int, int]]:
    """Steps (down, across) no longer than the radius, as far as pictures of this size have room for them."""
    tall, wide = min(math.floor(radius), height - 1), min(math.floor(radius), width - 1)
    steps = itertools.product(range(-tall, tall + 1), range(-wide, wide + 1))
    return [(down, across) for down, across in steps if down**2 + across**2 <= radius**2]


def _window(down: int, across: int, height: int, width: int) -> tuple[slice, slice, slice]:
    """The pixels that have another one that many rows below and columns to the right of them."""
    rows = slice(max(0, -down), height - max(0, down))
    return slice(None), rows, slice(max(0, -across), width - max(0, across))


def _by_class(labels: Tensor, n_classes: int) -> Tensor:
    """(N, K): how often each picture has each class; what is no class is left out."""
    kept = labels < n_classes
    picture = torch.arange(len(labels), device=labels.device).view(-1, 1, 1).expand(labels.shape)[kept]
    cell = picture * n_classes + labels[kept]
    return torch.bincount(cell, minlength=len(labels) * n_classes).view(len(labels), n_classes)


def boundary_f1(counts: Tensor) -> Tensor:
    """F1 of precision and recall of the outlines of each class, averaged over the pictures that have any (BF score).

    Csurka, Larlus and Perronnin, "What is a good evaluation measure for semantic segmentation?", BMVC 2013, section 3.

    Args:
        counts: (N, K, 4), as `boundary_counts` gives them.

    Returns:
        (K,) float64; NaN for a class that has no outline anywhere. In a picture that has a true outline of a class and
        no predicted one, or the other way round, it is 0.
    """
    require_shape(counts, "N K C", "counts", C=4)
    true, found, called, right = counts.double().unbind(2)  # (N, K)
    precision, recall = right / called.clamp_min(1), found / true.clamp_min(1)
    both = precision + recall
    each = 2 * precision * recall / both.where(both > 0, 1)
    return each.masked_fill((true + called) == 0, math.nan).nanmean(0)


def mean_boundary_f1(counts: Tensor) -> float:
    """Mean of `boundary_f1` over the classes that have outlines."""
    return float(boundary_f1(counts).nanmean())


def border_errors(predictions: Tensor, masks: Tensor, ignore_index: int = 255, band: float = BAND) -> Tensor:
    """Count right and wrong pixels near true borders and away from them.

    Args:
        predictions, masks: as for `boundary_counts`.
        band: distance in pixels up to which a pixel is near, where one on a border is at 0.

    Returns:
        (N, 2, 2) int64: rows near and away, columns all that count and those that are wrong.

    Raises:
        DataError: the shapes differ.
    """
    require_shape(masks, "N H W", "masks")
    n, height, width = masks.shape
    require_shape(predictions, "N H W", "predictions", N=n, H=height, W=width)
    counted = masks != ignore_index
    border = class_border(masks, ignore_index)
    near = torch.zeros_like(border)
    for down, across in _disc(band, height, width):
        near[_window(down, across, height, width)] |= border[_window(-down, -across, height, width)]
    wrong = (predictions != masks) & counted
    cells = [each.flatten(1).sum(1) for each in (counted & near, wrong & near, counted & ~near, wrong & ~near)]
    return torch.stack(cells, dim=1).view(n, 2, 2)


def trimap_accuracy(errors: Tensor) -> float:
    """Share of right pixels among those near a true border (Kohli, Ladicky and Torr 2009, who vary the band's width).

    Args:
        errors: (..., 2, 2) as `border_errors` counts them.
    """
    near = errors.reshape(-1, 2, 2)[:, 0].sum(0).double()
    return float(1 - near[1] / near[0])
