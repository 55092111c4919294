"""While a job trains, memory that a step frees stays with the process."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import line_task
import pytest

from pellucid.ops import memory
from pellucid.training import loop

resource = pytest.importorskip("resource")  # not on Windows

BLOCK = 48 << 20  # bytes


@pytest.mark.skipif(memory._glibc() is None, reason="only glibc is told to keep memory")
def test_steps_use_the_memory_of_the_step_before(tmp_path: Path) -> None:
    pages: list[int] = []

    def compute_loss(outputs: Any, batch: Any, cfg: Any) -> Any:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        bytearray(BLOCK)
        pages.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
        return line_task.compute_loss(outputs, batch, cfg)

    job = line_task.make_job(tmp_path)
    job.task = replace(job.task, compute_loss=compute_loss)
    loop.train(job)
    assert pages[0] > BLOCK // os.sysconf("SC_PAGE_SIZE") // 2
    assert max(pages[1:]) < pages[0] // 100
