"""Proofs of the activations: on smooth ground, on their kinks, far out, and with every setting."""

from collections.abc import Callable, Sequence
from math import erf, erfc
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.scratch.activations import (
    crelu,
    elu,
    gelu,
    hard_sigmoid,
    hard_swish,
    leaky_relu,
    maxout,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    swish,
    table,
    tanh,
)
from pellucid.scratch.activations import erf as erf_file

Twin = Callable[..., Any]
FORMS = ("none", "tanh")
KINKS = {
    "relu": (0.0,),
    "leaky_relu": (0.0,),
    "prelu": (0.0,),
    "elu": (0.0,),
    "selu": (0.0,),
    "relu6": (0.0, 6.0),
    "hard_sigmoid": (-3.0, 3.0),
    "hard_swish": (-3.0, 3.0),
}
TWINS: dict[str, Twin] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "prelu": lambda x: F.prelu(x, torch.tensor([0.25], dtype=x.dtype)),
    "elu": F.elu,
    "selu": F.selu,
    "swish": F.silu,
    "relu6": F.relu6,
    "hard_sigmoid": F.hardsigmoid,
    "hard_swish": F.hardswish,
    "gelu": F.gelu,
}
# PyTorch divides by 6 by multiplying with 1/6 as a float32 knows it.
TWIN_TOLERANCE = {"hard_sigmoid": 3e-8}


def away(shape: tuple[int, ...], kinks: Sequence[float] = (0.0,)) -> Callable[[np.random.Generator], np.ndarray]:
    """Numbers to both sides of every kink, none within 0.1 of one."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        x = 4 * rng.standard_normal(shape)
        for kink in kinks:
            x[np.abs(x - kink) < 0.1] += 0.2
        return x

    return draw


def inputs_of(kinks: Sequence[float], *settings: Any) -> dict[str, Inputs]:
    """The usual inputs of a function of one number, each followed by `settings`."""
    inputs: dict[str, Inputs] = {
        "a batch": lambda rng: (away((3, 4), kinks)(rng), *settings),
        "rank 4": lambda rng: (away((1, 2, 3, 2), kinks)(rng), *settings),
        "around 0 and far out": lambda rng: (np.array([-30.0, -2.5, -0.2, 0.3, 1.4, 30.0]), *settings),
    }
    if kinks:
        inputs["on the kinks"] = lambda rng: (np.array([*kinks, 1.0, -1.0]), *settings)
    return inputs


def plain(name: str) -> Callable[[Any], Sequence[Case]]:
    """The proofs of a function of one number without settings."""

    def cases(layer: Any) -> Sequence[Case]:
        forward, backward = getattr(layer, f"{name}_forward"), getattr(layer, f"{name}_backward")
        kinks, tolerance = KINKS.get(name, ()), TWIN_TOLERANCE.get(name, 1e-12)
        inputs = inputs_of(kinks)
        return [Layer(name, forward, backward, inputs, ("x",), twin=TWINS[name], twin_tolerance=tolerance)]

    return cases


def leaky_relu_cases(layer: Any) -> Sequence[Case]:
    """With the usual slope and with another."""
    inputs = inputs_of((0.0,)) | {f"{label}, 0.3": draw for label, draw in inputs_of((0.0,), 0.3).items()}
    functions = layer.leaky_relu_forward, layer.leaky_relu_backward
    return [Layer("leaky_relu", *functions, inputs, ("x",), twin=F.leaky_relu, twin_tolerance=1e-12)]


def prelu_cases(layer: Any) -> Sequence[Case]:
    """One slope for all, in both shapes, and one a channel; the forward is linear in them."""

    def draw(shape: tuple[int, ...], *slopes: int) -> Inputs:
        return lambda rng: (away(shape)(rng), np.asarray(0.5 * rng.standard_normal(slopes)))

    return [
        Layer(
            "prelu",
            layer.prelu_forward,
            layer.prelu_backward,
            inputs={
                "one slope": draw((2, 3, 2, 2), 1),
                "a slope without an axis": draw((3, 2)),
                "a slope a channel": draw((2, 3, 2, 1), 3),
                "a slope a feature": draw((5, 4), 4),
                "one channel": draw((2, 1, 3), 1),
                "rank 1": draw((4,), 1),
                "on the kink": lambda rng: (np.array([[0.0, 1.0, -2.0]]), np.array([0.1, 0.2, 0.3])),
            },
            gradients=("x", "alpha"),
            linear=("alpha",),
            twin=lambda x, alpha: F.prelu(x, alpha.reshape(-1)),
        )
    ]


def elu_cases(layer: Any) -> Sequence[Case]:
    """With α = 1, where there is no kink, and with another."""
    inputs = inputs_of((0.0,)) | {f"{label}, 0.7": draw for label, draw in inputs_of((0.0,), 0.7).items()}
    return [Layer("elu", layer.elu_forward, layer.elu_backward, inputs, ("x",), twin=F.elu, twin_tolerance=1e-12)]


def maxout_cases(layer: Any) -> Sequence[Case]:
    """Three pieces and one, for inputs of any rank."""

    def draw(k: int, *shape: int) -> Inputs:
        d = int(np.prod(shape[1:]))
        return lambda rng: (
            rng.standard_normal(shape),
            rng.standard_normal((k, d, 5)),
            rng.standard_normal((k, 5)),
        )

    return [
        Layer(
            "maxout",
            layer.maxout_forward,
            layer.maxout_backward,
            inputs={"three pieces": draw(3, 4, 2), "rank 4": draw(2, 2, 1, 2, 3), "one sample": draw(3, 1, 4)},
            gradients=("x", "w", "b"),
            twin=lambda x, w, b: (torch.einsum("nd,kdm->knm", x.flatten(1), w) + b[:, None]).max(dim=0).values,
        ),
        Layer(
            "maxout, one piece",
            layer.maxout_forward,
            layer.maxout_backward,
            inputs={"an affine layer": draw(1, 3, 4)},
            gradients=("x", "w", "b"),
            linear=("x", "w", "b"),
        ),
    ]


def crelu_cases(layer: Any) -> Sequence[Case]:
    """Twice the channels, at every rank that has them."""

    def on_the_kink() -> float:
        _, cache = layer.crelu_forward(np.zeros((1, 1)))
        return float(np.abs(layer.crelu_backward(np.array([[2.0, 3.0]]), cache)).item())

    return [
        Layer(
            "crelu",
            layer.crelu_forward,
            layer.crelu_backward,
            inputs={
                "a batch": lambda rng: (away((3, 4))(rng),),
                "images": lambda rng: (away((2, 3, 1, 2))(rng),),
            },
            gradients=("x",),
            twin=lambda x: torch.cat([F.relu(x), F.relu(-x)], dim=1),
        ),
        Check("crelu on its kink has the gradient 0", on_the_kink),
    ]


def swish_cases(layer: Any) -> Sequence[Case]:
    """With β learnt, in both shapes and of both signs, and with β left alone."""

    def draw(beta: np.ndarray, *shape: int) -> Inputs:
        return lambda rng: (2 * rng.standard_normal(shape), beta)

    functions = layer.swish_forward, layer.swish_backward
    learnt = {"β 1.5": draw(np.array([1.5]), 3, 4), "β −0.6": draw(np.array(-0.6), 2, 1, 3)}
    return [
        Layer("swish", *functions, learnt, ("x", "beta"), twin=lambda x, beta: x * torch.sigmoid(beta * x)),
        Layer("swish, β as it is", *functions, inputs_of(()), ("x", "-"), twin=F.silu),
    ]


def gelu_cases(layer: Any) -> Sequence[Case]:
    """Both forms; the exact one is the usual one."""
    inputs = inputs_of(()) | {f"{label}, {form}": draw for form in FORMS for label, draw in inputs_of((), form).items()}
    twin: Twin = lambda x, approximate="none": F.gelu(x, approximate=approximate)  # noqa: E731
    return [Layer("gelu", layer.gelu_forward, layer.gelu_backward, inputs, ("x",), twin=twin, twin_tolerance=1e-12)]


def erf_cases(layer: Any) -> Sequence[Case]:
    """Beside the C library: erf by its absolute error, erfc by its relative one, where it is small too."""
    x = np.concatenate([np.linspace(-6, 6, 481), np.linspace(6, 25, 39), [0.46875, -0.46875, 4.0, -4.0, 30.0]])

    def absolute() -> float:
        return float(np.max(np.abs(layer.erf(x) - [erf(value) for value in x])))

    def relative() -> float:
        at = x[x < 26]
        return float(np.max(np.abs(layer.erfc(at) / [erfc(value) for value in at] - 1) / (1 + at**2)))

    return [Check("erf", absolute, 1e-15), Check("erfc", relative, 1e-15)]


def table_cases(layer: Any) -> Sequence[Case]:
    """Every entry of the table is what PyTorch means by its name, with PyTorch's settings."""
    return [
        Layer(
            f"{name} of the table",
            activation.forward,
            activation.backward,
            inputs=inputs_of(KINKS.get(name, ())),
            gradients=("x",),
            twin=TWINS[name],
            twin_tolerance=TWIN_TOLERANCE.get(name, 1e-12),
        )
        for name, activation in layer.ACTIVATIONS.items()
    ]


