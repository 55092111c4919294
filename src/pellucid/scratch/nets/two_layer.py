"""Two-layer net: affine, ReLU, affine, and the softmax loss.

Formula:
    h = max(0, x W₁ + b₁),  s = h W₂ + b₂
    L = softmax loss of s + reg/2 (Σ W₁² + Σ W₂²)

Derivation:
    Backward walks the same way in reverse: ds from the loss; dW₂ = hᵀ ds, dh = ds W₂ᵀ; the ReLU lets dh through where
    h > 0; dW₁ = xᵀ dh. The penalty adds reg · W to each weight gradient: half of the square gives no factor 2.
    Without the ReLU x W₁ W₂ would be one matrix, and the hidden layer worth nothing. At the start the weights are
    small, so all scores are near 0, all classes equally likely, and the loss is near ln C.
    Parameters: D H + H + H C + C; with D = 3072, H = 100, C = 10 that is 308,310.

Source: CS231n, assignment 1.
"""

import numpy as np

from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.losses.penalties import l2_penalty
from pellucid.scratch.losses.softmax import softmax_loss

Gradients = dict[str, np.ndarray]


class TwoLayerNet:
    """A classifier with one hidden layer.

    Args:
        input_dim: D, numbers a sample.
        hidden_dim: H, hidden units.
        num_classes: C.
        weight_scale: standard deviation of the first weights; biases start at 0.
        reg: strength of the penalty on both weight matrices.
        seed: of the first weights.

    Attributes:
        params: "W1" (D, H), "b1" (H,), "W2" (H, C), "b2" (C,).
    """

    def __init__(
        self,
        input_dim: int = 3 * 32 * 32,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        seed: int = 0,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.reg = reg
        self.params: Gradients = {
            "W1": weight_scale * rng.standard_normal((input_dim, hidden_dim)),
            "b1": np.zeros(hidden_dim),
            "W2": weight_scale * rng.standard_normal((hidden_dim, num_classes)),
            "b2": np.zeros(num_classes),
        }

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Scores (N, C) of samples (N, d1, ..., dk)."""
        return self._forward(X)[0]

    def loss(self, X: np.ndarray, y: np.ndarray | None = None) -> np.ndarray | tuple[float, Gradients]:
        """The loss and the gradient of every parameter; without labels the scores.

        Args:
            X: (N, d1, ..., dk) samples.
            y: (N,) labels in 0..C-1.
        """
        scores, (first, relu, second) = self._forward(X)
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        dhidden, dW2, db2 = affine_backward(dscores, second)
        _, dW1, db1 = affine_backward(relu_backward(dhidden, relu), first)
        grads = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
        for name in ("W1", "W2"):
            penalty, dpenalty = l2_penalty(self.params[name], self.reg / 2)
            loss += penalty
            grads[name] = grads[name] + dpenalty
        return loss, grads

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The class (N,) with the highest score of each sample."""
        return self.scores(X).argmax(axis=1)

    def _forward(self, X: np.ndarray) -> tuple[np.ndarray, tuple]:
        p = self.params
        hidden, first = affine_forward(X, p["W1"], p["b1"])  # (N, H)
        hidden, relu = relu_forward(hidden)
        scores, second = affine_forward(hidden, p["W2"], p["b2"])  # (N, C)
        return scores, (first, relu, second)
