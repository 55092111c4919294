"""Properties of an activation: the eight that one wishes for, each measured on the function itself.

Formula:
    nonlinear        some f(x) is off the line through f(−1) and f(1)
    differentiable   at points drawn at random, the slopes to the left and right agree with f'
    cheap            no exponential or the like, and at most 10 simple operations for each number that comes out
    non-saturating   f' does not go to 0 on both sides
    monotone         no output both rises and falls
    bounded          |f| stops growing far out
    few parameters   it learns at most one number a unit
    normalising      q ← E[f(√q z)²], z ~ N(0, 1), layer upon layer, ends at mean 0 and mean square 1

Derivation:
    A side saturates where the limit of f' is 0: there the chain rule multiplies by nothing. Both sides do for sigmoid
    and tanh, the classic saturating ones. ReLU is usually called non-saturating, and so it is here, but its left side
    saturates, and at once: the gradient is 0 for every x < 0.
    Almost everywhere means: but for single points (`kinks`), which a number drawn at random never hits.
    Through a wide layer with weights of mean 0 and variance 1/inputs, the next z is normal with variance E[f²]; the
    property asks that this map (of the SELU paper) ends at 1 from 1/4, 1 and 4, with E[f] = 0.
    Two rows say what the property depends on: Maxout is measured as max(x, −x), one of the shapes it can learn, with
    its weights counted as parameters; CReLU has two outputs for each number, and each has to pass.

Source: CS231n notes for the eight wishes; Gulcehre et al., "Noisy Activation Functions", 2016, for saturation.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core.choose import choose
from pellucid.scratch.activations.crelu import crelu_backward, crelu_forward
from pellucid.scratch.activations.maxout import maxout_backward, maxout_forward
from pellucid.scratch.activations.prelu import prelu_backward, prelu_forward
from pellucid.scratch.activations.swish import swish_backward, swish_forward
from pellucid.scratch.activations.table import ACTIVATIONS

COSTLY = frozenset("exp expm1 exp2 log log1p log2 sin cos tan sinh cosh tanh arctan sqrt power float_power".split())
MOST_OPERATIONS = 10.0  # for each number that comes out; ReLU takes one
FAR = 2.0 ** np.arange(20, 31)
FLAT = 1e-6  # a slope below this, that far out, is 0 in the limit
WIDTH = 8  # of the layer on which costs and parameters are counted
LAYERS = 100


@dataclass(frozen=True)
class Candidate:
    """A function to measure.

    Attributes:
        forward: `(x, *learnt) -> (out, cache)`, for x (N, D) and out (N, m · D).
        backward: `(dout, cache) -> dx` or `(dx, *gradients of what is learnt)`.
        learnt: what it learns, for D units, at a usual value.
    """

    forward: Callable[..., tuple[np.ndarray, Any]]
    backward: Callable[[np.ndarray, Any], Any]
    learnt: Callable[[int], tuple[np.ndarray, ...]] = lambda units: ()

    def values(self, x: np.ndarray) -> np.ndarray:
        """Outputs (N, m) for numbers x (N,)."""
        return self.forward(x[:, None], *self.learnt(1))[0]

    def slopes(self, x: np.ndarray) -> np.ndarray:
        """Derivatives (N, m) of all outputs for numbers x (N,), as backward has them."""
        out, cache = self.forward(x[:, None], *self.learnt(1))
        columns = []
        for chosen in np.eye(out.shape[1]):
            gradients = self.backward(np.tile(chosen, (len(x), 1)), cache)
            columns.append(gradients[0] if isinstance(gradients, tuple) else gradients)
        return np.concatenate(columns, axis=1)


CANDIDATES: dict[str, Candidate] = {
    **{name: Candidate(each.forward, each.backward) for name, each in ACTIVATIONS.items()},
    "prelu": Candidate(prelu_forward, prelu_backward, lambda units: (np.full(units, 0.25),)),
    "swish": Candidate(swish_forward, swish_backward, lambda units: (np.ones(1),)),
    "crelu": Candidate(crelu_forward, crelu_backward),
    "maxout": Candidate(
        maxout_forward, maxout_backward, lambda units: (np.array([np.eye(units), -np.eye(units)]), np.zeros((2, units)))
    ),
}


@dataclass(frozen=True)
class Properties:
    """What was measured, and the eight answers that follow.

    Attributes:
        bend: largest distance from the line through f(−1) and f(1), for x in [−10, 10].
        disagreement: largest difference among the slopes to the left, to the right and by hand, at random points.
        kinks: where the slope jumps, within [−10, 10].
        costly: exponentials and the like for each number that comes out.
        operations: all operations for each number that comes out.
        left, right: the limit of f' at −∞ and ∞; of several outputs the one farthest from 0.
        rise, fall: the largest step up and down of an output that does both, else 0.
        growth: the largest |f| far out over the largest for |x| ≤ 1024.
        parameters: numbers learnt for each unit.
        mean, square: E[f] and E[f²] after many layers, farthest from 0 and 1 over the starts.
    """

    bend: float
    disagreement: float
    kinks: tuple[float, ...]
    costly: float
    operations: float
    left: float
    right: float
    rise: float
    fall: float
    growth: float
    parameters: float
    mean: float
    square: float

    @property
    def nonlinear(self) -> bool:
        return self.bend > 1e-6

    @property
    def differentiable(self) -> bool:
        return self.disagreement < 1e-4

    @property
    def cheap(self) -> bool:
        return self.costly == 0 and self.operations <= MOST_OPERATIONS

    @property
    def saturates(self) -> str:
        """The sides on which f' goes to 0: "both", "left", "right" or "none"."""
        left, right = abs(self.left) < FLAT, abs(self.right) < FLAT
        return "both" if left and right else "left" if left else "right" if right else "none"

    @property
    def non_saturating(self) -> bool:
        return self.saturates != "both"

    @property
    def monotone(self) -> bool:
        return min(self.rise, self.fall) < 1e-9

    @property
    def bounded(self) -> bool:
        return self.growth < 1.5

    @property
    def few_parameters(self) -> bool:
        return self.parameters <= 1

    @property
    def normalising(self) -> bool:
        return abs(self.mean) < 0.01 and abs(self.square - 1) < 0.01

    def answers(self) -> dict[str, bool]:
        """The eight, by name."""
        return {
            "nonlinear": self.nonlinear,
            "differentiable almost everywhere": self.differentiable,
            "cheap": self.cheap,
            "non-saturating": self.non_saturating,
            "monotone": self.monotone,
            "bounded": self.bounded,
            "few parameters": self.few_parameters,
            "normalising": self.normalising,
        }


