"""Loops that numba compiles, where it is installed (the extra `speed`). All of them have a form in torch as well.

What is compiled is kept on disk beside the source, or in the user's cache where that cannot be written; where neither
can, it is compiled anew in each process. Kernels hold no lock of Python and start no threads of numba's own, which
would not survive a fork: who wants threads calls them from several, see `in_parts`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import torch

Function = TypeVar("Function", bound=Callable[..., Any])


@cache
def has_numba() -> bool:
    """Whether numba is installed and imports beside this NumPy; asked for the first time, it takes a second."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


def compiles(*tensors: torch.Tensor) -> bool:
    """Whether compiled loops can work on these tensors: numba is there, and they lie in a CPU's memory."""
    return has_numba() and all(type(each) is torch.Tensor and each.device.type == "cpu" for each in tensors)


def kernel(function: Function) -> Function:
    """The compiled form of a function of arrays and numbers; compiled when first called, for the types it then gets."""
    import numba

    try:
        return numba.njit(function, nogil=True, cache=True, error_model="numpy")
    except RuntimeError:  # there is nowhere to write
        return numba.njit(function, nogil=True, error_model="numpy")


def in_parts(work: Callable[[int, int], None], parts: Sequence[tuple[int, int]]) -> None:
    """Do `work(begin, end)` for each part, in as many threads as torch has. Parts must not write to the same places."""
    threads = min(torch.get_num_threads(), len(parts))
    if threads <= 1:
        for begin, end in parts:
            work(begin, end)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: work(*part), parts))
