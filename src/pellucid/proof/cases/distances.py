"""Proofs of the losses that measure a distance, between numbers or distributions, and of the penalties."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch.nn.functional as F

from pellucid.core.errors import DataError
from pellucid.proof.case import Case, Check, Loss, Subject
from pellucid.scratch.losses import kl, l1, l2, penalties, smooth_l1


def _difference(a: Any, b: Any) -> float:
    """Largest absolute difference of two tuples of numbers and arrays."""
    return float(np.max([np.max(np.abs(np.asarray(one) - other)) for one, other in zip(a, b, strict=True)]))


def _pairs(*shape: int) -> Any:
    return lambda rng: (rng.standard_normal(shape), rng.standard_normal(shape))


def _spreads(function: Any) -> float:
    """A target (3,) beside outputs (3, 1) must be refused: the differences would be (3, 3)."""
    try:
        function(np.zeros((3, 1)), np.zeros(3))
    except DataError:
        return 0.0
    return 1.0


def _empty(function: Any) -> float:
    loss, dx = function(np.zeros((0, 2)), np.zeros((0, 2)))
    return abs(loss) + dx.size


def l1_cases(layer: Any) -> Sequence[Case]:
    """Sums over a sample, means over samples."""
    return [
        Loss(
            "l1 loss",
            layer.l1_loss,
            inputs={"rank 2": _pairs(3, 4), "rank 1": _pairs(5), "one sample": _pairs(1, 2, 3)},
            gradients=("x",),
            twin=lambda x, target: F.l1_loss(x, target, reduction="sum") / len(x),
        ),
        Check("l1 loss at its kink", lambda: _difference(layer.l1_loss(np.ones(2), np.ones(2)), (0.0, np.zeros(2)))),
        Check("l1 loss of an empty batch", lambda: _empty(layer.l1_loss)),
        Check("l1 loss of a target of another shape", lambda: _spreads(layer.l1_loss)),
    ]


def l2_cases(layer: Any) -> Sequence[Case]:
    """Sums over a sample, means over samples, no half."""
    return [
        Loss(
            "l2 loss",
            layer.l2_loss,
            inputs={"rank 2": _pairs(3, 4), "rank 1": _pairs(5), "one sample": _pairs(1, 2, 3)},
            gradients=("x",),
            twin=lambda x, target: F.mse_loss(x, target, reduction="sum") / len(x),
        ),
        Check("l2 loss of an empty batch", lambda: _empty(layer.l2_loss)),
        Check("l2 loss of a target of another shape", lambda: _spreads(layer.l2_loss)),
    ]


def smooth_l1_cases(layer: Any) -> Sequence[Case]:
    """Differences on both sides of β."""

    def draw(n: int, d: int, *beta: float) -> Any:
        return lambda rng: (3 * rng.standard_normal((n, d)), rng.standard_normal((n, d)), *beta)

    return [
        Loss(
            "smooth l1 loss",
            layer.smooth_l1_loss,
            inputs={
                "beta by default": draw(3, 4),
                "beta 1/9": draw(2, 4, 1 / 9),
                "beta 2.5": draw(4, 3, 2.5),
                "one sample": draw(1, 2),
            },
            gradients=("x",),
            twin=lambda x, target, beta=1.0: F.smooth_l1_loss(x, target, reduction="sum", beta=beta) / len(x),
        ),
        Check("smooth l1 loss of an empty batch", lambda: _empty(layer.smooth_l1_loss)),
        Check("smooth l1 loss of a target of another shape", lambda: _spreads(layer.smooth_l1_loss)),
    ]


def _distributions(n_of_them: int, *shape: int, zero: bool = False) -> Any:
    def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        drawn = rng.dirichlet(np.ones(shape[-1]), size=(n_of_them, *shape[:-1]))
        if zero:
            drawn[0, ..., 0] = 0
            drawn[0] /= drawn[0].sum(axis=-1, keepdims=True)
        return tuple(drawn)

    return draw


def _with_scores(draw: Any) -> Any:
    def drawn(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        p, *_ = draw(rng)
        return p, rng.standard_normal(p.shape)

    return drawn


def kl_cases(layer: Any) -> Sequence[Case]:
    """Distributions drawn at random, among them some with a probability of 0."""
    some = {
        "rank 2": _distributions(2, 3, 4),
        "rank 1, p with a zero": _distributions(2, 5, zero=True),
        "rank 3": _distributions(2, 2, 1, 3),
    }
    one = {"rank 2": _distributions(1, 3, 4), "rank 1": _distributions(1, 5), "rank 3": _distributions(1, 2, 1, 3)}

    def rows(p: Any) -> int:
        return int(p.numel()) // int(p.shape[-1])

    def with_zeros() -> float:
        """0 ln 0 = 0, also where both are 0; of a p that q rules out, infinity."""
        p, q = np.array([0.0, 0.5, 0.5]), np.array([0.0, 0.25, 0.75])
        expected = (0.5 * np.log(4 / 3), np.array([0, -2, -2 / 3]))
        infinite = layer.kl_divergence(q[::-1].copy(), p)[0] == np.inf == layer.cross_entropy(q[::-1].copy(), p)[0]
        return _difference(layer.kl_divergence(p, q), expected) + (not infinite)

    def entropy_with_zero() -> float:
        value, slope = layer.entropy(np.array([0.0, 0.5, 0.5]))
        return abs(value - np.log(2)) + (slope[0] != np.inf)

    def empty() -> float:
        nothing = np.zeros((0, 3))
        two = (layer.cross_entropy, layer.kl_divergence, layer.kl_divergence_of_scores)
        return abs(layer.entropy(nothing)[0]) + sum(abs(function(nothing, nothing)[0]) for function in two)

    return [
        Loss("entropy", layer.entropy, one, ("p",), twin=lambda p: -(p * p.log()).sum() / rows(p)),
        Loss(
            "cross-entropy",
            layer.cross_entropy,
            some,
            ("q",),
            twin=lambda p, q: -(p * q.log()).sum() / rows(p),
        ),
        Loss(
            "kl divergence",
            layer.kl_divergence,
            some,
            ("q",),
            twin=lambda p, q: F.kl_div(q.log(), p, reduction="sum") / rows(p),
        ),
        Loss(
            "kl divergence of scores",
            layer.kl_divergence_of_scores,
            {label: _with_scores(draw) for label, draw in some.items()},
            ("x",),
            twin=lambda p, x: F.kl_div(x.log_softmax(-1), p, reduction="sum") / rows(p),
        ),
        Check("kl divergence with zeros", with_zeros),
        Check("entropy with a zero", entropy_with_zero),
        Check("kl divergence of no rows", empty),
    ]


def penalties_cases(layer: Any) -> Sequence[Case]:
    """Weights of any rank, and a network whose biases are left alone."""

    def draw(*shape: int, more: tuple[float, ...] = (0.3,)) -> Any:
        return lambda rng: (rng.standard_normal(shape), *more)

    some = {"rank 2": draw(3, 4), "rank 1": draw(5, more=(2.0,)), "rank 4": draw(2, 3, 1, 2)}

    def of_a_network(biases: bool | None) -> float:
        rng = np.random.default_rng(0)
        parameters = {
            "W": rng.standard_normal((2, 3)),
            "b": rng.standard_normal(3),
            "F": rng.standard_normal((2, 1, 2)),
        }
        gradients = {name: rng.standard_normal(w.shape) for name, w in parameters.items()}
        more = () if biases is None else (biases,)
        total, summed = layer.total_loss(1.5, gradients, parameters, lambda w: (0.1 * np.sum(w * w), 0.2 * w), *more)
        left_alone = () if biases else ("b",)
        expected = 1.5 + sum(0.1 * np.sum(w * w) for name, w in parameters.items() if name not in left_alone)
        slopes = [g + 0.2 * parameters[name] * (name not in left_alone) for name, g in gradients.items()]
        return abs(total - expected) + sum(
            float(np.abs(ours - theirs).sum()) for ours, theirs in zip(summed.values(), slopes, strict=True)
        )

    def kink(function: Any) -> float:
        return _difference(function(np.zeros(2), 0.5), (0.0, np.zeros(2)))

    return [
        Loss("l2 penalty", layer.l2_penalty, some, ("w",), twin=lambda w, reg: reg * w.square().sum()),
        Loss("l1 penalty", layer.l1_penalty, some, ("w",), twin=lambda w, reg: reg * w.abs().sum()),
        Loss(
            "elastic net penalty",
            layer.elastic_net_penalty,
            {**some, "beta 2": draw(3, 2, more=(0.3, 2.0))},
            ("w",),
            twin=lambda w, reg, beta=0.5: reg * (beta * w.square() + w.abs()).sum(),
        ),
        Check("l1 penalty at its kink", lambda: kink(layer.l1_penalty)),
        Check("elastic net penalty at its kink", lambda: kink(layer.elastic_net_penalty)),
        Check("total loss of a network", lambda: of_a_network(None)),
        Check("total loss of a network, biases too", lambda: of_a_network(True)),
    ]


SUBJECTS: dict[str, Subject] = {
    "l1-loss": Subject(l1, l1_cases),
    "l2-loss": Subject(l2, l2_cases),
    "smooth-l1": Subject(smooth_l1, smooth_l1_cases),
    "kl-divergence": Subject(
        kl,
        kl_cases,
        harmless={
            "_times_log: np.where(p > 0, q, 1) -> np.where(p > 0, q, 2)": "the logarithm is multiplied by 0",
            "_slope: np.where(p > 0, q, 1) -> np.where(p > 0, q, 2)": "0 is divided by it",
        },
    ),
    "penalties": Subject(penalties, penalties_cases),
}
