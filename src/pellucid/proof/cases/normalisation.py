"""Proofs of the normalisations without a batch, and of the mixture: each beside PyTorch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.proof.cases.standardisation import AFFINE, Settings, off, worst
from pellucid.scratch.normalisation import group, instance, layer, local_response, switchable


def _draw(shape: tuple[int, ...], parameters: tuple[int, ...], *settings: Any, size: float = 2.0) -> Inputs:
    """Inputs of spread `size` around one and a half of it, gamma, beta, then `settings`."""

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        x = size * (rng.standard_normal(shape) + 1.5)
        return x, rng.standard_normal(parameters), rng.standard_normal(parameters), *settings

    return draw


def _refused(module: Any, *calls: Callable[[], Any]) -> float:
    """How many of the calls were not refused."""
    missed = 0.0
    for call in calls:
        try:
            call()
            missed += 1
        except (module.DataError, getattr(module, "ConfigError", module.DataError)):
            pass
    return missed


def layer_cases(module: Any) -> Sequence[Case]:
    """Rows, texts and a single vector; more rows than fill one block."""

    def twin(x: Any, gamma: Any, beta: Any, ln_param: Settings) -> torch.Tensor:
        return F.layer_norm(x, gamma.shape, gamma, beta, ln_param.get("eps", 1e-5))

    def long() -> float:
        rng = np.random.default_rng(0)
        x, dout = rng.standard_normal((2, 2, 140_000)) + 1
        gamma, beta = rng.standard_normal((2, 140_000))
        out, cache = module.layernorm_forward(x, gamma, beta, {})
        found = (out, *module.layernorm_backward(dout, cache))
        tensors = [torch.from_numpy(a).requires_grad_() for a in (x, gamma, beta)]
        theirs = twin(tensors[0], tensors[1], tensors[2], {})
        wanted = (theirs.detach(), *torch.autograd.grad(theirs, tensors, torch.from_numpy(dout)))
        return worst(*(off(f, w) for f, w in zip(found, wanted, strict=True)))

    return [
        Layer(
            "layernorm",
            module.layernorm_forward,
            module.layernorm_backward,
            inputs={
                "rows": _draw((3, 4), (4,), {}),
                "texts": _draw((2, 3, 5), (5,), {"eps": 0.3}),
                "one vector": _draw((4,), (4,), {}),
                "tiny": _draw((2, 3), (3,), {}, size=1e-3),
            },
            beyond=("texts", "one vector"),
            gradients=AFFINE,
            linear=("gamma", "beta"),
            twin=twin,
        ),
        Check("several blocks of rows", long),
        Check("a number is refused", lambda: _refused(module, lambda: module.layernorm_forward(*np.ones((3,)), {}))),
    ]


def instance_cases(module: Any) -> Sequence[Case]:
    """Sequences, pictures and volumes."""

    def twin(x: Any, gamma: Any, beta: Any, in_param: Settings) -> Any:
        return F.instance_norm(x, None, None, gamma, beta, eps=in_param.get("eps", 1e-5))

    def loops() -> float:
        draws = [np.random.default_rng(0).standard_normal(shape) for shape in ((2, 3, 2, 2), (3,), (3,))]
        settings: Sequence[Settings] = ({}, {"eps": 0.3})
        pairs = [
            (module.instancenorm_forward(*draws, s)[0], module.instancenorm_forward_naive(*draws, s)) for s in settings
        ]
        return worst(*(off(quick, slow) for quick, slow in pairs))

    def table() -> Any:
        return module.instancenorm_forward(np.zeros((2, 3)), np.zeros(3), np.zeros(3), {})

    return [
        Layer(
            "instancenorm",
            module.instancenorm_forward,
            module.instancenorm_backward,
            inputs={
                "sequences": _draw((3, 2, 4), (2,), {}),
                "pictures": _draw((2, 3, 2, 3), (3,), {"eps": 0.3}),
                "volumes": _draw((1, 2, 3, 1, 2), (2,), {}),
                "tiny": _draw((2, 2, 3), (2,), {}, size=1e-3),
            },
            gradients=AFFINE,
            linear=("gamma", "beta"),
            twin=twin,
        ),
        Check("the loops agree", loops),
        Check("a table is refused", lambda: _refused(module, table)),
    ]


def group_cases(module: Any) -> Sequence[Case]:
    """One group, some, and as many as channels; both shapes of gamma."""

    def twin(x: Any, gamma: Any, beta: Any, G: int, gn_param: Settings) -> Any:
        return F.group_norm(x, G, gamma.flatten(), beta.flatten(), gn_param.get("eps", 1e-5))

    def loops() -> float:
        rng, errors = np.random.default_rng(0), []
        for shape, groups, settings in (((2, 6, 2, 2), 3, {}), ((2, 4, 3), 2, {"eps": 0.3})):
            x, (gamma, beta) = rng.standard_normal(shape), rng.standard_normal((2, shape[1]))
            quick = module.spatial_groupnorm_forward(x, gamma, beta, groups, settings)[0]
            errors.append(off(quick, module.spatial_groupnorm_forward_naive(x, gamma, beta, groups, settings)))
        return worst(*errors)

    def bad(shape: tuple[int, ...], groups: int) -> Callable[[], Any]:
        return lambda: module.spatial_groupnorm_forward(np.zeros(shape), np.zeros(4), np.zeros(4), groups, {})

    return [
        Layer(
            "spatial_groupnorm",
            module.spatial_groupnorm_forward,
            module.spatial_groupnorm_backward,
            inputs={
                "two groups": _draw((2, 6, 2, 1), (1, 6, 1, 1), 2, {}),
                "one group": _draw((3, 3, 1, 2), (1, 3, 1, 1), 1, {"eps": 0.3}),
                "every channel": _draw((2, 4, 3), (4,), 4, {}),
                "volumes": _draw((1, 6, 1, 2, 2), (1, 6, 1, 1, 1), 3, {}),
                "tiny": _draw((2, 4, 2), (1, 4, 1), 2, {}, size=1e-3),
            },
            beyond=("every channel", "volumes", "tiny"),
            gradients=AFFINE,
            linear=("gamma", "beta"),
            twin=twin,
        ),
        Check("the loops agree", loops),
        Check(
            "what does not fit is refused",
            lambda: _refused(module, bad((2, 4), 2), bad((2, 4, 3), 3), bad((2, 4, 3), 0), bad((2, 4, 3), 8)),
        ),
    ]


def _mixture(x: Any, gamma: Any, beta: Any, p: Any, q: Any, eps: float = 1e-5, known: Any = None) -> Any:
    """The three statistics and their mixture; `known` are mean and variance to use for the batch's."""
    places = tuple(range(2, x.ndim))
    axes = [places, (1, *places), (0, *places)]
    means = [x.mean(a, keepdim=True) for a in axes]
    variances = [x.var(a, correction=0, keepdim=True) for a in axes]
    column = (-1, *(1 for _ in places))
    if known:
        means[2], variances[2] = (torch.from_numpy(value).reshape(column) for value in known)
    mean = sum(w * value for w, value in zip(p, means, strict=True))
    var = sum(w * value for w, value in zip(q, variances, strict=True))
    return gamma.reshape(column) * (x - mean) / torch.sqrt(var + eps) + beta.reshape(column)


