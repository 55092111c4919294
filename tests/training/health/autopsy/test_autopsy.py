"""Where a step went wrong, told apart: input, target, weight, layer, loss, gradient, precision, rate."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from line_task import FACTS, LineConfig, make_job, points
from torch import Tensor, nn

from pellucid.core.errors import NonFiniteError, RunError, WeightsError
from pellucid.core.verdict import Verdict
from pellucid.models.weights import read_weights
from pellucid.training import loop
from pellucid.training.health.autopsy import replay
from pellucid.training.health.autopsy.layers import layer_rows
from pellucid.training.health.autopsy.search import Noted
from pellucid.training.health.monitor.monitor import Monitor
from pellucid.training.job import Job

NAN, INF = float("nan"), float("inf")


class Reciprocal(nn.Module):
    """1 / (x - x): no finite value for anything."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 1 / (x - x)


class OnlyInFull(nn.Module):
    """Finite in fp32; in bf16 1.001 is 1."""

    def forward(self, x: Tensor) -> Tensor:
        one = torch.ones(1, 1) @ torch.full((1, 1), 1.001)
        return x + 1e-9 / (one - 1)


def spoil(name: str, rows: list[int], value: float) -> Callable[[Job], None]:
    def plant(job: Job) -> None:
        original = job.train.epoch

        def batches(epoch: int, start: int = 0):
            for step, batch in enumerate(original(epoch, start), start):
                if step == 2:
                    batch[name][rows] = value
                yield batch

        job.train.epoch = batches  # type: ignore[method-assign]

    return plant


def weight(job: Job) -> None:
    with torch.no_grad():
        job.model.net[4].weight[0, 3] = INF


def layer(job: Job) -> None:
    job.model.net.append(Reciprocal())


def loss(job: Job) -> None:
    def compute_loss(outputs: Any, batch: Any, cfg: Any) -> dict[str, Tensor]:
        return {
            "squared": (outputs["guess"] - batch["height"]).square().mean(),
            "log": batch["height"].sum().mul(0).log(),
        }

    job.task = replace(job.task, compute_loss=compute_loss)


def gradient(job: Job) -> None:
    def compute_loss(outputs: Any, batch: Any, cfg: Any) -> dict[str, Tensor]:
        zero = outputs["guess"] - outputs["guess"]
        return {"squared": (outputs["guess"] - batch["height"]).square().mean() + zero.square().sum().sqrt()}

    job.task = replace(job.task, compute_loss=compute_loss)


def precision(job: Job) -> None:
    job.model.net.append(OnlyInFull())
    job.precision = "bf16"


def rate(job: Job) -> None:
    job.schedule = replace(job.schedule, highest_lr=1e4)


SOURCES: dict[str, tuple[Callable[[Job], None], str, str]] = {
    "input": (
        spoil("points", [1, 6], NAN),
        "the input 'points' is not finite, or garbage, in rows 1, 6",
        "damaged picture",
    ),
    "garbage": (
        spoil("height", [4], 1e30),
        "the target 'height' is not finite, or garbage, in row 4",
        "missing label",
    ),
    "target": (spoil("height", [3], INF), "the target 'height' is not finite, or garbage, in row 3", "missing label"),
    "weight": (weight, "weight net.4.weight was already not finite", "from the start"),
    "layer": (layer, "first layer with a non-finite output: net.5 (Reciprocal)", "without a finite value in net.5"),
    "loss": (loss, "all layers are finite; the loss itself overflows (log)", "the loss log has no finite value"),
    "gradient": (gradient, "first non-finite gradient: net.4.bias, in Pow", "an infinite slope (Pow)"),
    "precision": (precision, "net.5 (OnlyInFull)", "bf16 has too few digits"),
    "rate": (rate, "", "the learning rate is too high (now 9.83e+03"),
}


def stopped(folder: Path, plant: Callable[[Job], None]) -> tuple[Job, Verdict]:
    job = make_job(folder, data=points(64, 0))
    job.monitor = Monitor(job.model, job.total_steps)
    plant(job)
    with pytest.raises(NonFiniteError):
        loop.train(job)
    return job, job.verdicts[-1]


@pytest.mark.parametrize("name", SOURCES)
def test_sources_are_told_apart(tmp_path: Path, name: str) -> None:
    plant, where, why = SOURCES[name]
    job, verdict = stopped(tmp_path, plant)
    assert (verdict.rule, verdict.status) == ("non-finite", "fail")
    assert where in verdict.evidence
    assert why in verdict.cause
    assert f"`pellucid check {tmp_path}`" in verdict.evidence
    assert [v.rule for v in job.verdicts if v.status == "fail"].count("non-finite") == 1
    assert not [v for v in job.verdicts if v.rule in ("exploding-signal", "update-ratio") and v.status != "info"]


def test_without_a_monitor_large_weights_still_tell_of_the_rate(tmp_path: Path) -> None:
    job = make_job(tmp_path, LineConfig(optim=replace(LineConfig().optim, lr=1e25)))
    with pytest.raises(NonFiniteError, match="the learning rate is too high .* the largest weight is"):
        loop.train(job)


def test_searching_leaves_the_buffers_of_the_step(tmp_path: Path) -> None:
    """They are stored before; the second and third pass must not move them on."""
    job, _ = stopped(tmp_path, gradient)
    stored = read_weights(tmp_path / "nonfinite" / "model.safetensors").tensors
    assert all(torch.equal(stored[name], value) for name, value in job.model.state_dict().items())


def test_replay_shows_the_layer_again(tmp_path: Path) -> None:
    stopped(tmp_path, spoil("points", [1], NAN))
    again = replay(tmp_path, make_job(tmp_path).task, LineConfig(), FACTS)
    assert (again.step, again.epoch) == (2, 0)
    assert again.first_bad is not None
    assert again.first_bad.name == "net.0"
    assert again.first_bad.finite == pytest.approx(7 / 8)  # one row of eight
    assert again.losses["squared"] != again.losses["squared"]
    lines = again.lines()
    assert lines[0].startswith("net.0 (Linear)  8x8  ")
    assert lines[0].endswith("<- 12% not finite")
    assert lines[1].endswith("no finite number  <- 100% not finite")  # batch norm spreads it over the batch
    assert lines[-1] == "loss squared = nan"


def test_replay_of_a_healthy_run_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"has no nonfinite/: it never stopped at a number that is not finite"):
        replay(tmp_path, make_job(tmp_path).task, LineConfig(), FACTS)


def test_replay_with_another_model_says_so(tmp_path: Path) -> None:
    job, _ = stopped(tmp_path, spoil("points", [1], NAN))
    task = replace(job.task, make_model=lambda cfg, facts: nn.Sequential(nn.Linear(3, 3)))
    with pytest.raises(WeightsError, match="does not fit the model"):
        replay(tmp_path, task, LineConfig(), FACTS)


def test_rows_give_range_and_share() -> None:
    net = nn.Sequential(nn.Flatten(), nn.ReLU())
    rows, output = layer_rows(net, lambda: net(torch.tensor([[-2.0, NAN], [3.0, INF]])))
    assert [row.finite for row in rows] == [0.5, 0.5]
    assert (rows[0].smallest, rows[0].largest) == (-2.0, 3.0)
    assert (rows[1].smallest, rows[1].largest) == (0.0, 3.0)
    assert output.shape == (2, 2)


def test_what_is_read_is_noted() -> None:
    noted = Noted({"a": torch.zeros(1), "b": torch.zeros(1)})
    assert noted["a"].shape == (1,)
    assert noted.read == {"a"}
    assert set(dict(noted)) == {"a", "b"}
