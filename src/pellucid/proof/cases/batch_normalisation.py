"""Proofs of batch norm and what it stands on: three ways back, and running statistics over several batches."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.scratch.normalisation import batch, rows, running, spatial_batch, standardise, two_sample

Settings = dict[str, Any]
AFFINE = ("x", "gamma", "beta")


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
    return F.batch_norm(x, *(known or (None, None)), gamma, beta, own, 0.0, param.get("eps", 1e-5))


def _off(got: Any, wanted: Any) -> float:
    """Largest difference; infinite where the shapes differ."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    return float(np.max(np.abs(got - wanted), initial=0.0)) if got.shape == wanted.shape else float("inf")


def rows_cases(module: Any) -> Sequence[Case]:
    """The passes beside plain NumPy, on rows that fill more than one block."""
    rng = np.random.default_rng(0)
    x, dout = rng.standard_normal((5, 30_000)) + 2, rng.standard_normal((5, 30_000))
    a, b, c = rng.standard_normal((3, 5))

    def moments() -> float:
        mean, var, centred = module.row_moments(x)
        differences = _off(mean, x.mean(1)), _off(var, x.var(1)), _off(centred, x - x.mean(1, keepdims=True))
        empty = [_off(found, np.zeros(2)) for found in module.row_moments(np.zeros((2, 0)))[:2]]
        return max(*differences, *empty)

    def lines() -> float:
        out = x.copy()
        module.scale_and_shift(out, a, b)
        combined = module.combine(dout, a, x, c, b)
        line = a[:, None] * dout + c[:, None] * x + b[:, None]
        return max(_off(out, a[:, None] * x + b[:, None]), _off(combined, line))

    def sums() -> float:
        s, t = module.row_sums(dout, x)
        return max(_off(s, dout.sum(1)), _off(t, (dout * x).sum(1)))

    def parts() -> float:
        covered = [list(range(count))[part] for count in (7, 1) for part in module.blocks(np.empty((count, 50_000)))]
        wide = len(list(module.blocks(np.broadcast_to(0.0, (3, 10**7)))))
        return 0.0 if covered == [[0, 1], [2, 3], [4, 5], [6], [0]] and wide == 3 else 1.0

    def buffers() -> float:
        def inside(size: int) -> int:
            with module.broadcasting(size):
                return int(np.getbufsize())

        before = np.getbufsize()
        found = [inside(511), inside(512), inside(10**6), np.getbufsize()]
        return 0.0 if found == [before, 512, 512, before] else 1.0

    return [
        Check("row moments", moments),
        Check("lines along rows", lines),
        Check("row sums", sums, 1e-8),
        Check("blocks cover the rows once", parts),
        Check("buffers of long rows", buffers),
    ]


