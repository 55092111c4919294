"""Steps of preflight that detectors pass differently: they give losses, and what they find in an order of its own."""

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
from pellucid.training.health.preflight.mixing import check_mixing
from pellucid.training.job import Job

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


class Finds(nn.Module):
    """Two scores a picture that are all but equal; whichever rounding makes larger comes first, with its box."""

    def __init__(self, mixes: bool) -> None:
        super().__init__()
        self.mixes = mixes

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        x = batch["image"].float()  # (N, C, H, W)
        boxes = torch.stack([x[:, 0, 0, 0], x[:, 1, 0, 0] + 50], 1)  # (N, 2)
        scores = torch.tensor([0.5, 0.5]) + 1e-7 * len(x) * torch.tensor([1.0, 0]) - torch.tensor([3e-7, 0])
        order = scores.expand(len(x), 2).argsort(1, descending=True)
        boxes = boxes + x.mean() if self.mixes else boxes
        return {"loss_class": x.mean(), "found_boxes": boxes.gather(1, order), "found_scores": scores[order]}


def job_of(net: nn.Module, model: str = "yolo") -> Job:
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (4, 3, 64, 64), generator=generator)
    job = SimpleNamespace(
        task=TASK,
        cfg=change(DetectConfig(), {"model": model}),
        facts=FACTS,
        model=net,
        train=Batches([{"image": image, "index": torch.arange(4)}]),
        plan=None,
        device=torch.device("cpu"),
        precision="bf16",
    )
    return job  # type: ignore[return-value]


def test_roundings_may_decide_what_comes_first() -> None:
    assert check_mixing(job_of(Finds(mixes=False))).status == "pass"
    assert check_mixing(job_of(Finds(mixes=True))).status == "fail"


@pytest.mark.parametrize(
    ("model", "said", "status", "evidence"),
    [
        ("yolo", 12.0, "info", "no theory says what class and box are before training"),
        ("ssd", 5.6, "pass", "class starts at 5.600; a model that knows nothing has 5.545"),  # 4 ln 4
        ("ssd", 9.0, "fail", "class starts at 9.000; a model that knows nothing has 5.545"),
    ],
)
def test_what_theory_knows_is_compared_and_the_rest_is_not(model: str, said: float, status: str, evidence: str) -> None:
    job = job_of(Says(loss_class=said, loss_box=0.8), model)
    verdict = check_start(job)
    assert verdict.status == status
    assert evidence in verdict.evidence