def properties(candidate: Candidate | str) -> Properties:
    """Measure one function.

    Args:
        candidate: the function, or a key of `CANDIDATES`.

    Raises:
        ConfigError: no candidate has this name.
    """
    if isinstance(candidate, str):
        candidate = choose(candidate, CANDIDATES, "activation")
    x = np.linspace(-10, 10, 4001)
    y = candidate.values(x)  # (N, m)
    at_minus_one, at_one = candidate.values(np.array([-1.0, 1.0]))
    line = at_one + (at_one - at_minus_one) * (x[:, None] - 1) / 2
    steps = np.diff(y, axis=0)
    rise, fall = steps.max(axis=0).clip(0), (-steps).max(axis=0).clip(0)  # (m,)
    turning = int(np.argmax(np.minimum(rise, fall)))
    near, far = candidate.values(np.linspace(-1024, 1024, 2049)), candidate.values(np.concatenate([-FAR, FAR]))
    costly, operations = cost(candidate)
    mean, square = many_layers(candidate)
    return Properties(
        bend=float(np.abs(y - line).max()),
        disagreement=_disagreement(candidate),
        kinks=kinks(candidate),
        costly=costly,
        operations=operations,
        left=_largest(candidate.slopes(-FAR)),
        right=_largest(candidate.slopes(FAR)),
        rise=float(rise[turning]),
        fall=float(fall[turning]),
        growth=float(np.abs(far).max() / np.abs(near).max()),
        parameters=learnt_numbers(candidate),
        mean=mean,
        square=square,
    )


def property_table(candidates: Mapping[str, Candidate] = CANDIDATES) -> dict[str, dict[str, bool]]:
    """Name -> property -> whether it holds, for all of them."""
    return {name: properties(candidate).answers() for name, candidate in candidates.items()}