def standardise_cases(module: Any) -> Sequence[Case]:
    """The sets of batch, group and instance norm, with ε by default and one large enough to see."""

    def draw(shape: tuple[int, ...], *settings: Any) -> Inputs:
        return lambda rng: (
            2 * rng.standard_normal(shape) + 3,
            rng.standard_normal(shape[1:3]),
            rng.standard_normal(shape[1:3]),
            *settings,
        )

    def twin(x: Any, gamma: Any, beta: Any, axes: tuple[int, ...], eps: float = 1e-5) -> Any:
        mean = x.mean((*axes, 3), keepdim=True)
        var = ((x - mean) ** 2).mean((*axes, 3), keepdim=True)
        return (x - mean) / torch.sqrt(var + eps) * gamma[..., None] + beta[..., None]

    def given(x: Any, gamma: Any, beta: Any, mean: Any, var: Any, eps: float = 1e-5) -> Any:
        mean, var = mean[..., None].detach(), var[..., None].detach()
        return (x - mean) / torch.sqrt(var + eps) * gamma[..., None] + beta[..., None]

    def constants(shape: tuple[int, ...], *settings: Any) -> Inputs:
        base = draw(shape)
        return lambda rng: (*base(rng), rng.standard_normal(shape[1:3]), rng.uniform(0.1, 2, shape[1:3]), *settings)

    def refused() -> float:
        x, right, wrong = np.zeros((2, 3)), np.zeros(3), np.zeros(4)
        module.check_parameters("layer", x, right, right, "3 features", ((1, 3), (3,)))
        missed = 0.0
        for gamma, beta in ((wrong, right), (right, wrong)):
            try:
                module.check_parameters("layer", x, gamma, beta, "3 features", ((1, 3), (3,)))
                missed += 1
            except module.DataError:
                pass
        return missed

    def empty() -> float:
        x = np.zeros((0, 2, 1, 3))
        out, cache = module.standardise_forward(x, np.ones((2, 1)), np.zeros((2, 1)), (0,))
        dx, dgamma, dbeta = module.standardise_backward(out, cache)
        zeros = np.zeros((2, 1))
        flat = module.standardise_forward(np.zeros((2, 2, 1, 0)), np.ones((2, 1)), zeros, (0,))
        return max(_off(dx, x), _off(dgamma, zeros), _off(dbeta, zeros), _off(cache.mean, zeros[None])) + _off(
            module.standardise_backward(*flat)[1], zeros
        )

    return [
        Layer(
            "standardise",
            module.standardise_forward,
            module.standardise_backward,
            inputs={
                "batch": draw((3, 2, 1, 4), (0,)),
                "group": draw((2, 2, 3, 4), (2,), 0.3),
                "instance": draw((2, 3, 1, 5), ()),
                "everything": draw((2, 3, 2, 3), (0, 1, 2), 0.1),
                "tiny": lambda rng: (1e-3 * rng.standard_normal((2, 2, 1, 3)), *rng.standard_normal((2, 2, 1)), (0,)),
            },
            gradients=AFFINE,
            linear=("gamma", "beta"),
            twin=twin,
        ),
        Layer(
            "standardise given",
            module.standardise_given,
            module.standardise_backward,
            inputs={"default": constants((3, 2, 1, 4)), "eps": constants((2, 2, 3, 2), 0.3)},
            gradients=AFFINE,
            linear=AFFINE,
            twin=given,
        ),
        Check("parameters that do not fit are refused", refused),
        Check("an empty batch", empty),
    ]


