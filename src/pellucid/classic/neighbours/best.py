"""The k nearest that have been seen so far, for many queries at once; they get better block by block."""

import torch
from torch import Tensor

# N queries, k places each, H candidates of any of them

NOT_YET = -1  # index of a place that is not taken


class Best:
    """For each query the k nearest in order; of equally near ones, the lower index comes first.

    Attributes:
        ranks: (N, k) what is compared: distances, or something that grows with them. Places not taken hold the largest
            number of the type.
        indices: (N, k) int64.
    """

    def __init__(self, n: int, k: int, dtype: torch.dtype, device: torch.device) -> None:
        self.far = float("inf") if dtype.is_floating_point else torch.iinfo(dtype).max
        self.ranks = torch.full((n, k), self.far, dtype=dtype, device=device)
        self.indices = torch.full((n, k), NOT_YET, dtype=torch.int64, device=device)

    def worst(self, queries: slice) -> Tensor:
        """(q,) what a newcomer has to be below."""
        return self.ranks[queries, -1]

    def offer(self, queries: slice, rows: Tensor, indices: Tensor, ranks: Tensor) -> None:
        """Take in candidates whose indices are above all that came before.

        Args:
            queries: the block of queries they are for.
            rows: (H,) the query within the block, ascending.
            indices: (H,) in memory; ascending within a query.
            ranks: (H,) of the type of `ranks`.
        """
        if not len(rows):
            return
        held, k = self.ranks[queries], self.ranks.shape[1]
        order = torch.argsort(ranks, stable=True)
        order = order[torch.argsort(rows[order], stable=True)]  # by query, then rank, then index
        rows, ranks, indices = rows[order], ranks[order], indices[order]
        counts = torch.bincount(rows, minlength=len(held))
        place = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
        fits = place < k
        rows, place = rows[fits], place[fits]
        width = int(place.max()) + 1
        new_ranks = held.new_full((len(held), width), self.far)
        new_indices = torch.full_like(new_ranks, NOT_YET, dtype=torch.int64)
        new_ranks[rows, place], new_indices[rows, place] = ranks[fits], indices[fits]
        both, numbers = torch.cat([held, new_ranks], 1), torch.cat([self.indices[queries], new_indices], 1)
        both, order = torch.sort(both, dim=1, stable=True)  # stable: of equals, those that were there stay ahead
        self.ranks[queries] = both[:, :k]
        self.indices[queries] = numbers.gather(1, order[:, :k])
