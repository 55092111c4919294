"""What can be said of a scene, before it is said in any language. Letters: M things that are seen."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from pellucid.data.objects import Objects
from pellucid.data.scenes import labels
from pellucid.data.scenes.scene import Scene

LEFT, RIGHT, ABOVE, BELOW, IN_FRONT, HIDDEN_BY = "left of", "right of", "above", "below", "in front of", "hidden by"
COUNT = "count"
KINDS = (COUNT, LEFT, RIGHT, ABOVE, BELOW, IN_FRONT, HIDDEN_BY)
WELL_SEEN = 0.3  # share of a thing that must be in the picture and uncovered, for anyone to speak of it
PIXELS = 12  # of it at least


@dataclass(frozen=True, order=True)
class Kind:
    """How a thing is referred to: its class, and its colour where that is said; "" where not."""

    label: int
    colour: str = ""


@dataclass(frozen=True, order=True)
class Statement:
    """One thing that is said.

    Attributes:
        kind: `COUNT`: so many of `subject` are seen, no more and no less. Else: one of `subject` is left of (and so
            on) one of `other`.
        subject: of what.
        other: in relation to what; None for a count.
        count: how many; 1 in relations.
    """

    kind: str
    subject: Kind
    other: Kind | None = None
    count: int = 1


def statements(scene: Scene) -> list[Statement]:
    """All that can be said of a scene, sorted, each once.

    - A class, or a class of one colour, is counted if all of it is well seen.
    - One thing is left of another if its box ends before the other's begins, and it lies more beside than above or
      below it, by the middles of the boxes; right of, above and below likewise.
    - One thing is in front of another, which is partly hidden by it, if it covers a pixel of it.

    Relations are told of things that are well seen only, that is by 30 % and 12 pixels at least. Colours are said
    where the things have them.
    """
    shown = labels.seen(scene)
    found = labels.objects(scene)
    kinds = [Kind(scene.things[i].label, scene.things[i].colour) for i in shown]
    whole = np.array([scene.things[i].area for i in shown])
    is_clear = (labels.pixels(scene)[shown] >= np.maximum(PIXELS, WELL_SEEN * whole)) if len(shown) else whole > 0
    told = set(_counted(kinds, is_clear))
    for relation, i, j in [*_beside(found), *_overlapping(scene, shown)]:
        if is_clear[i] and is_clear[j]:
            told.add(Statement(relation, kinds[i], kinds[j]))
    return sorted(told, key=lambda one: (KINDS.index(one.kind), one.subject, one.other or one.subject))


def _counted(kinds: list[Kind], is_clear: np.ndarray) -> list[Statement]:
    """The counts of classes, and of colours of a class."""
    coarse = [Kind(kind.label) for kind in kinds]
    found = []
    for level in (kinds, coarse):
        unclear = {kind for kind, clear in zip(level, is_clear.tolist(), strict=True) if not clear}
        counts = Counter(kind for kind in level if kind not in unclear)
        # Were a thing too little seen to be counted among its class, its colour would not make it countable.
        blurred = {kind.label for kind in unclear}
        found += [Statement(COUNT, kind, count=n) for kind, n in counts.items() if kind.label not in blurred]
    return found


def _beside(found: Objects) -> list[tuple[str, int, int]]:
    """Pairs whose boxes lie apart, with how the first lies to the second."""
    boxes = found.boxes_xyxy
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    away = np.abs(middle[:, None] - middle)  # (M, M, 2)
    mostly_across = away[..., 0] > away[..., 1]
    mostly_down = away[..., 1] > away[..., 0]
    left = (boxes[:, None, 2] <= boxes[None, :, 0]) & mostly_across  # (M, M): row left of column
    above = (boxes[:, None, 3] <= boxes[None, :, 1]) & mostly_down
    pairs = [(LEFT, left), (RIGHT, left.T), (ABOVE, above), (BELOW, above.T)]
    return [(relation, int(i), int(j)) for relation, holds in pairs for i, j in np.argwhere(holds)]


def _overlapping(scene: Scene, shown: np.ndarray) -> list[tuple[str, int, int]]:
    """Pairs of which one hides a part of the other."""
    row_of = {int(i): row for row, i in enumerate(shown)}
    pairs = [(row_of[i], row_of[j]) for i in row_of for j in scene.things[i].covers if j in row_of]
    return [told for front, back in pairs for told in ((IN_FRONT, front, back), (HIDDEN_BY, back, front))]
