"""Proofs of the losses of scores; those of distances and penalties are in distances.py."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.core.errors import DataError
from pellucid.proof.case import Case, Check, Loss, Subject
from pellucid.scratch.checks import softmax_curvature
from pellucid.scratch.checks.numerical import eval_numerical_gradient_array
from pellucid.scratch.losses import (
    adversarial,
    binary_cross_entropy,
    softmax,
    squared_hinge,
    svm,
    temporal_softmax,
)

CAT_CAR_FROG = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])  # the scores of the course's slides
Y = np.arange(3)


def _scores(n: int, n_classes: int, *more: float) -> Any:
    return lambda rng: (rng.standard_normal((n, n_classes)), rng.integers(n_classes, size=n), *more)


def _linear(n: int, d: int, n_classes: int, *more: float, size: float = 1.0) -> Any:
    """W, X, y and the rest."""
    return lambda rng: (
        rng.standard_normal((d, n_classes)),
        size * rng.standard_normal((n, d)),
        rng.integers(n_classes, size=n),
        *more,
    )


def _difference(a: Any, b: Any) -> float:
    """Largest absolute difference of two tuples of numbers and arrays."""
    return float(np.max([np.max(np.abs(np.asarray(one) - other)) for one, other in zip(a, b, strict=True)]))


def _empty_linear(function: Any) -> float:
    """Of no sample only the penalty is left: λ Σ W² and 2 λ W."""
    W = np.arange(6.0).reshape(2, 3)
    return _difference(function(W, np.zeros((0, 2)), np.zeros(0, int), 0.3), (0.3 * 55, 0.6 * W))


def _hinge_cases(layer: Any, name: str, power: int, total: float) -> Sequence[Case]:
    """What the hinge and its square share: proofs of the form on scores, on weights, and the loops."""

    def twin(x: Any, y: Any, delta: float = 1.0) -> Any:
        return F.multi_margin_loss(x, y, p=power, margin=delta) * x.shape[1]  # PyTorch divides by C

    def linear_twin(W: Any, X: Any, y: Any, reg: float, delta: float = 1.0) -> Any:
        return twin(X @ W, y, delta) + reg * (W * W).sum()

    on_scores = getattr(layer, f"{name}_loss")
    on_weights, loops = getattr(layer, f"{name}_loss_vectorized"), getattr(layer, f"{name}_loss_naive")
    words = name.replace("_", " ")

    def tie() -> float:
        """A margin of exactly δ is kept: no loss, and the slope of the kink is taken as 0."""
        W, X = np.array([[2.0, 1.0, 0.0]]), np.ones((1, 1))
        return max(_difference(f(W, X, Y[:1], 0.0), (0.0, np.zeros((1, 3)))) for f in (on_weights, loops))

    return [
        Loss(
            f"{words} loss",
            on_scores,
            inputs={
                "margin by default": _scores(4, 3),
                "margin 2.5": _scores(3, 5, 2.5),
                "one sample": _scores(1, 4, 0.5),
            },
            gradients=("x",),
            twin=twin,
        ),
        Loss(
            f"linear {words} loss",
            on_weights,
            inputs={
                "margin by default": _linear(4, 3, 5, 0.1),
                "margin 2.5": _linear(3, 5, 4, 0.0, 2.5),
                "one sample": _linear(1, 2, 3, 0.7),
            },
            gradients=("W",),
            twin=linear_twin,
            loops=loops,
        ),
        Check(f"{words} loss of cat, car and frog", lambda: abs(3 * on_scores(CAT_CAR_FROG, Y)[0] - total)),
        Check(f"{words} loss of a margin kept to the point", tie),
        Check(f"{words} loss of an empty batch", lambda: abs(on_scores(np.zeros((0, 3)), np.zeros(0, int))[0])),
        Check(f"linear {words} loss of an empty batch", lambda: _empty_linear(on_weights)),
        Check(f"{words} loss of an empty batch by loops", lambda: _empty_linear(loops)),
    ]


def svm_cases(layer: Any) -> Sequence[Case]:
    """Weston and Watkins' hinge."""
    return _hinge_cases(layer, "svm", 1, 2.9 + 0.0 + 12.9)


def squared_hinge_cases(layer: Any) -> Sequence[Case]:
    """Its square."""
    return _hinge_cases(layer, "squared_hinge", 2, 8.41 + 0.0 + 83.25)


