"""Run the proofs of a case: gradient check, adjoint test, twin, loops."""

import copy
import inspect
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pellucid.proof.case import Case, Check, Inputs, Layer, Loss, Update
from pellucid.scratch.checks.gradcheck import TOLERANCE, check_gradient

ADJOINT_TOLERANCE = 1e-10
LOOPS_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Proof:
    """What the proofs of one case found: the largest error of each kind over all its inputs, None where there is none.

    Attributes:
        name: of the case.
        gradient, adjoint, twin, loops, check: errors.
        worst: where the gradient error is largest: argument and index.
        failures: one sentence for each proof that failed; empty when all hold.
    """

    name: str
    gradient: float | None = None
    adjoint: float | None = None
    twin: float | None = None
    loops: float | None = None
    check: float | None = None
    worst: str = ""
    failures: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True)
class Finding:
    """One error of one kind on one input."""

    kind: str
    error: float
    tolerance: float
    where: str
    report: str = ""

    @property
    def passed(self) -> bool:
        return self.error <= self.tolerance  # False for NaN

    def sentence(self) -> str:
        return f"{self.kind} error {self.error:.1e}, at most {self.tolerance:.0e}, on {self.where}{self.report}"


def prove(case: Case, seed: int = 0) -> Proof:
    """Run everything that can be proven of a case.

    Raises:
        Exception: whatever the code that is proven raises.
    """
    found = list(findings(case, seed))
    most: dict[str, Finding] = {}
    for finding in found:
        if finding.kind not in most or not finding.error <= most[finding.kind].error:
            most[finding.kind] = finding
    return Proof(
        case.name,
        **{kind: finding.error for kind, finding in most.items()},
        worst=most["gradient"].where if "gradient" in most else "",
        failures=tuple(finding.sentence() for finding in found if not finding.passed),
    )


def findings(case: Case, seed: int = 0) -> Iterator[Finding]:
    """All proofs of a case, one after the other, so that who wants only the first failure can stop there."""
    if isinstance(case, Check):
        error = case.error()
        yield Finding("check", float(error), case.tolerance, case.name)
    elif isinstance(case, Update):
        yield _walk_beside(case, seed)
    else:
        layer = _as_layer(case) if isinstance(case, Loss) else case
        for number, (label, draw) in enumerate(layer.inputs.items()):
            yield from _Run(layer, label, draw, [seed, number, zlib.crc32(layer.name.encode())]).findings()


