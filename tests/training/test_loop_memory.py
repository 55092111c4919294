"""While a job trains, memory that a step frees stays with the process."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import line_task
import pytest

from pellucid.ops import memory
from pellucid.training import loop

resource = pytest.importorskip("resource")  # not on Windows

BLOCK = 48 << 20  # bytes


def faults_of_a_block() -> int:
    """Pages the system had to hand out for one large block."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(BLOCK)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(memory._glibc() is None, reason="only glibc is told to keep memory")
def test_steps_use_the_memory_of_the_step_before(tmp_path: Path) -> None:
    inside: list[int] = []

    def compute_loss(outputs: Any, batch: Any, cfg: Any) -> Any:
        inside.append(faults_of_a_block())
        return line_task.compute_loss(outputs, batch, cfg)

    job = line_task.make_job(tmp_path)
    job.task = replace(job.task, compute_loss=compute_loss)
    loop.train(job)
    outside = faults_of_a_block()  # the first step is no measure: other tests may have left memory to it
    assert outside > 0
    assert max(inside[1:]) < outside // 10
