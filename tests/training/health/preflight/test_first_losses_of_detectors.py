"""The first losses of networks that compute them, as detectors do: nothing to compare with, or a theory."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.config import change
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.task import TASK
from pellucid.training.health.preflight.initial import check_start

FACTS = DataFacts("detect", "s", ("a", "b", "c"), (4, 3, 2), Preprocess((64, 64), 3))


class Says(nn.Module):
    def __init__(self, **losses: float) -> None:
        super().__init__()
        self.said = nn.Parameter(torch.tensor(list(losses.values())))
        self.names = tuple(losses)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return dict(zip(self.names, self.said, strict=True))


class Batches(list[dict[str, Tensor]]):
    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        return iter(self)


@pytest.mark.parametrize(
    ("model", "said", "status", "evidence"),
    [
        ("yolo", 12.0, "info", "no theory says what class and box are before training"),
        ("ssd", 5.6, "pass", "class starts at 5.600; a model that knows nothing has 5.545"),  # 4 ln 4
        ("ssd", 9.0, "fail", "class starts at 9.000; a model that knows nothing has 5.545"),
    ],
)
def test_what_theory_knows_is_compared_and_the_rest_is_not(model: str, said: float, status: str, evidence: str) -> None:
    job = SimpleNamespace(
        task=TASK,
        cfg=change(DetectConfig(), {"model": model}),
        facts=FACTS,
        model=Says(loss_class=said, loss_box=0.8),
        train=Batches([{"image": torch.zeros(2, 3, 64, 64), "index": torch.arange(2)}]),
        plan=None,
        device=torch.device("cpu"),
        precision="fp32",
    )
    verdict = check_start(job)  # type: ignore[arg-type]
    assert verdict.status == status
    assert evidence in verdict.evidence
