"""Pairs of descriptors that are close, among many, without comparing all with all.

Locality-sensitive hashing by the signs of random projections (Charikar 2002): two unit vectors at an angle t fall on
the same side of a random plane with probability 1 - t / pi. Vectors that agree in all the bits of one of many tables
are compared. At distance 0.15 a pair is missed with probability 0.003, at 0.2 with 0.03, at 0.24 with 0.08.
"""

import numpy as np
import torch
from torch import Tensor

# N, M vectors of D numbers

TABLES, BITS = 16, 24
ALL_PAIRS_UP_TO = 2_000  # vectors below which comparing all with all is quicker
BUCKET = 64  # vectors of one bucket that are compared with each other; more are compared along the order only


def close_pairs(vectors: Tensor, others: Tensor, radius: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (i, j), i != j, with |vectors[i] - others[j]| <= radius.

    Args:
        vectors, others: (N, D) unit vectors; the same tensor to search one set, where each pair comes once, i < j.
        radius: distance of unit vectors, below about 0.3.

    Returns:
        (P, 2) int64 and (P,) float32 distances, in order of i, then j.
    """
    same = vectors is others
    if len(vectors) <= ALL_PAIRS_UP_TO:
        likeness = vectors @ others.T
        near = torch.nonzero(likeness >= 1 - radius**2 / 2 - 1e-6)
        pairs = near.numpy()
    else:
        pairs = _hashed(vectors, others, seed)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]] if same else pairs[pairs[:, 0] != pairs[:, 1]]
    left, right = (torch.from_numpy(np.ascontiguousarray(pairs[:, side])) for side in (0, 1))
    distances = torch.cat(
        [(vectors[a] - others[b]).norm(dim=1) for a, b in zip(left.split(1 << 16), right.split(1 << 16), strict=True)]
        or [torch.zeros(0)]
    ).numpy()
    close = distances <= radius
    return pairs[close], distances[close]


def _hashed(vectors: Tensor, others: Tensor, seed: int) -> np.ndarray:
    """(P, 2) pairs that share a bucket of some table, each once."""
    n, d = vectors.shape
    same = vectors is others
    planes = torch.randn(d, TABLES * BITS, generator=torch.Generator().manual_seed(seed))
    keys = _keys(vectors, planes)
    joined = keys if same else np.concatenate([keys, _keys(others, planes)])
    found = [_of_table(joined[:, table], n, same) for table in range(TABLES)]
    codes = np.unique(np.concatenate(found))
    return np.stack(np.divmod(codes, max(len(others), 1)), axis=1)


def _keys(vectors: Tensor, planes: Tensor) -> np.ndarray:
    """(N, TABLES) int64: the signs of one table's projections as one number."""
    powers = torch.tensor([2**bit for bit in range(BITS)], dtype=torch.float32)  # sums below 2^24 are exact
    parts = []
    for block in vectors.split(4096):
        bits = (block @ planes > 0).float().view(len(block), TABLES, BITS)
        parts.append((bits @ powers).to(torch.int64))
    return torch.cat(parts).numpy()


def _of_table(keys: np.ndarray, n: int, same: bool) -> np.ndarray:
    """Codes i * M + j of pairs whose keys agree; rows from n on belong to the other set."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    count = len(keys) if same else len(keys) - n
    codes = []
    for step in range(1, BUCKET):
        agree = ordered[step:] == ordered[:-step]
        if not agree.any():
            break
        a, b = order[:-step][agree], order[step:][agree]
        low, high = np.minimum(a, b), np.maximum(a, b)
        if not same:
            across = (low < n) & (high >= n)
            low, high = low[across], high[across] - n
        codes.append(low * count + high)
    return np.concatenate(codes) if codes else np.empty(0, np.int64)
