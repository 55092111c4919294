"""A directed graph, drawn from left to right in columns, with words on its nodes and edges.

Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures", 1981: columns by the
longest path, order within a column by barycentres, long edges with a bend in each column they cross.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise

from pellucid.core.errors import DataError
from pellucid.plots import svg

RADIUS, HALF_HEIGHT = 17.0, 15.0  # of a round node; of the others
ROW = 58.0  # between the middles of two nodes of a column
GAP = 30.0  # between two columns, beside the words on the edges
SWEEPS = 12  # over the columns, to and fro; the order with the fewest crossings is kept
ARROW = 7.0

Nodes = Sequence[tuple[str, str, str]]
Edges = Sequence[tuple[str, str, str, str]]


def graph(nodes: Nodes, edges: Edges, title: str, above: str = "", below: str = "") -> str:
    """Draw a graph without circles.

    Args:
        nodes: (key, label, kind); kind "operation" is round, "output" bare words, everything else a box.
        edges: (from key, to key, words above the line, words below it).
        title: heading inside the drawing.
        above, below: what the words on the edges are, for the legend; "" leaves it out.

    Returns:
        SVG. Without a node it says so.

    Raises:
        DataError: an edge names a node that is not there, or the edges go round in a circle.
    """
    legend = [(svg.text(2, 5, "1.5", style), name) for style, name in (("f1", above), ("f2", below)) if name]
    parts, tall = svg.key_rows(legend, 480, 0, 28)
    parts.insert(0, svg.text(0, 18, title, "title"))
    if not nodes:
        parts.append(svg.text(0, 54 + tall, "nothing to draw", "soft"))
        return svg.document(480, 80 + tall, f"{title}: nothing to draw.", parts)
    half = {key: _half_width(label, kind) for key, label, kind in nodes}
    column = _columns(half, edges)
    chains = _chains(column, edges)
    for chain, (_, _, *words) in zip(chains, edges, strict=True):
        half |= {bend: _words_width(words) / 2 if bend == _carrier(chain) else 0.0 for bend in chain[1:-1]}
    layers = _fewest_crossings(column, chains)
    across = _across(layers, half, chains, edges)
    down = _down(layers, chains, 42 + tall + ROW / 2)
    places = {name: (across[column[name]], down[name]) for name in column}
    round_ones = {key for key, _, kind in nodes if kind == "operation" and half[key] <= RADIUS}
    leaving = Counter(start for start, *_ in edges)
    for chain, (start, _, *words) in zip(chains, edges, strict=True):
        parts += _edge(
            [(*places[name], half[name]) for name in chain], words, leaving[start] > 1, chain[-1] in round_ones
        )
    for key, label, kind in nodes:
        parts += _node(*places[key], label, kind, half[key])
    width = max(across[-1] + max(half[name] for name in layers[-1]) + 6, svg.width_of(title, 18), 260)
    height = max(down.values()) + ROW / 2
    return svg.document(width, height, f"{title}: {len(nodes)} nodes, {len(edges)} edges.", parts)


def _half_width(label: str, kind: str) -> float:
    wide = svg.width_of(label) / 2 + 6
    return max(wide, RADIUS) if kind == "operation" else max(wide, 14.0)


def _words_width(words: Sequence[str]) -> float:
    return max(svg.width_of(word) for word in words) + 4


def _columns(keys: Mapping[str, float], edges: Edges) -> dict[str, int]:
    """Node -> its column: as many before the last one as the longest way to an end has steps.

    An edge takes one step; two where other edges leave its start and others meet at its end, so that it gets a bend,
    with a place of its own for its words.
    """
    leaving, meeting = Counter(edge[0] for edge in edges), Counter(edge[1] for edge in edges)
    after: dict[str, list[str]] = {key: [] for key in keys}
    before: dict[str, list[str]] = {key: [] for key in keys}
    for start, end, *_ in edges:
        if missing := {start, end} - keys.keys():
            raise DataError(f"The edge {start!r} -> {end!r} names a node that is not there: {min(missing)!r}.")
        after[start].append(end)
        before[end].append(start)
    waiting = {key: len(followers) for key, followers in after.items()}
    ready = [key for key in keys if not waiting[key]]
    away: dict[str, int] = {}
    while ready:
        key = ready.pop()
        away[key] = max(
            (away[follower] + (2 if leaving[key] > 1 and meeting[follower] > 1 else 1) for follower in after[key]),
            default=0,
        )
        for parent in before[key]:
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)
    if len(away) < len(keys):
        first = next(key for key in keys if key not in away)
        raise DataError(f"The edges go round in a circle, which {first!r} leads to; such a graph has no first column.")
    return {key: max(away.values()) - away[key] for key in keys}


def _chains(column: dict[str, int], edges: Edges) -> list[list[str]]:
    """For each edge its two ends and between them a bend for each column it crosses; bends get their column too."""
    chains = []
    for number, (start, end, *_) in enumerate(edges):
        bends = {f"\0{number}.{at}": at for at in range(column[start] + 1, column[end])}
        column.update(bends)
        chains.append([start, *bends, end])
    return chains


def _neighbours(chains: Sequence[Sequence[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    left: dict[str, list[str]] = {}
    right: dict[str, list[str]] = {}
    for chain in chains:
        for a, b in pairwise(chain):
            right.setdefault(a, []).append(b)
            left.setdefault(b, []).append(a)
    return left, right


def _fewest_crossings(column: Mapping[str, int], chains: Sequence[Sequence[str]]) -> list[list[str]]:
    """The names of each column from top to bottom."""
    layers: list[list[str]] = [[] for _ in range(max(column.values()) + 1)]
    for name, at in column.items():
        layers[at].append(name)
    left, right = _neighbours(chains)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, right)
    for sweep in range(SWEEPS):
        beside = left if sweep % 2 else right
        for layer in layers if sweep % 2 else reversed(layers):
            rank = {name: number / len(other) for other in layers for number, name in enumerate(other, 1)}
            layer.sort(key=lambda name: _mean([rank[other] for other in beside.get(name, [name])]))
        if (crossings := _crossings(layers, right)) < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _crossings(layers: Sequence[Sequence[str]], right: Mapping[str, Sequence[str]]) -> int:
    count = 0
    for layer, following in pairwise(layers):
        rank = {name: number for number, name in enumerate(following)}
        lines = [(number, rank[end]) for number, name in enumerate(layer) for end in right.get(name, [])]
        count += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(lines, 2))
    return count


def _carrier(chain: Sequence[str]) -> str:
    """The bend that carries the words of a long edge; of a short one, its end."""
    return chain[len(chain) // 2]


def _across(
    layers: Sequence[Sequence[str]], half: Mapping[str, float], chains: Sequence[Sequence[str]], edges: Edges
) -> list[float]:
    """The middle of each column. Words on an edge without bends have room in the gap before its end."""
    at = {name: number for number, layer in enumerate(layers) for name in layer}
    room = [0.0] * len(layers)
    for chain, (_, _, *words) in zip(chains, edges, strict=True):
        if len(chain) == 2:
            room[at[chain[1]]] = max(room[at[chain[1]]], _words_width(words))
    wide = [max(half[name] for name in layer) for layer in layers]
    places = [wide[0] + 2]
    for number in range(1, len(layers)):
        places.append(places[-1] + wide[number - 1] + GAP + room[number] + wide[number])
    return places


def _down(layers: Sequence[Sequence[str]], chains: Sequence[Sequence[str]], top: float) -> dict[str, float]:
    """How far down each name stands: near the mean of its neighbours, a row apart from the next of its column."""
    left, right = _neighbours(chains)
    down = {name: ROW * (number - len(layer) / 2) for layer in layers for number, name in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else reversed(layers):
            wanted = [
                _mean([down[other] for other in (*left.get(name, []), *right.get(name, []))] or [down[name]])
                for name in layer
            ]
            down.update(zip(layer, _apart(wanted), strict=True))
    highest = min(down.values())
    return {name: y - highest + top for name, y in down.items()}


def _apart(wanted: Sequence[float]) -> list[float]:
    """The places nearest to those wanted, in the same order and at least a row apart."""
    groups: list[tuple[float, int]] = []  # (mean of what its members want the first of them to be, members)
    for number, place in enumerate(wanted):
        group = (place - ROW * number, 1)
        while groups and groups[-1][0] > group[0]:
            (a, m), (b, n) = groups.pop(), group
            group = ((a * m + b * n) / (m + n), m + n)
        groups.append(group)
    firsts = [place for place, members in groups for _ in range(members)]
    return [first + ROW * number for number, first in enumerate(firsts)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _edge(chain: Sequence[tuple[float, float, float]], words: Sequence[str], spread: bool, to_round: bool) -> list[str]:
    """A line that is level where its words are: on a bend, or beside the end that it shares with no other edge.

    Args:
        chain: (x, y, half the width) of the start, the bends and the end.
        words: above and below the line.
        spread: other edges leave the start too.
        to_round: the end is a circle.
    """
    (x, y, wide), (u, v, narrow) = chain[0], chain[-1]
    points = [(x + wide, y), *((at + side * half, height) for at, height, half in chain[1:-1] for side in (-1, 1))]
    length = _words_width(words)
    if len(chain) > 2:
        level = chain[len(chain) // 2][:2]
    elif spread:
        points.append((u - narrow - length - ARROW, v))
        level = u - narrow - ARROW - length / 2, v
    else:
        points.append((x + wide + length, y))
        level = x + wide + length / 2, y
    last = points[-1]
    turn = math.atan2(v - last[1], u - last[0]) if to_round else 0.0
    tip = (u - narrow * math.cos(turn), v - narrow * math.sin(turn))
    turn = math.atan2(tip[1] - last[1], tip[0] - last[0])
    parts = [svg.line(*a, *b, "axis") for a, b in pairwise([*points, tip]) if a != b]
    for side in (-0.45, 0.45):
        back = tip[0] - ARROW * math.cos(turn + side), tip[1] - ARROW * math.sin(turn + side)
        parts.append(svg.line(*back, *tip, "axis"))
    for word, kind, lower in zip(words, ("f1", "f2"), (-5, 14), strict=True):
        if word:
            parts.append(svg.text(level[0], level[1] + lower, word, kind, "middle"))
    return parts


def _node(x: float, y: float, label: str, kind: str, half: float) -> list[str]:
    words = svg.text(x, y + 4.5, label, "", "middle")
    if kind == "operation" and half <= RADIUS:
        return [svg.circle(x, y, RADIUS, "ring axis"), words]
    if kind == "output":
        return [words]
    style = "ring axis" if kind == "operation" else "f6 pale"
    return [svg.rect(x - half, y - HALF_HEIGHT, 2 * half, 2 * HALF_HEIGHT, style), words]
