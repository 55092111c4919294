"""Activation statistics: does the signal keep its size on the way through a deep net, or fade, or saturate?

Formula:
    h_0 = x,  h_l = f(h_{l−1} W_l)
    wide layers   E[h_l²] = E[f(z)²],  z ~ N(0, γ² E[h²_{l−1}]),  γ² = n_in σ²

Derivation:
    z is a sum of many terms with independent weights of variance σ², hence nearly normal, and its variance is
    n_in σ² times the mean square (not the variance) of what comes in. So a layer acts on one number by γ alone: 500
    units with σ = 0.01 have γ = 0.224, and tanh nets fade by about that factor a layer; with σ = 1 γ = 22 and all
    saturate. For ReLU with normal z of deviation s: mean s / √(2π), mean square s² / 2, and
    deviation s √(1/2 − 1/(2π)) = 0.5838 s. Hence γ = 1 halves the mean square in each layer, and γ² = 2 keeps it.

Source: CS231n, lecture 6; Poole et al., "Exponential expressivity in deep neural networks", 2016, for the formula.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from pellucid.core.choose import choose
from pellucid.scratch.activations.table import ACTIVATIONS
from pellucid.scratch.checks.initialise import initialise, normal

BOUNDS = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "relu6": (0.0, 6.0)}
NEAR = 0.05  # of the range, from either bound: for tanh, above 0.9 or below -0.9
BINS = 20


@dataclass(frozen=True)
class LayerStatistics:
    """What comes out of one layer, over all samples and units.

    Attributes:
        name: "input layer", "hidden layer 1", ...
        mean, std: of all numbers.
        zeros: share that is exactly 0.
        saturated: share near a bound of the activation; None where it has no two bounds.
        counts: (20,) histogram.
        edges: (21,) of its bins.
    """

    name: str
    mean: float
    std: float
    zeros: float
    saturated: float | None
    counts: np.ndarray
    edges: np.ndarray


def activation_statistics(
    x: np.ndarray,
    activation: str,
    widths: Sequence[int],
    rng: np.random.Generator,
    init: str | float = "auto",
) -> list[LayerStatistics]:
    """Send samples through a fresh net of affine layers without biases, and measure every layer.

    Args:
        x: (N, D) samples.
        activation: a key of `ACTIVATIONS`, after every layer.
        widths: units of each hidden layer.
        rng: draws the weights, in the type of `x`.
        init: name of an initialisation, "auto", or the standard deviation of normal weights.

    Returns:
        The input layer first.

    Raises:
        ConfigError: no such activation or initialisation.
    """
    function = choose(activation, ACTIVATIONS, "activation").forward
    found = [_measure("input layer", x, None)]
    for number, width in enumerate(widths, 1):
        shape = (x.shape[1], width)
        w = normal(shape, rng, init) if isinstance(init, float) else initialise(shape, activation, rng, init)
        x, _ = function(x @ w.astype(x.dtype))  # (N, width)
        found.append(_measure(f"hidden layer {number}", x, BOUNDS.get(activation)))
    return found


def lines(layers: Sequence[LayerStatistics]) -> list[str]:
    """One line a layer, as the course's notes print them."""
    return [line(layer.name, layer.mean, layer.std) for layer in layers]


def line(name: str, mean: float, std: float) -> str:
    """`hidden layer 3 had mean -0.000002 and std 0.010633`."""
    return f"{name} had mean {mean:.6f} and std {std:.6f}"


def expected_statistics(activation: str, gain: float, depth: int) -> list[tuple[float, float]]:
    """Mean and standard deviation of each hidden layer of an endlessly wide net, for inputs of mean square 1.

    Args:
        activation: a key of `ACTIVATIONS`.
        gain: γ = σ √n_in: 1 for Xavier, √2 for He.
        depth: hidden layers.

    Raises:
        ConfigError: no such activation.
    """
    function = choose(activation, ACTIVATIONS, "activation").forward
    z = np.linspace(-8, 8, 4001)
    weights = np.exp(-(z**2) / 2)
    weights /= weights.sum()
    found, square = [], 1.0
    for _ in range(depth):
        h, _ = function(gain * sqrt(square) * z)
        mean, square = float(np.dot(weights, h)), float(np.dot(weights, h**2))
        found.append((mean, sqrt(square - mean**2)))
    return found


def _measure(name: str, h: np.ndarray, bounds: tuple[float, float] | None) -> LayerStatistics:
    counts, edges = np.histogram(h, BINS)
    saturated = None
    if bounds:
        margin = NEAR * (bounds[1] - bounds[0])
        saturated = float(np.mean((h < bounds[0] + margin) | (h > bounds[1] - margin)))
    return LayerStatistics(name, float(h.mean()), float(h.std()), float(np.mean(h == 0)), saturated, counts, edges)