SUBJECTS: dict[str, Subject] = {
    "sigmoid": Subject(sigmoid, plain("sigmoid")),
    "tanh": Subject(
        tanh,
        plain("tanh"),
        harmless={"tanh_forward: return (out, out) -> return (out, -out)": "only its square is used"},
    ),
    "relu": Subject(
        relu,
        plain("relu"),
        harmless={"relu_forward: return (out, x) -> return (out, 2.0 * x)": "only its sign is used"},
    ),
    "leaky-relu": Subject(leaky_relu, leaky_relu_cases),
    "prelu": Subject(prelu, prelu_cases),
    "elu": Subject(
        elu,
        elu_cases,
        harmless={"elu_forward: np.minimum(x, 0) -> np.minimum(x, 1)": "right of 0 the other branch is taken"},
    ),
    "selu": Subject(selu, plain("selu")),
    "maxout": Subject(maxout, maxout_cases),
    "crelu": Subject(
        crelu,
        crelu_cases,
        harmless={"crelu_forward: return (out, x) -> return (out, 2.0 * x)": "only its sign is used"},
    ),
    "swish": Subject(swish, swish_cases),
    "relu6": Subject(relu6, plain("relu6")),
    "hard-sigmoid": Subject(hard_sigmoid, plain("hard_sigmoid")),
    "hard-swish": Subject(hard_swish, plain("hard_swish")),
    "gelu": Subject(gelu, gelu_cases),
    "erf": Subject(
        erf_file,
        erf_cases,
        harmless={
            "erf: a <= NEAR -> a < NEAR": "both forms agree where they meet",
            "erfc: a <= NEAR -> a < NEAR": "both forms agree where they meet",
            "_erfc_beyond: a <= FAR -> a < FAR": "both forms agree where they meet",
            "erfc: x < 0 -> x <= 0": "1 = 2 - 1",
            "_ratio: value * z + c -> value * z - c": "both polynomials change their sign",
        },
    ),
    "activation-table": Subject(table, table_cases),
}
