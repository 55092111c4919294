"""Mistakes about batch norm, its relatives, and standardising."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.errata.erratum import Erratum, apart
from pellucid.scratch.losses.softmax import softmax
from pellucid.scratch.normalisation.batch import batchnorm_backward, batchnorm_forward
from pellucid.scratch.normalisation.spatial_batch import spatial_batchnorm_forward
from pellucid.scratch.normalisation.switchable import switchable_norm
from pellucid.scratch.normalisation.two_sample import two_sample_forward, two_sample_variance_gradient

EPSILON = 1e-5
Array = np.ndarray
Backward = Callable[[Array, Array, Array], Array]

# ------------------------------------------------------------------------------------------------------------- backward


def _off_backward(backward: Backward) -> float:
    rng = np.random.default_rng(0)
    x, gamma, dy = rng.standard_normal((6, 3)), 2 + rng.random(3), rng.standard_normal((6, 3))
    tx = torch.tensor(x, requires_grad=True)
    y = F.batch_norm(tx, None, None, torch.tensor(gamma), None, True, 0.0, EPSILON)
    return apart(backward(x, gamma, dy), torch.autograd.grad(y, tx, torch.tensor(dy))[0])


def _right_backward(x: Array, gamma: Array, dy: Array) -> Array:
    _, cache = batchnorm_forward(x, gamma, np.zeros(x.shape[1]), {"mode": "train", "eps": EPSILON})
    return batchnorm_backward(dy, cache)[0]


def _last_line_printed(x: Array, gamma: Array, dy: Array) -> Array:
    """As printed: dy / √(σ² + ε) + ∂L/∂σ² · 2 (x - μ) / N + ∂L/∂μ / N, whose dy should be that of x̂."""
    centred = x - x.mean(axis=0)
    std = np.sqrt(x.var(axis=0) + EPSILON)
    dxhat = dy * gamma
    dvar = (dxhat * centred * -0.5 * std**-3).sum(axis=0)
    dmean = -(dxhat / std).sum(axis=0)
    return np.asarray(dy / std + dvar * 2 * centred / len(x) + dmean / len(x))


BACKWARD_FIRST_STEP = Erratum(
    title="The first step back through batch norm",
    printed="The notes on backpropagation through batch norm write ∂L/∂x_i = ∂L/∂y_i · r, r being the scale.",
    right="That is ∂L/∂x̂_i. From x̂ to x there are three ways: directly, through the variance, through the mean.",
    measure="largest difference of dx from PyTorch's",
    error=_off_backward,
    printed_version=lambda x, gamma, dy: dy * gamma,
    right_version=_right_backward,
)


def _off_variance_gradient(gradient: Callable[[Array, Array, Array, Array, Array], Array]) -> float:
    x1, x2, gamma, dy1, dy2 = np.random.default_rng(1).standard_normal((5, 4))
    mean = torch.tensor((x1 + x2) / 2)
    var = torch.tensor((x1 - x2) ** 2 / 4, requires_grad=True)
    xhat = (torch.tensor(np.stack([x1, x2])) - mean) / torch.sqrt(var + EPSILON)
    truth = torch.autograd.grad((xhat * torch.tensor(gamma * np.stack([dy1, dy2]))).sum(), var)[0]
    return apart(gradient(x1, x2, gamma, dy1, dy2), truth)


def _right_variance_gradient(x1: Array, x2: Array, gamma: Array, dy1: Array, dy2: Array) -> Array:
    *_, cache = two_sample_forward(x1, x2, gamma, np.zeros_like(gamma), EPSILON)
    return two_sample_variance_gradient(dy1, dy2, cache)


VARIANCE_GRADIENT = Erratum(
    title="The gradient of the variance",
    printed="The same derivation, for two samples, loses (x₁ - μ) and r in its terms and comes to ∂L/∂σ² = 0.",
    right="Σ ∂L/∂x̂_i (x_i - μ) · (-½)(σ² + ε)^(-3/2), which is not 0 in general. What is 0 is ∂σ²/∂μ.",
    measure="largest difference from PyTorch's gradient of the variance, two samples",
    error=_off_variance_gradient,
    printed_version=lambda x1, x2, gamma, dy1, dy2: np.zeros_like(x1),
    right_version=_right_variance_gradient,
)

BACKWARD_LAST_LINE = Erratum(
    title="The last line of batch norm's backward pass",
    printed="The same derivation ends with ∂L/∂y_i · 1/√(σ² + ε) as the direct part of ∂L/∂x_i.",
    right="∂L/∂x̂_i · 1/√(σ² + ε): the scale r belongs in it.",
    measure="largest difference of dx from PyTorch's, with the other two parts right",
    error=_off_backward,
    printed_version=_last_line_printed,
    right_version=_right_backward,
)

# ------------------------------------------------------------------------------------------------------------ test time

RUNNING_MEAN, RUNNING_VAR = np.array([1.0, -2.0, 0.5]), np.array([4.0, 0.25, 1.0])


def _off_eval(layer: Callable[[Array], Array]) -> float:
    x = np.random.default_rng(2).standard_normal((5, 3))
    truth = F.batch_norm(torch.tensor(x), torch.tensor(RUNNING_MEAN), torch.tensor(RUNNING_VAR), eps=EPSILON)
    return apart(layer(x), truth)


def _right_eval(x: Array) -> Array:
    param = {"mode": "test", "eps": EPSILON, "running_mean": RUNNING_MEAN, "running_var": RUNNING_VAR}
    return batchnorm_forward(x, np.ones(3), np.zeros(3), param)[0]


def _noisy_eval(x: Array) -> Array:
    noise = np.random.default_rng(3).random(3)
    return np.asarray((x - RUNNING_MEAN) / np.sqrt(RUNNING_VAR + noise))


INFERENCE = Erratum(
    title="Batch norm at inference",
    printed="A remark in the notes on normalisation: BN is used in training only, not at inference.",
    right="At inference it is used with the running mean and variance, which are constants by then.",
    measure="largest difference from PyTorch's batch norm in eval mode",
    error=_off_eval,
    printed_version=lambda x: x,
    right_version=_right_eval,
)

RANDOM_AT_TEST_TIME = Erratum(
    title="The small number beside the variance at test time",
    printed="The notes on batch norm add a random disturbance to the variance at test time.",
    right="A constant ε, the same as in training. A prediction does not depend on chance.",
    measure="largest difference from PyTorch's batch norm in eval mode",
    error=_off_eval,
    printed_version=_noisy_eval,
    right_version=_right_eval,
)


def _off_spatial(layer: Callable[[Array], Array]) -> float:
    x = np.random.default_rng(4).standard_normal((3, 2, 4, 5))
    return apart(layer(x), F.batch_norm(torch.tensor(x), None, None, training=True, eps=EPSILON))


def _per_sample(x: Array) -> Array:
    mean, var = x.mean(axis=(2, 3), keepdims=True), x.var(axis=(2, 3), keepdims=True)  # (N, C, 1, 1)
    return np.asarray((x - mean) / np.sqrt(var + EPSILON))


def _per_channel(x: Array) -> Array:
    C = x.shape[1]
    return spatial_batchnorm_forward(x, np.ones(C), np.zeros(C), {"mode": "train", "eps": EPSILON})[0]


SPATIAL_STATISTICS = Erratum(
    title="What batch norm averages over after a convolution",
    printed="The notes on batch norm take a mean for each channel of each sample, of shape N × C × 1 × 1.",
    right="One for each channel, over samples and places: 1 × C × 1 × 1. One a sample is instance norm.",
    measure="largest difference from PyTorch's batch norm of pictures",
    error=_off_spatial,
    printed_version=_per_sample,
    right_version=_per_channel,
)

# ------------------------------------------------------------------------------------------------------ switchable norm


def _switchable_printed(x: Array, gamma: Array | float, beta: Array | float, w_mean: Array, w_var: Array) -> Array:
    eps = 1e-5
    mean_in = np.mean(x, axis=(2, 3), keepdims=True)
    var_in = np.var(x, axis=(2, 3), keepdims=True)
    mean_ln = np.mean(x, axis=(1, 2, 3), keepdims=True)
    var_ln = np.var(x, axis=(1, 2, 3), keepdims=True)
    mean_bn = np.mean(x, axis=(0, 2, 3), keepdims=True)
    var_bn = np.var(x, axis=(0, 2, 3), keepdims=True)
    mean = w_mean[0] * mean_in + w_mean[1] * mean_ln + w_mean[2] * mean_bn
    var = w_var[0] * var_in + w_var[1] * var_ln + w_var[2] * var_bn
    x_normalized = (x - mean) / np.sqrt(var + eps)
    return np.asarray(gamma * x_normalized + beta)


def _off_deviation(w_var: Array) -> float:
    """How far the deviation of the outputs is from gamma, as a share of gamma: the notes' call with these weights."""
    x = np.random.default_rng(5).random((5, 10, 3, 3)) * 100
    out = switchable_norm(x, 0.1, 0.1, [0.1, 0.1, 0.8], w_var)
    return abs(float(out.std()) / 0.1 - 1)


