"""Memory ends at call n: the step is repeated in smaller parts, and the run is the one it would have been."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from line_task import LineConfig, Net, make_job
from torch import Tensor, nn

from pellucid.core.errors import Interrupted, OutOfMemory, is_out_of_memory
from pellucid.training import checkpoint, loop
from pellucid.training.job import Job
from pellucid.training.memory.back_off import RULE
from pellucid.training.optim import make_optimiser

SAVING = LineConfig(train=replace(LineConfig().train, save_seconds=0.0))
ERRORS = {
    "main memory": RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you"),
    "a GPU": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "Python": MemoryError(),
}


class Alone(nn.Module):
    """Answers every picture by itself: no batch norm, no dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"guess": self.net(batch["points"])[:, 0]}


class Allocator:
    """Refuses the calls whose numbers are given, and every part above `room` pictures from call `start` on."""

    def __init__(self, model: nn.Module, calls: tuple[int, ...] = (), room: int = 1000, start: int = 0) -> None:
        self.count, self.calls, self.room, self.start = 0, calls, room, start
        self.error: Exception = ERRORS["main memory"]
        for module in model.modules():
            if isinstance(module, nn.Linear):
                module.register_forward_hook(self.look)

    def look(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        if not module.training:
            return
        self.count += 1
        if self.count in self.calls or (self.count > self.start and len(output) > self.room):
            raise self.error


def job_with(folder: Path, model: nn.Module | None = None, cfg: LineConfig | None = None) -> Job:
    job = make_job(folder, cfg)
    if model is not None:
        job.model = model
        job.optimiser = make_optimiser(model, job.cfg.optim, job.cfg.optim.lr)
    return job


def alone() -> nn.Module:
    torch.manual_seed(0)
    return Alone()


def curve(folder: Path) -> list[float]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if line["kind"] == "step"]


@pytest.mark.parametrize("call", [1, 2, 3, 17, 40])
def test_the_loss_curve_is_that_of_the_undivided_run(tmp_path: Path, call: int) -> None:
    loop.train(job_with(tmp_path / "whole", alone()))
    job = job_with(tmp_path / "parts", alone())
    Allocator(job.model, calls=(call,))
    loop.train(job)
    assert job.parts == 2
    assert curve(tmp_path / "parts") == pytest.approx(curve(tmp_path / "whole"), abs=1e-5)


def test_memory_may_end_again_until_the_parts_fit(tmp_path: Path) -> None:
    loop.train(job_with(tmp_path / "whole", alone()))
    job = job_with(tmp_path / "parts", alone())
    Allocator(job.model, room=1, start=5)
    loop.train(job)
    assert job.parts == 8
    assert curve(tmp_path / "parts") == pytest.approx(curve(tmp_path / "whole"), abs=1e-5)
    (verdict,) = [each for each in job.verdicts if each.rule == RULE]
    assert verdict.status == "info"
    assert verdict.evidence == (
        "memory ended at step 2: its batch of 8 goes on in 8 parts of 1, whose gradients are added up, so that the "
        "step stays the same"
    )
    assert verdict.cure == "nothing has to be done; --accumulate 8 spares the step that failed"


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_wherever_in_the_step_it_ends_the_run_is_the_same_to_the_bit(tmp_path: Path, call: int) -> None:
    """With batch norm and dropout: the failed attempt leaves no trace, neither in statistics nor in random numbers."""
    job = job_with(tmp_path / "failed")
    job.parts = 2
    Allocator(job.model, calls=(call,))  # two linear layers, two parts: calls 1 to 4 are all of the first step
    loop.train(job)
    straight = job_with(tmp_path / "straight")
    straight.parts = 4
    loop.train(straight)
    assert job.parts == 4
    for name in ("metrics.jsonl", "model.safetensors"):
        assert (tmp_path / "failed" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes()


@pytest.mark.parametrize("kind", list(ERRORS))
def test_every_kind_of_error_is_known(tmp_path: Path, kind: str) -> None:
    assert is_out_of_memory(ERRORS[kind])
    job = job_with(tmp_path, alone())
    Allocator(job.model, calls=(3,)).error = ERRORS[kind]
    loop.train(job)
    assert job.parts == 2


def test_other_errors_are_passed_on(tmp_path: Path) -> None:
    job = job_with(tmp_path, alone())
    Allocator(job.model, calls=(3,)).error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        loop.train(job)
    assert job.parts == 1


def test_one_picture_that_does_not_fit_is_refused_in_one_line(tmp_path: Path) -> None:
    job = job_with(tmp_path, alone())
    Allocator(job.model, room=0)
    before = [p.clone() for p in job.model.parameters()]
    with pytest.raises(OutOfMemory) as caught:
        loop.train(job)
    assert str(caught.value) == (
        "Not enough memory for one picture at a time (step 0). Use a smaller --image-size or another --model."
    )
    assert all(torch.equal(p, q) for p, q in zip(job.model.parameters(), before, strict=True))


def test_two_pictures_are_the_least_with_batch_norm(tmp_path: Path) -> None:
    job = job_with(tmp_path)
    Allocator(job.model, room=1)
    with pytest.raises(OutOfMemory) as caught:
        loop.train(job)
    assert str(caught.value) == (
        "Not enough memory for 2 pictures, which batch norm needs, at a time (step 0). Use a smaller --image-size or "
        "another --model."
    )
    assert job.parts == 4


def test_a_resumed_run_goes_on_in_the_parts_it_had(tmp_path: Path) -> None:
    """To the bit, although memory does not end a second time."""
    straight = job_with(tmp_path / "straight", cfg=SAVING)
    Allocator(straight.model, calls=(20,))
    loop.train(straight)
    job = job_with(tmp_path / "cut", cfg=SAVING)
    Allocator(job.model, calls=(20,))
    _stop_at(job, step=13)
    with pytest.raises(Interrupted):
        loop.train(job)
    again = job_with(tmp_path / "cut", cfg=SAVING)
    state, _ = checkpoint.load(tmp_path / "cut" / "last")
    again.load_state_dict(state)
    assert again.parts == 2
    loop.train(again)
    for name in ("metrics.jsonl", "model.safetensors"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes()


def _stop_at(job: Job, step: int) -> None:
    import os
    import signal

    original = job.train.epoch

    def batches(epoch: int, start: int = 0) -> Any:
        for batch in original(epoch, start):
            if job.step == step:
                os.kill(os.getpid(), signal.SIGTERM)
            yield batch

    job.train.epoch = batches  # type: ignore[method-assign]


def test_checkpoints_of_older_runs_have_no_parts(tmp_path: Path) -> None:
    state = make_job(tmp_path).state_dict()
    del state["parts"]
    job = make_job(tmp_path)
    job.parts = 3  # as --accumulate 3 makes it
    job.load_state_dict(state)
    assert job.parts == 3
    assert isinstance(job.model, Net)
