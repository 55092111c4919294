"""The monitor changes nothing, forgets nothing over a restart, and measures what plain arithmetic measures."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from line_task import LineConfig, make_job
from torch import nn

from pellucid.core.errors import Interrupted
from pellucid.core.verdict import Verdict
from pellucid.models.classify import MODELS
from pellucid.models.weights import read_weights
from pellucid.training import checkpoint, loop
from pellucid.training.health.monitor.monitor import Monitor
from pellucid.training.health.monitor.snapshot import Snapshot
from pellucid.training.job import Job

EMA = LineConfig(optim=replace(LineConfig().optim, optimiser="adamw", lr=0.01, clip_norm=1.0))


def monitored(folder: Path, cfg: LineConfig | None = None) -> Job:
    job = make_job(folder, cfg)
    job.monitor = Monitor(job.model, job.total_steps)
    return job


def looks(folder: Path) -> list[Snapshot]:
    return [Snapshot.from_record(json.loads(line)) for line in (folder / "layers.jsonl").read_text().splitlines()]


def outcome(folder: Path) -> list[str | bytes]:
    newest = checkpoint.generations(folder / "last")[0]
    texts = [(folder / name).read_text() for name in ("metrics.jsonl", "layers.jsonl", "doctor.json")]
    return [*texts, (folder / "model.safetensors").read_bytes(), newest.read_bytes()]


@pytest.mark.parametrize("cfg", [LineConfig(), EMA], ids=["sgd", "adamw-clipped"])
def test_a_monitored_run_equals_one_without(tmp_path: Path, cfg: LineConfig) -> None:
    """The net has batch norm and dropout, so any extra draw or extra pass would show."""
    loop.train(make_job(tmp_path / "off", cfg))
    loop.train(monitored(tmp_path / "on", cfg))
    off, on = ((tmp_path / name / "metrics.jsonl").read_text() for name in ("off", "on"))
    assert on == off
    weights = [read_weights(tmp_path / name / "model.safetensors").tensors for name in ("off", "on")]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert len(looks(tmp_path / "on")) > 3


@pytest.mark.parametrize("step", [1, 7, 9, 16, 23])
def test_stopped_and_resumed_equals_straight(tmp_path: Path, step: int) -> None:
    for name in ("straight", "stopped"):
        job = monitored(tmp_path / name)
        nn.init.constant_(job.model.net[1].bias, -50.0)  # so that there is an alarm to remember
        if name == "straight":
            loop.train(job)
            loop.write_verdicts(job)
            continue
        original = job.train.epoch

        def batches(epoch: int, start: int = 0):
            for batch in original(epoch, start):  # noqa: B023 - used within its round
                if job.step == step - 1:  # noqa: B023
                    os.kill(os.getpid(), signal.SIGTERM)
                yield batch

        job.train.epoch = batches  # type: ignore[method-assign]
        with pytest.raises(Interrupted):
            loop.train(job)
    job = monitored(tmp_path / "stopped")
    job.load_state_dict(checkpoint.load(tmp_path / "stopped" / "last")[0])
    loop.train(job)
    assert outcome(tmp_path / "stopped") == outcome(tmp_path / "straight")
    assert [v.status for v in job.verdicts if v.rule == "dead-units"] == ["fail"]


def test_steps_that_are_looked_at() -> None:
    """Powers of two while that is more often than the usual distance, then every so many."""
    monitor = Monitor(nn.Linear(2, 2), 480)
    assert [step for step in range(61) if monitor.is_due(step)] == [0, 1, 2, 4, 8, 16, 20, 40, 60]
    assert Monitor(nn.Linear(2, 2), 5_000).every == 100
    long = Monitor(nn.Linear(2, 2), 400_000)
    assert long.every == 1000
    assert sum(map(long.is_due, range(20_000))) == 20 + 10  # every thousandth, and powers of two below a thousand


def test_numbers_are_those_of_plain_arithmetic(tmp_path: Path) -> None:
    """One step by hand: the first layer's ReLU, its weights, its gradient and how far it went."""
    job = monitored(tmp_path, replace(LineConfig(), train=replace(LineConfig().train, epochs=1)))
    batch = next(job.train.epoch(0))
    norm, relu = job.model.net[1], nn.ReLU()
    with torch.no_grad():
        hidden = job.model.net[0](batch["points"])
        expected = relu((hidden - hidden.mean(0)) / (hidden.var(0, correction=0) + norm.eps).sqrt())
    before = job.model.net[0].weight.detach().clone()
    assert job.monitor is not None
    with job.monitor.watching(0, 0.05):
        loop.gradient_step(job, batch, 0.05)
    look = job.monitor.look
    assert look is not None
    seen = look.activations["2"]
    assert (seen.kind, seen.weight) == ("relu", "0.weight")
    assert seen.mean == pytest.approx(float(expected.mean()), rel=1e-4)
    assert seen.std == pytest.approx(float(expected.std(correction=0)), rel=1e-4)
    assert seen.signal == pytest.approx(float(expected.var(0, correction=0).mean().sqrt()), rel=1e-4)
    assert look.input_mean == pytest.approx(float(batch["points"].mean()), rel=1e-4)
    weight, after = look.weights["0.weight"], job.model.net[0].weight.detach()
    assert weight.rms == pytest.approx(float(before.square().mean().sqrt()), rel=1e-4)
    assert weight.ratio == pytest.approx(float((after - before).norm() / before.norm()), rel=1e-4)
    assert weight.gradient == pytest.approx(float(job.model.net[0].weight.grad.square().mean().sqrt()), rel=1e-4)
    assert Snapshot.from_record(json.loads(json.dumps(look.as_record()))) == look


