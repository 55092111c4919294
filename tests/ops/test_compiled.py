"""When compiled loops are used, where they are kept, and how their work is shared out."""

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch

from pellucid.ops import compiled
from pellucid.ops.boxes.suppress import nms
from pellucid.ops.regions import roi_align

needs_numba = pytest.mark.skipif(not compiled.has_numba(), reason="numba is not installed")


@needs_numba
def test_only_plain_tensors_in_a_cpus_memory() -> None:
    assert compiled.compiles(torch.zeros(2), torch.zeros(3, dtype=torch.int64)) and compiled.compiles()
    assert not compiled.compiles(torch.zeros(2), torch.zeros(2, device="meta"))
    assert not compiled.compiles(torch.nn.Parameter(torch.zeros(2)))  # what wraps a tensor may not be one


def test_a_numba_that_does_not_import_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)  # as if its import failed
    assert not compiled.has_numba.__wrapped__()


@needs_numba
def test_kernels_compile_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    real, asked = numba.njit, []

    def nowhere_to_write(function: Callable[..., Any], cache: bool = False, **settings: Any) -> Any:
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(function, **settings)

    monkeypatch.setattr(numba, "njit", nowhere_to_write)

    @compiled.kernel
    def half(x: float) -> float:
        return x / 2

    assert half(3.0) == 1.5 and asked[:2] == [True, False]


@pytest.mark.parametrize("threads", [1, 3])
def test_all_parts_are_done_in_as_many_threads_as_torch_has(threads: int) -> None:
    before = torch.get_num_threads()
    parts = [(0, 2), (2, 3), (3, 7)]
    done, who = [0] * 7, set()
    together = threading.Barrier(threads, timeout=20)

    def work(begin: int, end: int) -> None:
        together.wait()
        who.add(threading.get_ident())
        for i in range(begin, end):
            done[i] += 1

    def fail(begin: int, end: int) -> None:
        raise ValueError(f"part {begin}")

    try:
        torch.set_num_threads(threads)
        compiled.in_parts(work, parts)
        assert done == [1] * 7 and len(who) == threads
        with pytest.raises(ValueError, match="part "):
            compiled.in_parts(fail, parts)
        compiled.in_parts(fail, [])
    finally:
        torch.set_num_threads(before)


@pytest.mark.usefixtures("way")
def test_works_in_inference_mode_and_under_autocast() -> None:
    features, box, picture = torch.randn(1, 3, 8, 8), torch.tensor([[1.0, 1, 20, 25]]), torch.tensor([0])
    expected = roi_align(features, box, picture, 2, 0.25)
    with torch.inference_mode():
        assert torch.equal(roi_align(features.clone(), box.clone(), picture.clone(), 2, 0.25), expected)
        assert nms(box.clone(), torch.ones(1), 0.5).tolist() == [0]
    leaf = features.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        out = roi_align(leaf, box, picture, 2, 0.25)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, expected)
    out.sum().backward()
    assert leaf.grad is not None and leaf.grad.sum().item() == pytest.approx(12, rel=1e-5)


def test_the_command_line_starts_without_numba() -> None:
    """It is imported by what uses it, when it is used."""
    import subprocess
    import sys

    code = "import sys, pellucid.ops.regions, pellucid.ops.boxes.suppress; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=100).returncode == 0
