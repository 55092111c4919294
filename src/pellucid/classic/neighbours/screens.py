"""The ways to look over a block of memory and name those that can be among the nearest.

A screen gives every pair a score, quickly; the higher, the nearer. It also says, for the distance of the k-th nearest
found so far, below which score nothing can be nearer: for certain, whatever was rounded. Those that are left get
their exact rank. So the result is that of exact distances, and most of the work is one matrix product.

Squared distances are |a|² + |b|² - 2ab. Of it, ab - |b|²/2 is what differs between the rows b of memory: the score.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from pellucid.classic.neighbours.products import FLOAT_LENGTH, INT32_LENGTH, products

# q queries, m rows of memory, D numbers each; H pairs to look at

SIDE = 64  # rows of memory are padded to a multiple of it, so that they fall into groups
LEVELS = 127  # floats are coded as integers from -LEVELS to LEVELS


@dataclass(frozen=True)
class Part:
    """Some rows, prepared for a screen. Each has its own reading of the fields.

    Attributes:
        rows: (n, D) as they were given.
        codes: (n', D') what is multiplied; for memory, padded with rows that are never near.
        squares: (n',) what belongs to |a|² or |b|².
        error: (n',) how far the codes can be from the rows.
    """

    rows: Tensor
    codes: Tensor
    squares: Tensor
    error: Tensor

    def __getitem__(self, some: slice) -> "Part":
        return Part(self.rows[some], self.codes[some], self.squares[some], self.error[some])


class Screen(Protocol):
    """What `search` asks for. Ranks grow with distances: they are what is compared in the end."""

    rank: torch.dtype
    width: int  # bytes that a number of memory takes while it is prepared, in quarters of the block
    one_sided: bool  # a score says how far a row is at least, not at most: `reach` is always infinite
    worth: float  # the search is given up when it leaves more than this part of the pairs to be looked at exactly

    def memory(self, rows: Tensor) -> Part: ...
    def queries(self, rows: Tensor) -> Part: ...

    def scores(self, queries: Part, memory: Part) -> Tensor:
        """(q, m'), lower than `bound` ever is for the padding."""

    def bound(self, queries: Part, memory: Part, worst: Tensor) -> Tensor:
        """(q,) scores below it belong to ranks of `worst` or more."""

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        """(q,) a rank that is above the rank of every row with this score or more."""

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor, scores: Tensor) -> Tensor:
        """(H,) of the pairs of queries[rows] and memory[columns], which have these scores: exact."""

    def distances(self, ranks: Tensor) -> Tensor:
        """What the ranks stand for, float64."""


class Integers:
    """Euclidean, for uint8: pixels minus 128 are 8-bit integers, and everything is exact."""

    rank: torch.dtype = torch.int64
    one_sided = False
    width = 1
    worth: float = 1.0

    def __init__(self, length: int) -> None:
        self.buffer = torch.empty(0, dtype=torch.int32)
        self.far = 3 * 2**14 * length  # |ab| <= 2^14 D, |b|²/2 half of that: no score is below -far / 2

    def memory(self, rows: Tensor) -> Part:
        codes = _padded(_centred(rows), SIDE)
        squares = _squares(codes)
        halves = torch.div(squares, 2, rounding_mode="floor")
        halves[len(rows) :] = self.far
        dtype = torch.int32 if codes.shape[1] <= INT32_LENGTH else torch.int64
        return Part(rows, codes, halves.to(dtype), squares % 2)  # the half unit that was lost

    def queries(self, rows: Tensor) -> Part:
        codes = _padded(_centred(rows), 1)
        squares = _squares(codes)
        return Part(rows, codes, squares, squares)

    def scores(self, queries: Part, memory: Part) -> Tensor:
        self.buffer = _room(self.buffer, queries, memory, torch.int32)
        return products(queries.codes, memory.codes, self.buffer).sub_(memory.squares)  # half a unit too high at most

    def bound(self, queries: Part, memory: Part, worst: Tensor) -> Tensor:
        lowest = -torch.div(worst - 1 - queries.squares, 2, rounding_mode="floor")
        return lowest.clamp_(min=-self.far // 2).to(memory.squares.dtype)

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        return queries.squares - 2 * score.to(torch.int64) + 2

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor, scores: Tensor) -> Tensor:
        return queries.squares[rows] + memory.error[columns] - 2 * scores

    def distances(self, ranks: Tensor) -> Tensor:
        return ranks.to(torch.float64).sqrt_()


class Floats:
    """Euclidean, for floating point: products in float32, with the largest error that its rounding can make."""

    rank = torch.float64
    one_sided = False
    width = 4
    worth = 1.0

    def __init__(self, memory: Tensor, queries: Tensor) -> None:
        self.frame = Frame(memory, queries, 1.0)
        self.buffer = torch.empty(0)

    def memory(self, rows: Tensor) -> Part:
        exact, moved = self._framed(rows)
        codes = _padded(exact, SIDE)
        squares = _squares(codes)
        halves = (squares / 2).to(torch.float32)
        halves[len(rows) :] = math.inf
        return Part(rows, codes, halves, torch.stack([squares.sqrt(), _longer(moved, codes)], dim=1))

    def queries(self, rows: Tensor) -> Part:
        exact, moved = self._framed(rows)
        codes = _padded(exact, 1)
        squares = _squares(codes)
        return Part(rows, codes, squares, torch.stack([squares.sqrt(), moved], dim=1))

    def scores(self, queries: Part, memory: Part) -> Tensor:
        self.buffer = _room(self.buffer, queries, memory, torch.float32)
        return _product(queries.codes, memory.codes, self.buffer).sub_(memory.squares)

    def bound(self, queries: Part, memory: Part, worst: Tensor) -> Tensor:
        moved, rounding = self._errors(queries, memory)
        radius = worst.sqrt() / self.frame.unit + moved
        return _below((queries.squares - radius.square()) / 2 - rounding, torch.float32)

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        moved, rounding = self._errors(queries, memory)
        squares = (queries.squares - 2 * (score.to(torch.float64) - rounding)).clamp_(min=0)
        return ((squares.sqrt() + moved) * self.frame.unit).square_() * (1 + 1e-9)

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor, scores: Tensor) -> Tensor:
        return in_pieces(_float_squares, queries, memory, rows, columns)

    def distances(self, ranks: Tensor) -> Tensor:
        return ranks.sqrt()

    def _framed(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """In the frame, in float32; and by how much that moved each row."""
        pieces = []
        for exact, moved in self.frame.pieces(rows):
            codes = exact.to(torch.float32)
            pieces.append((codes, moved if codes is exact else moved + _norms(exact - codes)))
        return torch.cat([codes for codes, _ in pieces]), torch.cat([moved for _, moved in pieces])

    def _errors(self, queries: Part, memory: Part) -> tuple[Tensor, Tensor]:
        """(q,) how far the two ends were moved, at most; and how wrong a score is then, at most.

        An inner product of D terms summed in any order is wrong by at most D u / (1 - D u) times |a| |b|.
        """
        longest, moved = memory.error.amax(dim=0)
        growth = min((queries.codes.shape[1] + 8) * _unit(queries.codes.device), 0.5)
        rounding = growth / (1 - growth) * longest * (queries.error[:, 0] + longest) + 1e-30
        return queries.error[:, 1] + moved, rounding


class Codes(Integers):
    """Euclidean, for floating point, by integers: numbers are rounded to 255 levels.

    Rounding moves a by |a - a'|, known to be at most e, and b by at most E. By the triangle inequality the distance of
    the rounded ones differs from the true one by at most e + E.
    """

    rank = torch.float64
    width = 2
    worth = 0.01  # rounding pays while it leaves at most this part of the pairs to be looked at exactly

    def __init__(self, memory: Tensor, queries: Tensor) -> None:
        super().__init__(memory.shape[1])
        self.frame = Frame(memory, queries, LEVELS)

    def memory(self, rows: Tensor) -> Part:
        codes, moved = self._coded(rows)
        part = super().memory(codes)
        return Part(rows, part.codes, part.squares, _longer(moved, part.codes))

    def queries(self, rows: Tensor) -> Part:
        codes, moved = self._coded(rows)
        part = super().queries(codes)
        return Part(rows, part.codes, part.squares, moved)

    def bound(self, queries: Part, memory: Part, worst: Tensor) -> Tensor:
        radius = worst.sqrt() / self.frame.unit + queries.error + memory.error.max()
        lowest = (queries.squares - radius.square()) / 2 - 1  # 1: halves were rounded down
        return lowest.floor_().clamp_(min=-self.far // 2).to(memory.squares.dtype)

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        squares = super().reach(queries, memory, score).to(torch.float64)
        return ((squares.sqrt() + queries.error + memory.error.max()) * self.frame.unit).square_() * (1 + 1e-9)

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor, scores: Tensor) -> Tensor:
        return in_pieces(_float_squares, queries, memory, rows, columns)

    def distances(self, ranks: Tensor) -> Tensor:
        return ranks.sqrt()

    def _coded(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 codes, 128 standing for the centre, and how far from its row each can be, in units of a code."""
        pieces = []
        for exact, moved in self.frame.pieces(rows):
            codes = exact.round().clamp_(-LEVELS, LEVELS)
            pieces.append(((codes + 128).to(torch.uint8), moved + _norms(exact.sub_(codes))))
        return torch.cat([codes for codes, _ in pieces]), torch.cat([moved for _, moved in pieces])


class Absolute:
    """L1, the sum of absolute differences. On uint8 it is exact as long as float32 holds all its sums."""

    rank = torch.float64
    one_sided = False
    width = 4
    worth = 1.0

    def __init__(self, memory: Tensor, queries: Tensor) -> None:
        whole = memory.dtype == queries.dtype == torch.uint8
        self.exact = whole and 255 * memory.shape[1] < 2**24
        self.growth = 0.0 if self.exact else (memory.shape[1] + 8) * 2**-24
        self.wide = not self.exact and (whole or memory.shape[1] > 2**20)

    def memory(self, rows: Tensor) -> Part:
        codes = _padded(rows.to(torch.float64 if self.wide else torch.float32), SIDE)
        largest = codes.abs().amax(dim=1).to(torch.float64)
        far = torch.zeros_like(largest)
        far[len(rows) :] = math.inf
        return Part(rows, codes, far.to(codes.dtype), largest)

    def queries(self, rows: Tensor) -> Part:
        codes = rows.to(torch.float64 if self.wide else torch.float32)
        largest = codes.abs().amax(dim=1).to(torch.float64)
        return Part(rows, codes, largest, largest)

    def scores(self, queries: Part, memory: Part) -> Tensor:
        length = queries.codes.shape[1]
        return torch.cdist(queries.codes, memory.codes[:, :length], p=1).neg_().sub_(memory.squares)

    def bound(self, queries: Part, memory: Part, worst: Tensor) -> Tensor:
        lowest = -(worst * (1 + self.growth) + self._rounding(queries, memory))
        return _below(lowest, memory.squares.dtype)

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        return (-score.to(torch.float64) + self._rounding(queries, memory)) * (1 + 2 * self.growth + 1e-6)

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor, scores: Tensor) -> Tensor:
        return in_pieces(float_sums, queries, memory, rows, columns)

    def distances(self, ranks: Tensor) -> Tensor:
        return ranks

    def _rounding(self, queries: Part, memory: Part) -> Tensor:
        """What rounding the numbers themselves to float32 can change in a sum of D differences."""
        if self.exact:
            return torch.zeros_like(queries.error)
        return 1.01 * 2**-24 * queries.codes.shape[1] * (queries.error + memory.error.max()) + 1e-30


# ------------------------------------------------------------------------------------------------------- the pieces


def _centred(rows: Tensor) -> Tensor:
    """0..255 to -128..127 without leaving 8 bits: flip the highest."""
    return (rows ^ 128).view(torch.int8)


def _padded(codes: Tensor, side: int) -> Tensor:
    """Zeros to a multiple of `side` rows and 8 columns."""
    rows, columns = -len(codes) % side, -codes.shape[1] % 8
    return torch.nn.functional.pad(codes, (0, columns, 0, rows)) if rows or columns else codes


def _squares(codes: Tensor) -> Tensor:
    """Squared lengths (n,), in int64 or float64, a slice at a time: no copy of all in eight bytes."""
    floats = codes.is_floating_point()
    wide = torch.float32 if not floats and codes.shape[1] <= FLOAT_LENGTH else torch.float64  # exact, and the quicker
    pieces = [wider.mul_(wider).sum(dim=1) for wider in (piece.to(wide) for piece in codes.split(256))]
    squares = torch.cat(pieces)
    return squares if floats else squares.to(torch.int64)


class Frame:
    """Where numbers are counted from, and in which unit, so that those of memory are between -levels and levels.

    Attributes:
        centre: (D,) near the mean of memory, exact in the type that is computed in.
        unit: what a difference of 1 in the frame is outside.
    """

    def __init__(self, memory: Tensor, queries: Tensor, levels: float) -> None:
        self.dtype = wide_enough(memory, queries)
        some = memory[:: max(1, len(memory) // 4096)].to(self.dtype)
        self.centre = torch.nan_to_num(some.mean(dim=0), nan=0, posinf=0, neginf=0)
        high, low = memory.amax(dim=0).to(self.dtype), memory.amin(dim=0).to(self.dtype)
        largest = float(torch.maximum(high - self.centre, self.centre - low).max()) / levels
        self.unit = largest if 1e-30 < largest < 1e30 else 1.0
        self.inverse = float(torch.tensor(1 / self.unit, dtype=self.dtype))
        self.unit = 1 / self.inverse

    def pieces(self, rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Some rows at a time in the frame, and how far from where it belongs each can be for rounding.

        A difference and a product are rounded, each by at most half a unit of the last place; four are safe.
        """
        last = torch.finfo(self.dtype).eps
        for piece in rows.split(256):
            exact = piece.to(self.dtype).sub(self.centre).mul_(self.inverse)
            yield exact, _norms(exact) * (4 * last) + 1e-20


def wide_enough(memory: Tensor, queries: Tensor) -> torch.dtype:
    """float32 where that holds the numbers of both, else float64."""
    narrow = (torch.uint8, torch.float16, torch.bfloat16, torch.float32)
    return torch.float32 if memory.dtype in narrow and queries.dtype in narrow else torch.float64


def _norms(rows: Tensor) -> Tensor:
    """Lengths (n,) in float64, not less than the true ones for any rounding of their sums."""
    growth = 2 * (rows.shape[1] + 8) * torch.finfo(rows.dtype).eps
    return torch.linalg.vector_norm(rows, dim=1).to(torch.float64) * (1 + growth)


def _longer(errors: Tensor, codes: Tensor) -> Tensor:
    """With zeros for the padding."""
    return torch.cat([errors, errors.new_zeros(len(codes) - len(errors))])


def _room(buffer: Tensor, queries: Part, memory: Part, dtype: torch.dtype) -> Tensor:
    """Memory for scores: that of last time if it fits, for fresh memory costs as much as small products do."""
    shape, device = (len(queries.codes), len(memory.codes)), queries.codes.device
    same = buffer.shape == shape and buffer.device == device
    return buffer if same else torch.empty(shape, dtype=dtype, device=device)


def _below(bound: Tensor, dtype: torch.dtype) -> Tensor:
    """The bound in a narrower type, surely not above it; finite, so that the padding at -inf stays below it."""
    narrow = torch.nextafter(bound.to(dtype), bound.new_tensor(-math.inf, dtype=dtype))
    return narrow.clamp_(min=torch.finfo(dtype).min)


def _product(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """Inner products of all rows in float32; on the CPU by NumPy, which is quicker and always keeps all 24 bits."""
    if a.device.type == "cpu":
        np.matmul(a.numpy(), b.numpy().T, out=out.numpy())
        return out
    return torch.mm(a, b.T, out=out)


def _unit(device: torch.device) -> float:
    """The rounding of one operation of `_product`: GPUs may have been allowed fewer bits than 24."""
    full = device.type == "cpu" or torch.get_float32_matmul_precision() == "highest"
    return 2**-24 if full else 2**-7


def _float_squares(a: Tensor, b: Tensor) -> Tensor:
    return (a.to(torch.float64) - b).square_().sum(dim=1)


def float_sums(a: Tensor, b: Tensor) -> Tensor:
    """L1 of pairs of rows, (H,) float64."""
    return (a.to(torch.float64) - b).abs_().sum(dim=1)


def in_pieces(exact: Any, queries: Part, memory: Part, rows: Tensor, columns: Tensor, numbers: int = 2**17) -> Tensor:
    """`exact` of pairs of rows, so many numbers at a time."""
    step = max(1, numbers // queries.rows.shape[1])
    pieces = [
        exact(queries.rows.index_select(0, r), memory.rows.index_select(0, c))
        for r, c in zip(rows.split(step), columns.split(step), strict=True)
    ]
    return torch.cat(pieces) if pieces else queries.rows.new_zeros(0)