SWITCHABLE_WEIGHTS = Erratum(
    title="The weights of switchable norm",
    printed="The notes on switchable norm call it with the weights 0.01, 0.02 and 0.05 for the three variances.",
    right="The three weights pass a softmax and sum to 1. With a sum of 0.08 the outputs are √(1/0.08) times too wide.",
    measure="difference of the outputs' deviation from gamma = 0.1, as a share of it",
    error=_off_deviation,
    printed_version=np.array([0.01, 0.02, 0.05]),
    right_version=softmax(np.array([0.01, 0.02, 0.05])),
    tolerance=0.05,
)


def _off_channels(layer: Callable[[Array, Array, Array], Array]) -> float:
    rng = np.random.default_rng(6)
    x, gamma, beta = rng.standard_normal((4, 10, 3, 3)), 1 + rng.random(10), rng.standard_normal(10)
    truth = F.batch_norm(torch.tensor(x), None, None, torch.tensor(gamma), torch.tensor(beta), True, 0.0, 1e-5)
    return apart(layer(x, gamma, beta), truth)


ALL_BATCH = np.array([0.0, 0.0, 1.0])  # then it is batch norm

SWITCHABLE_SCALE = Erratum(
    title="Scale and shift of switchable norm",
    printed="The same code takes one gamma and one beta for the whole picture: it multiplies (N, C, H, W) by gamma.",
    right="Each channel has its own: gamma as (1, C, 1, 1). Ten of them do not fit the printed line.",
    measure="largest difference from PyTorch's batch norm with a gamma a channel, all weight on the batch",
    error=_off_channels,
    printed_version=lambda x, gamma, beta: _switchable_printed(x, gamma, beta, ALL_BATCH, ALL_BATCH),
    right_version=lambda x, gamma, beta: switchable_norm(x, gamma, beta, ALL_BATCH, ALL_BATCH),
)

