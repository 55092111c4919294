"""L1 by integer products: numbers become thermometers, whose squared Euclidean distances are never above L1.

The range of a number is cut into bins. A number fills the bins below it wholly and its own bin in part; of a pair
a, b the parts x, y of one bin of width w differ in the same direction as a and b, so |a - b| is the sum of all |x - y|.
And |x - y| >= (x - y)² / w, for neither exceeds w: over all bins and numbers, the squared Euclidean distance of
the vectors x / sqrt(w). They are equal where bins are full or empty, so more bins bring it nearer to L1; and 8 times as
many numbers are multiplied much faster than differences are taken one by one.
"""

import math

import torch
from torch import Tensor

from pellucid.classic.neighbours.products import FLOAT_LENGTH, INT32_LENGTH
from pellucid.classic.neighbours.screens import SIDE, Integers, Part, float_sums, in_pieces, wide_enough

# n rows of D numbers, T bins each; H pairs to look at

FULL = 127  # the code of the widest bin when it is full
CELLS = 64  # quantiles of each number, by which the bins are laid
SAMPLE = 512  # rows of memory of which they are taken
BINS = (8, 16, 32)  # what is tried, in this order
# The part of the pairs that may be left to be looked at exactly, before more bins or none are the quicker: of bytes,
# and of floats, which are compared in float64.
WORTH = {8: (0.15, 0.06), 16: (0.3, 0.12), 32: (0.5, 0.3)}


class Thermometer(Integers):
    """L1, by thermometers of integers.

    Codes are the vectors above times `scale`, rounded; by the triangle inequality the distance of the codes exceeds
    scale * sqrt(L1) by no more than the lengths e and E of what rounding moved the two.
    """

    rank = torch.float64
    one_sided = True

    def __init__(self, memory: Tensor, queries: Tensor, bins: int) -> None:
        super().__init__(bins * memory.shape[1])
        self.whole = memory.dtype == queries.dtype == torch.uint8
        self.width = bins
        self.worth = WORTH[bins][0 if self.whole else 1]
        self.dtype = wide_enough(memory, queries)
        edges = _edges(memory, bins).to(self.dtype)  # (T + 1, D)
        self.low, self.high = edges[:-1], edges[1:]
        widths = self.high.to(torch.float64) - self.low.to(torch.float64)
        widest = float(widths.max())
        usable = 1e-30 < widest < 1e30  # else all codes are 0 and say nothing
        full = (FULL * (widths / (widest if usable else math.inf)).clamp(min=0).sqrt()).floor_()
        self.slope = torch.where(full > 0, full / widths, 0.0).to(self.dtype)
        squared = float(torch.where(full > 0, full.square() / widths, 0.0).max())
        # A code differs by at most sqrt(|x - y|) times this; above 0, for its product with an infinite rank is needed.
        self.scale = math.sqrt(squared) * (1 + 1e-6) + 1e-30

    def memory(self, rows: Tensor) -> Part:
        codes, squares, moved = self._coded(rows, SIDE)
        halves = torch.div(squares, 2, rounding_mode="floor")
        halves[len(rows) :] = self.far
        return Part(rows, codes, halves.to(torch.int32 if codes.shape[1] <= INT32_LENGTH else torch.int64), moved)

    def queries(self, rows: Tensor) -> Part:
        return Part(rows, *self._coded(rows, 1))

    def bound(self, queries: Part, memory: Part, worst: Tensor) -> Tensor:
        radius = (worst.sqrt() * self.scale + queries.error + memory.error.max()) * (1 + 1e-9)
        lowest = (queries.squares - radius.square()) / 2 - 1  # 1: halves were rounded down
        return lowest.floor_().clamp_(min=-self.far // 2).to(memory.squares.dtype)

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        """Codes say how far rows are at least, never at most."""
        return torch.full_like(queries.error, math.inf)

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor, scores: Tensor) -> Tensor:
        if self.whole:
            return in_pieces(_byte_sums, queries, memory, rows, columns, 2**18).to(torch.float64)
        return in_pieces(float_sums, queries, memory, rows, columns)

    def distances(self, ranks: Tensor) -> Tensor:
        return ranks

    def _coded(self, rows: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """int8 codes (n', T * D padded), their squared lengths and how far rounding moved them, (n',) each."""
        length = self.low.numel()
        n = len(rows) + -len(rows) % side
        codes = torch.zeros(n, length + -length % 8, dtype=torch.int8, device=rows.device)
        squares, moved = (torch.zeros(n, dtype=torch.float64, device=rows.device) for _ in range(2))
        sums = torch.float32 if rows.shape[1] <= FLOAT_LENGTH else torch.float64  # exact
        for start in range(0, len(rows), 256):
            some = slice(start, min(start + 256, len(rows)))
            numbers = rows[some].to(self.dtype)
            for bin_, (low, high, slope) in enumerate(zip(self.low, self.high, self.slope, strict=True)):
                exact = numbers.clamp(low, high).sub_(low).mul_(slope)
                code = exact.round()
                codes[some, bin_ * rows.shape[1] : (bin_ + 1) * rows.shape[1]] = code
                moved[some] += exact.sub_(code).square_().sum(dim=1)
                squares[some] += code.to(sums).square_().sum(dim=1)
        # what the computation itself rounds: a few last places of FULL in each code, and of the sum of squares
        last = torch.finfo(self.dtype).eps
        moved.mul_(1 + 2 * (rows.shape[1] + 8) * last).sqrt_().add_(8 * FULL * last * math.sqrt(length))
        return codes, squares.to(torch.int64), moved


def _edges(memory: Tensor, bins: int) -> Tensor:
    """(T + 1, D) float64, ascending; the bins lie as densely as the root of the density of the numbers.

    With p(v) of the numbers near v in bins of width w(v), what the bound loses is in proportion to the integral of p w;
    for a given number of bins, the integral of 1 / w, that is least for w in proportion to 1 / sqrt(p).
    """
    some = memory[:: math.ceil(len(memory) / SAMPLE)].sort(dim=0).values
    inner = some[torch.linspace(0, len(some) - 1, CELLS + 1, device=some.device).long()[1:-1]].to(torch.float64)
    ends = [end.to(torch.float64)[None] for end in (memory.amin(dim=0), memory.amax(dim=0))]
    values = torch.cat([ends[0], inner, ends[1]]).T.contiguous()  # (D, CELLS + 1): as many numbers between each two
    widths = values.diff(dim=1)
    steps = torch.nn.functional.pad(widths.sqrt().cumsum(dim=1), (1, 0))
    wanted = steps[:, -1:] * torch.linspace(0, 1, bins + 1, dtype=torch.float64, device=memory.device)
    cell = (torch.searchsorted(steps, wanted, right=True) - 1).clamp_(0, CELLS - 1)
    share = (wanted - steps.gather(1, cell)) / widths.gather(1, cell).sqrt()
    edges = values.gather(1, cell) + torch.nan_to_num(share, 0, 0, 0).clamp_(0, 1) * widths.gather(1, cell)
    return edges.cummax(dim=1).values.T.contiguous()


def _byte_sums(a: Tensor, b: Tensor) -> Tensor:
    """Of bytes: the larger minus the smaller never leaves 8 bits."""
    return torch.maximum(a, b).sub_(torch.minimum(a, b)).sum(dim=1, dtype=torch.int32)
