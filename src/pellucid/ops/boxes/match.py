"""Which place is to learn which thing. Letters: A places (anchors, regions), M things, `...` leading sides.

The rule of Faster R-CNN (Ren et al., 2015, https://arxiv.org/abs/1506.01497, section 3.1.2), RetinaNet and SSD.
"""

import torch
from torch import Tensor

NEGATIVE, IGNORED = -1, -2
SCATTER = 2654435761  # 2^32 over the golden ratio: its multiples spread evenly


def match_by_iou(iou: Tensor, low: float, high: float, force_best: bool = False) -> Tensor:
    """The thing that each place overlaps most, if it does so enough.

    Args:
        iou: (..., A, M) in 0..1; columns of things that are none are all 0. NaN counts as 0.
        low: below this a place is negative, from here up to below `high` it is ignored.
        high: from here on a place is matched.
        force_best: places are matched, too, that no other place exceeds in overlap with some thing, all of them where
            several are equal. Each keeps the thing that it overlaps most, which may be another one. A thing that no
            place overlaps matches nothing.

    Returns:
        (..., A) int64: index of a thing, -1 negative, -2 ignored. Of equal overlaps the first thing wins.
    """
    if iou.shape[-1] == 0:
        return torch.full(iou.shape[:-1], NEGATIVE, dtype=torch.int64, device=iou.device)
    iou = iou.nan_to_num(0.0)
    overlap, best = iou.max(-1)  # (..., A)
    matched = torch.where(overlap < low, NEGATIVE, torch.where(overlap < high, IGNORED, best))
    if force_best and iou.shape[-2]:
        most = iou.amax(-2, keepdim=True)  # (..., 1, M)
        forced = ((iou == most) & (most > 0)).any(-1)
        matched = torch.where(forced, best, matched)
    return matched


def give_each_its_best(matched: Tensor, iou: Tensor) -> Tensor:
    """(..., A) as `matched`, but each thing has the place that overlaps it most, as SSD has it.

    Liu et al., SSD, 2015 (https://arxiv.org/abs/1512.02325), section 2.2. Of two things with one best place the later
    one has it. A thing that no place overlaps gets none.

    Args:
        matched: (..., A) what `match_by_iou` returned.
        iou: (..., A, M) the same.
    """
    if iou.shape[-1] == 0 or iou.shape[-2] == 0:
        return matched
    overlap, place = iou.nan_to_num(0.0).max(-2)  # (..., M)
    things = torch.arange(iou.shape[-1], device=iou.device).expand(place.shape)
    things = torch.where(overlap > 0, things, -1)
    owner = torch.full_like(matched, -1).scatter_reduce(-1, place, things, "amax")
    return torch.where(owner >= 0, owner, matched)


def sample_balanced(matched: Tensor, n: int, positive_share: float, *, at_random: bool) -> tuple[Tensor, Tensor]:
    """Some of the matched and of the negative places, at most `n` together.

    At most int(n * positive_share) are matched ones; negative ones fill up what is left.

    Args:
        matched: (..., A): index of a thing or 0 for "matched", -1 negative, -2 ignored.
        at_random: drawn from torch's global generator; else always the same ones, spread evenly over the places.

    Returns:
        (..., A) bool, (..., A) bool: the matched and the negative places that were chosen.
    """
    if at_random:
        order = torch.rand(matched.shape, device=matched.device)
    else:
        places = torch.arange(matched.shape[-1], device=matched.device)
        order = ((places * SCATTER) % 2**32).expand(matched.shape)
    sequence = order.argsort(-1)
    positive = _first(matched >= 0, sequence, int(n * positive_share))
    negative = _first(matched == NEGATIVE, sequence, n - positive.sum(-1, keepdim=True))
    return positive, negative


def _first(candidates: Tensor, sequence: Tensor, count: int | Tensor) -> Tensor:
    """(..., A) bool: the first `count` of the candidates, when places (..., A) are gone through in that sequence."""
    in_turn = candidates.gather(-1, sequence)
    chosen = in_turn & (in_turn.cumsum(-1) <= count)
    return torch.zeros_like(candidates).scatter(-1, sequence, chosen)
