"""What one look at a training step found, and the line of the log that says it."""

from dataclasses import asdict, astuple, dataclass
from typing import Any

DIGITS = 5  # of every number, so that what is judged is what stands in the log


@dataclass(frozen=True)
class Activation:
    """The output of one activation, over a few pictures of the batch.

    Attributes:
        mean, std: of all its numbers.
        signal: deviation of a unit from picture to picture (and place to place), root mean square over the units.
            Unlike `std` it has no share of what the biases alone bring.
        dead: share of units that were 0 on every picture of this look and the two before; None where an activation has
            no such state, and before the third look.
        born_dead: the part of `dead` that was so at every look there was.
        saturated: share of numbers near either end of tanh or sigmoid; None for other activations.
        kind: name of the operation.
        weight: the weight that feeds it; empty when none does.
    """

    mean: float
    std: float
    signal: float
    dead: float | None = None
    born_dead: float | None = None
    saturated: float | None = None
    kind: str = ""
    weight: str = ""


@dataclass(frozen=True)
class Weight:
    """One weight and what the step did to it.

    Attributes:
        rms: root mean square of its numbers before the step.
        gradient: that of the gradient the optimiser was given.
        ratio: length of the step over that of the weight; 0 where the weight is 0.
    """

    rms: float
    gradient: float
    ratio: float


@dataclass(frozen=True)
class Snapshot:
    """One look.

    Attributes:
        step, lr: which step it was, counted from 0, and at which rate.
        input_mean, input_std: of what the first layer with weights is given; None when those are no fractions.
        activations: by place in the network, in the order they ran.
        weights: by name, of two or more dimensions, those that the step trained.
    """

    step: int
    lr: float
    input_mean: float | None
    input_std: float | None
    activations: dict[str, Activation]
    weights: dict[str, Weight]

    def as_record(self) -> dict[str, Any]:
        """As plain JSON: of each layer a list, in the order of the attributes above."""
        return {
            **{name: value for name, value in asdict(self).items() if name not in ("activations", "weights")},
            "activations": {name: list(astuple(layer)) for name, layer in self.activations.items()},
            "weights": {name: list(astuple(weight)) for name, weight in self.weights.items()},
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Snapshot":
        """The inverse of `as_record`; other keys of the record are left aside."""
        return cls(
            record["step"],
            record["lr"],
            record["input_mean"],
            record["input_std"],
            {name: Activation(*values) for name, values in record["activations"].items()},
            {name: Weight(*values) for name, values in record["weights"].items()},
        )


def rounded(value: float) -> float:
    """To `DIGITS` digits; infinities and NaN, which JSON has not, become a number too large for any signal."""
    return float(f"{value:.{DIGITS}g}") if abs(value) < 1e38 else 1e38