def switchable_cases(module: Any) -> Sequence[Case]:
    """Beside the formula in PyTorch, in both modes; the formula alone beside itself written out."""

    def draw(shape: tuple[int, ...], settings: Settings, size: float = 2.0) -> Inputs:
        c = shape[1]

        def draw(rng: np.random.Generator) -> tuple[Any, ...]:
            x = size * (rng.standard_normal(shape) + np.arange(c).reshape(c, *(1 for _ in shape[2:])))
            return x, *rng.standard_normal((2, c)), *rng.standard_normal((2, 3)), dict(settings)

        return draw

    def twin(x: Any, gamma: Any, beta: Any, w_mean: Any, w_var: Any, sn_param: Settings) -> Any:
        tests = sn_param["mode"] == "test"
        known = (sn_param["running_mean"], sn_param["running_var"]) if tests else None
        return _mixture(x, gamma, beta, w_mean.softmax(0), w_var.softmax(0), sn_param.get("eps", 1e-5), known)

    known = {"running_mean": np.array([0.5, -1.0, 2.0]), "running_var": np.array([0.4, 2.0, 1.5])}
    return [
        Layer(
            "switchnorm",
            module.switchnorm_forward,
            module.switchnorm_backward,
            inputs={
                "pictures": draw((2, 3, 2, 2), {"mode": "train"}),
                "sequences": draw((3, 2, 4), {"mode": "train", "eps": 0.3}),
                "test": draw((2, 3, 1, 2), {"mode": "test", **known}),
                "tiny": draw((2, 2, 3), {"mode": "train"}, size=1e-3),
                "one place": draw((3, 2, 1), {"mode": "train"}),
            },
            gradients=(*AFFINE, "w_mean", "w_var"),
            linear=("gamma", "beta"),
            twin=twin,
        ),
        *_switchable_checks(module),
    ]


