"""A batch in parts has the gradient and the losses of the undivided one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from line_task import LineConfig, make_job, points
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.core.task import Task
from pellucid.tasks import get_task
from pellucid.training.config import TrainConfig
from pellucid.training.memory.back_off import verdict_at_start
from pellucid.training.memory.parts import cut, most_parts, shares, smallest_part
from pellucid.training.step import backward

SIGHT = Preprocess((9, 7))


class Plain(nn.Module):
    """Answers every picture by itself, in double precision."""

    def __init__(self, head: nn.Module, name: str = "logits") -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), head).double()
        self.name = name

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"logits": self.net(batch["image"].double() / 255)}


def pictures(n: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (n, 3, 9, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def job_of(task_name: str, batch: dict[str, Tensor], tmp_path: Any, **loss: Any) -> tuple[Any, Any]:
    task = get_task(task_name)
    cfg = task.config()
    cfg = replace(cfg, loss=replace(cfg.loss, **loss), train=replace(cfg.train, batch=len(batch["image"])))
    torch.manual_seed(0)
    head = nn.Conv2d(4, 3, 1) if task_name == "segment" else nn.Sequential(nn.Flatten(), nn.Linear(4 * 63, 3))
    model = Plain(head)
    job = make_job(tmp_path)
    job.task, job.cfg, job.model = task, cfg, model
    job.facts = DataFacts(task_name, "made", ("a", "b", "c"), (1, 1, 1), SIGHT)
    job.optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    return job, batch


def gradient(job: Any, batch: dict[str, Tensor], parts: int) -> tuple[dict[str, float], list[Tensor]]:
    job.parts = parts
    losses = backward(job, batch)
    return {name: float(value) for name, value in losses.items()}, [p.grad.clone() for p in job.model.parameters()]


def classify_batch() -> dict[str, Tensor]:
    label = torch.tensor([0, -1, -1, -1, 2, 1, 0, 0, 2, -1, 1])  # unlabelled ones are not spread evenly over the parts
    return {"image": pictures(11), "label": label, "index": torch.arange(11)}


def segment_batch() -> dict[str, Tensor]:
    mask = torch.randint(0, 3, (7, 9, 7), generator=torch.Generator().manual_seed(1))
    mask[0], mask[1, :4], mask[5, :, 2:] = 255, 255, 255
    return {"image": pictures(7), "mask": mask, "index": torch.arange(7)}


@pytest.mark.parametrize("parts", [2, 3, 4, 7, 100])
@pytest.mark.parametrize("weights", [(), (0.2, 1.0, 5.0), (0.0, 1.0, 3.0)])
@pytest.mark.parametrize(("task", "make"), [("classify", classify_batch), ("segment", segment_batch)])
def test_gradient_and_loss_are_those_of_the_undivided_batch(
    task: str, make: Callable[[], dict[str, Tensor]], weights: tuple[float, ...], parts: int, tmp_path: Any
) -> None:
    job, batch = job_of(task, make(), tmp_path, class_weights=weights, label_smoothing=0.1)
    loss, expected = gradient(job, batch, 1)
    divided_loss, divided = gradient(job, batch, parts)
    assert divided_loss == pytest.approx(loss, rel=1e-6)
    for one, other in zip(divided, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6 * float(other.abs().max()))


def test_the_plain_average_of_the_parts_would_be_another_loss(tmp_path: Any) -> None:
    """So the batches above can tell a right sum from the usual wrong one."""
    job, batch = job_of("classify", classify_batch(), tmp_path)
    loss, _ = gradient(job, batch, 1)
    with torch.no_grad():
        each = [float(job.task.compute_loss(job.model(part), part, job.cfg)["cross_entropy"]) for part in cut(batch, 3)]
    assert abs(sum(each) / 3 - loss["cross_entropy"]) > 1e-3


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_every_loss_of_a_segmenter_is_that_of_the_undivided_batch(parts: int, tmp_path: Any) -> None:
    """Means over pixels, over weighted pixels and over pictures, each divided by its own number."""
    every = "cross-entropy+dice+focal+lovasz+boundary"
    job, batch = job_of("segment", segment_batch(), tmp_path, loss=every, class_weights=(0.2, 1.0, 5.0))
    whole, expected = gradient(job, batch, 1)
    loss, found = gradient(job, batch, parts)
    assert whole == pytest.approx(loss, rel=1e-5) and len(whole) == 5
    for one, two in zip(expected, found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-7)


def test_parts_in_which_nothing_counts(tmp_path: Any) -> None:
    batch = {**classify_batch(), "label": torch.full((11,), -1)}
    job, batch = job_of("classify", batch, tmp_path)
    loss, grads = gradient(job, batch, 3)
    assert loss == {"cross_entropy": 0.0} and all(float(grad.abs().max()) == 0 for grad in grads)


def test_shares_are_of_what_each_mean_is_divided_by() -> None:
    task, batch = get_task("classify"), {"label": torch.tensor([0, 0, 1, -1, 2, 2])}
    cfg = task.config()
    cfg = replace(cfg, loss=replace(cfg.loss, class_weights=(1.0, 2.0, 3.0)))
    found = shares(task, cut(batch, 3), cfg)  # weights 1 + 1, 2 + 0, 3 + 3
    torch.testing.assert_close(torch.stack(found), torch.tensor([0.2, 0.2, 0.6]))


def test_a_task_weighs_by_pictures_unless_it_says_otherwise(tmp_path: Any) -> None:
    task: Task = make_job(tmp_path).task
    found = shares(task, cut(points(7, 0), 2), None)
    torch.testing.assert_close(torch.stack(found), torch.tensor([4 / 7, 3 / 7]))


def test_cutting_loses_and_doubles_nothing() -> None:
    batch = {"a": torch.arange(11), "b": torch.rand(11, 2, 3)}
    for n in (1, 2, 3, 11):
        parts = cut(batch, n)
        assert len(parts) == n and max(len(p["a"]) for p in parts) - min(len(p["a"]) for p in parts) <= 1
        assert all(torch.equal(torch.cat([part[key] for part in parts]), batch[key]) for key in batch)


def test_batch_norm_keeps_two_pictures_together(tmp_path: Any) -> None:
    job = make_job(tmp_path)
    job.model.train()
    assert smallest_part(job.model) == 2 and most_parts(points(7, 0), 2) == 3
    job.parts = 100
    backward(job, points(7, 0))  # parts of one picture would be refused by batch norm
    assert smallest_part(nn.Linear(2, 2)) == 1 and most_parts(points(1, 0), 2) == 1


def test_batch_norm_is_said_to_differ(tmp_path: Any) -> None:
    job = make_job(tmp_path, LineConfig(train=TrainConfig(batch=8)))
    job.model.train()
    assert verdict_at_start(job) == []
    job.parts = 4
    (verdict,) = verdict_at_start(job)
    assert (verdict.rule, verdict.status) == ("batch-in-parts", "info")
    assert verdict.evidence == (
        "a batch of 8 goes in 4 parts of 2 but for this: the batch norm sees 2 pictures at a time"
    )
    job.model = nn.Linear(2, 2)
    assert verdict_at_start(job) == []


def test_accumulate_is_at_least_one() -> None:
    with pytest.raises(ConfigError, match=r"^accumulate must be 1 or more, got 0\.$"):
        TrainConfig(accumulate=0)