def softmax_cases(layer: Any) -> Sequence[Case]:
    """Probabilities, their logarithms, and the loss on scores and on weights."""

    def far_apart() -> float:
        """Scores of ±1e4 give a loss of 2e4, and a gradient of 1."""
        x, y = np.array([[1e4, -1e4], [1e4, -1e4]]), np.array([1, 0])
        return _difference(layer.softmax_loss(x, y), (1e4, np.array([[0.5, -0.5], [0, 0]])))

    def beside_a_hopeless_class() -> float:
        """A score of -1e16 must not cost the others their digits."""
        x = np.array([[0.0, np.log(3.0), -1e16]])
        return _difference([layer.log_softmax(x)[:, :2]], [np.log([[0.25, 0.75]])])

    def beside_a_large_score() -> float:
        """Nor may a number added to all."""
        return _difference([layer.log_softmax(np.arange(1e12, 1e12 + 3))], [layer.log_softmax(np.arange(3.0))])

    def probabilities() -> float:
        x = np.array([[[0.0, np.log(3.0)], [1e4, -1e4]]])
        return _difference([layer.softmax(x)], [[[[0.25, 0.75], [1.0, 0.0]]]])

    def smooth_maximum() -> float:
        x = np.array([[[0.0, np.log(3.0)], [1e4, -1e4]]])
        return _difference([layer.log_sum_exp(x)], [[[np.log(4.0), 1e4]]])

    def by_loops_far_apart() -> float:
        W, X, y = np.array([[1e4, -1e4, 0.0]]), np.array([[1.0], [-1.0]]), np.array([0, 0])
        return _difference(layer.softmax_loss_naive(W, X, y, 0.0), (1e4, np.array([[0.5, -0.5, 0.0]])))

    return [
        Loss(
            "softmax loss",
            layer.softmax_loss,
            inputs={"four samples": _scores(4, 3), "one sample": _scores(1, 5)},
            gradients=("x",),
            twin=F.cross_entropy,
        ),
        Loss(
            "linear softmax loss",
            layer.softmax_loss_vectorized,
            inputs={
                "with penalty": _linear(4, 3, 5, 0.1),
                "without": _linear(3, 5, 4, 0.0),
                "one sample": _linear(1, 2, 3, 0.7),
            },
            gradients=("W",),
            twin=lambda W, X, y, reg: F.cross_entropy(X @ W, y) + reg * (W * W).sum(),
            loops=layer.softmax_loss_naive,
        ),
        Check("softmax", probabilities),
        Check("log-sum-exp", smooth_maximum),
        Check("log-softmax beside a hopeless class", beside_a_hopeless_class),
        Check("log-softmax of large scores", beside_a_large_score),
        Check("softmax loss of scores far apart", far_apart),
        Check("softmax loss of scores far apart by loops", by_loops_far_apart),
        Check("softmax loss of an empty batch", lambda: abs(layer.softmax_loss(np.zeros((0, 3)), np.zeros(0, int))[0])),
        Check("linear softmax loss of an empty batch", lambda: _empty_linear(layer.softmax_loss_vectorized)),
        Check("softmax loss of an empty batch by loops", lambda: _empty_linear(layer.softmax_loss_naive)),
    ]


def binary_cross_entropy_cases(layer: Any) -> Sequence[Case]:
    """Scores of one and of several questions a sample, with and without weights."""

    def twin(x: Any, y: Any, weight: Any = None) -> Any:
        each = F.binary_cross_entropy_with_logits(x, y, reduction="none")
        return (each if weight is None else each * weight).sum() / len(x)

    def far_apart() -> float:
        """ln(1 + eˣ) is x for a large x, and eˣ, not 0, for a very negative one."""
        loss, dx = layer.binary_cross_entropy(np.array([1e4, -1e4, -40.0]), np.array([0.0, 1.0, 0.0]))
        return abs(loss * 3 - 2e4) / 2e4 + abs(dx[0] - 1 / 3) + abs(dx[1] + 1 / 3) + abs(dx[2] * 3 / np.exp(-40.0) - 1)

    def spreads() -> float:
        """A target or weight (3,) beside scores (3, 1) must be refused: the losses would be (3, 3)."""
        column, row, refused = np.zeros((3, 1)), np.zeros(3), 0
        for arguments in ((column, row), (column, column, row)):
            try:
                layer.binary_cross_entropy(*arguments)
            except DataError:
                refused += 1
        return 2.0 - refused

    return [
        Loss(
            "binary cross-entropy",
            layer.binary_cross_entropy,
            inputs={
                "one question": lambda rng: (rng.standard_normal(5), rng.random(5)),
                "several, weighted": lambda rng: (rng.standard_normal((3, 4)), rng.random((3, 4)), rng.random((3, 4))),
                "one sample": lambda rng: (rng.standard_normal((1, 2)), np.array([[0.0, 1.0]])),
            },
            gradients=("x",),
            twin=twin,
        ),
        Check("softplus", lambda: abs(float(layer.softplus(np.zeros(1))[0]) - np.log(2))),
        Check("binary cross-entropy of scores far apart", far_apart),
        Check("binary cross-entropy of targets of another shape", spreads),
        Check(
            "binary cross-entropy of an empty batch",
            lambda: abs(layer.binary_cross_entropy(np.zeros((0, 2)), np.zeros((0, 2)))[0]),
        ),
    ]


