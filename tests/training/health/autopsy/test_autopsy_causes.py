"""When an autopsy blames the rate: weights have grown in most layers, not in one."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pellucid.training.health.autopsy.causes import cause_of
from pellucid.training.health.autopsy.search import Noted, Scene
from pellucid.training.health.monitor.history import History
from pellucid.training.health.monitor.snapshot import Snapshot, Weight


def look(step: int, *sizes: float) -> Snapshot:
    weights = {f"layer{k}.weight": Weight(size, 0.01, 1e-3) for k, size in enumerate(sizes)}
    return Snapshot(step, 0.1, 0.0, 1.0, {}, weights)


@pytest.mark.parametrize(
    ("sizes", "blamed"), [((30.0, 30.0, 1.0), True), ((30.0, 1.0, 1.0), False), ((9.0, 9.0, 9.0), False)]
)
def test_the_rate_is_blamed_where_most_layers_have_grown(sizes: tuple[float, ...], blamed: bool) -> None:
    history = History()
    for each in (look(0, 1.0, 1.0, 1.0), look(50, *sizes)):
        history.add_look(each)
    model = nn.Linear(2, 2)
    job: Any = SimpleNamespace(
        monitor=SimpleNamespace(history=history),
        model=model,
        step=60,
        optimiser=torch.optim.SGD(model.parameters(), lr=0.1),
    )
    cause, _ = cause_of(job, Scene(losses=["cross_entropy"]))
    assert ("the learning rate is too high" in cause) == blamed
    assert ("layer0.weight has grown 30 times since the start" in cause) == blamed


def test_what_a_model_reads_is_noted_however_it_reads() -> None:
    batch = Noted({"image": torch.zeros(1), "label": torch.zeros(1), "mask": torch.zeros(1)})
    assert (batch["image"].shape, batch.get("label") is None, batch.get("gone")) == ((1,), False, None)
    assert batch.read == {"image", "label", "gone"}
