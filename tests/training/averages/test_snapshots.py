"""Snapshots: one weights file at the end of each cosine cycle, the weights of that very step, resumed or not."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from line_task import LineConfig, make_job

from pellucid.models.weights import read_weights
from pellucid.training import checkpoint, loop
from pellucid.training.config import ScheduleConfig
from pellucid.training.job import Job


def config(n: int, **changes: float) -> LineConfig:
    cfg = LineConfig(schedule=ScheduleConfig(warmup_epochs=0, snapshots=n))
    return replace(cfg, train=replace(cfg.train, **changes))


def test_each_file_holds_the_weights_at_the_end_of_its_cycle(tmp_path: Path) -> None:
    job = make_job(tmp_path, config(5))  # 24 steps
    ends, seen = (5, 10, 15, 20, 24), {}
    original = job.train.epoch

    def batches(epoch: int, start: int = 0):
        for batch in original(epoch, start):
            seen[job.step] = {name: value.clone() for name, value in job.model.net.state_dict().items()}
            yield batch

    job.train.epoch = batches  # type: ignore[method-assign]
    loop.train(job)
    seen[24] = job.model.net.state_dict()
    assert job.schedule.snapshot_steps == ends
    files = sorted((tmp_path / "snapshots").iterdir())
    assert [file.name for file in files] == [f"{k}.safetensors" for k in range(1, 6)]
    for number, (file, end) in enumerate(zip(files, ends, strict=True), start=1):
        weights = read_weights(file)
        assert all(torch.equal(weights.tensors[name], value) for name, value in seen[end].items())
        assert weights.about == {"task": "line", "snapshot": number, "step": end}


@pytest.mark.parametrize("stop", [9, 10, 11])
def test_a_resumed_run_keeps_the_same_snapshots(tmp_path: Path, stop: int) -> None:
    loop.train(make_job(tmp_path / "straight", config(3)))
    job = make_job(tmp_path / "resumed", config(3, save_seconds=0))

    def stopping(job: Job, batch: dict, lr: float) -> loop.StepResult:
        if job.step == stop:
            raise KeyboardInterrupt
        return loop.gradient_step(job, batch, lr)

    job.task = replace(job.task, step=stopping)
    with pytest.raises(KeyboardInterrupt):
        loop.train(job)
    again = make_job(tmp_path / "resumed", config(3))
    again.load_state_dict(checkpoint.load(tmp_path / "resumed" / "last")[0])
    loop.train(again)
    for number in (1, 2, 3):
        name = f"snapshots/{number}.safetensors"
        assert (tmp_path / "straight" / name).read_bytes() == (tmp_path / "resumed" / name).read_bytes()


def test_none_without_being_asked(tmp_path: Path) -> None:
    loop.train(make_job(tmp_path, replace(config(0), schedule=ScheduleConfig("restarts", warmup_epochs=0))))
    assert not (tmp_path / "snapshots").exists()
