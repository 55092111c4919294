"""Pictures of activations: the value and its derivative, both as the layer itself gives them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lessons.pictures.chart import SAMPLES, chart, key, panel
from lessons.pictures.drawing import picture
from pellucid.plots import svg
from pellucid.scratch.activations.crelu import crelu_forward
from pellucid.scratch.activations.elu import elu_backward, elu_forward
from pellucid.scratch.activations.erf import erf
from pellucid.scratch.activations.gelu import gelu_backward, gelu_forward
from pellucid.scratch.activations.hard_sigmoid import hard_sigmoid_backward, hard_sigmoid_forward
from pellucid.scratch.activations.hard_swish import hard_swish_backward, hard_swish_forward
from pellucid.scratch.activations.leaky_relu import leaky_relu_backward, leaky_relu_forward
from pellucid.scratch.activations.maxout import maxout_forward
from pellucid.scratch.activations.prelu import prelu_backward, prelu_forward
from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.activations.relu6 import relu6_backward, relu6_forward
from pellucid.scratch.activations.selu import selu_backward, selu_forward
from pellucid.scratch.activations.sigmoid import sigmoid_backward, sigmoid_forward
from pellucid.scratch.activations.swish import swish_backward, swish_forward
from pellucid.scratch.activations.table import ACTIVATIONS
from pellucid.scratch.activations.tanh import tanh_backward, tanh_forward
from pellucid.scratch.checks.numerical import eval_numerical_gradient_array

Forward = Callable[[np.ndarray], tuple[np.ndarray, Any]]
Backward = Callable[[np.ndarray, Any], np.ndarray]


def value_and_derivative(
    title: str,
    forward: Forward,
    backward: Backward,
    xs: tuple[float, float] = (-4.0, 4.0),
    beside: tuple[str, Forward] | None = None,
) -> str:
    """F and f', the second by sending ones back; `beside` is a function to compare with, in grey."""
    x = np.linspace(*xs, SAMPLES)
    out, cache = forward(x)
    lines: dict[str, tuple[Any, int]] = {"f(x)": (out, 1), "f'(x)": (backward(np.ones_like(x), cache), 2)}
    if beside:
        lines[beside[0]] = (beside[1](x)[0], 6)
    return chart(title, f"{title}: the function and its derivative from {xs[0]:g} to {xs[1]:g}.", x, lines)


def sigmoid() -> str:
    return value_and_derivative(
        "At most a quarter of the gradient comes through", sigmoid_forward, sigmoid_backward, (-8, 8)
    )


def tanh() -> str:
    return value_and_derivative(
        "Around 0 it is the identity; far from it, flat",
        tanh_forward,
        tanh_backward,
        beside=("sigmoid", sigmoid_forward),
    )


def relu() -> str:
    return value_and_derivative("The gradient passes whole, or not at all", relu_forward, relu_backward)


def leaky_relu() -> str:
    return value_and_derivative(
        "On the left a little of the gradient is kept",
        lambda x: leaky_relu_forward(x, 0.1),
        leaky_relu_backward,
        beside=("ReLU", relu_forward),
    )


def prelu() -> str:
    """Its slope α on the left is a parameter, whose derivative is x there."""
    x = np.linspace(-4, 4, SAMPLES)
    lines: dict[str, tuple[Any, int]] = {}
    for series, alpha in enumerate((0.0, 0.25, 0.6), 3):
        lines[f"f(x), α = {alpha:g}"] = (prelu_forward(x, np.array([alpha]))[0], series)
    slope = np.array(
        [prelu_backward(np.ones(1), prelu_forward(here, np.array([0.25]))[1])[1][0] for here in x[:, None]]
    )
    lines["∂f/∂α"] = (slope, 2)
    return chart(
        "The left half learns its slope α", "PReLU for three slopes, and its derivative by the slope.", x, lines
    )


def elu() -> str:
    return value_and_derivative(
        "The left half bends smoothly towards −1", elu_forward, elu_backward, beside=("ReLU", relu_forward)
    )


def selu() -> str:
    return value_and_derivative(
        "Slope above 1 on the right: what shrank grows again",
        selu_forward,
        selu_backward,
        beside=("ELU", elu_forward),
    )


