"""The median of a window as a fixed list of minima and maxima, each taken of whole planes at once.

Sorting by comparisons that do not depend on the data needs no branches: each step is the smaller or the larger of two
planes. Windows overlap, so most of the work is shared. Four outputs, a tile of 2 x 2, have size - 1 rows and columns
in common:

    1. Sort each column of the common rows; merge the columns to one sorted list: the core.
    2. Left and right half of the tile: merge the column that only this half sees.
    3. Upper and lower quarter: merge the row that only this one sees, its common columns first, then the pixel at the
       corner. The middle of the list is the median.

After each merge, values that are too low or too high to be the median, whatever is still to come, are dropped, and
then every step that only they needed. Columns are shared once more, between tiles: a step is known by what it takes,
relative to the tile, so what the next tile would do again is the same step, shifted. For a window of 5 x 5 that leaves
214 steps for four pixels, 53.5 for each; a network that sorts each window alone takes about 200.

After A. Adams, "Fast Median Filters using Separable Sorting Networks", ACM Transactions on Graphics 40(4), 2021; merges
by K. E. Batcher, "Sorting Networks and their Applications", 1968.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

TILE = 2  # outputs, on each side
PHASES = TILE * TILE  # planes that the picture is dealt out to: rows even and odd, columns even and odd


class Value(NamedTuple):
    """A plane, seen from a tile that lies so many tiles further down and right. Planes 0..3 are the phases."""

    plane: int
    down: int
    right: int


class Step(NamedTuple):
    """Write the smaller or larger of two values to a third."""

    larger: bool
    first: Value
    second: Value
    slot: Value


@dataclass(frozen=True)
class Program:
    """What to do for one size of window.

    Attributes:
        steps: in order; their planes are slots. Slots 0..3 hold the phases.
        slots: how many planes are needed, with the phases.
        outputs: the medians at (0, 0), (0, 1), (1, 0), (1, 1) of each tile.
        views: all that steps take or write.
    """

    steps: tuple[Step, ...]
    slots: int
    outputs: tuple[Value, ...]
    views: frozenset[Value]


@lru_cache(maxsize=16)
def median_program(size: int) -> Program:
    """The program for windows of size x size, odd and at least 3."""
    network = _Network(size)
    return _in_slots(network.nodes, network.medians())


@dataclass
class _Network:
    """Nodes as they are asked for; asking again for the same one, or for a shifted one, gives the one that is there."""

    size: int
    nodes: list[tuple[bool, Value, Value]] = field(default_factory=list)
    known: dict[tuple[bool, Value, Value], int] = field(default_factory=dict)

    def medians(self) -> tuple[Value, ...]:
        common, last = range(TILE - 1, self.size), self.size
        core = self.merged([self.sorted([self.pixel(y, x) for y in common]) for x in common])
        core, dropped = self.within_reach(core, 0, len(common) ** 2)
        found = {}
        for right, column in enumerate((0, last)):
            half = self.merge(core, self.sorted([self.pixel(y, column) for y in common]))
            half, below = self.within_reach(half, dropped, len(common) * last)
            for lower, row in enumerate((0, last)):
                line = self.merge(half, self.sorted([self.pixel(row, x) for x in common]))
                line, missing = self.within_reach(line, below, last**2 - 1)
                found[lower, right] = self.merge(line, [self.pixel(row, column)])[last**2 // 2 - missing]
        return tuple(found[place] for place in ((0, 0), (0, 1), (1, 0), (1, 1)))

    def within_reach(self, values: list[Value], dropped: int, seen: int) -> tuple[list[Value], int]:
        """Values of a sorted list that may still be the median, and how many low ones were dropped until now.

        Args:
            dropped: low ones that are missing already.
            seen: pixels of the window that the list stands for.
        """
        middle, to_come = self.size**2 // 2, self.size**2 - seen
        low = max(0, middle - to_come - dropped)
        return values[low : middle + 1 - dropped], dropped + low

    def pixel(self, y: int, x: int) -> Value:
        return Value(y % TILE * TILE + x % TILE, y // TILE, x // TILE)

    def sorted(self, values: list[Value]) -> list[Value]:
        """By merging, from pairs on: those at the same place of the next tile are then the same nodes."""
        if len(values) == 1:
            return values
        half = 1 << (len(values) - 1).bit_length() - 1
        return self.merge(self.sorted(values[:half]), self.sorted(values[half:]))

    def merged(self, lists: list[list[Value]]) -> list[Value]:
        """Sorted lists to one, pair by pair."""
        while len(lists) > 1:
            pairs = [self.merge(*lists[i : i + 2]) for i in range(0, len(lists) - 1, 2)]
            lists = pairs + lists[2 * len(pairs) :]
        return lists[0]

    def merge(self, a: list[Value], b: list[Value]) -> list[Value]:
        """Batcher's odd-even merge of two sorted lists of any lengths."""
        if not a or not b:
            return a or b
        if len(a) == len(b) == 1:
            return [self.node(False, a[0], b[0]), self.node(True, a[0], b[0])]
        odd, even = self.merge(a[0::2], b[0::2]), self.merge(a[1::2], b[1::2])
        out = [odd[0]]
        for low, high in zip(even, odd[1:], strict=False):
            out += [self.node(False, low, high), self.node(True, low, high)]
        return out + even[len(odd) - 1 :] + odd[len(even) + 1 :]

    def node(self, larger: bool, a: Value, b: Value) -> Value:
        down, right = min(a.down, b.down), min(a.right, b.right)
        first, second = sorted(Value(v.plane, v.down - down, v.right - right) for v in (a, b))
        key = (larger, first, second)
        if key not in self.known:
            self.known[key] = PHASES + len(self.nodes)
            self.nodes.append(key)
        return Value(self.known[key], down, right)


def _in_slots(nodes: list[tuple[bool, Value, Value]], outputs: tuple[Value, ...]) -> Program:
    """Leave out nodes that nobody needs, and give each a slot that is free again after its last use."""
    last_use: dict[int, int] = dict.fromkeys((value.plane for value in outputs), len(nodes))
    for number in reversed(range(len(nodes))):
        if PHASES + number in last_use:
            for value in nodes[number][1:]:
                last_use.setdefault(value.plane, number)
    slot_of = {phase: phase for phase in range(PHASES)}
    slots, free, steps = PHASES, list[int](), []
    for number, (larger, first, second) in enumerate(nodes):
        if PHASES + number not in last_use:
            continue
        if not free:
            free.append(slots)
            slots += 1
        slot = free.pop()  # before those of its inputs are given back: a shifted plane cannot be written in place
        a, b = (value._replace(plane=slot_of[value.plane]) for value in (first, second))
        steps.append(Step(larger, a, b, Value(slot, 0, 0)))
        slot_of[PHASES + number] = slot
        ended = {value.plane for value in (first, second) if last_use[value.plane] == number}
        free += [slot_of[plane] for plane in sorted(ended) if plane >= PHASES]
    views = frozenset(value for _, *values in steps for value in values)
    medians = tuple(value._replace(plane=slot_of[value.plane]) for value in outputs)
    return Program(tuple(steps), slots, medians, views)
