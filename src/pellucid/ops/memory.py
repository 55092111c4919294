"""What the C library does with memory that was freed, and what Python looks through for garbage."""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Parameters of mallopt, from glibc's malloc.h; see man 3 mallopt.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4

FRESH = 50_000  # objects; a bare Python has about 5,000, with NumPy and Pillow 19,000

_SETTLED = {_MMAP_MAX: 65536, _MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 64 << 20}


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Within this block the C library keeps memory that is freed; at its end the system gets it back.

    By itself glibc hands large blocks back at once, and the system hands them out again page by page, each
    page cleared at its first touch. A step of training frees and asks for the same tens of megabytes every
    time: for small networks those pages cost a third of the step. The most memory a process holds at one time
    stays about the same, and no number depends on it. Not to be nested. Does nothing without glibc.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(_MMAP_MAX, 0)
    libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        for parameter, value in _SETTLED.items():  # where glibc's own adapting ends after large blocks
            libc.mallopt(parameter, value)
        libc.malloc_trim(0)


@contextmanager
def quick_imports() -> Iterator[None]:
    """Within this block, which imports torch, nothing looks for garbage; modules are not looked at again.

    Modules live as long as the process. With torch they are a quarter of a million objects, and Python goes
    through all of them several times while they come in, which is a sixth of the time it takes. In a process
    that has made many objects of its own, only the import is left alone and all is looked at afterwards,
    since some of those may become garbage; where torch is loaded already, nothing is changed.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    fresh = len(gc.get_objects()) < FRESH
    gc.disable()
    try:
        yield
    finally:
        if fresh:
            gc.freeze()
        gc.enable()


def _glibc() -> ctypes.CDLL | None:
    """The C library of this process, when it is glibc."""
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION") if hasattr(os, "confstr") else None
        return ctypes.CDLL(None) if version else None
    except (OSError, ValueError):  # another C library does not know the name
        return None
