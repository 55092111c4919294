"""Means over steps and over epochs' ends: against PyTorch's SWA, by hand, through a run, and on a noisy bowl."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from line_task import LineConfig, make_job
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn

from pellucid.core.errors import ConfigError
from pellucid.models.weights import read_weights
from pellucid.nn.normalisation.switchable import SwitchableNorm
from pellucid.training import checkpoint, loop
from pellucid.training.averages.ema import Ema
from pellucid.training.averages.equal import EqualMean
from pellucid.training.averages.make import USUAL_DECAY, make_average
from pellucid.training.averages.statistics import measure_statistics
from pellucid.training.config import OptimConfig


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4, 2))


def number(value: float) -> nn.Module:
    model = nn.Linear(1, 1, bias=False).double()
    model.weight.data.fill_(value)
    return model


def taken(average: EqualMean, n_steps: int) -> list[float]:
    """The average after each step of a model whose weight is the number of the step, 1, 2, ..."""
    found = []
    for step in range(1, n_steps + 1):
        average.update(number(step))
        found.append(average.average["weight"].item())
    return found


def test_every_step_by_hand() -> None:
    average = EqualMean(number(-7), 0)
    assert not average.is_ready
    assert taken(average, 5) == pytest.approx([1, 1.5, 2, 2.5, 3])
    assert average.is_ready


def test_begins_where_it_is_told() -> None:
    average = EqualMean(number(-7), 3)
    assert taken(average, 6) == pytest.approx([-7, -7, -7, 4, 4.5, 5])
    assert average.n_taken == 3


def test_ends_of_epochs_by_hand() -> None:
    """Epochs of 4 steps, the first of which is left out: the mean of 8, then of 8 and 12."""
    average = EqualMean(number(-7), 4, 4)
    assert taken(average, 7) == pytest.approx([-7] * 7) and not average.is_ready
    assert average.n_updates == 7
    for step in range(8, 13):
        average.update(number(step))
    assert average.average["weight"].item() == pytest.approx(10) and average.n_taken == 2


def test_equals_torch_with_measured_statistics() -> None:
    model = net()
    ours, theirs = EqualMean(model, 0), AveragedModel(model)
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        with torch.no_grad():
            for p in model.parameters():
                p.add_(torch.randn(p.shape, generator=generator))
        ours.update(model)
        theirs.update_parameters(model)
    batches = [torch.randn(6, 1, 3, 3, generator=generator) for _ in range(4)]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    update_bn(batches, theirs)
    with ours.swap(model):
        measure_statistics(model, batches, 4)
        for name, value in theirs.module.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                assert torch.allclose(model.state_dict()[name], value, atol=1e-6), name
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


def test_measuring_changes_statistics_only() -> None:
    model = nn.Sequential(net(), nn.BatchNorm1d(2), nn.Unflatten(1, (2, 1)), SwitchableNorm(2, momentum=0.3)).train()
    model[1].eval()  # keeps its statistics, as a frozen one does
    kept, parameters = model[1].running_mean.clone(), [p.clone() for p in model.parameters()]
    state, batches = torch.get_rng_state(), [torch.randn(8, 1, 3, 3) + 2 for _ in range(3)]
    torch.set_rng_state(state)
    measure_statistics(model, batches, 2)
    assert torch.equal(torch.get_rng_state(), state)  # dropout drew nothing
    assert torch.equal(model[1].running_mean, kept)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), parameters, strict=True))
    inner: Any = model[0]
    first = torch.stack([inner[0](batch).mean((0, 2, 3)) for batch in batches[:2]]).mean(0)
    assert torch.allclose(inner[1].running_mean, first, atol=1e-6)
    assert inner[1].momentum == 0.1 and model[3].momentum == 0.3
    assert model.training and inner[2].training and not model[1].training
    assert model[3].running_mean.abs().sum() > 0


def test_nothing_to_measure_and_an_error_on_the_way() -> None:
    measure_statistics(nn.Linear(2, 2), iter(()), 3)
    model = net()
    with pytest.raises(RuntimeError):
        measure_statistics(model, [torch.zeros(2, 7)], 1)
    assert model[1].momentum == 0.1 and all(module.training for module in model.modules())


def test_mean_of_a_noisy_walk_is_nearer_than_its_end() -> None:
    """Ruppert and Polyak's point: at a constant rate the last weights keep walking, their mean settles."""
    generator = torch.Generator().manual_seed(0)
    model = nn.Linear(20, 1, bias=False)
    average = EqualMean(model, 200)
    for _ in range(2000):
        with torch.no_grad():
            model.weight -= 0.1 * (model.weight - 1 + torch.randn(1, 20, generator=generator))
        average.update(model)
    last, mean = ((w - 1).square().mean().item() for w in (model.weight.detach(), average.average["weight"]))
    assert mean < last / 10


