"""Proofs of what the normalisations are made of: passes over rows, standardising, running statistics."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.scratch.normalisation import rows, running, standardise

Settings = dict[str, Any]
AFFINE = ("x", "gamma", "beta")


def off(got: Any, wanted: Any) -> float:
    """The largest difference; infinite where the shapes differ."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    return float(np.max(np.abs(got - wanted), initial=0.0)) if got.shape == wanted.shape else float("inf")


def worst(*errors: float) -> float:
    """The largest; NaN if one is."""
    return float(np.max(errors))


def rows_cases(module: Any) -> Sequence[Case]:
    """The passes beside plain NumPy, on rows that fill more than one block."""
    rng = np.random.default_rng(0)
    x, dout = rng.standard_normal((5, 30_000)) + 2, rng.standard_normal((5, 30_000))
    a, b, c = rng.standard_normal((3, 5))

    def moments() -> float:
        mean, var, centred = module.row_moments(x)
        differences = off(mean, x.mean(1)), off(var, x.var(1)), off(centred, x - x.mean(1, keepdims=True))
        empty = [off(found, np.zeros(2)) for found in module.row_moments(np.zeros((2, 0)))[:2]]
        narrow, one = rng.standard_normal((3, 1)), module.row_moments
        return worst(*differences, *empty, off(one(narrow)[0], narrow[:, 0]), off(one(narrow)[1], np.zeros(3)))

    def lines() -> float:
        out = x.copy()
        module.scale_and_shift(out, a, b)
        combined = module.combine(dout, a, x, c, b)
        line = a[:, None] * dout + c[:, None] * x + b[:, None]
        return worst(off(out, a[:, None] * x + b[:, None]), off(combined, line))

    def sums() -> float:
        s, t = module.row_sums(dout, x)
        return worst(off(s, dout.sum(1)), off(t, (dout * x).sum(1)))

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

    def types() -> float:
        kinds = [module.mean_type(np.zeros(2, kind)) for kind in (np.float32, np.float64, np.int32)]
        return 0.0 if kinds == [np.float32, np.float64, np.float64] else 1.0

    return [
        Check("row moments", moments),
        Check("lines along rows", lines),
        Check("row sums", sums, 1e-8),
        Check("blocks cover the rows once", parts),
        Check("buffers of long rows", buffers),
        Check("types", types),
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

    return [
        Layer(
            "standardise",
            module.standardise_forward,
            module.standardise_backward,
            inputs={
                "batch": draw((3, 2, 1, 4), (0,)),
                "group": draw((2, 2, 3, 4), (2,), 0.3),
                "instance": draw((2, 3, 1, 5), ()),
                "one place": draw((3, 2, 1, 1), (0,)),
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
        *_standardise_checks(module),
    ]


def _standardise_checks(module: Any) -> Sequence[Case]:
    """What a gradient cannot see: what is refused, and sets of nothing."""

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
        line = module.through_statistics(zeros, zeros, np.ones((2, 1)), (), 0)
        found = (dx, dgamma, dbeta, cache.mean, module.standardise_backward(*flat)[1], *line)
        wanted = (x, zeros, zeros, zeros[None], zeros, zeros, zeros)
        return worst(*(off(f, w) for f, w in zip(found, wanted, strict=True)))

    return [Check("parameters that do not fit are refused", refused), Check("an empty batch", empty)]


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
            return worst(off(mean, theirs.running_mean), off(var, theirs.running_var), abs(counts))

        return error

    def course(momentum: float, settings: Settings) -> Callable[[], float]:
        def error() -> float:
            weights = [(1 - momentum) * momentum**ago for ago in (3, 2, 1, 0)]
            ours = walk(settings)
            mean = sum(w * x.mean(0) for w, x in zip(weights, batches, strict=True))
            var = sum(w * x.var(0) for w, x in zip(weights, batches, strict=True))
            return worst(off(ours["running_mean"], mean), off(ours["running_var"], var))

        return error

    def plain() -> float:
        ours = walk({"momentum": None})
        mean, var = np.mean([x.mean(0) for x in batches], 0), np.mean([x.var(0) for x in batches], 0)
        return worst(off(ours["running_mean"], mean), off(ours["running_var"], var))

    return [
        Check("PyTorch's momentum, by default", beside(0.1, {})),
        Check("PyTorch's momentum 0.3", beside(0.3, {"momentum": 0.3})),
        Check("PyTorch's cumulative mean", beside(None, {"momentum": None})),
        Check("the course's momentum, by default", course(0.9, {})),
        Check("the course's momentum 0.6", course(0.6, {"momentum": 0.6, "track_running_stats": True})),
        Check("the course's cumulative mean", plain),
        *_running_rules(module),
    ]


def _running_rules(module: Any) -> Sequence[Case]:
    """The start, the modes, what is left alone, what is refused."""

    def start() -> float:
        first = module.running_statistics("layer", {}, 2, np.float32)
        torch_first = module.running_statistics("layer", {"convention": "torch"}, 2, np.float32)
        types = first[0].dtype == torch_first[1].dtype == np.float32
        return worst(off(first, np.zeros((2, 2))), off(torch_first, [[0, 0], [1, 1]])) if types else 1.0

    def untouched() -> float:
        nothing = {"track_running_stats": False}
        module.update_running("layer", nothing, np.ones(2), np.ones(2), 4)
        empty: Settings = {}
        module.update_running("layer", empty, np.zeros(2), np.zeros(2), 0)
        single: Settings = {"momentum": 0.0}
        module.update_running("layer", single, np.full(2, 2.0), np.zeros(2), 1)
        return off(single["running_mean"], [2.0, 2.0]) if len(nothing) == 1 and not empty else 1.0

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
            lambda: module.update_running("layer", {"running_mean": np.zeros(3)}, np.zeros(2), np.zeros(2), 4),
            lambda: module.update_running("layer", {"convention": "torch"}, np.zeros(2), np.zeros(2), 1),
        ]
        missed = 0.0
        for call in calls:
            try:
                call()
                missed += 1
            except (module.ConfigError, module.DataError) as error:
                missed += not str(error).startswith(("layer:", "Unknown mode"))
        return missed

    return [
        Check("the statistics of the start", start),
        Check("nothing tracked, and nothing to track", untouched),
        Check("which statistics a mode uses", modes),
        Check("what is refused", refused),
    ]


SUBJECTS: dict[str, Subject] = {
    "rows": Subject(
        rows,
        rows_cases,
        harmless={
            "scale_and_shift: x.shape[1] -> x.shape[0]": "the size of NumPy's buffer changes the speed alone",
            "combine: x.shape[1] -> x.shape[0]": "the size of NumPy's buffer changes the speed alone",
            "blocks: max(rows.shape[1], 1) -> max(rows.shape[1], 2)": "smaller blocks of rows of one number",
        },
    ),
    "standardise": Subject(
        standardise,
        standardise_cases,
        harmless={"pool_moments: mean - pooled -> pooled - mean": "it is squared"},
    ),
    "running-statistics": Subject(running, running_cases),
}
