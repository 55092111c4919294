"""Normalisations, in ONNX's terms."""

from math import prod
from typing import Any

import numpy as np

from pellucid.scratch.normalisation.group import spatial_groupnorm_forward
from pellucid.scratch.normalisation.instance import instancenorm_forward
from pellucid.scratch.normalisation.layer import layernorm_forward
from pellucid.scratch.normalisation.local_response import lrn_forward
from pellucid.scratch.normalisation.spatial_batch import spatial_batchnorm_forward

Attributes = dict[str, Any]
Inputs = list[Any]
Outputs = tuple[Any, ...]


def settings(attributes: Attributes) -> dict[str, Any]:
    """Only what is given: the defaults are the same."""
    names = {"epsilon": "eps", "size": "size", "alpha": "alpha", "beta": "beta", "bias": "k", "momentum": "momentum"}
    return {ours: attributes[theirs] for theirs, ours in names.items() if theirs in attributes}


def batch_norm(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    x, scale, bias, mean, var = inputs
    mode = "train" if attributes.get("training_mode", 0) else "test"
    param = {"mode": mode, "running_mean": mean, "running_var": var, **settings(attributes)}
    out, _ = spatial_batchnorm_forward(x, scale, bias, param)
    return out, param["running_mean"], param["running_var"]


def instance_norm(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return instancenorm_forward(*inputs, settings(attributes))[:1]


def group_norm(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return spatial_groupnorm_forward(*inputs, attributes["num_groups"], settings(attributes))[:1]


def layer_norm(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """From `axis` on everything is one set, which we lay along the last axis."""
    x, scale, bias = inputs
    axis = attributes.get("axis", -1) % x.ndim
    rows = x.reshape(prod(x.shape[:axis]), prod(x.shape[axis:]))
    out, cache = layernorm_forward(rows, scale.ravel(), bias.ravel(), settings(attributes))
    kept = (*x.shape[:axis], *[1] * (x.ndim - axis))
    return out.reshape(x.shape), cache.mean.reshape(kept), cache.rstd.reshape(kept)


def mean_variance_norm(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    """A batch norm without scale and shift."""
    c = inputs[0].shape[1]
    scale, shift = np.ones(c, np.float32), np.zeros(c, np.float32)
    return spatial_batchnorm_forward(inputs[0], scale, shift, {"mode": "train", "eps": 1e-9})[:1]


def lrn(attributes: Attributes, inputs: Inputs, opset: int) -> Outputs:
    return lrn_forward(inputs[0], settings(attributes))[:1]
