"""Steps of preflight that detectors pass differently: they give losses, and what they find in an order of its own."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.config import change
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models.detect import build
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.model import FromPictures
from pellucid.tasks.detect.task import TASK
from pellucid.tasks.detect.taught import things_of_every_size
from pellucid.training.health.preflight.gradients import check_gradients
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


class Cut(nn.Module):
    """A layer whose output leads nowhere: `how` is 0, or None for one that is taken out of the graph."""

    def __init__(self, layer: nn.Module, how: float | None) -> None:
        super().__init__()
        self.layer, self.how = layer, how

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        return y.detach() if self.how is None else y * self.how


def ssd_on_small_things() -> Job:
    """An SSD, and pictures whose things are too small for its largest boxes."""
    torch.manual_seed(0)
    job = job_of(FromPictures(build("ssd", 3, 3, (64, 64)), FACTS.preprocess), "ssd")
    corner = torch.tensor([[[8.0, 10.0], [40.0, 30.0]]]).repeat(4, 1, 1)
    (batch,) = job.train  # type: ignore[misc]
    batch["image"] = batch["image"].to(torch.uint8)
    batch["boxes_xyxy"] = torch.cat([corner, corner + 6], -1)
    batch["box_label"] = torch.tensor([[0, 1]] * 4)
    batch["is_crowd"] = torch.zeros(4, 2, dtype=torch.bool)
    return job


def test_boxes_that_fit_nothing_here_are_no_alarm() -> None:
    verdict = check_gradients(ssd_on_small_things())
    assert verdict.status == "pass", verdict
    unaided = ssd_on_small_things()
    unaided.task = replace(TASK, teach=None)
    assert "head.regression_head.module_list" in check_gradients(unaided).evidence, "or this test shows nothing"


@pytest.mark.parametrize(("how", "said"), [(None, "with no way to the loss"), (0.0, "with a gradient of exactly 0")])
def test_a_head_that_is_cut_off_is_found_all_the_same(how: float | None, said: str) -> None:
    job = ssd_on_small_things()
    heads = job.model.net.head.regression_head.module_list  # type: ignore[union-attr]
    heads[-1] = Cut(heads[-1], how)  # type: ignore[index, operator]
    verdict = check_gradients(job)
    n = len(list(job.model.parameters()))
    assert verdict.status == "fail" and f"2 of {n} parameters get no gradient; 2 {said}" in verdict.evidence
    assert verdict.evidence.endswith("layer.weight, net.head.regression_head.module_list.3.layer.bias"), verdict


def test_made_up_things_are_of_every_size_and_class_all_over_the_picture() -> None:
    batch = {
        "image": torch.zeros(3, 3, 40, 60, dtype=torch.uint8),
        "boxes_xyxy": torch.zeros(3, 5, 4),
        "box_label": torch.full((3, 5), -1),
        "is_crowd": torch.ones(3, 5, dtype=torch.bool),
        "box_area": torch.zeros(3, 5),
        "instance_mask": torch.zeros(3, 5, 40, 60, dtype=torch.bool),
        "keypoints": torch.zeros(3, 5, 2, 3),
        "valid_hw": torch.tensor([[40, 60]] * 3),
    }
    taught = things_of_every_size(batch, FACTS)
    assert {name: (value.shape[2:], value.dtype) for name, value in taught.items()} == {
        name: (value.shape[2:], value.dtype) for name, value in batch.items()
    }
    assert {taught[name].shape[:2] for name in batch if name not in ("image", "valid_hw")} == {(3, 16)}
    boxes, picture = taught["boxes_xyxy"], torch.tensor([60, 40])
    sides, middle = boxes[..., 2:] - boxes[..., :2], (boxes[..., 2:] + boxes[..., :2]) / 2
    share = (sides / picture).amax(-1)
    for low, high in ((0, 0.11), (0.11, 0.2), (0.2, 0.4), (0.4, 0.7), (0.7, 1.01)):
        assert (((share > low) & (share < high)).sum(1) >= 1).all(), "in every picture"
    assert float(sides.min()) > 3.99 and set(taught["box_label"].flatten().tolist()) == {0, 1, 2}
    corners = (middle / picture * 3).floor().flatten(0, 1).unique(dim=0)
    assert corners.tolist() == [[x, y] for x in range(3) for y in range(3)]
    inside = boxes.clone().clamp_min(0).minimum(picture.repeat(2))
    area = (inside[..., 2:] - inside[..., :2]).prod(-1)
    assert ((taught["instance_mask"].sum((2, 3)) - area).abs() <= sides.sum(-1)).all()
    torch.testing.assert_close(taught["keypoints"][:, :, 1, :2], middle)
    assert (taught["keypoints"][..., 2] == 2).all()
    assert not taught["is_crowd"].any()