def _switchable_checks(module: Any) -> Sequence[Case]:
    """The formula alone, running statistics, large weights, no places, what is refused."""

    def alone() -> float:
        rng = np.random.default_rng(0)
        x = 1e-2 * rng.standard_normal((2, 3, 2, 2)) + np.arange(3).reshape(3, 1, 1) / 50
        error = 0.0
        for gamma, beta, eps in ((0.1, 0.2, {}), (rng.standard_normal(3), rng.standard_normal(3), {"eps": 0.3})):
            p, q = [0.1, 0.2, 0.7], [0.5, 0.3, 0.1]
            scale, shift = (torch.from_numpy(np.broadcast_to(v, 3).copy()) for v in (gamma, beta))
            theirs = _mixture(torch.from_numpy(x), scale, shift, p, q, **eps)
            error = worst(error, off(module.switchable_norm(x, gamma, beta, p, q, **eps), theirs))
        return error

    def walk() -> float:
        rng, param = np.random.default_rng(1), {"mode": "train", "convention": "torch"}
        theirs = torch.nn.BatchNorm2d(3, dtype=torch.float64)
        for _ in range(3):
            x = 3 * rng.standard_normal((2, 3, 2, 2)) + 1
            theirs(torch.from_numpy(x))
            module.switchnorm_forward(x, np.ones(3), np.zeros(3), np.zeros(3), np.zeros(3), param)
        return worst(*(off(param[name], getattr(theirs, name)) for name in ("running_mean", "running_var")))

    def large() -> float:
        weights = np.array([1e3, 1e3 + 1, -1e3])  # the exponential of the largest is infinite
        x = np.random.default_rng(2).standard_normal((2, 2, 3))
        out = [
            module.switchnorm_forward(x, np.ones(2), np.zeros(2), w, w, {"mode": "train"})[0]
            for w in (weights, weights - 1e3)
        ]
        return off(*out)

    def empty() -> float:
        arguments = (np.ones(2), np.zeros(2), np.zeros(3), np.zeros(3), {"mode": "train"})
        with np.errstate(all="raise"):
            out, cache = module.switchnorm_forward(np.zeros((2, 2, 0)), *arguments)
            _, dgamma, dbeta, _, _ = module.switchnorm_backward(out, cache)
        return worst(off(dgamma, np.zeros(2)), off(dbeta, np.zeros(2)))

    def bad(shape: tuple[int, ...], means: int, variances: int) -> Callable[[], Any]:
        return lambda: module.switchable_norm(np.zeros(shape), 1.0, 0.0, np.ones(means), np.ones(variances))

    return [
        Check("the formula with given weights", alone),
        Check("running statistics over three batches", walk),
        Check("large weights", large),
        Check("no places", empty),
        Check(
            "what does not fit is refused",
            lambda: _refused(module, bad((2, 3), 3, 3), bad((2, 3, 2), 2, 3), bad((2, 3, 2), 3, 4)),
        ),
    ]


def local_response_cases(module: Any) -> Sequence[Case]:
    """Odd and even windows, narrower and wider than the channels; defaults that matter because x is large."""

    def draw(shape: tuple[int, ...], settings: Settings, spread: float = 2.0) -> Inputs:
        return lambda rng: (spread * (rng.standard_normal(shape) + 0.5), dict(settings))

    def twin(x: Any, param: Settings) -> Any:
        return F.local_response_norm(
            x, param.get("size", 5), param.get("alpha", 1e-4), param.get("beta", 0.75), param.get("k", 1.0)
        )

    def bad(shape: tuple[int, ...], size: Any) -> Callable[[], Any]:
        return lambda: module.lrn_forward(np.zeros(shape), {"size": size})

    return [
        Layer(
            "lrn",
            module.lrn_forward,
            module.lrn_backward,
            inputs={
                "defaults": draw((2, 7, 2), {}, spread=50.0),
                "odd": draw((2, 5, 2, 1), {"size": 3, "alpha": 0.2}),
                "even": draw((1, 6, 3), {"size": 4, "alpha": 0.5, "beta": 0.6, "k": 2.0}),
                "wide": draw((2, 3, 2), {"size": 9, "alpha": 2.0}),
                "single": draw((2, 3, 2), {"size": 1, "alpha": 1.0}),
            },
            gradients=("x",),
            twin=twin,
        ),
        Check(
            "what does not fit is refused",
            lambda: _refused(module, bad((3,), 5), bad((2, 3, 2), 0), bad((2, 3, 2), 2.5)),
        ),
    ]


SUBJECTS: dict[str, Subject] = {
    "layer-norm": Subject(layer, layer_cases),
    "instance-norm": Subject(instance, instance_cases),
    "group-norm": Subject(group, group_cases),
    "switchable-norm": Subject(
        switchable,
        switchable_cases,
        harmless={
            "switchnorm_backward: p @ dp -> dp @ p": "an inner product is the same from both sides",
            "switchnorm_backward: max(size, 1) -> max(size, 2)": "in a row of one place, x is its mean",
            "switchnorm_backward: q @ dq -> dq @ q": "an inner product is the same from both sides",
        },
    ),
    "local-response-norm": Subject(local_response, local_response_cases),
}
