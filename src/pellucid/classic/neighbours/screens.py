"""Four ways to look over a block of memory and name those that can be among the nearest.

A screen gives every pair a score, quickly; the higher, the nearer. It also says, for the distance of the k-th nearest
found so far, below which score nothing can be nearer: for certain, whatever was rounded. Those that are left get
their exact rank. So the result is that of exact distances, and most of the work is one matrix product.

Squared distances are |a|² + |b|² - 2ab. Of it, ab - |b|²/2 is what differs between the rows b of memory: the score.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from pellucid.classic.neighbours.products import FLOAT_LENGTH, INT32_LENGTH, products

# q queries, m rows of memory, D numbers each; H pairs to look at

SIDE = 64  # rows of memory are padded to a multiple of it, so that they fall into groups
CODES = 127  # floats are coded as integers from -CODES to CODES


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

    def memory(self, rows: Tensor) -> Part: ...
    def queries(self, rows: Tensor) -> Part: ...

    def scores(self, queries: Part, memory: Part) -> Tensor:
        """(q, m'), lower than `bound` ever is for the padding."""

    def bound(self, queries: Part, memory: Part, worst: Tensor) -> Tensor:
        """(q,) scores below it belong to ranks of `worst` or more."""

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        """(q,) a rank that is above the rank of every row with this score or more."""

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor) -> Tensor:
        """(H,) of the pairs of queries[rows] and memory[columns], exact."""

    def distances(self, ranks: Tensor) -> Tensor:
        """What the ranks stand for, float64."""


class Integers:
    """Euclidean, for uint8: pixels minus 128 are 8-bit integers, and everything is exact."""

    rank = torch.int64

    def __init__(self, length: int) -> None:
        self.far = 3 * 2**14 * length  # |ab| <= 2^14 D, |b|²/2 half of that: no score is below -far / 2

    def memory(self, rows: Tensor) -> Part:
        codes = _padded(_centred(rows), SIDE)
        squares = _squares(codes)
        halves = torch.div(squares, 2, rounding_mode="floor")
        halves[len(rows) :] = self.far
        dtype = torch.int32 if codes.shape[1] <= INT32_LENGTH else torch.int64
        return Part(rows, codes, halves.to(dtype), squares)

    def queries(self, rows: Tensor) -> Part:
        codes = _padded(_centred(rows), 1)
        squares = _squares(codes)
        return Part(rows, codes, squares, squares)

    def scores(self, queries: Part, memory: Part) -> Tensor:
        return products(queries.codes, memory.codes).sub_(memory.squares)  # |b|²/2 rounded down: half a unit too high

    def bound(self, queries: Part, memory: Part, worst: Tensor) -> Tensor:
        lowest = -torch.div(worst - 1 - queries.squares, 2, rounding_mode="floor")
        return lowest.clamp_(min=-self.far // 2).to(memory.squares.dtype)

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        return queries.squares - 2 * score.to(torch.int64) + 2

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor) -> Tensor:
        return _in_pieces(self._exact, queries, memory, rows, columns)

    @staticmethod
    def _exact(a: Tensor, b: Tensor) -> Tensor:
        return (a.to(torch.int32) - b).square_().sum(dim=1)  # int64

    def distances(self, ranks: Tensor) -> Tensor:
        return ranks.to(torch.float64).sqrt_()


class Floats:
    """Euclidean, for floating point: products in float32, with the largest error that its rounding can make."""

    rank = torch.float64

    def __init__(self, memory: Tensor, queries: Tensor) -> None:
        self.centre, self.scale = _frame(memory, queries)

    def memory(self, rows: Tensor) -> Part:
        exact = self._framed(rows)
        codes = _padded(exact.to(torch.float32), SIDE)
        squares = _squares(codes)
        halves = (squares / 2).to(torch.float32)
        halves[len(rows) :] = math.inf
        return Part(rows, codes, halves, squares.sqrt())

    def queries(self, rows: Tensor) -> Part:
        codes = self._framed(rows).to(torch.float32)
        squares = _squares(codes)
        return Part(rows, codes, squares, squares.sqrt())

    def scores(self, queries: Part, memory: Part) -> Tensor:
        return _product(queries.codes, memory.codes).sub_(memory.squares)

    def bound(self, queries: Part, memory: Part, worst: Tensor) -> Tensor:
        apart, rounding = self._errors(queries, memory)
        radius = worst.sqrt() / self.scale + apart
        lowest = (queries.squares - radius.square()) / 2 - rounding
        return torch.nextafter(lowest.to(torch.float32), lowest.new_tensor(-math.inf, dtype=torch.float32)).clamp_(
            min=torch.finfo(torch.float32).min
        )

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        apart, rounding = self._errors(queries, memory)
        squares = (queries.squares - 2 * (score.to(torch.float64) - rounding)).clamp_(min=0)
        return ((squares.sqrt() + apart) * self.scale).square_() * (1 + 1e-9)

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor) -> Tensor:
        return _in_pieces(_float_squares, queries, memory, rows, columns)

    def distances(self, ranks: Tensor) -> Tensor:
        return ranks.sqrt()

    def _framed(self, rows: Tensor) -> Tensor:
        return (rows.to(torch.float64) - self.centre) / self.scale

    def _errors(self, queries: Part, memory: Part) -> tuple[Tensor, Tensor]:
        """(q,) how far float32 moved the two ends, at most; and how wrong a score is then, at most.

        An inner product of D terms summed in any order is wrong by at most D u / (1 - D u) times |a| |b|.
        """
        largest, unit = memory.error.max(), _unit(queries.codes.device)
        apart = 1.01 * 2**-24 * (queries.error + largest) + 1e-30
        growth = (queries.codes.shape[1] + 8) * unit
        return apart, growth / (1 - min(growth, 0.5)) * largest * (queries.error + largest) + 1e-30


