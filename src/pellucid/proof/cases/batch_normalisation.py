"""Proofs of batch norm: three ways back, both modes, and running statistics over several batches."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.proof.cases.standardisation import AFFINE, Settings, off, worst
from pellucid.scratch.normalisation import batch, spatial_batch, two_sample


def _draw(shape: tuple[int, ...], parameters: tuple[int, ...], **settings: Any) -> Inputs:
    """Inputs far from zero, gamma, beta, then the settings as a dict."""

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        x = 2 * rng.standard_normal(shape) + 3
        return x, rng.standard_normal(parameters), rng.standard_normal(parameters), dict(settings)

    return draw


def _known(channels: int) -> Settings:
    """Running statistics, none of which is that of the start."""
    return {"running_mean": np.linspace(-1.0, 2.0, channels), "running_var": np.linspace(0.2, 3.0, channels)}


def _batch_twin(x: Any, gamma: Any, beta: Any, param: Settings) -> Any:
    """PyTorch's batch norm under the course's settings."""
    own = param["mode"] == "train" or not param.get("track_running_stats", True)
    known = [torch.from_numpy(param[name].copy()) for name in ("running_mean", "running_var") if not own]
    mean, var = known or (None, None)
    return F.batch_norm(x, mean, var, gamma, beta, own, 0.0, param.get("eps", 1e-5))


def batch_cases(module: Any) -> Sequence[Case]:
    """The graph and the formula beside PyTorch and beside each other, in both modes."""
    inputs = {
        "train": _draw((4, 3), (3,), mode="train"),
        "eps": _draw((3, 5), (5,), mode="train", eps=0.3),
        "tiny": lambda rng: (1e-3 * rng.standard_normal((4, 2)), *rng.standard_normal((2, 2)), {"mode": "train"}),
        "test": _draw((3, 4), (4,), mode="test", **_known(4)),
        "test, not tracked": _draw((3, 2), (2,), mode="test", track_running_stats=False),
    }
    one = {"one sample": _draw((1, 3), (3,), mode="train", eps=0.1)}  # PyTorch refuses it

    def walk() -> float:
        rng, param = np.random.default_rng(2), {"mode": "train", "convention": "torch"}
        theirs = torch.nn.BatchNorm1d(2, dtype=torch.float64)
        for _ in range(3):
            x = 3 * rng.standard_normal((4, 2)) + 1
            theirs(torch.from_numpy(x))
            module.batchnorm_forward(x, np.ones(2), np.zeros(2), param)
        return worst(*(off(param[name], getattr(theirs, name)) for name in ("running_mean", "running_var")))

    def empty() -> float:
        x, ones = np.zeros((0, 2)), np.ones(2)
        with np.errstate(all="raise"):
            out, cache = module.batchnorm_forward(x, ones, ones, {"mode": "train"})
            found = [g for way in (module.batchnorm_backward, module.batchnorm_backward_alt) for g in way(out, cache)]
        return worst(*(off(g, w) for g, w in zip(found, (x, 0 * ones, 0 * ones) * 2, strict=True)))

    forward, graph, formula = module.batchnorm_forward, module.batchnorm_backward, module.batchnorm_backward_alt
    settings: Settings = {"gradients": AFFINE, "linear": ("gamma", "beta"), "twin": _batch_twin, "beyond": ("test",)}
    return [
        Layer("batchnorm", forward, graph, inputs, loops=(forward, formula), **settings),
        Layer("batchnorm, formula", forward, formula, inputs, **settings),
        Layer("batchnorm of one sample", forward, graph, one, AFFINE, loops=(forward, formula)),
        Check("running statistics over three batches", walk),
        Check("an empty batch", empty),
    ]


def two_sample_cases(module: Any) -> Sequence[Case]:
    """Beside batch norm of a batch of two; the step over the variance beside PyTorch's."""

    def draw(*settings: float) -> Inputs:
        return lambda rng: (*rng.standard_normal((4, 3)), *settings)

    def together(x1: Any, x2: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> tuple[Any, Any]:
        y = F.batch_norm(torch.stack([x1, x2]), None, None, gamma, beta, True, 0.0, eps)
        return y[0], y[1]

    def worked() -> float:
        x1, x2, gamma, beta = (np.array([v]) for v in (1.0, 3.0, 2.0, 0.5))
        dy1, dy2 = np.array([0.7]), np.array([-0.2])
        cache = module.two_sample_forward(x1, x2, gamma, beta, 1.0)[-1]
        dx1, dx2, _, _ = module.two_sample_backward(dy1, dy2, cache)
        dvar = module.two_sample_variance_gradient(dy1, dy2, cache)
        return worst(off(dx1, [0.318198]), off(dx2, [-0.318198]), off(dvar, [0.318198]))

    def variance() -> float:
        rng = np.random.default_rng(3)
        x1, x2, gamma, beta, dy1, dy2 = rng.standard_normal((6, 4))
        var = torch.from_numpy((x1 - x2) ** 2 / 4).requires_grad_()
        mean, std = (x1 + x2) / 2, torch.sqrt(var + 0.2)
        pulls = torch.from_numpy(gamma * dy1 * (x1 - mean) + gamma * dy2 * (x2 - mean))
        (theirs,) = torch.autograd.grad((pulls / std).sum(), [var])
        cache = module.two_sample_forward(x1, x2, gamma, beta, 0.2)[-1]
        return off(module.two_sample_variance_gradient(dy1, dy2, cache), theirs)

    return [
        Layer(
            "two samples",
            module.two_sample_forward,
            module.two_sample_backward,
            inputs={"default": draw(), "eps": draw(0.5)},
            gradients=("x1", "x2", "gamma", "beta"),
            linear=("gamma", "beta"),
            twin=together,
        ),
        Check("the worked numbers", worked, 1e-6),
        Check("the gradient of the variance", variance),
    ]


def spatial_batch_cases(module: Any) -> Sequence[Case]:
    """Sequences, pictures and volumes; beside batch norm of the table of places."""

    def as_table(x: np.ndarray) -> np.ndarray:
        return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])

    def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, bn_param: Settings) -> tuple[np.ndarray, Any]:
        out, cache = batch.batchnorm_forward(as_table(x), gamma, beta, bn_param)
        places = (x.shape[0], *x.shape[2:], x.shape[1])
        return np.moveaxis(out.reshape(places), -1, 1), (cache, places)

    def backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        dx, dgamma, dbeta = batch.batchnorm_backward(as_table(dout), cache[0])
        return np.moveaxis(dx.reshape(cache[1]), -1, 1), dgamma, dbeta

    def walk() -> float:
        rng, param = np.random.default_rng(4), {"mode": "train", "convention": "torch"}
        theirs = torch.nn.BatchNorm2d(3, dtype=torch.float64)
        for _ in range(3):
            x = 3 * rng.standard_normal((2, 3, 2, 2)) + 1
            theirs(torch.from_numpy(x))
            module.spatial_batchnorm_forward(x, np.ones(3), np.zeros(3), param)
        return worst(*(off(param[name], getattr(theirs, name)) for name in ("running_mean", "running_var")))

    def ranks() -> float:
        try:
            module.spatial_batchnorm_forward(np.zeros((2, 3)), np.zeros(3), np.zeros(3), {"mode": "train"})
        except module.DataError:
            return 0.0
        return 1.0

    return [
        Layer(
            "spatial_batchnorm",
            module.spatial_batchnorm_forward,
            module.spatial_batchnorm_backward,
            inputs={
                "sequences": _draw((3, 2, 4), (2,), mode="train"),
                "pictures": _draw((2, 3, 2, 3), (3,), mode="train", eps=0.2),
                "volumes": _draw((2, 2, 1, 2, 3), (2,), mode="train"),
                "one picture": _draw((1, 3, 2, 2), (3,), mode="train"),
                "test": _draw((2, 3, 2, 2), (3,), mode="test", eps=0.2, **_known(3)),
                "tiny": lambda rng: (
                    1e-3 * rng.standard_normal((2, 2, 3)),
                    *rng.standard_normal((2, 2)),
                    {"mode": "train"},
                ),
            },
            beyond=("sequences", "volumes", "test", "tiny"),
            gradients=AFFINE,
            linear=("gamma", "beta"),
            twin=_batch_twin,
            loops=(forward, backward),
        ),
        Check("running statistics over three batches", walk),
        Check("a table is refused", ranks),
    ]


SUBJECTS: dict[str, Subject] = {
    "batch-norm": Subject(batch, batch_cases),
    "two-sample": Subject(two_sample, two_sample_cases),
    "spatial-batch-norm": Subject(spatial_batch, spatial_batch_cases),
}