def test_nothing_is_left_on_the_model(tmp_path: Path) -> None:
    """Also when the step fails in the middle of the forward pass."""
    job = monitored(tmp_path)
    assert job.monitor is not None
    with pytest.raises(RuntimeError), job.monitor.watching(0, 0.1):
        job.model({"points": torch.zeros(4, 3)})
    with job.monitor.watching(0, 0.1):
        loop.gradient_step(job, next(job.train.epoch(0)), 0.1)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in job.model.modules())
    assert torch.utils._python_dispatch._get_current_dispatch_mode() is None


class Wrapped(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return self.net(batch["x"])


NETWORKS = {"mlp": 8, "convnet": 12, "resnet20": 8, "vit_small": 16, "mobilenet_v3_small": 32}


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_of_a_watched_step_are_the_same_bits(name: str) -> None:
    """Also under autocast, with transformers, gates and reused in-place activations."""
    side = NETWORKS[name]
    torch.manual_seed(0)
    model = Wrapped(MODELS[name](4, 3, (side, side))).train()
    batch = {"x": torch.randn(3, 3, side, side)}
    monitor, found = Monitor(model, 100), []
    for watched in (False, True):
        torch.manual_seed(1)
        model.zero_grad()
        buffers = {key: value.clone() for key, value in model.named_buffers()}
        step = 0 if watched else 3
        with monitor.watching(step, 0.1), torch.autocast("cpu", torch.bfloat16):
            loss = model(batch).float().square().mean()
            loss.backward()
        found.append([loss.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)])
        with torch.no_grad():
            for key, value in model.named_buffers():
                value.copy_(buffers[key])
    assert monitor.look is not None
    assert monitor.look.activations
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_alarms_are_said_once_and_judged_again_at_the_end(tmp_path: Path) -> None:
    said: list[str] = []
    job = monitored(tmp_path)
    nn.init.constant_(job.model.net[1].bias, -50.0)
    job.progress.say = said.append  # type: ignore[method-assign]
    loop.train(job)
    assert sum(line.startswith("FAIL dead-units") for line in said) == 1
    assert [v.rule for v in job.verdicts].count("dead-units") == 1
    assert json.loads((tmp_path / "doctor.json").read_text()) == [v.as_dict() for v in job.verdicts]


def test_an_alarm_that_healed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = Monitor(nn.Linear(2, 2), 10)
    monitor.said = {"dead-units": 4}
    healed = [Verdict("dead-units", "pass", "at most 2% of a layer's units")]
    monkeypatch.setattr("pellucid.training.health.monitor.monitor.judge", lambda history: healed)
    (verdict,) = monitor.judge_end()
    assert verdict.status == "info"
    assert verdict.evidence == "raised at step 4, gone by the end: at most 2% of a layer's units"


def test_a_slow_down_is_kept_out_of_what_repeats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Verdict("slow-down", "warn", "made up", "a clock", "wait")
    monkeypatch.setattr(
        "pellucid.training.loop.Speed.step", lambda self, number, wall, cpu: slow if number == 3 else None
    )
    job = monitored(tmp_path)
    loop.train(job)
    assert "slow-down" not in (tmp_path / "doctor.json").read_text()
    assert '"kind": "slow-down"' in (tmp_path / "timing.jsonl").read_text()
