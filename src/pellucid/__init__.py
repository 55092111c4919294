"""Pellucid: computer vision one can see through, from k-nearest neighbours to Transformers.

Public names are loaded when they are first used, so that `import pellucid` and `pellucid --help` are
quick and need no torch.
"""

import os
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Threads that wait should sleep: spinning at barriers makes two threads on a busy machine several times
# slower than one. OpenMP reads this once, when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from pellucid import models
    from pellucid.core.errors import PellucidError
    from pellucid.data.load import load
    from pellucid.runs.run import Run
    from pellucid.runs.train import train

__all__ = ["PellucidError", "Run", "__version__", "load", "models", "train"]


def __getattr__(name: str) -> Any:
    """PEP 562: import a public name when it is first asked for."""
    from pellucid.ops.memory import quick_imports

    if name == "PellucidError":
        from pellucid.core.errors import PellucidError

        return PellucidError
    if name == "load":
        from pellucid.data.load import load

        return load
    with quick_imports():
        if name == "train":
            from pellucid.runs.train import train

            return train
        if name == "Run":
            from pellucid.runs.run import Run

            return Run
        if name == "models":
            import pellucid.models

            return pellucid.models
    raise AttributeError(f"module 'pellucid' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
