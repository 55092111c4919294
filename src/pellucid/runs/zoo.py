"""All networks as a table, and one entry's story."""

from collections.abc import Callable
from typing import Any

from torch import nn

from pellucid.core.choose import choose
from pellucid.models import FAMILIES, classify, create, segment
from pellucid.models.fitted import ABOUT
from pellucid.models.published.packaged import PACKAGED
from pellucid.nn.blank import smallest_picture, without_numbers
from pellucid.runs.networks.opened import Opened, open_network
from pellucid.runs.networks.summary import layers_and_sums

Builder = Callable[[int, int, tuple[int, int]], nn.Module]
USUAL_SIDE = 224
AUXILIARY_HEADS = {**classify.AUXILIARY_HEADS, **segment.AUXILIARY_HEADS}
USUAL_CLASSES = {"classify": 1000, "segment": 21, "detect": 80}


def list_models() -> list[dict[str, Any]]:
    """One row a network, then the models that are fitted and have no size of their own.

    Parameters are counted at 224 px (or the smallest picture, if that is larger), RGB, and 1000 classes, 21 of
    masks, 80 of things; from shapes alone, as nobody wants to wait for numbers of a hundred networks.
    """
    rows = [_row(task, name, build) for task, table in FAMILIES.items() for name, build in table.items()]
    fitted = [
        {**dict.fromkeys(rows[0]), "family": "fitted", "model": name, "task": "classify", "about": about}
        for name, about in ABOUT.items()
    ]
    return [*rows, *fitted]


def tell_model(name: str) -> dict[str, Any]:
    """Everything there is to say of one entry, by what it is called.

    Raises:
        ConfigError: no entry has that name; the nearest are said.
    """
    entries: dict[str, tuple[str, Builder | None]] = dict.fromkeys(ABOUT, ("classify", None))
    for task, table in FAMILIES.items():
        entries |= {entry: (task, build) for entry, build in table.items()}
    task, build = choose(name, entries, "model")
    if build is None:
        return {"model": name, "family": "fitted", "task": task, "about": ABOUT[name]}
    story = _row(task, name, build)
    side = _side(story["smallest px"])
    opened: Opened = open_network(name, USUAL_CLASSES[task], 3, (side, side), blank=True)
    _, sums = layers_and_sums(opened)
    heads = {"auxiliary heads in training": AUXILIARY_HEADS[name]} if name in AUXILIARY_HEADS else {}
    notes = {"note": " ".join(opened.notes)} if opened.notes else {}
    return {**story, **heads, **notes, **sums}


def _row(task: str, name: str, build: Builder) -> dict[str, Any]:
    n_classes = USUAL_CLASSES[task]
    smallest = smallest_picture(lambda size: build(n_classes, 3, size))
    side = _side(smallest)
    with without_numbers():
        net = create(name, n_classes, 3, (side, side))
    return {
        "family": build.__module__.rpartition(".")[2],
        "model": name,
        "task": task,
        "parameters": sum(parameter.numel() for parameter in net.parameters()),
        "smallest px": smallest,
        "weights": PACKAGED[name].package.replace("_", "-") if name in PACKAGED else None,
        "about": _first_sentence(build.__doc__ or ""),
    }


def _side(smallest: int | None) -> int:
    return max(USUAL_SIDE, smallest or 0)


def _first_sentence(text: str) -> str:
    """Up to the first full stop or empty line, on one line."""
    words = " ".join(text.strip().split("\n\n")[0].split())
    return words.split(". ")[0].rstrip(".")