def maxout() -> str:
    """The largest of three lines."""
    x = np.linspace(-4, 4, SAMPLES)
    w = np.array([-0.8, 0.15, 1.1]).reshape(3, 1, 1)
    b = np.array([-0.6, 0.2, -1.0]).reshape(3, 1)
    pieces = x[:, None] * w[:, 0, 0] + b[:, 0]
    lines: dict[str, tuple[Any, int]] = {f"piece {n + 1}": (pieces[:, n], 3 + n) for n in range(3)}
    lines["the largest"] = (maxout_forward(x[:, None], w, b)[0][:, 0], 1)
    return chart("The largest of three lines", "Three lines and their maximum, which is convex.", x, lines)


def crelu() -> str:
    """What is kept and what would be thrown away."""
    x = np.linspace(-4, 4, SAMPLES)
    kept, turned = crelu_forward(x[:, None])[0].T
    return chart(
        "One number in, two channels out",
        "The first channel is the positive part, the second the negative part with its sign changed.",
        x,
        {"first channel": (kept, 1), "second channel": (turned, 2)},
    )


def swish() -> str:
    """For three values of β."""
    x = np.linspace(-5, 5, SAMPLES)
    lines: dict[str, tuple[Any, int]] = {
        f"β = {beta:g}": (swish_forward(x, np.array(beta))[0], series)
        for series, beta in ((5, 0.2), (1, 1.0), (4, 5.0))
    }
    lines["f'(x), β = 1"] = (swish_backward(np.ones_like(x), swish_forward(x, np.array(1.0))[1])[0], 2)
    return chart("β bends it from a line to the ReLU", "Swish for three values of β, and one derivative.", x, lines)


def relu6() -> str:
    return value_and_derivative("Nothing above 6 comes out", relu6_forward, relu6_backward, (-3, 9))


def hard_sigmoid() -> str:
    return value_and_derivative(
        "Three straight pieces in place of a curve",
        hard_sigmoid_forward,
        hard_sigmoid_backward,
        (-6, 6),
        ("sigmoid", sigmoid_forward),
    )


def hard_swish() -> str:
    return value_and_derivative(
        "Swish with a gate of straight pieces",
        hard_swish_forward,
        hard_swish_backward,
        (-5, 5),
        ("Swish", swish_forward),
    )


def gelu() -> str:
    return value_and_derivative(
        "The gate: how likely a normal number is smaller",
        gelu_forward,
        gelu_backward,
        beside=("ReLU", relu_forward),
    )


def error_function() -> str:
    """And the bell curve that it is the area under, as its numerical derivative."""
    x = np.linspace(-3, 3, SAMPLES)
    bell = eval_numerical_gradient_array(erf, x.copy(), np.ones_like(x))
    return chart(
        "The area under a bell curve, gathered from the middle",
        "The error function, and its derivative, a bell curve.",
        x,
        {"erf(x)": (erf(x), 1), "its derivative": (bell, 2)},
    )


def every_activation() -> str:
    """Small multiples of all of the table."""
    x = np.linspace(-4, 4, 161)
    parts, top = key({"f(x)": 1, "f'(x)": 2})
    for number, (name, activation) in enumerate(ACTIVATIONS.items()):
        row, column = divmod(number, 4)
        area = panel(column * 121, top + 22 + row * 96, 112, 68, (-4, 4), (-1.9, 4.1))
        out, cache = activation.forward(x)
        slope = activation.backward(np.ones_like(x), cache)
        parts += [svg.text(column * 121, top + 17 + row * 96, name.replace("_", " "), "small"), *area.cross()]
        parts += [area.curve(x, out, "s1"), area.curve(x, slope, "s2")]
    return picture("Twelve functions of one number", top + 22 + 3 * 96, "All activations and derivatives.", parts)


PICTURES: dict[str, Callable[[], str]] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "leaky-relu": leaky_relu,
    "prelu": prelu,
    "elu": elu,
    "selu": selu,
    "maxout": maxout,
    "crelu": crelu,
    "swish": swish,
    "relu6": relu6,
    "hard-sigmoid": hard_sigmoid,
    "hard-swish": hard_swish,
    "gelu": gelu,
    "erf": error_function,
    "activation-table": every_activation,
}
