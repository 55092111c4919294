"""Initialisation: first weights that differ from each other and keep the size of a signal from layer to layer.

Formula:
    w ~ N(0, σ²)
    Xavier   σ² = 1 / n_in, or 2 / (n_in + n_out)
    He       σ² = 2 / n_in
    LeCun    σ² = 1 / n_in
    n_in = D for weights (D, M), C·KH·KW for kernels (F, C, KH, KW)

Derivation:
    z = Σ_i w_i x_i over n_in inputs, with w independent of mean zero: E[z²] = n_in σ² E[x²]. The size is kept if
    n_in σ² = 1; tanh is nearly the identity for small z, which gives Xavier. Going back, n_out takes the place of n_in;
    2 / (n_in + n_out) lies between. ReLU sets half of a symmetric z to zero, E[relu(z)²] = ½ E[z²], so each layer
    with Xavier would halve the mean square, and 2 / n_in makes up for it. SELU brings the size back by itself
    if it starts at 1 / n_in.
    Equal weights give the units of a layer equal outputs and equal gradients: they stay copies of each other for ever.

Source: Glorot and Bengio, 2010; He et al., "Delving deep into rectifiers", 2015; LeCun et al., 1998.
"""

from collections.abc import Callable, Sequence
from math import exp, sqrt

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import DataError

Shape = tuple[int, ...]
Initialiser = Callable[[Shape, np.random.Generator], np.ndarray]

SPREAD = 4.0  # standard deviations of a measured variance that chance may explain


def fans(shape: Shape) -> tuple[int, int]:
    """Inputs that reach one unit, and units that one input reaches.

    Args:
        shape: (D, M) of an affine layer, or (F, C, KH, KW) of a convolution with F kernels over C channels.

    Raises:
        DataError: another number of axes.
    """
    if len(shape) == 2:
        return shape
    if len(shape) == 4:
        area = shape[2] * shape[3]
        return shape[1] * area, shape[0] * area
    raise DataError(f"Weights have the shape (D, M) or (F, C, KH, KW), got {shape}.")


def zeros(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """All zero: right for biases, wrong for weights."""
    return np.zeros(shape)


def constant(shape: Shape, rng: np.random.Generator, value: float = 0.1) -> np.ndarray:
    """All equal, to see that equal units stay equal; draws nothing."""
    return np.full(shape, value)


def normal(shape: Shape, rng: np.random.Generator, std: float = 0.01) -> np.ndarray:
    """Normal numbers of mean 0 and standard deviation `std`, whatever the layer's size."""
    return std * rng.standard_normal(shape)


def xavier(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Variance 1 / n_in: the form of the course's notes."""
    return normal(shape, rng, sqrt(1 / fans(shape)[0]))


def xavier_average(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Variance 2 / (n_in + n_out): the form of the paper, a compromise between forward and backward."""
    return normal(shape, rng, sqrt(2 / sum(fans(shape))))


def he(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Variance 2 / n_in, for ReLU and its relatives."""
    return normal(shape, rng, sqrt(2 / fans(shape)[0]))


def lecun(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Variance 1 / n_in, under the name by which SELU asks for it."""
    return xavier(shape, rng)


INITIALISERS: dict[str, Initialiser] = {
    "zeros": zeros,
    "constant": constant,
    "normal": normal,
    "xavier": xavier,
    "xavier_average": xavier_average,
    "he": he,
    "lecun": lecun,
}

# activation -> what `auto` takes before it
RULE: dict[str, str] = {
    "identity": "xavier",
    "sigmoid": "xavier",
    "tanh": "xavier",
    "hard_sigmoid": "xavier",
    "relu": "he",
    "leaky_relu": "he",
    "prelu": "he",
    "elu": "he",
    "relu6": "he",
    "swish": "he",
    "hard_swish": "he",
    "gelu": "he",
    "selu": "lecun",
}


def initialise(shape: Shape, activation: str, rng: np.random.Generator, init: str = "auto") -> np.ndarray:
    """Weights of a layer that is followed by `activation`.

    Args:
        shape: (D, M) or (F, C, KH, KW).
        activation: a key of `RULE`.
        rng: where the numbers come from.
        init: a key of `INITIALISERS`, or "auto": what `RULE` says.

    Raises:
        ConfigError: no such activation or initialisation.
        DataError: the shape is no layer's.
    """
    by_rule = choose(activation, RULE, "activation")
    return choose(by_rule if init == "auto" else init, INITIALISERS, "initialisation")(shape, rng)


def advise(layers: Sequence[tuple[str, np.ndarray, str]]) -> list[str]:
    """One sentence for each layer whose weights break the rule for its activation; none if all keep it.

    Args:
        layers: name, weights and activation of each; leave out the last layer, which may start as small as it likes.

    Raises:
        ConfigError: no such activation.
        DataError: the weights are no layer's.
    """
    return [sentence for layer in layers if (sentence := _advise_one(*layer))]


def _advise_one(name: str, weights: np.ndarray, activation: str) -> str:
    rule = choose(activation, RULE, "activation")
    n_in, n_out = fans(weights.shape)
    wanted = (2 if rule == "he" else 1) / n_in
    if weights.size > 1 and np.ptp(weights) == 0:
        return f"{name}: all its weights are equal, so its units stay copies of each other. Use {rule}."
    found = float(np.mean(weights**2))
    chance = exp(SPREAD * sqrt(2 / weights.size))
    average = wanted * 2 * n_in / (n_in + n_out)  # the compromise with the way back is as good
    if min(wanted, average) / sqrt(2) / chance < found < max(wanted, average) * sqrt(2) * chance:
        return ""
    change = "shrinks" if found < wanted else "grows"
    return (
        f"{name}: its weights have std {sqrt(found):.4f}, but {rule} before {activation} has {sqrt(wanted):.4f}. "
        f"The mean square of the signal {change} to {found / wanted:.2g} times itself. Use {rule}."
    )
