"""Copies that were resized, encoded again, changed in contrast, or mirrored.

A copy is far nearer to its original than anything else is: so the distance is compared with that to the tenth nearest
picture, on both sides. In a set whose pictures all look alike, the tenth nearest is near too, and likeness is no alarm.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pellucid.data.pack import Pack
from pellucid.doctor.copies.candidates import close_pairs
from pellucid.doctor.copies.confirm import likeness
from pellucid.doctor.copies.descriptor import Whitening, describe, frequencies, mirrored
from pellucid.doctor.copies.pairs import Copy

# N pictures that are searched, D numbers of a descriptor, P pairs

RADIUS = 0.24  # of unit vectors; farther ones are no copies in any set
RATIO, RATIO_TINY = 0.2, 0.17  # distance to the copy / distance to the tenth nearest; of pictures below TINY pixels
TINY = 64
TENTH = 10
GLANCE = 2_000  # pictures that are looked at before all are
FEWEST = 12  # pictures below which there is no tenth nearest worth the name; ...
USUAL = 1.0  # ... then this distance is taken instead
LIKE = 0.85  # least correlation of the details


@dataclass(frozen=True)
class Described:
    """Some rows of a pack by their descriptors.

    Attributes:
        rows: (N,) of the pack.
        most: frequencies of the descriptors.
        plain: (N, D) before whitening.
        whiten: fitted to them.
        vectors: (N, D) whitened unit vectors.
        ratio: the largest of a distance to that of the tenth nearest which is taken for a copy.
    """

    rows: np.ndarray
    most: int
    plain: Tensor
    whiten: Whitening
    vectors: Tensor
    ratio: float = RATIO

    def typical(self, positions: np.ndarray, among: int = 0) -> np.ndarray:
        """(P,) distance of each position to its tenth nearest.

        Args:
            among: look at about so many evenly spread pictures only, for a distance that is never too small; 0 for all.
        """
        if len(self.rows) < FEWEST:
            return np.full(len(positions), USUAL)
        seen = self.vectors[:: max(1, len(self.vectors) // among)] if among else self.vectors
        blocks = torch.from_numpy(positions).split(256)
        alike = [(self.vectors[block] @ seen.T).topk(TENTH + 1, dim=1).values[:, TENTH] for block in blocks]
        return (2 - 2 * torch.cat(alike)).clamp(min=0).sqrt().numpy() if alike else np.zeros(0)


def describe_rows(pack: Pack, rows: np.ndarray) -> Described:
    """Descriptors of `rows` but flat ones, with as many frequencies as the smallest picture among them has."""
    shortest = int(pack.targets["valid_hw"][rows].min())
    most = frequencies(shortest)
    plain = describe(pack, rows, most=most)[:, 0]
    varied = plain.any(dim=1)
    rows, plain = rows[varied.numpy()], plain[varied]
    whiten = Whitening.fit(plain)
    return Described(rows, most, plain, whiten, whiten(plain), RATIO if shortest >= TINY else RATIO_TINY)


def near_copies(pack: Pack, described: Described, upside_down: bool = True) -> list[Copy]:
    """Pairs of rows (no two equal to the bit) of which one is a copy of the other; each pair once.

    Args:
        upside_down: look for copies mirrored top to bottom too, not only left to right.
    """
    best: dict[tuple[int, int], Copy] = {}
    if len(described.rows) < 2:
        return []
    for across, down in ((False, False), (True, False), (False, True))[: 3 if upside_down else 2]:
        for copy in _of_kind(pack, described, across, down):
            pair = copy.first, copy.second
            if pair not in best or copy.likeness > best[pair].likeness:
                best[pair] = copy
    return [best[pair] for pair in sorted(best)]


def _of_kind(pack: Pack, described: Described, across: bool, down: bool) -> list[Copy]:
    vectors, rows = described.vectors, described.rows
    turned = vectors
    if across or down:
        turned = described.whiten(mirrored(described.plain, described.most, upside_down=down))
    pairs, distances = close_pairs(turned, vectors, RADIUS)
    for among in (GLANCE, 0):  # few pictures rule most pairs out
        ends, which = np.unique(pairs, return_inverse=True)
        usual = described.typical(ends, among)[which.reshape(pairs.shape)].min(axis=1, initial=np.inf)
        near = distances <= described.ratio * usual
        pairs, distances = pairs[near], distances[near]
    first, second = rows[pairs[:, 0]], rows[pairs[:, 1]]
    alike = likeness(pack, first, second, across, down)
    kind = "mirrored" if across or down else "nearly equal"
    return [
        Copy(min(a, b), max(a, b), kind, value)  # type: ignore[arg-type]
        for a, b, value in zip(first.tolist(), second.tolist(), alike.tolist(), strict=True)
        if value >= LIKE
    ]
