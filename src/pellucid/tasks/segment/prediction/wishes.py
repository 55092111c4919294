"""What can be asked of a segmenter's predictions. Imports no torch."""

from dataclasses import dataclass

from pellucid.core.wishes import Wishes


@dataclass(frozen=True)
class SegmentWishes(Wishes):
    """Flags of `pellucid predict` and keywords of `Run.predict`."""

    probabilities: bool = False
    """Keep the probability of every class in every pixel; --save writes them as NAME-probabilities.npz."""
