"""Mistakes about activations and about the first weights of a network."""

from collections.abc import Callable
from functools import cache
from math import sqrt

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.errata.erratum import Erratum, apart
from pellucid.scratch.activations.relu import relu_backward
from pellucid.scratch.activations.relu6 import relu6_forward
from pellucid.scratch.activations.sigmoid import sigmoid_backward, sigmoid_forward
from pellucid.scratch.checks.activation_statistics import activation_statistics, expected_statistics

UNITS, SAMPLES, NETS = 500, 100, 20  # of a layer, of data, and fresh nets to take the mean of

# ---------------------------------------------------------------------------------------------------------- activations

RELU6_ABOVE_SIX = Erratum(
    title="ReLU6 above 6",
    printed="The notes on activations say of ReLU6 (printed as Rule6) that what is above 6 is set to 0.",
    right="It is set to 6. Only the gradient is 0 there.",
    measure="largest difference from PyTorch's ReLU6 on [-3, 9]",
    error=lambda relu6: apart(relu6(np.linspace(-3, 9, 25)), F.relu6(torch.linspace(-3, 9, 25, dtype=torch.float64))),
    printed_version=lambda x: np.where(x > 6, 0, np.maximum(x, 0)),
    right_version=lambda x: relu6_forward(x)[0],
)


def _claimed_but_zero(claims: Callable[[np.ndarray], np.ndarray]) -> float:
    """Share of inputs for which a gradient is claimed and PyTorch's is 0."""
    x = torch.tensor(np.random.default_rng(0).standard_normal(1000), requires_grad=True)
    gradient = torch.autograd.grad(torch.relu(x).sum(), x)[0].numpy()
    return float(np.mean(claims(x.detach().numpy()) & (gradient == 0)))


RELU_VANISHES = Erratum(
    title="Does the gradient of ReLU vanish",
    printed="One set of notes says that ReLU certainly neither saturates nor loses its gradient; another, that the"
    " gradient of ReLU is not 0.",
    right="It is 1 for x > 0 and exactly 0 for x < 0. A unit that is below 0 for all data learns nothing any more.",
    measure="share of 1000 normal inputs with a gradient by the notes and none by PyTorch",
    error=_claimed_but_zero,
    printed_version=lambda x: np.full(x.shape, True),
    right_version=lambda x: relu_backward(np.ones_like(x), x) != 0,
)


def _wrong_claims(claim: Callable[[np.ndarray], np.ndarray]) -> float:
    """Share of neurons with inputs above 0 whose gradient of the weights is not as claimed."""
    rng = np.random.default_rng(1)
    x, w, upstream = rng.random((1000, 5)), rng.standard_normal((1000, 5)), rng.standard_normal(1000)
    _, cache = sigmoid_forward((x * w).sum(axis=1))
    dw = sigmoid_backward(upstream, cache)[:, None] * x  # (1000, 5)
    return float(1 - np.mean(claim(dw)))


SIGMOID_GRADIENT_SIGNS = Erratum(
    title="Why outputs of one sign are bad",
    printed="The notes on sigmoid say that the gradients of all w_i have the sign of what comes from above: always all"
    " 0 or all 1.",
    right="All positive or all negative. The values differ, but w can only rise or fall in all its entries at once.",
    measure="share of 1000 neurons with positive inputs of which the words are not true",
    error=_wrong_claims,
    printed_version=lambda dw: (dw == 0).all(axis=1) | (dw == 1).all(axis=1),
    right_version=lambda dw: (dw > 0).all(axis=1) | (dw < 0).all(axis=1),
)

# -------------------------------------------------------------------------------------------------------- first weights


@cache
def simulated_std(activation: str, std: float, layer: int) -> float:
    """Deviation of a layer's outputs, the mean over nets of 500 units a layer; `std` is that of the weights."""
    found = []
    for seed in range(NETS):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((SAMPLES, UNITS))
        found.append(activation_statistics(x, activation, [UNITS] * layer, rng, std)[layer].std)
    return float(np.mean(found))


TANH_THIRD_LAYER = Erratum(
    title="A tanh net with weights of 0.01, third layer",
    printed="The list of layers in the notes on initialisation gives hidden layer 3 a deviation of 0.018630.",
    right="About 0.0106. Each layer has about 0.22 times the deviation of the one before, and so have its neighbours.",
    measure="difference from nets of 500 units a layer, as a share of what they give",
    error=lambda std: abs(std / simulated_std("tanh", 0.01, 3) - 1),
    printed_version=0.018630,
    right_version=expected_statistics("tanh", 0.01 * sqrt(UNITS), 3)[-1][1],
    tolerance=0.02,
)

RELU_SIXTH_LAYER = Erratum(
    title="A ReLU net with Xavier's weights, sixth layer",
    printed="The list of layers in the notes on initialisation gives hidden layer 6 a deviation of 0.183280.",
    right="About 0.103. It falls by √½ a layer and cannot rise from 0.146 in layer 5; the printed mean of 0.072 fits.",
    measure="difference from nets of 500 units a layer, as a share of what they give",
    error=lambda std: abs(std / simulated_std("relu", sqrt(1 / UNITS), 6) - 1),
    printed_version=0.183280,
    right_version=expected_statistics("relu", 1.0, 6)[-1][1],
    tolerance=0.1,
)

ERRATA = (RELU6_ABOVE_SIX, RELU_VANISHES, SIGMOID_GRADIENT_SIGNS, TANH_THIRD_LAYER, RELU_SIXTH_LAYER)
