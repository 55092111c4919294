"""A verdict on data, and the records it is about."""

from dataclasses import dataclass

from pellucid.core.verdict import Verdict


@dataclass(frozen=True)
class Finding:
    """What one rule found.

    Attributes:
        verdict: rule, evidence, cause, cure.
        rows: rows of the pack that it is about, the clearest case first.
        pairs: pairs of rows, such as a picture and its copy, the clearest case first.
        notes: one short text for each row or pair, such as "dark: mean 3 of 255"; or none.
    """

    verdict: Verdict
    rows: tuple[int, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()