def _as_layer(loss: Loss) -> Layer:
    """A loss as a layer whose cache is its gradient."""

    def split(function: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
        def forward(*arguments: Any) -> Any:
            value, *gradients = function(*arguments)
            return np.asarray(value), tuple(gradients)

        def backward(dout: Any, cache: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(dout * gradient for gradient in cache)

        forward.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        return forward, backward

    forward, backward = split(loss.function)
    return Layer(
        loss.name,
        forward,
        backward,
        loss.inputs,
        loss.gradients,
        twin=loss.twin,
        loops=split(loss.loops) if loss.loops else None,
        twin_tolerance=loss.twin_tolerance,
    )


class _Run:
    """The proofs of one layer on one input."""

    def __init__(self, layer: Layer, label: str, draw: Inputs, seed: list[int]) -> None:
        rng = np.random.default_rng(seed)
        self.layer, self.label = layer, label
        self.arguments = draw(rng)
        parameters = list(inspect.signature(layer.forward).parameters)
        self.position = {name: parameters.index(name) for name in layer.gradients if name != "-"}
        *outputs, cache = layer.forward(*self.fresh())
        self.outputs = [np.asarray(out) for out in outputs]
        self.douts = [rng.standard_normal(out.shape) for out in self.outputs]
        self.gradients = _named(layer, layer.backward(*(dout.copy() for dout in self.douts), cache))
        self.rng = rng

    def fresh(self, **replaced: np.ndarray) -> list[Any]:
        """The arguments, everything that could be changed copied, some replaced by name."""
        arguments = [copy.deepcopy(argument) for argument in self.arguments]
        for name, value in replaced.items():
            arguments[self.position[name]] = value
        return arguments

    def value(self, **replaced: np.ndarray) -> float:
        """The inner product of the outputs with the gradients that came from above."""
        *outputs, _ = self.layer.forward(*self.fresh(**replaced))
        return float(sum(np.sum(out * dout) for out, dout in zip(outputs, self.douts, strict=True)))

    def findings(self) -> Iterator[Finding]:
        if wrong := self.wrong_shape():
            yield wrong
            return
        for name in self.layer.linear:
            yield self.adjoint(name)
        if self.layer.twin:
            yield from self.twin(self.layer.twin)
        if self.layer.loops:
            yield self.loops(*self.layer.loops)
        for name in self.position:
            yield self.gradient(name)

    def wrong_shape(self) -> Finding | None:
        for name, at in self.position.items():
            got, wanted = np.shape(self.gradients[name]), np.shape(self.arguments[at])
            if got != wanted:
                report = f": the gradient has shape {got}, its argument {wanted}"
                return Finding("gradient", float("inf"), TOLERANCE, f"{self.label}, {name}", report)
        return None

    def gradient(self, name: str) -> Finding:
        at = np.array(self.arguments[self.position[name]], dtype=np.float64)
        terms = sum(float(np.abs(out * dout).sum()) for out, dout in zip(self.outputs, self.douts, strict=True))
        report = check_gradient(lambda x: self.value(**{name: x}), at, self.gradients[name], terms=terms)
        index = ", ".join(map(str, report.index))
        place = f"{self.label}, {name}[{index}]" + (" on a kink" if report.on_kink else "")
        values = f": by hand {report.by_hand:.6g}, numerical {report.numerical:.6g}"
        return Finding("gradient", report.error, TOLERANCE, place, values)

    def adjoint(self, name: str) -> Finding:
        """<dout, A v> = <Aᵀ dout, v>, where A v = f(x + v) - f(x) because f is affine in this argument."""
        x = np.asarray(self.arguments[self.position[name]])
        v = self.rng.standard_normal(x.shape)
        moved = self.value(**{name: x + v}) - self.value()
        pulled = float(np.sum(self.gradients[name] * v))
        error = abs(moved - pulled) / (abs(moved) + abs(pulled) + 1.0)
        return Finding("adjoint", error, ADJOINT_TOLERANCE, f"{self.label}, {name}")

    def twin(self, twin: Callable[..., Any]) -> Iterator[Finding]:
        tensors = [_tensor(argument) for argument in self.fresh()]
        outputs = twin(*tensors)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        where = f"{self.label}, output"
        differences = [
            _difference(ours, theirs.detach().numpy()) for ours, theirs in zip(self.outputs, outputs, strict=True)
        ]
        yield Finding("twin", float(np.max(differences)), self.layer.twin_tolerance, where)  # NaN stays
        wanted = [tensors[at] for at in self.position.values()]
        loss = sum((out * torch.from_numpy(dout)).sum() for out, dout in zip(outputs, self.douts, strict=True))
        theirs = torch.autograd.grad(loss, wanted, allow_unused=True)
        for name, gradient in zip(self.position, theirs, strict=True):
            expected = np.zeros_like(self.gradients[name]) if gradient is None else gradient.numpy()
            error = _difference(self.gradients[name], expected)
            yield Finding("twin", error, self.layer.twin_tolerance, f"{self.label}, gradient of {name}")

    def loops(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> Finding:
        *outputs, cache = forward(*self.fresh())
        gradients = _named(self.layer, backward(*(dout.copy() for dout in self.douts), cache))
        pairs = [
            *zip(self.outputs, outputs, strict=True),
            *((self.gradients[name], gradients[name]) for name in self.position),
        ]
        differences = [_difference(a, np.asarray(b)) for a, b in pairs]
        return Finding("loops", float(np.max(differences)), LOOPS_TOLERANCE, self.label)  # NaN stays


def _named(layer: Layer, gradients: Any) -> dict[str, np.ndarray]:
    """What backward returned, by the names of forward's arguments."""
    given = gradients if isinstance(gradients, tuple) else (gradients,)
    if len(given) != len(layer.gradients):
        raise ValueError(f"{layer.name}: backward returned {len(given)} gradients, {len(layer.gradients)} are wanted")
    return {name: gradient for name, gradient in zip(layer.gradients, given, strict=True) if name != "-"}


def _tensor(argument: Any) -> Any:
    if not isinstance(argument, np.ndarray):
        return argument
    tensor = torch.from_numpy(np.asarray(argument, order="C"))
    return (
        tensor.requires_grad_()
        if tensor.is_floating_point()
        else tensor
        if tensor.dtype == torch.bool
        else tensor.long()
    )


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest absolute difference, relative to the largest entry where that is above 1."""
    if np.shape(ours) != np.shape(theirs):
        return float("inf")
    largest = max(1.0, float(np.max(np.abs(theirs), initial=0.0)))
    return float(np.max(np.abs(ours - theirs), initial=0.0)) / largest


def _walk_beside(case: Update, seed: int) -> Finding:
    """The same gradients given to both: those of a badly scaled bowl, with noise."""
    rng = np.random.default_rng(seed)
    w, scale = rng.standard_normal((3, 4)), np.logspace(-2, 1, 12).reshape(3, 4)
    parameter = torch.nn.Parameter(torch.from_numpy(w.copy()))
    optimiser, config, error = case.twin([parameter]), dict(case.config), 0.0
    for _ in range(case.steps):
        dw = scale * w + 0.1 * rng.standard_normal(w.shape)
        w, config = case.rule(w, dw.copy(), config)
        parameter.grad = torch.from_numpy(dw)
        optimiser.step()
        error = float(np.maximum(error, _difference(w, parameter.detach().numpy())))  # NaN stays
    return Finding("twin", error, case.twin_tolerance, f"{case.steps} steps")


def first_failure(cases: Sequence[Case], seed: int = 0) -> str:
    """The first proof that fails, in words; "" when all hold. Stops there: planted bugs are many."""
    for case in cases:
        for finding in findings(case, seed):
            if not finding.passed:
                return f"{case.name}: {finding.sentence()}"
    return ""
