"""Connected components: which pixels of a mask hang together.

Pixels are joined as runs, the unbroken stretches of a row: a blob of a thousand pixels is a few dozen of them, and a
thin line no more than its pixels. Runs are nodes of a graph, runs that touch in the next row its edges; nothing here
loops over pixels or runs in Python. (He, Chao and Suzuki, "A Run-Based Two-Scan Labeling Algorithm", 2008.)
"""

import numpy as np
import torch
from torch import Tensor

from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.ops.pictures import Pictures, require_array

# P planes, H x W pixels, R runs, E edges between them


def connected_components(mask: Pictures, connectivity: int = 8) -> Pictures:
    """Number the components of masks.

    Args:
        mask: (H, W) or any more axes in front, as (N, H, W), each plane a mask of its own; bool, or numbers of which
            all but 0 count.
        connectivity: 8, where pixels that touch at a corner hang together, or 4, where they must share a side.

    Returns:
        int32 of the mask's shape, container and device: 0 where the mask is empty, else the component's number in its
        plane, from 1 on, in the order in which a scan row by row meets them.

    Raises:
        DataError: no array, fewer than two axes, empty, no numbers, or NaN in it.
        ConfigError: another connectivity.
    """
    require(connectivity in (4, 8), "connectivity", "4 or 8", connectivity)
    filled = _filled(mask)
    height, width = filled.shape[-2:]
    planes = filled.reshape(-1, height, width)
    # a free column and a free row behind each plane, so that in the flat list of pixels no run touches a stranger
    padded = torch.zeros((len(planes), height + 1, width + 1), dtype=torch.bool, device=planes.device)
    padded[:, :height, :width] = planes
    starts, ends = _runs(padded.view(-1))
    root = join_runs(starts, ends, width + 1, connectivity)
    component = (torch.cumsum(root == torch.arange(len(root), device=root.device), 0) - 1)[root]
    steps = torch.zeros(padded.numel(), dtype=torch.int32, device=planes.device)
    number = _within_planes(component, starts, (height + 1) * (width + 1))
    steps[starts], steps[ends] = number, -number  # the running sum of which is the number inside each run, else 0
    labels = torch.cumsum(steps, 0, dtype=torch.int32).view(padded.shape)[:, :height, :width]
    labels = labels.reshape(filled.shape)
    return labels.numpy() if isinstance(mask, np.ndarray) else labels


def positions(mask: Tensor) -> Tensor:
    """(K,) int64 places of a flat mask (L,) that are set. NumPy's search is three times as fast as torch's."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.nonzero().view(-1)


def join_runs(starts: Tensor, ends: Tensor, stride: int, connectivity: int = 8) -> Tensor:
    """(R,) int64: the first run of each run's component.

    Args:
        starts, ends: (R,) int64, first place of a run and the one behind its last, in the flat list of pixels; rising.
        stride: places from a pixel to the one below. Rows must be parted by at least one free place.
    """
    corner = 0 if connectivity == 8 else 1
    left, right = starts - (stride - corner), ends - (stride - 1 + corner)
    # runs first .. behind - 1 are those of the row above that touch
    if starts.device.type != "cpu":
        return _hook(torch.searchsorted(ends, left), torch.searchsorted(starts, right))
    first, behind = _smaller(ends.numpy(), left.numpy()), _smaller(starts.numpy(), right.numpy())
    return torch.from_numpy(_climb(first, behind - first))


def _filled(mask: Pictures) -> Tensor:
    """The mask as a bool tensor."""
    require_array(mask, "mask")
    if mask.ndim < 2 or 0 in mask.shape:
        raise DataError(f"mask must be (H, W) or (N, H, W) with at least one pixel, got shape {tuple(mask.shape)}.")
    if isinstance(mask, np.ndarray):
        is_real, is_float = mask.dtype.kind in "biuf", mask.dtype.kind == "f"
    else:
        is_real, is_float = not mask.is_complex(), mask.is_floating_point()
    if not is_real:
        raise DataError(f"mask must be bool or real numbers, got {mask.dtype}.")
    if is_float and bool((np.isnan(mask) if isinstance(mask, np.ndarray) else mask.isnan()).any()):
        raise DataError("mask holds NaN. Compare with a threshold first, as in `x > 0.5`.")
    return torch.from_numpy(np.not_equal(mask, 0)) if isinstance(mask, np.ndarray) else mask.detach() != 0


def _runs(flat: Tensor) -> tuple[Tensor, Tensor]:
    """Starts and ends (R,) of the runs of a flat mask whose last place is free."""
    turns = positions(flat[1:] != flat[:-1]) + 1
    if bool(flat[0]):
        turns = torch.cat([turns.new_zeros(1), turns])
    return turns[0::2].contiguous(), turns[1::2].contiguous()


def _within_planes(component: Tensor, starts: Tensor, area: int) -> Tensor:
    """Numbers (R,) int32 from 1 on in each plane: components of a plane follow each other."""
    if len(component) == 0:
        return component.to(torch.int32)
    plane = starts // area  # (R,)
    is_first = torch.ones_like(plane, dtype=torch.bool)
    is_first[1:] = plane[1:] != plane[:-1]  # runs that open a plane, and with it a component
    before = component[is_first][torch.cumsum(is_first, 0) - 1]
    return (component - before + 1).to(torch.int32)


def _smaller(rising: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """How many of `rising` are smaller than each of `asked`, which rises too: a merge, half the time of a search."""
    order = np.argsort(np.concatenate([asked, rising]), kind="stable")  # which merges what is sorted already
    return np.flatnonzero(order < len(asked)) - np.arange(len(asked))


def _climb(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """(R,): the first run of each run's component, on the processor; `count` touch each from above, `first` and on.

    Each run points to the first that touches, which makes trees, and almost all the graph is in them. Where more than
    one touches, trees are joined as in `_hook`.
    """
    root = _jump(np.where(count > 0, first, np.arange(len(first))))
    b = np.flatnonzero(count > 1)
    others = count[b] - 1
    a = np.arange(others.sum()) + np.repeat(first[b] + 1 - np.cumsum(others) + others, others)
    b = np.repeat(b, others)
    while True:
        a, b = root[a], root[b]
        is_apart = a != b
        if not is_apart.any():
            return root
        a, b = a[is_apart], b[is_apart]
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        root = _jump(root)


def _jump(parent: np.ndarray) -> np.ndarray:
    """Where pointers lead in the end."""
    while not np.array_equal(jumped := parent[parent], parent):
        parent = jumped
    return parent


def _hook(first: Tensor, behind: Tensor) -> Tensor:
    """The same on any device: hook the larger root to the smaller, jump pointers to the roots, until all agree.

    Shiloach and Vishkin, "An O(log n) parallel connectivity algorithm", 1982.
    """
    degree = (behind - first).clamp_(min=0)  # (R,)
    a = torch.arange(len(degree), device=first.device).repeat_interleave(degree)  # (E,)
    b = torch.arange(len(a), device=first.device) + (first - torch.cumsum(degree, 0) + degree)[a]
    parent = torch.arange(len(degree), device=first.device)
    while len(a):
        a, b = torch.minimum(a, b), torch.maximum(a, b)
        parent.scatter_reduce_(0, b, a, "amin")  # a < b: roots only ever hook to smaller ones
        while not torch.equal(jumped := parent[parent], parent):
            parent = jumped
        a, b = parent[a], parent[b]
        apart = a != b
        a, b = a[apart], b[apart]
    return parent
