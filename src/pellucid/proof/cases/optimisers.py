"""Proofs of the update rules: each walks beside PyTorch's, and its defaults are pinned where a walk cannot see them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from pellucid.core.errors import DataError
from pellucid.proof.case import Case, Check, Subject, Update
from pellucid.scratch.optimisers import adadelta, adagrad, adam, adamw, batches, clip, momentum, nesterov, rmsprop, sgd


def first_step(rule: Callable[..., Any], gradient: float, config: dict[str, Any] | None = None) -> float:
    """What the first step subtracts from a weight of 0."""
    stepped, _ = rule(np.zeros(2), np.full(2, gradient), config)
    return float(-stepped[0])


def walk(rule: Callable[..., Any], gradient: Callable[[np.ndarray], np.ndarray], steps: int = 20) -> np.ndarray:
    """The points that a rule passes from (1, -2), by its defaults."""
    w, config, path = np.array([1.0, -2.0]), None, []
    for _ in range(steps):
        w, config = rule(w, gradient(w), config)
        path.append(w)
    return np.array(path)


def bowl(w: np.ndarray) -> np.ndarray:
    """The gradient of a bowl that is ten times as steep in its second direction."""
    return np.array([1.0, 10.0]) * w


def sgd_cases(rules: Any) -> Sequence[Case]:
    """With and without settings, and against the closed form on a bowl: the distance shrinks by 1 - lr · curvature."""
    return [
        Update("sgd", rules.sgd, {"learning_rate": 0.03}, lambda p: torch.optim.SGD(p, lr=0.03)),
        Update("sgd by default", rules.sgd, {}, lambda p: torch.optim.SGD(p, lr=1e-2)),
        Check("sgd, closed form", lambda: float(np.abs(walk(rules.sgd, bowl)[-1] - [0.99**20, -2 * 0.9**20]).max())),
    ]


def momentum_cases(rules: Any) -> Sequence[Case]:
    """Both forms walk PyTorch's path while the learning rate stays."""

    def slowed(rule: Callable[..., Any]) -> float:
        """The second step after the learning rate fell from 1 to 0: under a gradient of 1 the speed is 1 before."""
        w, config = rule(np.zeros(1), np.ones(1), {"learning_rate": 1.0})
        config["learning_rate"] = 0.0
        return float((rule(w, np.ones(1), config)[0] - w)[0])

    found: list[Case] = []
    for name, rule in (("momentum", rules.sgd_momentum), ("momentum, unscaled", rules.sgd_momentum_unscaled)):
        found += [
            Update(
                name,
                rule,
                {"learning_rate": 0.02, "momentum": 0.7},
                lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.7),
            ),
            Update(f"{name}, by default", rule, {}, lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9)),
        ]
    return [
        *found,
        Check("momentum, the scaled form keeps its speed", lambda: abs(slowed(rules.sgd_momentum) + 0.9)),
        Check("momentum, the unscaled form stops at once", lambda: abs(slowed(rules.sgd_momentum_unscaled))),
    ]


def nesterov_cases(rules: Any) -> Sequence[Case]:
    """The form with changed variables is PyTorch's, and looks at the points that the other form looks at."""

    def apart() -> float:
        """Distance between the rule's weights and x + momentum · v of the look-ahead form, both by default."""
        x, v, error = np.array([1.0, -2.0]), np.zeros(2), 0.0
        for w in walk(rules.sgd_nesterov, bowl):
            x, v = rules.nesterov_step(x, v, bowl)
            error = float(np.maximum(error, np.abs(x + 0.9 * v - w).max()))
        return error

    def nesterov(p: list[Any]) -> torch.optim.Optimizer:
        return torch.optim.SGD(p, lr=0.02, momentum=0.7, nesterov=True)

    return [
        Update("nesterov", rules.sgd_nesterov, {"learning_rate": 0.02, "momentum": 0.7}, nesterov),
        Update(
            "nesterov by default",
            rules.sgd_nesterov,
            {},
            lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9, nesterov=True),
        ),
        Check("nesterov, both forms", apart),
    ]


