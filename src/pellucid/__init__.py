"""Pellucid: computer vision one can see through, from k-nearest neighbours to Transformers.

Public names are loaded when they are first used, so that `import pellucid` and `pellucid --help` are
quick and need no torch.
"""

import os
from typing import TYPE_CHECKING, Any

__version__ = "0.7.0"

# A thread that waits for another should look for it some twenty microseconds and then sleep. As it comes, it
# looks for milliseconds, which makes two threads on a busy machine several times slower than one; asleep at
# once, it is woken too late on a quiet one. OpenMP reads this when torch is loaded; who set it keeps it.
if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}

if TYPE_CHECKING:
    from pellucid import classic, models, scratch
    from pellucid.core.errors import PellucidError
    from pellucid.data.load import load
    from pellucid.nn import geometry
    from pellucid.nn.convert.for_inference import for_inference
    from pellucid.runs.checking.check import check
    from pellucid.runs.comparing.ensemble import evaluate_ensemble as ensemble
    from pellucid.runs.comparing.ladder import ladder
    from pellucid.runs.features import features
    from pellucid.runs.run import Run
    from pellucid.runs.searching.tune import tune
    from pellucid.runs.train import train

__all__ = [
    "PellucidError",
    "Run",
    "__version__",
    "check",
    "classic",
    "ensemble",
    "features",
    "for_inference",
    "geometry",
    "ladder",
    "load",
    "models",
    "scratch",
    "train",
    "tune",
]


def __getattr__(name: str) -> Any:
    """PEP 562: import a public name when it is first asked for."""
    from pellucid.ops.memory import quick_imports

    if name == "PellucidError":
        from pellucid.core.errors import PellucidError

        return PellucidError
    if name == "load":
        from pellucid.data.load import load

        return load
    if name == "scratch":
        import pellucid.scratch

        return pellucid.scratch
    if name == "classic":
        import pellucid.classic

        return pellucid.classic
    if name not in __all__:
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}; it has {', '.join(__all__)}")
    with quick_imports():
        return _of_runs(name) or _of_networks(name)


def _of_runs(name: str) -> Any:
    """What trains, searches, checks and compares; None for any other name."""
    if name == "train":
        from pellucid.runs.train import train

        return train
    if name == "Run":
        from pellucid.runs.run import Run

        return Run
    if name == "check":
        from pellucid.runs.checking.check import check

        return check
    if name == "tune":
        from pellucid.runs.searching.tune import tune

        return tune
    if name == "ladder":
        from pellucid.runs.comparing.ladder import ladder

        return ladder
    if name == "ensemble":
        from pellucid.runs.comparing.ensemble import evaluate_ensemble

        return evaluate_ensemble
    return None


def _of_networks(name: str) -> Any:
    """Networks, and what is done with one; the rest of `__all__`."""
    if name == "models":
        import pellucid.models

        return pellucid.models
    if name == "geometry":
        import pellucid.nn.geometry

        return pellucid.nn.geometry
    if name == "for_inference":
        from pellucid.nn.convert.for_inference import for_inference

        return for_inference
    from pellucid.runs.features import features

    return features


def __dir__() -> list[str]:
    return sorted(__all__)