def averaged(**changes: Any) -> LineConfig:
    cfg = LineConfig()
    return replace(cfg, optim=replace(cfg.optim, **changes), train=replace(cfg.train, epochs=4))


@pytest.mark.parametrize(
    ("changes", "begin", "every"),
    [
        ({"average": "polyak"}, 0, 1),
        ({"average": "polyak", "average_from": 0.5}, 20, 1),
        ({"average": "swa"}, 30, 10),
        ({"average": "swa", "average_from": 0.5}, 20, 10),
    ],
)
def test_settings(changes: dict[str, Any], begin: int, every: int) -> None:
    average = make_average(OptimConfig(**changes), number(0), 4, 10)
    assert isinstance(average, EqualMean) and (average.begin, average.every) == (begin, every)
    assert f"behind step {begin}, " in average.sentence()


def test_settings_of_the_exponential_one() -> None:
    for cfg, decay in ((OptimConfig(ema=0.9), 0.9), (OptimConfig(average="ema"), USUAL_DECAY)):
        average = make_average(cfg, number(0), 4, 10)
        assert isinstance(average, Ema) and average.decay == decay
    assert make_average(OptimConfig(), number(0), 4, 10) is None
    assert make_average(OptimConfig(average="swa"), number(0), 1, 10).begin == 0  # a run of one epoch averages that


def test_settings_that_contradict() -> None:
    with pytest.raises(ConfigError, match=r"--ema and --average swa are two averages, and a run keeps one"):
        OptimConfig(ema=0.9, average="swa")
    with pytest.raises(
        ConfigError, match=r"--average-from means nothing beside --average ema, only with polyak or swa"
    ):
        OptimConfig(average="ema", average_from=0.5)
    with pytest.raises(ConfigError, match=r"average_from must be in \[0, 1\), got 1"):
        OptimConfig(average="swa", average_from=1.0)


def weights(folder: Path) -> dict[str, Tensor]:
    return read_weights(folder / "model.safetensors").tensors


@pytest.mark.parametrize("changes", [{"average": "polyak"}, {"average": "swa", "average_from": 0.5}])
def test_a_resumed_run_equals_the_straight_one(tmp_path: Path, changes: dict[str, Any]) -> None:
    cfg = averaged(**changes)
    straight = make_job(tmp_path / "straight", cfg)
    loop.train(straight)
    for stop in (3, 17, 24, 29):
        folder = tmp_path / str(stop)
        job = make_job(folder, cfg)
        step = job.task.step or loop.gradient_step

        def stopping(job: Any, batch: Any, lr: float, stop: int = stop, step: Any = step) -> Any:
            if job.step == stop:
                raise KeyboardInterrupt
            return step(job, batch, lr)

        job.task = replace(job.task, step=stopping)
        job.cfg = replace(cfg, train=replace(cfg.train, save_seconds=0))
        with pytest.raises(KeyboardInterrupt):
            loop.train(job)
        again = make_job(folder, cfg)
        again.load_state_dict(checkpoint.load(folder / "last")[0])
        assert again.step == stop
        loop.train(again)
        ours, theirs = weights(folder), weights(tmp_path / "straight")
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_the_mean_is_evaluated_and_written_and_training_goes_on_without_it(tmp_path: Path) -> None:
    plain = make_job(tmp_path / "plain", averaged())
    loop.train(plain)
    meaned = make_job(tmp_path / "mean", averaged(average="polyak"))
    loop.train(meaned)
    for name, value in plain.model.state_dict().items():
        assert torch.equal(meaned.model.state_dict()[name], value)  # the path of training is the same, bit for bit
    assert meaned.average is not None
    if meaned.best.best_epoch == 3:
        assert torch.equal(weights(tmp_path / "mean")["0.weight"], meaned.average.average["net.0.weight"])
    stored = weights(tmp_path / "mean")
    assert not torch.equal(stored["1.running_mean"], meaned.average.average["net.1.running_mean"])  # measured anew