def adagrad_cases(rules: Any) -> Sequence[Case]:
    """PyTorch's, with the same epsilon; a first gradient as small as epsilon makes half a step."""
    return [
        Update("adagrad", rules.adagrad, {"learning_rate": 0.1}, lambda p: torch.optim.Adagrad(p, lr=0.1, eps=1e-8)),
        Update("adagrad by default", rules.adagrad, {}, lambda p: torch.optim.Adagrad(p, lr=1e-2, eps=1e-8)),
        Update(
            "adagrad, large epsilon",
            rules.adagrad,
            {"epsilon": 0.1},
            lambda p: torch.optim.Adagrad(p, lr=1e-2, eps=0.1),
        ),
        Check("adagrad, epsilon", lambda: abs(first_step(rules.adagrad, 1e-8) - 0.005)),
    ]


def adadelta_cases(rules: Any) -> Sequence[Case]:
    """PyTorch's, by default and with other settings."""
    settings = {"learning_rate": 0.5, "decay_rate": 0.8, "epsilon": 1e-3}
    return [
        Update("adadelta", rules.adadelta, settings, lambda p: torch.optim.Adadelta(p, lr=0.5, rho=0.8, eps=1e-3)),
        Update("adadelta by default", rules.adadelta, {}, lambda p: torch.optim.Adadelta(p, lr=1.0, rho=0.9, eps=1e-6)),
    ]


def rmsprop_cases(rules: Any) -> Sequence[Case]:
    """PyTorch's; at the first step √cache = 0.1 |g|, so that g = 1e-7 makes half of the usual 10 learning rates."""
    settings = {"learning_rate": 0.02, "decay_rate": 0.9, "epsilon": 0.1}
    return [
        Update("rmsprop", rules.rmsprop, settings, lambda p: torch.optim.RMSprop(p, lr=0.02, alpha=0.9, eps=0.1)),
        Update("rmsprop by default", rules.rmsprop, {}, lambda p: torch.optim.RMSprop(p, lr=1e-2, alpha=0.99)),
        Check("rmsprop, epsilon", lambda: abs(first_step(rules.rmsprop, 1e-7) - 0.05)),
    ]


def adam_cases(rules: Any) -> Sequence[Case]:
    """PyTorch's; without correction, the sums that the moments are under gradients that change."""
    settings = {"learning_rate": 0.02, "beta1": 0.8, "beta2": 0.9, "epsilon": 0.1}

    def by_sums() -> float:
        """Every moment as a sum over the past instead of a running mean, and each step from those."""
        gradients = np.random.default_rng(0).standard_normal((12, 3))
        w, config, error = np.zeros(3), dict(settings), 0.0
        expected = np.zeros(3)
        for t, gradient in enumerate(gradients, 1):
            ages = np.arange(t)[::-1, None]
            m = (0.2 * 0.8**ages * gradients[:t]).sum(0)
            v = (0.1 * 0.9**ages * gradients[:t] ** 2).sum(0)
            expected = expected - 0.02 * m / (np.sqrt(v) + 0.1)
            w, config = rules.adam_uncorrected(w, gradient, config)
            error = float(np.maximum(error, np.abs(w - expected).max()))
        return error

    def refused() -> float:
        """Gradients that would be broadcast."""
        for rule in (rules.adam, rules.adam_uncorrected):
            try:
                rule(np.zeros(2), np.zeros((1, 2)))
            except DataError:
                continue
            return 1.0
        return 0.0

    return [
        Check("adam, another shape", refused),
        Update(
            "adam", rules.adam, settings, lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.9), eps=0.1), steps=20
        ),
        Update("adam by default", rules.adam, {}, lambda p: torch.optim.Adam(p, lr=1e-3, betas=(0.9, 0.999), eps=1e-8)),
        Check("adam, epsilon", lambda: abs(first_step(rules.adam, 1e-8) - 0.0005)),
        Check("adam without correction", by_sums),
        Check(
            "adam without correction, first step",
            lambda: abs(first_step(rules.adam_uncorrected, 1.0) - 1e-3 * 0.1 / (np.sqrt(0.001) + 1e-8)),
            tolerance=1e-12,
        ),
    ]


