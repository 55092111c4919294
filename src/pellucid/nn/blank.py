"""Networks without numbers: their names and shapes in milliseconds, however many parameters they have."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from pellucid.core.errors import ConfigError

# drawing numbers that are not there costs more than all else, and loads torch's own meta kernels, a second's work
DRAWS = frozenset(
    "normal_ uniform_ trunc_normal_ kaiming_normal_ kaiming_uniform_ xavier_normal_ xavier_uniform_ orthogonal_ "
    "constant_ ones_ zeros_ fill_ zero_".split()
)
LARGEST = 1024  # px, up to which the smallest picture is sought


@contextmanager
def without_numbers() -> Iterator[None]:
    """Networks that are built in here have parameters on the meta device: shapes alone, and no memory."""
    with torch.device("meta"), _NoDraws():
        yield


def smallest_picture(build: Callable[[tuple[int, int]], object]) -> int | None:
    """Side in pixels of the smallest square that a builder accepts; None where none up to 1024 px is.

    Builders look at the size before they make the first tensor, so nothing is built to find out.
    """
    if not _accepts(build, LARGEST):
        return None
    refused, accepted = 0, LARGEST
    while accepted - refused > 1:
        middle = (refused + accepted) // 2
        refused, accepted = (refused, middle) if _accepts(build, middle) else (middle, accepted)
    return accepted


def _accepts(build: Callable[[tuple[int, int]], object], side: int) -> bool:
    try:
        with _NoTensors():
            build((side, side))
    except ConfigError:
        return False
    except _TensorMade:
        return True
    return True


class _NoDraws(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in DRAWS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


class _NoTensors(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        raise _TensorMade


class _TensorMade(Exception):
    """The builder accepted the size, and began."""