def kinks(candidate: Candidate) -> tuple[float, ...]:
    """Where the slope jumps within [−10, 10], each to about 1e-9, found by halving the intervals that it jumps over."""
    edges = np.linspace(-10, 10, 20001) + np.pi / 1e5  # no round number, so that no kink lies on an edge
    jumps = np.abs(np.diff(candidate.slopes(edges), axis=0)).max(axis=1) > 0.01  # smooth ones move by 0.001
    left, right = edges[:-1][jumps], edges[1:][jumps]
    if not len(left):
        return ()
    for _ in range(20):
        middle = (left + right) / 2
        to_left = np.abs(candidate.slopes(middle) - candidate.slopes(left)).max(axis=1)
        to_right = np.abs(candidate.slopes(middle) - candidate.slopes(right)).max(axis=1)
        left, right = np.where(to_left > to_right, left, middle), np.where(to_left > to_right, middle, right)
    return tuple(float(round(value, 6)) + 0.0 for value in (left + right) / 2)


def cost(candidate: Candidate) -> tuple[float, float]:
    """Exponentials and the like, and all operations, for each number that comes out of a layer of 8 units."""
    x = np.linspace(-5, 5, 64 * WIDTH).reshape(64, WIDTH)
    tally: Counter[str] = Counter()
    out, _ = candidate.forward(_counted(x, tally), *candidate.learnt(WIDTH))
    costly = sum(count for name, count in tally.items() if name in COSTLY)
    return costly / out.size, sum(tally.values()) / out.size


def learnt_numbers(candidate: Candidate) -> float:
    """Numbers that it learns for each unit of a layer of 8, counted in the gradients that backward returns for them."""
    out, cache = candidate.forward(np.ones((2, WIDTH)), *candidate.learnt(WIDTH))
    gradients = candidate.backward(np.ones(out.shape), cache)
    return sum(np.size(each) for each in gradients[1:]) / WIDTH if isinstance(gradients, tuple) else 0.0


def many_layers(candidate: Candidate, starts: tuple[float, ...] = (0.25, 1.0, 4.0)) -> tuple[float, float]:
    """Mean and mean square of what comes out of the last of 100 wide layers, of that start which ends farthest off.

    Args:
        candidate: the function after every layer.
        starts: mean squares of the first inputs.
    """
    z = np.linspace(-10, 10, 4001)
    weights = np.exp(-(z**2) / 2)
    weights /= weights.sum()
    ends = []
    for square in starts:
        for _ in range(LAYERS):
            out = candidate.values(np.sqrt(square) * z)  # (N, m)
            mean, square = float((weights @ out).mean()), float((weights @ out**2).mean())
        ends.append((mean, square))
    return max(ends, key=lambda end: abs(end[0]) + abs(end[1] - 1))


def _disagreement(candidate: Candidate, h: float = 1e-6) -> float:
    x = np.random.default_rng(0).uniform(-10, 10, 1000)
    here, slopes = candidate.values(x), candidate.slopes(x)
    right = (candidate.values(x + h) - here) / h
    left = (here - candidate.values(x - h)) / h
    return float(max(np.abs(right - left).max(), np.abs(right - slopes).max()))


def _largest(slopes: np.ndarray) -> float:
    """The entry farthest from 0."""
    return float(slopes.flat[np.argmax(np.abs(slopes))])


def _counted(x: np.ndarray, tally: Counter[str]) -> np.ndarray:
    """`x` as an array that adds to `tally` what is computed with it, and whose results do so too."""

    class Counted(np.ndarray):
        def __array_ufunc__(
            self, ufunc: np.ufunc, method: str, *inputs: Any, out: tuple[Any, ...] | None = None, **settings: object
        ) -> Any:
            given = [np.asarray(each) if isinstance(each, Counted) else each for each in inputs]
            if out is not None:
                settings["out"] = tuple(np.asarray(each) for each in out)
            result = getattr(ufunc, method)(*given, **settings)
            # a sum or maximum over n numbers takes n operations, a matrix product as many as its rows are long
            times = np.shape(given[0])[-1] if ufunc is np.matmul else 1
            tally[ufunc.__name__] += np.size(given[0] if method == "reduce" else result) * times
            return result.view(Counted) if isinstance(result, np.ndarray) else result

        def __array_function__(self, function: Any, types: Any, inputs: Any, settings: Any) -> Any:
            result = super().__array_function__(function, types, inputs, settings)
            if function is np.where:  # the one choice among entries that is not a ufunc
                tally["where"] += np.size(result)
            return result.view(Counted) if isinstance(result, np.ndarray) else result

    return x.view(Counted)
