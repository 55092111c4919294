"""Rule `gridding`: dilated layers that leave holes, judged by an exact count of taps.

At one resolution, each unit's set of offsets that it reads is carried through the graph: a convolution adds its taps,
branches that meet unite theirs. Where the resolution changes, a new count begins. So what a shortcut or a layer of
rate 1 fills is seen to be filled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pellucid.core.verdict import Verdict
from pellucid.nn.geometry.coverage import passes_gap_rule, tap_coverage
from pellucid.nn.lint.about import About
from pellucid.nn.lint.graph import Graph, Node

RULE = "gridding"
LEAST = 2  # dilated layers on one path that make a stack
ALIKE = 3  # dilated layers of one rate in a row


@dataclass(frozen=True)
class Taps:
    """Along one axis: offsets that are read, the rates of the layers on the longest path, and their names."""

    offsets: frozenset[int]
    rates: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


START = Taps(frozenset((0,)))


def gridding(about: About) -> list[Verdict]:
    """Stacks of dilated convolutions whose field has pixels that no path reads."""
    found: dict[tuple[str, ...], Verdict] = {}
    for axis in (2, 3):
        for taps in _ends(about.graph, axis):
            verdict = _judge(taps)
            if verdict:
                found.setdefault(taps.names, verdict)
    return list(found.values()) or [Verdict(RULE, "pass", "no stack of dilated layers leaves holes in what it reads")]


def _judge(taps: Taps) -> Verdict | None:
    dilated = [rate for rate in taps.rates if rate > 1]
    if len(dilated) < LEAST:
        return None
    field = max(taps.offsets) - min(taps.offsets) + 1
    read, stack = len(taps.offsets), f"rates {list(taps.rates)} of {taps.names[0]} to {taps.names[-1]}"
    if read < field:
        passes = " (the published rule on the largest gap alone would pass them)" if passes_gap_rule(taps.rates) else ""
        return Verdict(
            RULE,
            "fail",
            f"{stack} read {read} of {field} pixels along an axis, {read / field:.1%}{passes}",
            "the rates have a divisor in common or grow too fast, so that whole lattices of pixels are never read",
            "let the rates begin at 1 and share no divisor, such as 1, 2, 5",
        )
    rate, length = max(
        ((rate, len(list(run))) for rate, run in groupby(taps.rates)), key=lambda run: (run[0] > 1, run[1])
    )
    if rate > 1 and length >= ALIKE:
        alone = tap_coverage([rate] * length)
        return Verdict(
            RULE,
            "warn",
            f"{stack}: {length} layers of rate {rate} in a row read {alone.share:.1%} of the maps before them; "
            "layers of rate 1 fill the holes",
            "neighbouring units of the last of them share nothing of those maps",
            "vary the rates, such as 1, 2, 5",
        )
    return None


def _ends(graph: Graph, axis: int) -> list[Taps]:
    """What was read at the last operation of each resolution."""
    state: dict[int, Taps] = {0: START}
    continued = set()
    for node in graph.nodes[1:]:
        if len(node.shape) != 4:
            continue
        step = _step(node, axis)
        windows = node.operation == "convolution" or "pool" in node.operation  # without padding they cut off borders
        size = node.shape[axis]
        same = [i for i in node.sources if i in state and (windows or graph.nodes[i].shape[axis] == size)]
        if step is None or not same:
            state[node.index] = START
            continue
        continued.update(same)
        state[node.index] = _extended(_union([state[i] for i in same]), node, *step)
    return [taps for index, taps in state.items() if index not in continued]


def _step(node: Node, axis: int) -> tuple[int, int] | None:
    """(taps, rate) along the axis; None where the resolution changes."""
    at = axis - 2
    if node.operation == "convolution":
        _, weight, _, stride, _, dilation, transposed = node.args[:7]
        if transposed or _at(stride, at) != 1:
            return None
        return weight[axis], _at(dilation, at)
    if "pool" in node.operation:
        stride = node.args[2] if len(node.args) > 2 and isinstance(node.args[2], (int, list, tuple)) else None
        if "adaptive" in node.operation or not stride or _at(stride, at) != 1:
            return None
        return _at(node.args[1], at), 1
    return 1, 1


def _at(value: int | Sequence[int], at: int) -> int:
    return value if isinstance(value, int) else value[min(at, len(value) - 1)]


def _union(states: Sequence[Taps]) -> Taps:
    longest = max(states, key=lambda taps: sum(rate > 1 for rate in taps.rates))
    offsets = frozenset().union(*(taps.offsets for taps in states))
    return Taps(offsets, longest.rates, longest.names)


def _extended(taps: Taps, node: Node, kernel: int, rate: int) -> Taps:
    if kernel == 1:
        return taps
    first = -(kernel - 1) // 2 * rate
    offsets = frozenset(o + first + k * rate for o in taps.offsets for k in range(kernel))
    if node.operation != "convolution":
        return Taps(offsets, taps.rates, taps.names)
    return Taps(offsets, (*taps.rates, rate), (*taps.names, node.name))