class Codes(Integers):
    """Euclidean, for floating point, by integers: numbers are rounded to 255 levels.

    Rounding moves a by |a - a'|, known to be e, and b by at most E. By the triangle inequality the distance of the
    rounded ones differs from the true one by at most e + E.
    """

    rank = torch.float64

    def __init__(self, memory: Tensor, queries: Tensor) -> None:
        super().__init__(memory.shape[1])
        self.centre, self.scale = _frame(memory, queries)
        self.scale /= CODES

    def memory(self, rows: Tensor) -> Part:
        codes, error = self._coded(rows)
        part = super().memory(codes)
        return Part(rows, part.codes, part.squares, torch.cat([error, error.new_zeros(len(part.codes) - len(rows))]))

    def queries(self, rows: Tensor) -> Part:
        codes, error = self._coded(rows)
        part = super().queries(codes)
        return Part(rows, part.codes, part.squares, error)

    def bound(self, queries: Part, memory: Part, worst: Tensor) -> Tensor:
        radius = worst.sqrt() / self.scale + queries.error + memory.error.max()
        lowest = (queries.squares - radius.square()) / 2 - 1  # 1: halves were rounded down
        return lowest.floor_().clamp_(min=-self.far // 2).to(memory.squares.dtype)

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        squares = super().reach(queries, memory, score).to(torch.float64)
        return ((squares.sqrt() + queries.error + memory.error.max()) * self.scale).square_() * (1 + 1e-9)

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor) -> Tensor:
        return _in_pieces(_float_squares, queries, memory, rows, columns)

    def distances(self, ranks: Tensor) -> Tensor:
        return ranks.sqrt()

    def _coded(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 codes, 128 standing for the centre, and how far from the row each is, in units of a code."""
        exact = (rows.to(torch.float64) - self.centre) / self.scale
        codes = exact.round().clamp_(-CODES, CODES)
        error = torch.linalg.vector_norm(exact - codes, dim=1) * (1 + 1e-9) + 1e-9
        return (codes + 128).to(torch.uint8), error


class Absolute:
    """L1, the sum of absolute differences. On uint8 it is exact as long as float32 holds all its sums."""

    def __init__(self, memory: Tensor, queries: Tensor) -> None:
        whole = memory.dtype == queries.dtype == torch.uint8
        self.exact = whole and 255 * memory.shape[1] < 2**24
        self.rank = torch.float64
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
        return torch.nextafter(
            lowest.to(memory.squares.dtype), lowest.new_tensor(-math.inf, dtype=memory.squares.dtype)
        ).clamp_(min=torch.finfo(memory.squares.dtype).min)

    def reach(self, queries: Part, memory: Part, score: Tensor) -> Tensor:
        return (-score.to(torch.float64) + self._rounding(queries, memory)) * (1 + 2 * self.growth + 1e-6)

    def ranks(self, queries: Part, memory: Part, rows: Tensor, columns: Tensor) -> Tensor:
        return _in_pieces(_float_sums, queries, memory, rows, columns)

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


def _frame(memory: Tensor, queries: Tensor) -> tuple[Tensor, float]:
    """The mean of memory, and the largest difference from it: what brings all numbers to -1..1."""
    centre = torch.stack([piece.to(torch.float64).sum(dim=0) for piece in memory.split(1024)]).sum(dim=0) / len(memory)
    largest = max(
        float((piece.to(torch.float64) - centre).abs().max())
        for rows in (memory, queries)
        for piece in rows.split(1024)
    )
    return centre, largest or 1.0


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Inner products of all rows in float32; on the CPU by NumPy, which is quicker and always keeps all 24 bits."""
    a = torch.nn.functional.pad(a, (0, b.shape[1] - a.shape[1]))
    if a.device.type == "cpu":
        return torch.from_numpy(np.matmul(a.numpy(), b.numpy().T))
    return a @ b.T


def _unit(device: torch.device) -> float:
    """The rounding of one operation of `_product`: GPUs may have been allowed fewer bits than 24."""
    full = device.type == "cpu" or torch.get_float32_matmul_precision() == "highest"
    return 2**-24 if full else 2**-7


def _float_squares(a: Tensor, b: Tensor) -> Tensor:
    return (a.to(torch.float64) - b).square_().sum(dim=1)


def _float_sums(a: Tensor, b: Tensor) -> Tensor:
    return (a.to(torch.float64) - b).abs_().sum(dim=1)


def _in_pieces(exact: Any, queries: Part, memory: Part, rows: Tensor, columns: Tensor, numbers: int = 2**20) -> Tensor:
    """`exact` of pairs of rows, so many numbers at a time."""
    step = max(1, numbers // queries.rows.shape[1])
    pieces = [
        exact(queries.rows[r], memory.rows[c]) for r, c in zip(rows.split(step), columns.split(step), strict=True)
    ]
    return torch.cat(pieces) if pieces else queries.rows.new_zeros(0)
