"""A small search with real training, and what must be equal when it is repeated or resumed."""

from typing import Any

from small_runs import QUICK

from pellucid.runs.searching.study import Study

FAST: dict[str, Any] = {**{k: v for k, v in QUICK.items() if k != "epochs"}, "coarse_epochs": 1, "fine_epochs": 2}
SPACE = "lr=1e-4..1e-1 log, optimiser=sgd|adamw"


def facts(study: Study) -> list[tuple[Any, ...]]:
    """What must be equal when a search is repeated or resumed."""
    return [(one.name, one.settings, one.state, repr(one.value), one.curve, one.reason) for one in study.trials]
