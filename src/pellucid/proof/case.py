"""What is proven: a layer, a loss or an update rule, with the inputs it is proven on.

A subject is one source file. Its `cases` are a function of the module, not of the functions in it, so that the
same proofs can be run over a copy of the file in which a bug was planted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

Inputs = Callable[[np.random.Generator], tuple[Any, ...]]


@dataclass(frozen=True)
class Layer:
    """A forward and its backward.

    Attributes:
        name: `conv`, as in `conv_forward`; unique among all cases.
        forward: `(*arguments) -> (*outputs, cache)`.
        backward: `(*gradients of the outputs, cache) -> gradients`, one array or a tuple.
        inputs: what the inputs are like -> a function that draws forward's arguments. Floats are float64. A dict
            among the arguments is copied for each call, so a layer may keep its statistics in it.
        gradients: parameters of `forward` whose gradients `backward` returns, in its order; "-" for a place that
            is not compared.
        linear: those parameters in which forward is affine while the others stay: the adjoint test holds there.
        twin: the same by PyTorch: takes the arguments (float arrays as tensors, integer arrays as int64 tensors, the
            rest as it is) and returns the output or a tuple of outputs.
        loops: another forward and backward, slow and plain, that must agree.
        beyond: inputs that ours takes and a layer of the course's signature need not.
        twin_tolerance: largest difference from the twin, absolute and relative to the largest entry.
    """

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: Mapping[str, Inputs]
    gradients: tuple[str, ...]
    linear: tuple[str, ...] = ()
    twin: Callable[..., Any] | None = None
    loops: tuple[Callable[..., Any], Callable[..., Any]] | None = None
    beyond: tuple[str, ...] = ()
    twin_tolerance: float = 1e-9


@dataclass(frozen=True)
class Loss:
    """A function that returns a number and its gradients at once: `(*arguments) -> (loss, *gradients)`."""

    name: str
    function: Callable[..., Any]
    inputs: Mapping[str, Inputs]
    gradients: tuple[str, ...]
    twin: Callable[..., Any] | None = None
    loops: Callable[..., Any] | None = None
    twin_tolerance: float = 1e-9


@dataclass(frozen=True)
class Update:
    """A rule of an optimiser, `(w, dw, config) -> (new w, config)`, walked beside PyTorch's.

    Attributes:
        name: `adam`.
        rule: the rule; `config` starts as a copy of `config`.
        config: its settings.
        twin: takes a list with one parameter and returns a `torch.optim.Optimizer`.
        steps: how many are compared.
    """

    name: str
    rule: Callable[..., Any]
    config: Mapping[str, Any]
    twin: Callable[[list[Any]], Any]
    steps: int = 100
    twin_tolerance: float = 1e-9


@dataclass(frozen=True)
class Check:
    """Anything else that has to hold, as an error that has to be small: a running mean, an invariance."""

    name: str
    error: Callable[[], float]
    tolerance: float = 1e-9


Case = Layer | Loss | Update | Check


@dataclass(frozen=True)
class Subject:
    """One source file and its proofs.

    Attributes:
        module: the file.
        cases: its proofs, for that module or for a copy with a bug.
        harmless: a planted change that nothing can notice -> why. The key is `function: old -> new`, as the table of
            planted bugs prints it.
    """

    module: ModuleType
    cases: Callable[[Any], Sequence[Case]]
    harmless: Mapping[str, str] = field(default_factory=dict)