def adamw_cases(rules: Any) -> Sequence[Case]:
    """PyTorch's, by default and with more decay."""
    settings = {"learning_rate": 0.02, "weight_decay": 0.3}
    return [
        Update("adamw", rules.adamw, settings, lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.3)),
        Update("adamw by default", rules.adamw, {}, lambda p: torch.optim.AdamW(p, lr=1e-3, weight_decay=1e-2)),
    ]


def clip_cases(module: Any) -> Sequence[Case]:
    """Lengths 5 and 13 of right triangles, alone, together, and at the ends of what float64 holds."""
    a, b = np.array([[3.0], [-4.0]]), np.array([12.0])

    def alone() -> float:
        clipped, norm = module.clip_by_norm(a, 1.0)
        return float(np.abs(clipped - a / 5).max()) + abs(norm - 5)

    def together() -> float:
        clipped, norm = module.clip_by_norm({"a": a, "b": b}, 6.5)
        return float(np.abs(clipped["a"] - a / 2).max() + np.abs(clipped["b"] - b / 2).max()) + abs(norm - 13)

    def untouched() -> float:
        """At the threshold and below, the very same arrays come back."""
        same = [module.clip_by_norm(gradients, 5.0)[0] is gradients for gradients in (a, {"a": a}, np.zeros(3), {})]
        same.append(module.clip_by_norm(a, 7.0)[0] is a)
        return float(not all(same)) + abs(module.clip_by_norm(a, 7.0)[1] - 5)

    def extreme() -> float:
        norms = [module.global_norm({"a": a * size, "b": b * size}) / size for size in (1e200, 1e-200)]
        return float(np.abs(np.array(norms) - 13).max())

    return [
        Check("clip, one array", alone),
        Check("clip, several arrays", together),
        Check("clip, short enough", untouched),
        Check("clip, squares that overflow or vanish", extreme),
        Check("clip, nothing", lambda: module.global_norm({}) + module.global_norm(np.zeros((0, 2)))),
    ]


def batches_cases(module: Any) -> Sequence[Case]:
    """Ten rows by four, twice: 4, 4, 2 and again."""

    def in_order() -> float:
        found = [(batch.iteration, batch.epoch, batch.indices.tolist()) for batch in module.batches(10, 4, 2)]
        rows = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        return float(found != [(3 * e + i + 1, e + 1, rows[i]) for e in range(2) for i in range(3)])

    def shuffled() -> float:
        epochs = [
            np.concatenate([b.indices for b in module.batches(10, 4, 2, np.random.default_rng(0)) if b.epoch == e])
            for e in (1, 2)
        ]
        whole = all(sorted(rows) == list(range(10)) for rows in epochs)
        return float(not whole or (epochs[0] == epochs[1]).all() or (epochs[0] == np.arange(10)).all())

    def counted() -> float:
        """For one epoch, of every size: as many batches as said, none empty."""
        sizes = [(n, size) for n in (1, 5, 6) for size in (1, 2, 5, 6, 9)]
        found = [[len(batch.indices) for batch in module.batches(n, size, 1)] for n, size in sizes]
        said = [module.iterations_per_epoch(n, size) for n, size in sizes]
        return float([len(each) for each in found] != said or [sum(each) for each in found] != [n for n, _ in sizes])

    return [
        Check("batches, in order", in_order),
        Check("batches, shuffled", shuffled),
        Check("batches, counted", counted),
    ]


SUBJECTS: dict[str, Subject] = {
    "sgd": Subject(sgd, sgd_cases),
    "momentum": Subject(momentum, momentum_cases),
    "nesterov": Subject(nesterov, nesterov_cases),
    "adagrad": Subject(adagrad, adagrad_cases),
    "adadelta": Subject(adadelta, adadelta_cases),
    "rmsprop": Subject(rmsprop, rmsprop_cases),
    "adam": Subject(adam, adam_cases),
    "adamw": Subject(adamw, adamw_cases),
    "clip": Subject(clip, clip_cases),
    "batches": Subject(batches, batches_cases),
}
