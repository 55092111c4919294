"""Copies that were cut from another picture of the set, at the same aspect ratio.

Each picture is compared with windows of all others; where one fits best, the window is moved and scaled until the
details agree as well as they can. Of a true part they agree everywhere, and so do its colours.
"""

from itertools import product

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.data.pack import Pack
from pellucid.doctor.copies.confirm import SIDE, correlation, details, even, same_colours, small
from pellucid.doctor.copies.descriptor import Whitening, describe
from pellucid.doctor.copies.pairs import Copy

# N pictures, W windows, D numbers of a descriptor, P pairs

Window = tuple[float, float, float]  # top, left and side, as shares of the picture's sides

SMALLEST = 48  # pixels of the shorter side; the details of smaller pictures do not tell
MOST = 3_000  # pictures; the work grows with their square
SIDES = (0.95, 0.88, 0.81, 0.74, 0.68)  # of windows
STEP = 0.07  # between windows, of the picture
FREQUENCIES = 7  # few, since no window fits exactly
CANDIDATE = 0.7  # least likeness of descriptors
PROMISING = 0.5  # least correlation of the details after the first moves
LIKE, EVENLY = 0.9, 0.88  # least correlations of the details in the window that fits best: as they are, and evened out
THUMB = 48  # pixels a side that windows are cut from
MOVES, STEPS = (0.03, 0.015, 0.0075, 0.004), 3  # of windows: how far, and how often each
BLOCK = 128  # pairs that are registered at a time


def windows() -> list[Window]:
    """Evenly spread windows of every side."""
    found = []
    for side in SIDES:
        places = np.linspace(0, 1 - side, max(2, round((1 - side) / STEP) + 1))
        found += [(float(top), float(left), side) for top in places for left in places]
    return found


def find_parts(pack: Pack, rows: np.ndarray, known: set[tuple[int, int]]) -> list[Copy]:
    """Pairs of which the second is a part of the first, the best for each second picture.

    Args:
        rows: (N,) of the pack, no two equal.
        known: pairs (lower row, higher row) that are copies in another way.
    """
    whole, part, likeness, window = candidates(pack, rows)
    chosen = [
        i
        for i in np.flatnonzero(likeness >= CANDIDATE).tolist()
        if (min(rows[whole[i]], rows[part[i]]), max(rows[whole[i]], rows[part[i]])) not in known
    ]
    found: dict[tuple[int, int], Copy] = {}
    for start in range(0, len(chosen), BLOCK):
        some = chosen[start : start + BLOCK]
        fits, evenly, places = register(pack, rows[whole[some]], rows[part[some]], window[some])
        alike = np.flatnonzero((fits >= LIKE) & (evenly >= EVENLY))
        fitting = np.array(some)[alike]
        same = same_colours(pack, rows[whole[fitting]], rows[part[fitting]], places[alike])
        for i, fit in zip(fitting[same].tolist(), fits[alike][same].tolist(), strict=True):
            one, other = int(rows[whole[i]]), int(rows[part[i]])
            pair = min(one, other), max(one, other)  # of a large part, either may seem to be cut from the other
            if pair not in found or fit > found[pair].likeness:
                found[pair] = Copy(one, other, "part", fit)
    return [found[pair] for pair in sorted(found)]


def candidates(pack: Pack, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For each picture the window of another that looks most like it.

    Returns:
        (N,) position of the other, (N,) of the picture, (N,) likeness of their descriptors, (N, 3) the window.
    """
    places = windows()
    plain = describe(pack, rows, most=FREQUENCIES)[:, 0]
    whiten = Whitening.fit(plain)
    wholes = whiten(plain)  # (N, D)
    n = len(rows)
    best, holder, which = torch.full((n,), -1.0), torch.zeros(n, dtype=torch.int64), torch.zeros(n, dtype=torch.int64)
    for start in range(0, n, 64):
        cut = whiten(describe(pack, rows[start : start + 64], places, FREQUENCIES))  # (64, W, D)
        alike = cut.flatten(0, 1) @ wholes.T  # (64 W, N)
        alike = alike.view(len(cut), len(places), n)
        for i in range(len(cut)):
            alike[i, :, start + i] = -1  # a picture is no part of itself
        value, place = alike.flatten(0, 1).max(dim=0)
        better = value > best
        best = torch.where(better, value, best)
        holder = torch.where(better, start + place // len(places), holder)
        which = torch.where(better, place % len(places), which)
    return holder.numpy(), np.arange(n), best.numpy(), np.array(places)[which.numpy()]


def register(
    pack: Pack, whole: np.ndarray, part: np.ndarray, window: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Move and scale windows of `whole` until they agree best with `part`.

    Returns:
        (P,) correlation of the details, (P,) of the details evened out, (P, 3) the window that has it.
    """
    pictures, parts = small(pack, whole, THUMB), small(pack, part)
    place = torch.from_numpy(window).float()
    fit = correlation(details(cut(pictures, place)), details(parts))
    going_on = torch.arange(len(place))
    for move in MOVES:
        place[going_on], fit[going_on] = _moved(pictures[going_on], parts[going_on], place[going_on], move)
        going_on = torch.nonzero(fit >= PROMISING)[:, 0]
        if not len(going_on):
            break
    return fit.numpy(), correlation(even(cut(pictures, place)), even(parts)).numpy(), place.numpy()


def _moved(pictures: Tensor, parts: Tensor, place: Tensor, move: float) -> tuple[Tensor, Tensor]:
    """The best windows (P, 3) that steps of one size lead to, and their correlations (P,)."""
    wanted = details(parts)
    fit = correlation(details(cut(pictures, place)), wanted)
    for _ in range(STEPS):
        tried = [
            place,
            *(place + move * torch.tensor(step) for step in product((-1.0, 0.0, 1.0), repeat=3) if any(step)),
        ]
        fits = torch.stack([fit, *(correlation(details(cut(pictures, each)), wanted) for each in tried[1:])])
        best, chosen = fits.max(dim=0)
        place = torch.stack(tried)[chosen, torch.arange(len(place))]
        if not (best > fit).any():
            break
        fit = best
    return place, fit


def cut(pictures: Tensor, window: Tensor) -> Tensor:
    """(P, SIDE, SIDE): a window (P, 3) of each picture (P, h, w)."""
    top, left, side = window.T
    zero = torch.zeros_like(side)
    theta = torch.stack(
        [torch.stack([side, zero, 2 * left + side - 1], 1), torch.stack([zero, side, 2 * top + side - 1], 1)], 1
    )
    grid = F.affine_grid(theta, [len(pictures), 1, SIDE, SIDE], align_corners=False)
    return F.grid_sample(pictures[:, None], grid, padding_mode="border", align_corners=False)[:, 0]