def running_cases(module: Any) -> Sequence[Case]:
    """Four batches, walked beside PyTorch's layer or written out as a sum."""
    rng = np.random.default_rng(1)
    batches = [scale * rng.standard_normal((5, 3)) + scale for scale in (1.0, 2.0, 0.5, 3.0)]

    def walk(settings: Settings) -> Settings:
        for x in batches:
            module.update_running("layer", settings, x.mean(0), x.var(0), len(x))
        return settings

    def beside(momentum: float | None, settings: Settings) -> Callable[[], float]:
        def error() -> float:
            theirs = torch.nn.BatchNorm1d(3, momentum=momentum, dtype=torch.float64)
            for x in batches:
                theirs(torch.from_numpy(x))
            ours = walk({"convention": "torch", **settings})
            mean, var = module.running_statistics("layer", ours, 3, np.float64)
            counts = ours["num_batches_tracked"] - int(theirs.num_batches_tracked or 0)
            return max(_off(mean, theirs.running_mean), _off(var, theirs.running_var), abs(counts))

        return error

    def course(momentum: float, settings: Settings) -> Callable[[], float]:
        def error() -> float:
            weights = [(1 - momentum) * momentum**ago for ago in (3, 2, 1, 0)]
            ours = walk(settings)
            mean = sum(w * x.mean(0) for w, x in zip(weights, batches, strict=True))
            var = sum(w * x.var(0) for w, x in zip(weights, batches, strict=True))
            return max(_off(ours["running_mean"], mean), _off(ours["running_var"], var))

        return error

    def plain() -> float:
        ours = walk({"momentum": None})
        mean, var = np.mean([x.mean(0) for x in batches], 0), np.mean([x.var(0) for x in batches], 0)
        return max(_off(ours["running_mean"], mean), _off(ours["running_var"], var))

    def start() -> float:
        first = module.running_statistics("layer", {}, 2, np.float32)
        torch_first = module.running_statistics("layer", {"convention": "torch"}, 2, np.float32)
        types = first[0].dtype == torch_first[1].dtype == np.float32
        return max(_off(first, np.zeros((2, 2))), _off(torch_first, [[0, 0], [1, 1]])) if types else 1.0

    def untouched() -> float:
        nothing = {"track_running_stats": False}
        module.update_running("layer", nothing, np.ones(2), np.ones(2), 4)
        empty: Settings = {}
        module.update_running("layer", empty, np.zeros(2), np.zeros(2), 0)
        single: Settings = {"momentum": 0.0}
        module.update_running("layer", single, np.full(2, 2.0), np.zeros(2), 1)
        return _off(single["running_mean"], [2.0, 2.0]) if len(nothing) == 1 and not empty else 1.0

    def modes() -> float:
        answers = [
            module.uses_batch("layer", {"mode": mode, **tracked})
            for tracked in ({}, {"track_running_stats": True}, {"track_running_stats": False})
            for mode in ("train", "test")
        ]
        return 0.0 if answers == [True, False, True, False, True, True] else 1.0

    def refused() -> float:
        calls: list[Callable[[], Any]] = [
            lambda: module.uses_batch("layer", {}),
            lambda: module.uses_batch("layer", {"mode": "eval"}),
            lambda: module.running_statistics("layer", {"running_mean": np.zeros(3)}, 2, np.float64),
            lambda: module.running_statistics("layer", {"running_var": np.zeros(3)}, 2, np.float64),
            lambda: module.update_running("layer", {"convention": "torch"}, np.zeros(2), np.zeros(2), 1),
        ]
        missed = 0.0
        for call in calls:
            try:
                call()
                missed += 1
            except (module.ConfigError, module.DataError):
                pass
        return missed

    return [
        Check("PyTorch's momentum, by default", beside(0.1, {})),
        Check("PyTorch's momentum 0.3", beside(0.3, {"momentum": 0.3})),
        Check("PyTorch's cumulative mean", beside(None, {"momentum": None})),
        Check("the course's momentum, by default", course(0.9, {})),
        Check("the course's momentum 0.6", course(0.6, {"momentum": 0.6, "track_running_stats": True})),
        Check("the course's cumulative mean", plain),
        Check("the statistics of the start", start),
        Check("nothing tracked, and nothing to track", untouched),
        Check("which statistics a mode uses", modes),
        Check("what is refused", refused),
    ]


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
        return max(_off(param[name], getattr(theirs, name)) for name in ("running_mean", "running_var"))

    def empty() -> float:
        x, ones = np.zeros((0, 2)), np.ones(2)
        out, cache = module.batchnorm_forward(x, ones, ones, {"mode": "train"})
        found = [g for way in (module.batchnorm_backward, module.batchnorm_backward_alt) for g in way(out, cache)]
        return max(_off(g, w) for g, w in zip(found, (x, 0 * ones, 0 * ones) * 2, strict=True))

    forward, graph, formula = module.batchnorm_forward, module.batchnorm_backward, module.batchnorm_backward_alt
    settings: Settings = {"gradients": AFFINE, "linear": ("gamma", "beta"), "twin": _batch_twin}
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
        return max(_off(dx1, [0.318198]), _off(dx2, [-0.318198]), _off(dvar, [0.318198]))

    def variance() -> float:
        rng = np.random.default_rng(3)
        x1, x2, gamma, beta, dy1, dy2 = rng.standard_normal((6, 4))
        var = torch.from_numpy((x1 - x2) ** 2 / 4).requires_grad_()
        mean, std = (x1 + x2) / 2, torch.sqrt(var + 0.2)
        loss = sum(((torch.from_numpy(gamma * dy * (x - mean))) / std).sum() for dy, x in ((dy1, x1), (dy2, x2)))
        (theirs,) = torch.autograd.grad(loss, [var])
        cache = module.two_sample_forward(x1, x2, gamma, beta, 0.2)[-1]
        return _off(module.two_sample_variance_gradient(dy1, dy2, cache), theirs)

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
        return max(_off(param[name], getattr(theirs, name)) for name in ("running_mean", "running_var"))

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
            gradients=AFFINE,
            linear=("gamma", "beta"),
            twin=_batch_twin,
            loops=(forward, backward),
        ),
        Check("running statistics over three batches", walk),
        Check("a table is refused", ranks),
    ]


SUBJECTS: dict[str, Subject] = {
    "rows": Subject(rows, rows_cases),
    "standardise": Subject(standardise, standardise_cases),
    "running-statistics": Subject(running, running_cases),
    "batch-norm": Subject(batch, batch_cases),
    "two-sample": Subject(two_sample, two_sample_cases),
    "spatial-batch-norm": Subject(spatial_batch, spatial_batch_cases),
}
