"""Fully connected net of any depth, with batch norm or layer norm and dropout if wanted.

Formula:
    {affine, [batch or layer norm], ReLU, [dropout]} × (L - 1), affine, softmax loss + reg/2 Σ_l Σ W_l²

Derivation:
    Each step is a layer with a forward and a backward of its own. Forward keeps the caches on a stack; backward takes
    them off it in reverse, each gradient being the dout of the step before. Nothing else is needed for any depth.
    Gradients are products of L factors: with small weights they vanish on the way, with large ones they explode.
    He's scale √(2 / n_in) keeps their size ("auto"); normalisation keeps it whatever the weights are.
    The penalty is on weights alone: a bias multiplies no input, and a scale γ of a norm undoes what it takes away.

Source: CS231n, assignment 2.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.checks.initialise import he, xavier
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.losses.penalties import l2_penalty
from pellucid.scratch.losses.softmax import softmax_loss
from pellucid.scratch.normalisation.batch import batchnorm_backward, batchnorm_forward
from pellucid.scratch.normalisation.layer import layernorm_backward, layernorm_forward
from pellucid.scratch.regularisation.dropout import dropout_backward, dropout_forward

Gradients = dict[str, np.ndarray]
Norm = tuple[Callable[..., Any], Callable[..., Any]]

NORMS: dict[str, Norm] = {
    "batchnorm": (batchnorm_forward, batchnorm_backward),
    "layernorm": (layernorm_forward, layernorm_backward),
}


class FullyConnectedNet:
    """A classifier with any number of hidden layers.

    Args:
        hidden_dims: units of each hidden layer; L - 1 of them.
        input_dim: D, numbers a sample.
        num_classes: C.
        dropout_keep_ratio: probability to keep a unit, above 0; 1 means no dropout.
        normalization: "batchnorm", "layernorm" or None.
        reg: strength of the penalty on the weights.
        weight_scale: standard deviation of the first weights, or "auto" for He's in front of a ReLU and Xavier's in
            front of the scores.
        dtype: of parameters and computation.
        seed: of the first weights. If given, dropout draws the same mask in every call too, as a gradient check needs.

    Attributes:
        params: "W1" (D, H1), "b1" (H1,), "gamma1", "beta1" (H1,) with normalisation, "W2", ...
        bn_params: settings of each normalisation, with the running statistics of batch norm.
        rng: what dropout draws from.

    Raises:
        ConfigError: unknown normalisation, or a keep ratio outside (0, 1].
    """

    def __init__(
        self,
        hidden_dims: Sequence[int],
        input_dim: int = 3 * 32 * 32,
        num_classes: int = 10,
        dropout_keep_ratio: float = 1,
        normalization: str | None = None,
        reg: float = 0.0,
        weight_scale: float | Literal["auto"] = 1e-2,
        dtype: Any = np.float32,
        seed: int | None = None,
    ) -> None:
        if not 0 < dropout_keep_ratio <= 1:
            raise ConfigError(f"dropout_keep_ratio is the probability to keep, in (0, 1], got {dropout_keep_ratio:g}.")
        self.norm = choose(normalization, NORMS, "normalization") if normalization is not None else None
        self.reg = reg
        self.dtype = dtype
        self.normalization = normalization
        self.num_layers = 1 + len(hidden_dims)
        self.rng = np.random.default_rng(seed or 0)
        self.params: Gradients = {}
        self.bn_params: list[dict[str, Any]] = []
        for number, shape in enumerate(pairwise([input_dim, *hidden_dims, num_classes]), 1):
            last = number == self.num_layers
            if weight_scale == "auto":
                self.params[f"W{number}"] = (xavier if last else he)(shape, self.rng)
            else:
                self.params[f"W{number}"] = weight_scale * self.rng.standard_normal(shape)
            self.params[f"b{number}"] = np.zeros(shape[1])
            if self.norm and not last:
                self.params[f"gamma{number}"] = np.ones(shape[1])
                self.params[f"beta{number}"] = np.zeros(shape[1])
                self.bn_params.append({"mode": "train"})
        self.params = {name: value.astype(dtype) for name, value in self.params.items()}
        self.dropout_param: dict[str, Any] = {}
        if dropout_keep_ratio < 1:
            self.dropout_param = {"mode": "train", "p": dropout_keep_ratio, "rng": self.rng, "seed": seed}

    def loss(self, X: np.ndarray, y: np.ndarray | None = None) -> np.ndarray | tuple[float, Gradients]:
        """In training mode the loss and the gradient of every parameter; without labels, in test mode, the scores.

        Args:
            X: (N, d1, ..., dk) samples.
            y: (N,) labels in 0..C-1.
        """
        scores, caches = self._forward(X, "test" if y is None else "train")
        if y is None:
            return scores
        loss, dout = softmax_loss(scores, y)
        grads = self._backward(dout, caches)
        for number in range(1, self.num_layers + 1):
            name = f"W{number}"
            penalty, dpenalty = l2_penalty(self.params[name], self.reg / 2)
            loss += penalty
            grads[name] = grads[name] + dpenalty
        return loss, grads

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The class (N,) with the highest score of each sample, in test mode."""
        return self._forward(X, "test")[0].argmax(axis=1)

    def _forward(self, X: np.ndarray, mode: str) -> tuple[np.ndarray, list[Any]]:
        for settings in (*self.bn_params, *([self.dropout_param] if self.dropout_param else [])):
            settings["mode"] = mode
        p, out = self.params, X.astype(self.dtype)
        caches: list[Any] = []
        cache: Any
        for number in range(1, self.num_layers):
            out, cache = affine_forward(out, p[f"W{number}"], p[f"b{number}"])
            caches.append(cache)
            if self.norm:
                out, cache = self.norm[0](out, p[f"gamma{number}"], p[f"beta{number}"], self.bn_params[number - 1])
                caches.append(cache)
            out, cache = relu_forward(out)
            caches.append(cache)
            if self.dropout_param:
                out, cache = dropout_forward(out, self.dropout_param)
                caches.append(cache)
        out, cache = affine_forward(out, p[f"W{self.num_layers}"], p[f"b{self.num_layers}"])
        return out, [*caches, cache]

    def _backward(self, dout: np.ndarray, caches: list[Any]) -> Gradients:
        grads: Gradients = {}
        for number in range(self.num_layers, 0, -1):
            if number < self.num_layers:
                if self.dropout_param:
                    dout = dropout_backward(dout, caches.pop())
                dout = relu_backward(dout, caches.pop())
                if self.norm:
                    dout, grads[f"gamma{number}"], grads[f"beta{number}"] = self.norm[1](dout, caches.pop())
            dout, grads[f"W{number}"], grads[f"b{number}"] = affine_backward(dout, caches.pop())
        return grads