def temporal_softmax_cases(layer: Any) -> Sequence[Case]:
    """Sequences with padding, and labels that are no class where they do not count."""

    def draw(n: int, t: int, v: int) -> Any:
        def padded(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            mask = rng.random((n, t)) < 0.7
            mask[0, :2] = True, False
            return rng.standard_normal((n, t, v)), np.where(mask, rng.integers(v, size=(n, t)), -1), mask

        return padded

    def twin(x: Any, y: Any, mask: Any) -> Any:
        return F.cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=-1, reduction="sum") / len(x)

    def nothing(n: int) -> float:
        loss, dx = layer.temporal_softmax_loss(np.ones((n, 3, 4)), np.ones((n, 3), int), np.zeros((n, 3)))
        return abs(loss) + float(np.abs(dx).sum())

    def printed() -> float:
        """Only when asked for, and then the shape of the gradient."""
        arguments = np.ones((1, 3, 4)), np.ones((1, 3), int), np.ones((1, 3))
        with contextlib.redirect_stdout(io.StringIO()) as said:
            layer.temporal_softmax_loss(*arguments)
        with contextlib.redirect_stdout(io.StringIO()) as asked:
            layer.temporal_softmax_loss(*arguments, verbose=True)
        return float((said.getvalue(), asked.getvalue()) != ("", "dx: (1, 3, 4)\n"))

    return [
        Check("temporal softmax loss prints when asked", printed),
        Loss(
            "temporal softmax loss",
            layer.temporal_softmax_loss,
            inputs={"three sequences": draw(3, 4, 5), "one sequence": draw(1, 5, 2), "two steps": draw(4, 2, 3)},
            gradients=("x",),
            twin=twin,
        ),
        Check("temporal softmax loss of padding alone", lambda: nothing(2)),
        Check("temporal softmax loss of an empty batch", lambda: nothing(0)),
    ]


def adversarial_cases(layer: Any) -> Sequence[Case]:
    """Scores of real and generated samples, as many or not."""

    def two(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return rng.standard_normal(3), rng.standard_normal(5)

    def columns(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return 3 * rng.standard_normal((4, 1)), 3 * rng.standard_normal((1, 1))

    both = {"three real, five generated": two, "columns": columns}
    one = {"rank 1": lambda rng: (rng.standard_normal(5),), "columns": lambda rng: (rng.standard_normal((3, 1)),)}

    def value(logits_real: Any, logits_fake: Any) -> Any:
        return torch.sigmoid(logits_real).log().mean() + (1 - torch.sigmoid(logits_fake)).log().mean()

    return [
        Loss("gan value", layer.gan_value, both, ("logits_real", "logits_fake"), twin=value),
        Loss(
            "discriminator loss",
            layer.discriminator_loss,
            both,
            ("logits_real", "logits_fake"),
            twin=lambda real, fake: -value(real, fake),
        ),
        Loss("generator loss", layer.generator_loss, one, ("logits_fake",), twin=lambda s: -s.sigmoid().log().mean()),
        Loss(
            "saturating generator loss",
            layer.saturating_generator_loss,
            one,
            ("logits_fake",),
            twin=lambda s: (1 - s.sigmoid()).log().mean(),
        ),
    ]


def softmax_curvature_cases(layer: Any) -> Sequence[Case]:
    """Second derivatives: those of the loss as numbers, and what the penalty adds."""
    rng = np.random.default_rng(0)
    W, X, y = rng.standard_normal((3, 4)), rng.standard_normal((5, 3)), rng.integers(4, size=5)

    def slopes_of_the_gradient(reg: float) -> float:
        """Row by row: the derivative of one entry of the gradient."""
        by_hand, worst = layer.softmax_hessian(W, X, reg), 0.0
        for row, one in enumerate(np.eye(W.size)):
            slope = eval_numerical_gradient_array(
                lambda w: softmax.softmax_loss_vectorized(w, X, y, reg)[1], W.copy(), one.reshape(W.shape)
            )
            worst = max(worst, float(np.max(np.abs(by_hand[row] - slope.ravel()))))
        return worst

    def by_torch() -> float:
        weights, samples, labels = torch.from_numpy(W), torch.from_numpy(X), torch.from_numpy(y)
        theirs = torch.autograd.functional.hessian(
            lambda w: F.cross_entropy(samples @ w, labels) + 0.3 * (w * w).sum(), weights
        )
        return _difference([layer.softmax_hessian(W, X, 0.3)], [theirs.reshape(W.size, W.size).numpy()])

    return [
        Check("softmax curvature, without penalty", lambda: slopes_of_the_gradient(0.0), 1e-8),
        Check("softmax curvature, with penalty", lambda: slopes_of_the_gradient(0.2), 1e-8),
        Check("softmax curvature by PyTorch", by_torch),
    ]


SUBJECTS: dict[str, Subject] = {
    "svm-loss": Subject(svm, svm_cases),
    "squared-hinge": Subject(squared_hinge, squared_hinge_cases),
    "softmax-loss": Subject(softmax, softmax_cases),
    "binary-cross-entropy": Subject(binary_cross_entropy, binary_cross_entropy_cases),
    "temporal-softmax": Subject(temporal_softmax, temporal_softmax_cases),
    "adversarial": Subject(adversarial, adversarial_cases),
    "softmax-curvature": Subject(softmax_curvature, softmax_curvature_cases),
}
