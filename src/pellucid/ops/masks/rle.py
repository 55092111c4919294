"""Masks as run lengths, in the form that COCO's annotations and results have.

Pixels are counted column by column, from the top left down: `counts[0]` pixels outside, then `counts[1]` inside, and
so on. The compressed text is that of pycocotools (https://github.com/cocodataset/cocoapi, common/maskApi.c,
rleToString): from the fourth run on the difference to the one two before it, in groups of five bits, lowest first;
a sixth bit says that another follows, and 48 makes it a printable letter.

Letters: H, W the mask, R runs, G groups of five bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape

FIRST_LETTER = 48  # "0"
MOST_GROUPS = 12  # 60 bits: no count of pixels needs more, and int64 holds them


@dataclass(frozen=True, eq=False)
class Rle:
    """One mask as runs.

    Attributes:
        height, width: of the mask.
        counts: (R,) int64: lengths of the runs, column by column, the first one outside of the mask.

    Raises:
        DataError: the counts are not whole numbers from 0 on whose sum is height * width.
    """

    height: int
    width: int
    counts: np.ndarray

    def __post_init__(self) -> None:
        given = np.asarray(self.counts)
        pixels = self.height * self.width
        if given.ndim != 1 or (given.dtype.kind not in "iu" and given.size):
            raise DataError(f"Run lengths are a list of whole numbers, got {given.dtype} of shape {given.shape}.")
        counts = given.astype(np.int64)
        is_count = (counts >= 0) & (counts <= pixels)  # so that their sum cannot overflow
        if min(self.height, self.width) < 0 or not is_count.all() or counts.sum() != pixels:
            got = f"the sum {counts.sum()}" if is_count.all() else f"one of {given[~is_count][0]}"
            raise DataError(
                f"Run lengths of a mask of {self.height}x{self.width} (height x width) are 0 or more and sum to "
                f"{pixels}, got {got}."
            )
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)

    def __eq__(self, other: object) -> bool:
        """Whether both are runs of the same lengths; the same mask has one form only, if `encode` made it."""
        if not isinstance(other, Rle):
            return NotImplemented
        same_size = (self.height, self.width) == (other.height, other.width)
        return same_size and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.height, self.width, self.counts.tobytes()))

    @property
    def area(self) -> int:
        """How many pixels lie inside."""
        return int(self.counts[1::2].sum())

    @property
    def box_xyxy(self) -> tuple[int, int, int, int]:
        """The smallest box around the mask: first column and row, and those behind the last; zeros for an empty one."""
        ends = np.cumsum(self.counts)[1::2]  # (R // 2,), pixel behind each run inside
        runs = self.counts[1::2]
        first, last = (ends - runs)[runs > 0], ends[runs > 0] - 1
        if not len(first):
            return 0, 0, 0, 0
        left, right = int(first[0] // self.height), int(last[-1] // self.height) + 1
        if (first // self.height != last // self.height).any():  # one goes on in the next column
            return left, 0, right, self.height
        return left, int((first % self.height).min()), right, int((last % self.height).max()) + 1


def encode(mask: np.ndarray) -> Rle:
    """Run lengths of a mask.

    Args:
        mask: (H, W); everything but 0 is inside.

    Raises:
        DataError: another number of axes.
    """
    mask = np.asarray(mask)
    require_shape(mask, "H W", "mask")
    inside = np.ravel(mask != 0, order="F")  # (W * H,)
    turns = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts = np.concatenate([np.zeros(1 + bool(inside[:1].any()), dtype=np.int64), turns])  # an empty run leads
    return Rle(mask.shape[0], mask.shape[1], np.diff(starts, append=inside.size))


def encode_part(part: np.ndarray, top: int, left: int, size: tuple[int, int]) -> Rle:
    """Run lengths of a mask that is 0 but in a window, from the window alone.

    Args:
        part: (h, w) bool, within the mask; may be empty.
        top, left: row and column of the mask where it begins.
        size: (H, W) of the mask.
    """
    edges = np.diff(part.astype(np.int8), axis=0, prepend=0, append=0).T  # (w, h + 1): 1 begins a run, -1 ends it
    columns, rows = np.nonzero(edges)
    turns = (left + columns) * size[0] + top + rows  # begin, end, begin, end, ... along the columns
    again = np.flatnonzero(np.diff(turns) == 0)  # a run that reaches the bottom goes on at the top of the next column
    turns = np.delete(turns, np.concatenate([again, again + 1]))
    pixels = size[0] * size[1]
    turns = turns[turns < pixels]
    return Rle(size[0], size[1], np.diff(turns, prepend=0, append=pixels))


def encode_each(ids: np.ndarray, n: int) -> list[Rle]:
    """Run lengths of n masks at once, from a map of which pixel belongs to which.

    Args:
        ids: (H, W) whole numbers: mask i (from 1 to n) is where the number is i; others belong to none.
        n: how many masks; those of no pixel are empty.

    Raises:
        DataError: another number of axes, or no whole numbers.
    """
    ids = np.asarray(ids)
    require_shape(ids, "H W", "ids")
    if ids.dtype.kind not in "iu":
        raise DataError(f"A map of masks holds whole numbers, got {ids.dtype}.")
    flat = np.ravel(ids, order="F")  # (W * H,)
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate([np.zeros(min(1, flat.size), dtype=np.int64), turns, [flat.size]])
    owner = flat[bounds[:-1]]
    found = []
    for i in range(1, n + 1):
        runs = np.flatnonzero(owner == i)
        edges = np.stack([bounds[runs], bounds[runs + 1]], axis=1).ravel()
        counts = np.diff(edges, prepend=0, append=flat.size)
        found.append(Rle(ids.shape[0], ids.shape[1], counts if counts[-1] or len(counts) == 1 else counts[:-1]))
    return found


def decode(rle: Rle) -> np.ndarray:
    """The mask, (H, W) bool."""
    inside = np.arange(len(rle.counts)) % 2 == 1  # (R,)
    return np.repeat(inside, rle.counts).reshape(rle.width, rle.height).T  # (H, W)


def decode_columns(rle: Rle) -> tuple[np.ndarray, int]:
    """The columns of the mask from the first to the last that anything lies in, (H, w) bool, and the first's number.

    What is small in a large picture costs little in this way.
    """
    left, _, right, _ = rle.box_xyxy
    edges = np.cumsum(rle.counts).clip(left * rle.height, right * rle.height)  # (R,)
    counts = np.diff(edges, prepend=left * rle.height)
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(right - left, rle.height).T, left


def paint(on: np.ndarray, rle: Rle, value: int) -> None:
    """Set the pixels of `on` (H, W) that lie in a mask of that size."""
    part, left = decode_columns(rle)
    on[:, left : left + part.shape[1]][part] = value


def to_text(rle: Rle) -> str:
    """The compressed form, letter by letter as pycocotools writes it."""
    left = rle.counts.copy()  # (R,)
    left[3:] -= rle.counts[1:-2]
    groups: list[np.ndarray] = []
    has_more: list[np.ndarray] = []
    while not has_more or has_more[-1].any():
        five = left & 31
        left = left >> 5
        has_more.append(left != np.where(five & 16, -1, 0))  # bit 16 of the last group is the sign
        groups.append(five)
    letters = np.stack(groups, axis=1)  # (R, G)
    more = np.stack(has_more, axis=1)  # (R, G), True may follow False where only the sign is left
    needed = np.cumprod(np.concatenate([np.ones((len(more), 1), dtype=bool), more[:, :-1]], axis=1), axis=1) > 0
    letters = letters + FIRST_LETTER + 32 * more
    return letters[needed].astype(np.uint8).tobytes().decode("ascii")


def from_text(text: str | bytes, height: int, width: int) -> Rle:
    """Runs from the compressed form.

    Raises:
        DataError: the text is damaged, or its runs do not sum to height * width.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else bytes(text)
    except UnicodeEncodeError:
        raw = b" "
    letters = np.frombuffer(raw, dtype=np.uint8).astype(np.int64) - FIRST_LETTER  # one group of five bits each
    last = np.flatnonzero(letters & 32 == 0)  # of each number
    first = np.concatenate([[0], last[:-1] + 1]) if len(last) else last
    lengths = last - first + 1  # (R,)
    damaged = ((letters < 0) | (letters > 63)).any() or (
        len(letters) and (not len(last) or last[-1] + 1 < len(letters))
    )
    if damaged or (lengths > MOST_GROUPS).any():
        raise DataError(f"{text[:40]!r} is no compressed run-length code of COCO: it is damaged or cut off.")
    if not len(letters):
        return Rle(height, width, np.zeros(0, dtype=np.int64))
    place = np.arange(len(letters)) - np.repeat(first, lengths)
    numbers = np.add.reduceat((letters & 31) << (5 * place), first)  # (R,)
    numbers -= np.where(letters[last] & 16, np.left_shift(1, 5 * lengths), 0)
    counts = numbers.copy()
    counts[1::2] = np.cumsum(numbers[1::2])
    counts[2::2] = np.cumsum(numbers[2::2])
    return Rle(height, width, counts)


def to_coco(rle: Rle) -> dict[str, Any]:
    """As it stands in a COCO file: `{"size": [height, width], "counts": compressed text}`."""
    return {"size": [rle.height, rle.width], "counts": to_text(rle)}


def from_coco(content: Mapping[str, Any]) -> Rle:
    """Runs from what a COCO file holds: counts as compressed text, or as a list of numbers.

    Raises:
        DataError: `size` or `counts` is missing or of another form.
    """
    try:
        (height, width), counts = content["size"], content["counts"]
        if not all(isinstance(side, (int, np.integer)) for side in (height, width)):
            raise TypeError
        height, width = int(height), int(width)
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f'A run-length code of COCO is {{"size": [height, width], "counts": text or list}}, got {content!r:.80}.'
        ) from None
    if isinstance(counts, (str, bytes)):
        return from_text(counts, height, width)
    return Rle(height, width, np.asarray(counts))
