"""The loop on a task it has never seen: repeats, resumes to the bit, stops in time, refuses NaN."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from line_task import LineConfig, make_job, points

from pellucid.core.errors import Interrupted, NonFiniteError
from pellucid.models.weights import read_weights
from pellucid.training import checkpoint, loop
from pellucid.training.job import Job

EMA = LineConfig(optim=replace(LineConfig().optim, ema=0.9, clip_norm=1.0))
PLATEAU = LineConfig(schedule=replace(LineConfig().schedule, schedule="plateau", plateau_patience=0))


def run(folder: Path, cfg: LineConfig | None = None) -> Job:
    job = make_job(folder, cfg)
    loop.train(job)
    return job


def resume(folder: Path, cfg: LineConfig | None = None) -> Job:
    job = make_job(folder, cfg)
    torch.manual_seed(12345)  # whatever happened in the new process must not matter
    state, _ = checkpoint.load(folder / "last")
    job.load_state_dict(state)
    loop.train(job)
    return job


def outcome(folder: Path) -> tuple[str, bytes, bytes]:
    newest = checkpoint.generations(folder / "last")[0]
    return (folder / "metrics.jsonl").read_text(), (folder / "model.safetensors").read_bytes(), newest.read_bytes()


def stop_after(job: Job, step: int, signal_number: int) -> None:
    """Send this process a signal right after the given step."""
    original = job.train.epoch

    def batches(epoch: int, start: int = 0):
        for batch in original(epoch, start):
            if job.step == step - 1:
                os.kill(os.getpid(), signal_number)
            yield batch

    job.train.epoch = batches  # type: ignore[method-assign]


def test_it_learns_and_repeats_to_the_bit(tmp_path: Path) -> None:
    first, second = run(tmp_path / "a"), run(tmp_path / "b")
    assert outcome(tmp_path / "a") == outcome(tmp_path / "b")
    history = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()]
    epochs = [record for record in history if record["kind"] == "epoch"]
    assert epochs[-1]["val_error"] < 0.5 * epochs[0]["val_error"] + 0.5
    assert first.step == second.step == 24


@pytest.mark.parametrize("cfg", [LineConfig(), EMA, PLATEAU], ids=["plain", "ema", "plateau"])
@pytest.mark.parametrize("step", [1, 7, 8, 9, 16, 23, 24])
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_and_resumed_equals_straight(tmp_path: Path, cfg: LineConfig, step: int, signal_number: int) -> None:
    run(tmp_path / "straight", cfg)
    job = make_job(tmp_path / "stopped", cfg)
    stop_after(job, step, signal_number)
    with pytest.raises(Interrupted) as caught:
        loop.train(job)
    assert caught.value.exit_code == 128 + signal_number
    assert f"at step {step} of 24; everything is saved" in str(caught.value)
    resume(tmp_path / "stopped", cfg)
    assert outcome(tmp_path / "stopped") == outcome(tmp_path / "straight")


def test_lost_lines_after_the_last_save_are_repeated_once(tmp_path: Path) -> None:
    """As after kill -9: the log is longer than the state, and its last line is cut."""
    run(tmp_path / "straight")
    job = make_job(tmp_path / "killed")
    stop_after(job, 10, signal.SIGTERM)
    with pytest.raises(Interrupted):
        loop.train(job)
    with open(tmp_path / "killed" / "metrics.jsonl", "a") as log:
        log.write('{"kind": "step", "epoch": 1, "step": 10, "loss": 99}\n{"kind": "st')
    resume(tmp_path / "killed")
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "straight")


def test_handlers_are_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run(tmp_path)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("points", "the input 'points' is not finite, or garbage, in row "),
        ("height", "the target 'height' is not finite, or garbage, in row "),
    ],
)
def test_nan_stops_before_the_weights_change(tmp_path: Path, name: str, word: str) -> None:
    data = points(64, 0)
    data[name][5] = float("nan")
    job = make_job(tmp_path, data=data)
    seen: list[dict[str, torch.Tensor]] = []
    original = job.train.epoch

    def batches(epoch: int, start: int = 0):
        for batch in original(epoch, start):
            seen.append({key: value.clone() for key, value in job.model.state_dict().items()})
            yield batch

    job.train.epoch = batches  # type: ignore[method-assign]
    with pytest.raises(NonFiniteError, match=word) as caught:
        loop.train(job)
    assert caught.value.exit_code == 3
    for key, value in job.model.named_parameters():
        assert torch.isfinite(value).all()
        assert torch.equal(value, seen[-1][key])
    stored = read_weights(tmp_path / "nonfinite" / "batch.safetensors")
    assert not torch.isfinite(stored.tensors[name]).all()
    verdict = json.loads((tmp_path / "doctor.json").read_text())[-1]
    assert verdict["rule"] == "non-finite"
    assert f"at step {job.step} " in verdict["evidence"]


def test_exploding_rate_is_named(tmp_path: Path) -> None:
    cfg = LineConfig(optim=replace(LineConfig().optim, lr=1e25))
    with pytest.raises(NonFiniteError, match="the learning rate is too high"):
        run(tmp_path, cfg)


def test_initial_loss_is_judged(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    torch.nn.init.constant_(job.model.net[-1].bias, 10.0)  # the planted bias
    loop.train(job)
    verdict = next(v for v in job.verdicts if v.rule == "initial-loss")
    assert verdict.status == "fail"
    assert "a model that knows nothing has 5.250" in verdict.evidence
    healthy = run(tmp_path / "healthy")
    assert next(v for v in healthy.verdicts if v.rule == "initial-loss").status in ("pass", "warn")


def test_early_stopping_keeps_the_best_weights(tmp_path: Path) -> None:
    cfg = LineConfig(
        optim=replace(LineConfig().optim, lr=1e-12), train=replace(LineConfig().train, epochs=30, patience=2)
    )
    job = make_job(tmp_path, cfg)
    values = iter([3.0, 2.0, 2.5, 2.4, 1.0])
    job.task = replace(job.task, summarise=lambda records, facts: {"error": next(values)})
    loop.train(job)
    assert job.epoch == 4
    assert (job.best.best_epoch, job.best.best_value) == (1, 2.0)
    assert read_weights(tmp_path / "model.safetensors").about["best_epoch"] == 1


def test_without_validation_the_last_weights_are_kept(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    job.val = None
    loop.train(job)
    about = read_weights(tmp_path / "model.safetensors").about
    assert about["best_epoch"] == 2
    assert about["values"] == {}


def test_ema_is_what_is_kept_and_training_weights_go_on(tmp_path: Path) -> None:
    job = run(tmp_path, EMA)
    kept = read_weights(tmp_path / "model.safetensors").tensors
    assert job.average is not None
    name = "0.weight"
    assert torch.equal(kept[name], job.average.average["net." + name]) or job.best.best_epoch != 2
    assert not torch.equal(kept[name], job.model.net.state_dict()[name])
