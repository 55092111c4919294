"""Topological order: every node after all it is computed from.

Formula:
    p is a parent of v  =>  p comes before v

Derivation:
    Backward may pass a node's gradient on only when it is complete, that is when all its consumers have added their
    part. Walking the order from its end guarantees it: whoever uses a node stands behind it. A depth-first search
    that lists a node when it leaves it has listed all its parents before. The stack is our own, because Python's
    would overflow at a chain of about a thousand nodes.

Source: Tarjan, "Edge-disjoint spanning trees and depth-first search", 1976; CS231n, lecture 4.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def topological_order(output: Item, parents: Callable[[Item], Sequence[Item]]) -> list[Item]:
    """All items that `output` depends on, each once, after its parents; `output` is the last.

    Args:
        output: where the search starts.
        parents: what an item is computed from; no item may depend on itself.
    """
    order: list[Item] = []
    seen = {id(output)}
    stack: list[tuple[Item, Iterator[Item]]] = [(output, iter(parents(output)))]
    while stack:
        item, rest = stack[-1]
        parent = next(rest, None)
        if parent is None:
            stack.pop()
            order.append(item)
        elif id(parent) not in seen:
            seen.add(id(parent))
            stack.append((parent, iter(parents(parent))))
    return order
