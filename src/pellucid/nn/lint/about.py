"""What every rule is given."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from pellucid.nn.geometry.rows import Geometry
from pellucid.nn.lint.graph import Graph

SHOWN = 3  # findings that are named; of more, the number is said


@dataclass(frozen=True)
class About:
    """A network, opened up.

    Attributes:
        model: the network itself.
        geometry: its layers, auxiliary heads included.
        graph: its operations.
        batch: pictures a training step has; None where nobody said.
    """

    model: nn.Module
    geometry: Geometry
    graph: Graph
    batch: int | None = None


def listed(findings: Sequence[str]) -> str:
    """The first few findings, and how many more there are."""
    more = f", and {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
    return ", ".join(findings[:SHOWN]) + more
