"""Three-layer convnet: convolution, ReLU, 2 x 2 max pooling, affine, ReLU, affine, softmax loss.

Formula:
    h₁ = pool(max(0, x ⋆ W₁ + b₁)),  h₂ = max(0, h₁ W₂ + b₂),  s = h₂ W₃ + b₃
    L = softmax loss of s + reg/2 (Σ W₁² + Σ W₂² + Σ W₃²)

Derivation:
    The convolution is padded by (K - 1)/2 on each side, so maps keep the size of the picture if K is odd; pooling
    halves it. Backward is the chain of the layers' own backwards. Most parameters lie between the maps and the hidden
    units: F·(H/2)·(W/2)·M, against F·C·K² in the convolution.

Source: CS231n, assignment 2.
"""

from typing import Any

import numpy as np

from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.convolution.fast import conv_backward_fast, conv_forward_fast
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.losses.penalties import l2_penalty
from pellucid.scratch.losses.softmax import softmax_loss
from pellucid.scratch.pooling.max import max_pool_backward_fast, max_pool_forward_fast

Gradients = dict[str, np.ndarray]

POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}


class ThreeLayerConvNet:
    """A classifier of pictures (N, C, H, W).

    Args:
        input_dim: (C, H, W) of a picture.
        num_filters: F, kernels of the convolution.
        filter_size: K, height and width of a kernel; odd, or the maps are one smaller than the picture.
        hidden_dim: M, units of the hidden layer.
        num_classes: how many.
        weight_scale: standard deviation of the first weights; biases start at 0.
        reg: strength of the penalty on the weights.
        dtype: of parameters and computation.
        seed: of the first weights.

    Attributes:
        params: "W1" (F, C, K, K), "b1" (F,), "W2" (F·H/2·W/2, M), "b2" (M,), "W3" (M, classes), "b3" (classes,).
    """

    def __init__(
        self,
        input_dim: tuple[int, int, int] = (3, 32, 32),
        num_filters: int = 32,
        filter_size: int = 7,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: Any = np.float32,
        seed: int = 0,
    ) -> None:
        rng = np.random.default_rng(seed)
        channels, height, width = input_dim
        pad = (filter_size - 1) // 2
        self.conv_param = {"stride": 1, "pad": pad}
        self.reg = reg
        self.dtype = dtype
        pooled = [(size + 2 * pad - filter_size + 1) // 2 for size in (height, width)]
        shapes = {
            "W1": (num_filters, channels, filter_size, filter_size),
            "b1": (num_filters,),
            "W2": (num_filters * pooled[0] * pooled[1], hidden_dim),
            "b2": (hidden_dim,),
            "W3": (hidden_dim, num_classes),
            "b3": (num_classes,),
        }
        self.params: Gradients = {
            name: (weight_scale * rng.standard_normal(shape) if name[0] == "W" else np.zeros(shape)).astype(dtype)
            for name, shape in shapes.items()
        }

    def loss(self, X: np.ndarray, y: np.ndarray | None = None) -> np.ndarray | tuple[float, Gradients]:
        """The loss and the gradient of every parameter; without labels the scores.

        Args:
            X: (N, C, H, W) pictures.
            y: (N,) labels.
        """
        scores, (conv, relu, pool, hidden, hidden_relu, last) = self._forward(X)
        if y is None:
            return scores
        grads: Gradients = {}
        loss, dout = softmax_loss(scores, y)
        dout, grads["W3"], grads["b3"] = affine_backward(dout, last)
        dout, grads["W2"], grads["b2"] = affine_backward(relu_backward(dout, hidden_relu), hidden)
        dout = relu_backward(max_pool_backward_fast(dout, pool), relu)
        _, grads["W1"], grads["b1"] = conv_backward_fast(dout, conv)
        for name in ("W1", "W2", "W3"):
            penalty, dpenalty = l2_penalty(self.params[name], self.reg / 2)
            loss += penalty
            grads[name] = grads[name] + dpenalty
        return loss, grads

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The class (N,) with the highest score of each picture."""
        return self._forward(X)[0].argmax(axis=1)

    def _forward(self, X: np.ndarray) -> tuple[np.ndarray, tuple]:
        p = self.params
        maps, conv = conv_forward_fast(X.astype(self.dtype), p["W1"], p["b1"], self.conv_param)  # (N, F, H, W)
        maps, relu = relu_forward(maps)
        maps, pool = max_pool_forward_fast(maps, POOL)  # (N, F, H/2, W/2)
        out, hidden = affine_forward(maps, p["W2"], p["b2"])  # (N, M)
        out, hidden_relu = relu_forward(out)
        scores, last = affine_forward(out, p["W3"], p["b3"])
        return scores, (conv, relu, pool, hidden, hidden_relu, last)
