"""Freed memory is kept, counted in pages that the system had to hand out; imports are not searched for garbage."""

import contextlib
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from pellucid.ops import memory
from pellucid.ops.memory import freed_memory_kept, quick_imports

BLOCK = 48 << 20  # bytes; above the 32 MB from which glibc asks the system for every single block


def pages_of_one_more_round() -> int:
    """How many pages the system hands out while a block is asked for, filled and freed once more."""
    import resource

    bytearray(BLOCK)  # filled with zeros, page by page
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(BLOCK)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


needs_glibc = pytest.mark.skipif(memory._glibc() is None, reason="only glibc is told to keep memory")


def in_a_new_process(function: Callable[[], None]) -> None:
    """Run it where nobody has asked for memory before: what lies free in a used process decides the counts."""
    code = f"import runpy; runpy.run_path({__file__!r})[{function.__name__!r}]()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def kept_within_and_given_back_after() -> None:
    pages = BLOCK // os.sysconf("SC_PAGE_SIZE")
    assert pages_of_one_more_round() > pages // 2
    with freed_memory_kept():
        assert pages_of_one_more_round() < pages // 100
        held = _resident()
    assert held - _resident() > BLOCK // 2


def given_back_after_an_error() -> None:
    with contextlib.suppress(KeyError), freed_memory_kept():
        bytearray(BLOCK)
        held = _resident()
        raise KeyError
    assert held - _resident() > BLOCK // 2


@needs_glibc
@pytest.mark.parametrize("function", [kept_within_and_given_back_after, given_back_after_an_error])
def test_freed_memory_is_kept_within_the_block_only(function: Callable[[], None]) -> None:
    in_a_new_process(function)


@needs_glibc
def test_a_thread_can_still_have_large_blocks() -> None:
    """Heaps of threads end at 64 MB, and the way around them was closed."""
    sizes: list[int] = []
    with freed_memory_kept():
        thread = threading.Thread(target=lambda: sizes.append(len(bytearray(200 << 20))))
        thread.start()
        thread.join()
    assert sizes == [200 << 20]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def confstr(name: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(memory.os, "confstr", confstr, raising=False)
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: pytest.fail("touched"))
    with freed_memory_kept():
        pass


def _resident() -> int:
    """Bytes of memory this process really occupies."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def thawed() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_looked_at_twice(monkeypatch: pytest.MonkeyPatch, thawed: None) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(memory, "FRESH", len(gc.get_objects()) + 10_000)
    with quick_imports():
        assert not gc.isenabled()
        made = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(made)
    assert not any(found is made for found in gc.get_objects())


def test_objects_of_a_process_that_has_many_are_looked_at_later(monkeypatch: pytest.MonkeyPatch, thawed: None) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(memory, "FRESH", 10)
    with quick_imports():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_failed_import_switches_it_on_again(monkeypatch: pytest.MonkeyPatch, thawed: None) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(ImportError), quick_imports():
        raise ImportError
    assert gc.isenabled()


def test_objects_beside_a_loaded_torch_are_left_alone(monkeypatch: pytest.MonkeyPatch, thawed: None) -> None:
    monkeypatch.setitem(sys.modules, "torch", sys)
    with quick_imports():
        assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_who_switched_it_off_finds_it_off(monkeypatch: pytest.MonkeyPatch, thawed: None) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    gc.disable()
    with quick_imports():
        pass
    assert not gc.isenabled()
    assert gc.get_freeze_count() == 0
