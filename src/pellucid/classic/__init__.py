"""Before deep nets: hand-made features and classical estimators. They have the interface of scikit-learn.

Functions on pictures are in `classic.pictures`, estimators in `classic.estimators`; all of them are names of this
package too, loaded when they are first used: `from pellucid.classic import canny, KNearestNeighbors`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pellucid.classic.estimators import *  # noqa: F403
    from pellucid.classic.pictures import *  # noqa: F403


def __getattr__(name: str) -> Any:
    """PEP 562: functions come with torch, estimators with scikit-learn, each when it is asked for."""
    if not name.startswith("_"):
        import pellucid.classic.pictures as pictures  # noqa: PLR0402 - `from` would ask this very function

        if name in pictures.__all__:
            return getattr(pictures, name)
        import pellucid.classic.estimators as estimators  # noqa: PLR0402

        if name in estimators.__all__:
            return getattr(estimators, name)
        known = ", ".join(sorted([*pictures.__all__, *estimators.__all__]))
        raise AttributeError(f"module 'pellucid.classic' has no attribute {name!r}; it has {known}")
    raise AttributeError(f"module 'pellucid.classic' has no attribute {name!r}")


def __dir__() -> list[str]:
    import pellucid.classic.estimators as estimators  # noqa: PLR0402
    import pellucid.classic.pictures as pictures  # noqa: PLR0402

    return sorted([*pictures.__all__, *estimators.__all__])