# ---------------------------------------------------------------------------------------------------------------- shape


def _shape(x: Array) -> tuple[float, float]:
    """Skewness and kurtosis."""
    z = (x - x.mean()) / x.std()
    return float(np.mean(z**3)), float(np.mean(z**4))


def _off_shape(claim: Callable[[Array], tuple[float, float]]) -> float:
    x = np.random.default_rng(7).uniform(0, 1, (1000, 1)) ** 2
    out, _ = batchnorm_forward(x, np.ones(1), np.zeros(1), {"mode": "train", "eps": 0.0})
    return apart(claim(x), _shape(out))


GAUSSIAN = Erratum(
    title="Does standardising make data Gaussian",
    printed="Two sets of notes say so of batch norm, and a third one, nearly, of standardised inputs.",
    right="Only mean and variance change. The shape stays: a shift and a scale turn no distribution into another kind.",
    measure="largest difference in skewness and kurtosis, for squares of uniform numbers after batch norm",
    error=_off_shape,
    printed_version=lambda x: (0.0, 3.0),
    right_version=_shape,
)

ERRATA = (
    BACKWARD_FIRST_STEP,
    VARIANCE_GRADIENT,
    BACKWARD_LAST_LINE,
    INFERENCE,
    RANDOM_AT_TEST_TIME,
    SPATIAL_STATISTICS,
    SWITCHABLE_WEIGHTS,
    SWITCHABLE_SCALE,
    GAUSSIAN,
)
