"""Dropout, losses and update rules, in ONNX's terms."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.scratch.losses.penalties import l2_penalty
from pellucid.scratch.losses.softmax import log_softmax, softmax_loss
from pellucid.scratch.optimisers.adagrad import adagrad
from pellucid.scratch.optimisers.adam import adam_uncorrected
from pellucid.scratch.optimisers.momentum import sgd_momentum_unscaled
from pellucid.scratch.optimisers.nesterov import sgd_nesterov
from pellucid.scratch.regularisation.dropout import dropout_forward

Attributes = dict[str, Any]
Inputs = list[Any]
Outputs = tuple[Any, ...]


class MirroredDraws:
    """ONNX keeps where a draw is at least the ratio dropped, we keep where it is below the ratio kept."""

    def __init__(self, seed: int) -> None:
        self.draws = np.random.RandomState(seed)

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return 1 - self.draws.uniform(0, 1.0, shape)


def dropout(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    x, ratio, training = (*inputs, None, None)[:3]
    keep = 1 - (attributes.get("ratio", 0.5) if ratio is None else float(ratio))
    mode = "train" if training is not None and training else "test"
    out, (_, mask) = dropout_forward(x, {"mode": mode, "p": keep, "rng": MirroredDraws(attributes.get("seed", 0))})
    return out, np.ones(x.shape, dtype=bool) if mask is None else mask


def softmax_cross_entropy(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """Every place is a sample. The loss of one sample alone is its mean, a sum is a mean times the number."""
    x, labels = inputs
    scores = np.moveaxis(x, 1, -1)  # (N, d1, ..., dk, C)
    rows, targets = scores.reshape(-1, scores.shape[-1]), labels.reshape(-1)
    counted = np.flatnonzero(targets != attributes.get("ignore_index", None))
    reduction = attributes.get("reduction", "mean")
    if reduction == "none":
        loss = np.zeros(len(rows), x.dtype)
        loss[counted] = [softmax_loss(rows[n : n + 1], targets[n : n + 1])[0] for n in counted]
        loss = loss.reshape(labels.shape)
    else:
        mean, _ = softmax_loss(rows[counted], targets[counted])
        loss = np.asarray(mean * (len(counted) if reduction == "sum" else 1), x.dtype)
    return loss, np.moveaxis(log_softmax(scores), -1, 1)


def _optimiser(
    attributes: Attributes, inputs: Inputs, states: int, step: Callable[..., tuple[np.ndarray, ...]]
) -> Outputs:
    """Rate and count, then all weights, all gradients and all states; in the cases the count is 0 throughout."""
    rate, rest = float(inputs[0]), inputs[2:]
    number = len(rest) // (2 + states)
    groups = [rest[start : start + number] for start in range(0, len(rest), number)]
    results = []
    for x, gradient, *state in zip(*groups, strict=True):
        _, pull = l2_penalty(x, attributes["norm_coefficient"] / 2)
        results.append(step(x, gradient + pull, rate, *state))
    return tuple(array for group in zip(*results, strict=True) for array in group)


def adam(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """Without correction, as ONNX has it at a count of 0."""

    def step(x: np.ndarray, gradient: np.ndarray, rate: float, m: np.ndarray, v: np.ndarray) -> Outputs:
        names = {"alpha": "beta1", "beta": "beta2", "epsilon": "epsilon"}
        given = {ours: attributes[theirs] for theirs, ours in names.items() if theirs in attributes}
        x, config = adam_uncorrected(x, gradient, {"learning_rate": rate, "m": m, "v": v, **given})
        return x, config["m"], config["v"]

    return _optimiser(attributes, inputs, 2, step)


def adagrad_rule(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    def step(x: np.ndarray, gradient: np.ndarray, rate: float, total: np.ndarray) -> Outputs:
        x, config = adagrad(
            x, gradient, {"learning_rate": rate, "cache": total, "epsilon": attributes.get("epsilon", 1e-6)}
        )
        return x, config["cache"]

    return _optimiser(attributes, inputs, 1, step)


def momentum(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """ONNX's velocity is a sum of gradients; that of our Nesterov rule has the rate and the sign in it."""

    def step(x: np.ndarray, gradient: np.ndarray, rate: float, velocity: np.ndarray) -> Outputs:
        config = {"learning_rate": rate, "momentum": attributes["alpha"]}
        if attributes["mode"] == "standard":
            x, config = sgd_momentum_unscaled(x, gradient, {**config, "velocity": velocity})
            return x, config["velocity"]
        x, config = sgd_nesterov(x, gradient, {**config, "velocity": -rate * velocity})
        return x, config["velocity"] / -rate

    return _optimiser(attributes, inputs, 1, step)
