"""Masks of single things: many, small, and for the most part of places that hold none. Only those of things are moved.

Letters: N pictures, M places for things, K of the N M places that hold one.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from pellucid.data.transforms.batch import Batch
from pellucid.data.transforms.geometry.windows import mask_windows

Move = Callable[[Tensor, Tensor, Tensor], Tensor]


def move_things(batch: Batch, size: tuple[int, int], move: Move) -> Tensor:
    """(N, M, h, w) bool from `instance_mask` (N, M, H, W); nothing in places that hold no thing.

    Args:
        size: h, w.
        move: `(masks (N M, H, W), places (K,), rows (K,)) -> (K, h, w)`: of those places, which belong to the pictures
            `rows`; both are on the CPU.
    """
    masks = batch["instance_mask"]
    n, m = masks.shape[:2]
    there = batch["box_label"] >= 0 if "box_label" in batch else torch.ones(n, m, dtype=torch.bool)
    places = there.flatten().nonzero()[:, 0].cpu()
    out = masks.new_zeros((n * m, *size))
    if len(places):
        out[places.to(out.device)] = move(masks.flatten(0, 1), places, places // m)
    return out.unflatten(0, (n, m))


def thing_windows(batch: Batch, top: Tensor, left: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, M, h, w): one window for all masks of a picture, which begins at `top`, `left` (N,)."""

    def move(masks: Tensor, places: Tensor, rows: Tensor) -> Tensor:
        return mask_windows(masks, places, top[rows], left[rows], size)

    return move_things(batch, size, move)
