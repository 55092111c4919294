"""A quick start."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Within this block, which imports torch, nothing looks for garbage; what was made is not looked at again.

    Modules live as long as the process. With torch they are a quarter of a million objects, and Python goes
    through all of them several times while they come in, which is a sixth of the time it takes. In a process
    that has loaded torch before, there may be objects of others which must be looked at: nothing is changed.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
