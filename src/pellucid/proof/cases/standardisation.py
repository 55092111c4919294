"""Proofs of what the normalisations are made of: passes over rows and columns, standardising, running statistics."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.scratch.normalisation import columns, rows, running, standardise

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
    x, dout = rng.standard_normal((5, 60_000)) + 2, rng.standard_normal((5, 60_000))
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
        into = np.zeros_like(x)
        module.combine(dout, a, x, c, b, into)
        return worst(off(out, a[:, None] * x + b[:, None]), off(combined, line), off(into, line))

    def sums() -> float:
        s, t = module.row_sums(dout, x)
        return worst(off(s, dout.sum(1)), off(t, (dout * x).sum(1)))

    def parts() -> float:
        covered = [list(range(count))[part] for count in (7, 1) for part in module.blocks(count, 100_000)]
        wide = len(list(module.blocks(3, 10**7)))
        sizes = (7, 100_000), (1, 9), (3, 10**7), (0, 4), (9, 0), (9, 3, 7), (9, 1, 7)
        heights = [module.block_height(*size) for size in sizes]
        right = covered == [[0, 1], [2, 3], [4, 5], [6], [0]] and heights == [2, 1, 1, 1, 9, 2, 7]
        return 0.0 if right and wide == 3 and list(module.blocks(9, 2)) == [slice(0, 9)] else 1.0

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


def columns_cases(module: Any) -> Sequence[Case]:
    """The passes beside plain NumPy, on tables that fill more than one block, far from zero in one column."""
    rng = np.random.default_rng(0)
    x, dout = rng.standard_normal((50, 3_000)) + 2, rng.standard_normal((50, 3_000))
    a, b, c = rng.standard_normal((3, 3_000))

    def moments() -> float:
        mean, var = module.column_moments(x)
        empty = [off(found, np.zeros(2)) for found in module.column_moments(np.zeros((0, 2)))]
        one, flat = module.column_moments(x[:1]), module.column_moments(np.full((7, 2), 0.1))
        singles = off(one[0], x[0]), off(one[1], np.zeros(3_000)), off(flat[1], np.zeros(2)), float(np.min(flat[1]) < 0)
        return worst(off(mean, x.mean(0)), off(var, x.var(0)), *empty, *singles)

    def far() -> float:
        """In float32, where Σ x² / N - μ² has no digit left."""
        table = (rng.standard_normal((4_000, 20)) + 1000).astype(np.float32)
        mean, var = module.column_moments(table)
        exact = table.astype(np.float64)
        return worst(off(mean, exact.mean(0)), off(var, exact.var(0)))

    def sums() -> float:
        s, t = module.column_sums(dout, x, a)
        return worst(off(s, dout.sum(0)), off(t, (dout * (x - a)).sum(0)))

    def lines() -> float:
        line, combined = module.column_line(x, a, b, c), module.column_combine(dout, a, x, b, c)
        return worst(off(line, b * (x - a) + c), off(combined, a * dout + b * x + c))

    def types() -> float:
        whole = np.arange(6).reshape(3, 2)
        found = [*module.column_moments(whole), module.column_line(whole, *np.full((3, 2), 0.5))]
        half = [
            *module.column_moments(whole.astype(np.float32)),
            *module.column_sums(*np.ones((2, 3, 2), "f"), np.zeros(2, "f")),
        ]
        return 0.0 if {array.dtype.char for array in found} == {"d"} and {h.dtype.char for h in half} == {"f"} else 1.0

    def parts() -> float:
        heights = module.height(x), module.height(x[:4]), len(module.table(a, x)), len(list(module.column_blocks(x)))
        return 0.0 if heights == (21, 4, 21, 3) else 1.0

    return [
        Check("column moments", moments),
        Check("far from zero", far, 1e-4),
        Check("column sums", sums, 1e-8),
        Check("lines down columns", lines),
        Check("types", types),
        Check("blocks and tables", parts),
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
                "instance": draw((2, 3, 2, 5), ()),
                "over groups": draw((2, 3, 2, 2), (1,)),
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

    def apart() -> float:
        x = np.broadcast_to(0.0, (5, 2, 2, 50_000))
        found = [[len(x[part]) for part in module.apart(x, axes)] for axes in (None, (0,), (0, 1, 2), (2,), ())]
        return 0.0 if found == [[5], [5], [5], [2, 2, 1], [2, 2, 1]] else 1.0

    def in_parts() -> float:
        x, dout = np.random.default_rng(0).standard_normal((2, 3, 1, 2, 150_000))
        gamma, beta = np.array([[0.5, -2.0]]), np.array([[1.0, 3.0]])
        out, cache = module.standardise_forward(x, gamma, beta, (2,))
        alone = [module.standardise_forward(x[n : n + 1], gamma, beta, (2,)) for n in range(3)]
        back = [module.standardise_backward(dout[n : n + 1], alone[n][1]) for n in range(3)]
        dx, dgamma, dbeta = module.standardise_backward(dout, cache)
        outputs = off(out, np.concatenate([y for y, _ in alone])), off(dx, np.concatenate([b[0] for b in back]))
        parameters = off(dgamma, sum(b[1] for b in back)), off(dbeta, sum(b[2] for b in back))
        _, together = module.standardise_forward(x, gamma, beta, (0,))
        still = module.standardise_backward(dout, together)[0].sum((0, 3))  # no gradient along a shift of the batch
        return worst(*outputs, *parameters, off(still, np.zeros((1, 2))))

    return [
        Check("parameters that do not fit are refused", refused),
        Check("an empty batch", empty),
        Check("samples that can be taken apart", apart),
        Check("a few samples at a time", in_parts, 1e-8),
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
            "combine: x.shape[1] -> x.shape[0] (2)": "the size of NumPy's buffer changes the speed alone",
        },
    ),
    "columns": Subject(
        columns,
        columns_cases,
        harmless={"column_moments: max(len(x), 1) -> max(len(x), 2)": "of one row the guess is the mean already"},
    ),
    "standardise": Subject(
        standardise,
        standardise_cases,
        harmless={
            "pool_moments: mean - pooled -> pooled - mean": "it is squared",
            "standardise_forward: 2 in axes -> 3 in axes": "sets made of short rows instead of one long one: slower",
        },
    ),
    "running-statistics": Subject(running, running_cases),
}
