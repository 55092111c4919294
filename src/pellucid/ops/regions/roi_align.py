"""RoI Align: features of boxes between places of a map. Letters: N pictures, C channels, h x w places of a map.

He et al., Mask R-CNN, 2017 (https://arxiv.org/abs/1703.06870), section 3: a box is not snapped to places; each of its
p x q bins is the mean (or the maximum) of samples at even distances in it, which are interpolated between the four
places around them. R regions, s x t samples a bin.

`roi_align` computes what torchvision's function of that name is defined to compute, and more: a gradient with respect
to the boxes, and the maximum.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from pellucid.ops import compiled
from pellucid.ops.regions.arguments import as_pair, require_regions

Mode = Literal["mean", "max"]

LEAST_CHANNELS = 32  # for a thread


def roi_align(
    features: Tensor,
    boxes_xyxy: Tensor,
    batch_index: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int = 2,
    aligned: bool = True,
    mode: Mode = "mean",
) -> Tensor:
    """(R, C, p, q) features of each box, in the dtype of the features.

    Args:
        features: (N, C, h, w).
        boxes_xyxy: (R, 4) corners in pixels; R may be 0.
        batch_index: (R,) whole numbers, the picture of each box.
        output_size: bins down and across.
        spatial_scale: places a pixel, 1 / 16 for a map of stride 16.
        sampling_ratio: samples down and across in each bin; 0 is as many as a bin has places, rounded up.
        aligned: the value of a place is that at its middle. False, as first published, moves all by half a place and
            counts boxes narrower than a place as one place wide.
        mode: the mean of the samples of a bin, as in the paper, or the largest of them.

    Samples beyond the border by more than a place are 0, nearer ones are those of the border. The gradient reaches the
    features and the boxes.

    Raises:
        DataError: the shapes do not fit together.
    """
    require_regions(features, boxes_xyxy, batch_index)
    bins = as_pair(output_size)
    dtype = torch.promote_types(features.dtype, torch.float32)
    boxes = boxes_xyxy.to(dtype) * spatial_scale - (0.5 if aligned else 0.0)
    low, side = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    if not aligned:
        side = side.clamp_min(1)
    if not len(boxes):
        sampling_ratio = 1
    if sampling_ratio > 0:
        return _pool(features, low, side, batch_index, bins, (sampling_ratio, sampling_ratio), mode)
    down = (side[:, 1].detach() / bins[0]).ceil().clamp_min(1).long()
    across = (side[:, 0].detach() / bins[1]).ceil().clamp_min(1).long()
    result = features.new_zeros(len(boxes), features.shape[1], *bins)
    counts = torch.stack([down, across], 1)
    for count in counts.unique(dim=0):
        mine = (counts == count).all(1).nonzero()[:, 0]
        samples = (int(count[0]), int(count[1]))
        pooled = _pool(features, low[mine], side[mine], batch_index[mine], bins, samples, mode)
        result = result.index_copy(0, mine, pooled)
    return result


def _pool(
    features: Tensor,
    low: Tensor,
    side: Tensor,
    batch_index: Tensor,
    bins: tuple[int, int],
    samples: tuple[int, int],
    mode: Mode,
) -> Tensor:
    """(R, C, p, q) for regions that all have s x t samples a bin."""
    C, h, w = features.shape[1:]
    (p, q), (s, t) = bins, samples
    y_place, y_share = _neighbours(low[:, 1], side[:, 1], p * s, h)  # (R, p s, 2)
    x_place, x_share = _neighbours(low[:, 0], side[:, 0], q * t, w)  # (R, q t, 2)
    R = len(low)
    base = batch_index.long() * (h * w)  # (R,)
    rows = features.permute(0, 2, 3, 1).reshape(-1, C).to(low.dtype)  # (N h w, C)
    if mode == "mean" and not low.requires_grad and compiled.compiles(rows, low):
        taps = [each.reshape(R, p, 2 * s) for each in (y_place, y_share)]
        taps += [each.reshape(R, q, 2 * t) for each in (x_place, x_share)]
        pooled = _CompiledMean.apply(rows, base, *taps, w, 1 / (s * t))
        return pooled.permute(0, 3, 1, 2).to(features.dtype)
    # every sample has four neighbours: (R, p, q, s, t, 2, 2)
    y_place, y_share = (each.view(R, p, 1, s, 1, 2, 1) for each in (y_place, y_share))
    x_place, x_share = (each.view(R, 1, q, 1, t, 1, 2) for each in (x_place, x_share))
    place = base.view(R, 1, 1, 1, 1, 1, 1) + y_place * w + x_place
    share = y_share * x_share
    bag = s * t * 4 if mode == "mean" else 4
    sums = F.embedding_bag(place.reshape(-1, bag), rows, mode="sum", per_sample_weights=share.reshape(-1, bag))
    if mode == "mean":
        pooled = sums.view(R, p, q, C) / (s * t)
    else:
        pooled = sums.view(R, p, q, s * t, C).amax(3)
    return pooled.permute(0, 3, 1, 2).to(features.dtype)


class _CompiledMean(torch.autograd.Function):
    """The mean of samples by compiled loops: (P, C) rows -> (R, p, q, C). Channels are shared out among threads."""

    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        base: Tensor,
        y_place: Tensor,
        y_share: Tensor,
        x_place: Tensor,
        x_share: Tensor,
        width: int,
        scale: float,
    ) -> Tensor:
        from pellucid.ops.regions.align_kernel import forward

        taps = (base, y_place, y_share, x_place, x_share)
        ctx.save_for_backward(*taps)
        ctx.of = (width, scale, rows.shape)
        rows = rows.detach().contiguous()
        out = rows.new_empty(len(base), y_place.shape[1], x_place.shape[1], rows.shape[1])
        _by_channels(forward, rows, taps, width, scale, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        from pellucid.ops.regions.align_kernel import backward

        width, scale, shape = ctx.of
        rows = grad.new_zeros(shape)
        channels_first = grad.permute(0, 3, 1, 2).is_contiguous()
        grad = grad.permute(0, 3, 1, 2).flatten(2) if channels_first else grad.contiguous().flatten(1, 2)
        _by_channels(partial(backward, channels_first=channels_first), grad, ctx.saved_tensors, width, scale, rows)
        return rows, *[None] * 7


def _by_channels(
    kernel: Callable[..., None], given: Tensor, taps: Sequence[Tensor], width: int, scale: float, result: Tensor
) -> None:
    """Call a kernel for parts of the channels. Every channel is summed in one order, whatever the threads."""
    numbers = given.numpy()
    arrays = [each.contiguous().numpy() for each in taps]
    C, out = result.shape[-1], result.numpy()
    parts = min(torch.get_num_threads(), max(C // LEAST_CHANNELS, 1))
    borders = [C * part // parts for part in range(parts + 1)]

    def work(begin: int, end: int) -> None:
        kernel(numbers, *arrays, width, numbers.dtype.type(scale), out, begin, end)

    compiled.in_parts(work, list(pairwise(borders)))


def _neighbours(low: Tensor, side: Tensor, n: int, size: int) -> tuple[Tensor, Tensor]:
    """The places on both sides of n samples at even distances, and how much each counts: (R, n, 2) and (R, n, 2)."""
    step = torch.arange(n, device=low.device, dtype=low.dtype) + 0.5
    at = low[:, None] + step * (side / n)[:, None]  # (R, n)
    within = (at >= -1) & (at <= size)
    at = at.clamp(0, size - 1)
    before = at.detach().floor().clamp(0, size - 1)
    after_share = at - before
    places = torch.stack([before, (before + 1).clamp_max(size - 1)], -1).nan_to_num(0).long()
    shares = torch.stack([1 - after_share, after_share], -1) * within[..., None]
    return places, shares
