"""A search over a function whose best point is known, in place of training."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pellucid.training.search.search import Search
from pellucid.training.search.space import Choice, Float, Space
from pellucid.training.search.stages import STAGES, plan_stages
from pellucid.training.search.storage.store import Store
from pellucid.training.search.tried import Order, Scored, Tried

SPACE: Space = {
    "lr": Float(1e-5, 1e-1, log=True),
    "weight_decay": Float(1e-6, 1e-2, log=True),
    "optimiser": Choice(("sgd", "adamw")),
}


def height(settings: dict[str, Any]) -> float:
    """1 at lr = 1e-3, falling by a quarter for each decade; adamw is 0.1 better; the decay changes almost nothing."""
    return (
        1
        - abs(math.log10(settings["lr"]) + 3) / 4
        - 0.1 * (settings["optimiser"] == "sgd")
        + 1e-4 * math.log10(settings["weight_decay"])
    )


def climb(order: Order) -> Scored:
    """Three epochs that approach the height; another seed adds a thousandth."""
    for epoch in range(1, order.epochs + 1):
        order.tell(epoch, height(order.settings) * epoch / order.epochs)
    return Scored(height(order.settings) + order.repeat * 1e-3, loss=-height(order.settings))


def make_search(
    where: Path | str,
    objective: Callable[[Order], Scored] = climb,
    create: bool = True,
    trials: int = 24,
    minutes: float = 0.0,
    sampler: str = "tpe",
    pruner: str = "median",
    heard: Callable[[Tried], None] = lambda tried: None,
) -> Search:
    stages = plan_stages(trials, minutes, 2, 3)
    store = Store(str(where), "planted", STAGES, True, create)
    return Search(store, SPACE, stages, True, objective, sampler, pruner, 0, minutes, 0, heard)


def outcome(search: Search) -> list[tuple[Any, ...]]:
    """What must be equal when a search is repeated or resumed."""
    return [
        (one.name, one.settings, one.state, repr(one.value), one.curve, one.reason) for one in search.store.everything()
    ]
