"""Proofs of the affine layer and of what is made of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.case import Case, Inputs, Layer, Subject
from pellucid.scratch.layers import affine, sandwich

THREE = ("x", "w", "b")
FIVE = ("x", "w", "b", "gamma", "beta")


def affine_cases(layer: Any) -> Sequence[Case]:
    """Affine in each of its three arguments, for inputs of any rank."""

    def draw(*shape: int) -> Any:
        d = int(np.prod(shape[1:]))
        return lambda rng: (rng.standard_normal(shape), rng.standard_normal((d, 5)), rng.standard_normal(5))

    return [
        Layer(
            "affine",
            layer.affine_forward,
            layer.affine_backward,
            inputs={"rank 2": draw(3, 4), "rank 4": draw(2, 2, 3, 2), "one sample": draw(1, 6)},
            gradients=THREE,
            linear=THREE,
            twin=_affine,
        )
    ]


def sandwich_cases(layer: Any) -> Sequence[Case]:
    """Each sandwich beside the same layers of PyTorch; batch normalisation in both modes."""
    return [
        Layer(
            "affine_relu",
            layer.affine_relu_forward,
            layer.affine_relu_backward,
            inputs={"rank 4": affine_inputs((3, 2, 1, 2)), "one sample": affine_inputs((1, 4))},
            gradients=THREE,
            twin=lambda x, w, b: F.relu(_affine(x, w, b)),
        ),
        Layer(
            "affine_bn_relu",
            layer.affine_bn_relu_forward,
            layer.affine_bn_relu_backward,
            inputs={
                "training": affine_inputs((4, 3), {"mode": "train"}),
                "test": affine_inputs((3, 2, 2), {"mode": "test"} | running(5)),
            },
            gradients=FIVE,
            twin=lambda x, w, b, gamma, beta, bn_param: F.relu(_batch_norm(_affine(x, w, b), gamma, beta, bn_param)),
        ),
        Layer(
            "affine_ln_relu",
            layer.affine_ln_relu_forward,
            layer.affine_ln_relu_backward,
            inputs={"rank 2": affine_inputs((3, 4), {}), "rank 3": affine_inputs((2, 2, 3), {"eps": 0.1})},
            gradients=FIVE,
            twin=lambda x, w, b, gamma, beta, ln_param: F.relu(
                F.layer_norm(_affine(x, w, b), (5,), gamma, beta, ln_param.get("eps", 1e-5))
            ),
        ),
        *conv_sandwich_cases(layer),
    ]


def conv_sandwich_cases(layer: Any) -> Sequence[Case]:
    """The sandwiches of a convolution, with strides and borders."""
    plain, strided = {"stride": 1, "pad": 1}, {"stride": 2, "pad": 0}
    pool = {"pool_height": 2, "pool_width": 2, "stride": 2}
    return [
        Layer(
            "conv_relu",
            layer.conv_relu_forward,
            layer.conv_relu_backward,
            inputs={"with a border": conv_inputs((2, 2, 3, 4), plain), "stride 2": conv_inputs((1, 2, 5, 7), strided)},
            gradients=THREE,
            twin=lambda x, w, b, conv_param: F.relu(_conv(x, w, b, conv_param)),
        ),
        Layer(
            "conv_bn_relu",
            layer.conv_bn_relu_forward,
            layer.conv_bn_relu_backward,
            inputs={
                "training": conv_inputs((2, 2, 3, 4), plain, {"mode": "train"}, normed=True),
                "test": conv_inputs((1, 2, 5, 7), strided, {"mode": "test"} | running(3), normed=True),
            },
            gradients=FIVE,
            twin=lambda x, w, b, gamma, beta, conv_param, bn_param: F.relu(
                _batch_norm(_conv(x, w, b, conv_param), gamma, beta, bn_param)
            ),
        ),
        Layer(
            "conv_relu_pool",
            layer.conv_relu_pool_forward,
            layer.conv_relu_pool_backward,
            inputs={"with a border": conv_inputs((2, 2, 4, 6), plain, pool)},
            gradients=THREE,
            twin=lambda x, w, b, conv_param, pool_param: F.max_pool2d(F.relu(_conv(x, w, b, conv_param)), 2),
        ),
    ]


def affine_inputs(shape: tuple[int, ...], *settings: dict[str, Any]) -> Inputs:
    """Inputs of an affine layer with 5 outputs; with settings, of a normalisation after it too."""
    d, scales = int(np.prod(shape[1:])), 2 if settings else 0
    sizes: list[tuple[int, ...]] = [shape, (d, 5), (5,), *[(5,)] * scales]
    return lambda rng: (*(rng.standard_normal(size) for size in sizes), *settings)


def conv_inputs(shape: tuple[int, ...], *settings: dict[str, Any], normed: bool = False) -> Inputs:
    """Inputs of a convolution with 3 filters of 3 x 3, and of a normalisation after it."""
    sizes: list[tuple[int, ...]] = [shape, (3, shape[1], 3, 3), (3,), *[(3,)] * (2 if normed else 0)]
    return lambda rng: (*(rng.standard_normal(size) for size in sizes), *settings)


def running(features: int) -> dict[str, np.ndarray]:
    """Running statistics that are neither 0 nor 1."""
    return {"running_mean": np.linspace(-0.5, 0.5, features), "running_var": np.linspace(0.5, 3, features)}


def _affine(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return F.linear(x.flatten(1), w.T, b)


def _conv(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, conv_param: dict[str, int]) -> torch.Tensor:
    return F.conv2d(x, w, b, stride=conv_param["stride"], padding=conv_param["pad"])


def _batch_norm(x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, bn_param: dict[str, Any]) -> torch.Tensor:
    if bn_param["mode"] == "train":
        return F.batch_norm(x, None, None, gamma, beta, training=True)
    mean, var = torch.from_numpy(bn_param["running_mean"]), torch.from_numpy(bn_param["running_var"])
    return F.batch_norm(x, mean, var, gamma, beta)


SUBJECTS: dict[str, Subject] = {
    "affine": Subject(affine, affine_cases),
    "sandwich": Subject(sandwich, sandwich_cases),
}
