"""Gradient flow: what is left of a gradient that is multiplied by a matrix again and again.

Formula:
    ∂h_k/∂h_0 = J_k ... J_1,  J_t = diag(s_t) Whᵀ as a map of columns, s_t the slopes of tanh (1 for a linear layer)
    ‖∂h_k/∂h_0‖ ≤ (σ_max(Wh) max s)^k
    along an LSTM's cell:  ∂c_k/∂c_0 = f_1 f_2 ... f_k, entry by entry

Derivation:
    h_t = tanh(... + h_{t-1} Wh), a row times a matrix, gives ∂h_t/∂h_{t-1} = diag(1 - h_t²) Whᵀ, and the chain rule
    multiplies one such factor for every step. The largest stretch of a product is at most the product of the largest
    stretches. So with the largest singular value below 1 the gradient must vanish; to explode it needs one above 1.
    A single number shows how fast: 0.9^50 = 0.005, 1.1^50 = 117. Depth does the same as time, layer by layer.
    Clipping helps against exploding; against vanishing a path that is not multiplied by a matrix does, as the cell's.

Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013; CS231n, lecture
    "Recurrent neural networks".
"""

import numpy as np

from pellucid.core.errors import DataError


def gradient_through_time(Wh: np.ndarray, steps: int, slopes: np.ndarray | None = None) -> np.ndarray:
    """How much a gradient can at most be stretched on the way back through 0, 1, ..., `steps` steps.

    Args:
        Wh: (H, H) weights of the state.
        steps: how far back.
        slopes: (steps, H) slope of the activation in every step, first step first: 1 - h_t² for tanh. None: linear.

    Returns:
        (steps + 1,) largest singular values of ∂h_k/∂h_0, k = 0 (no step: 1) to `steps`.

    Raises:
        DataError: the shapes do not fit.
    """
    H = len(Wh)
    if Wh.shape != (H, H):
        raise DataError(f"The state's weights must be square, got {Wh.shape}.")
    if slopes is not None and slopes.shape != (steps, H):
        raise DataError(f"{steps} steps of {H} units need slopes {(steps, H)}, got {slopes.shape}.")
    jacobian = np.eye(H, dtype=Wh.dtype)
    stretch = [1.0]
    for t in range(steps):
        jacobian = Wh.T @ jacobian
        if slopes is not None:
            jacobian = slopes[t][:, None] * jacobian
        stretch.append(float(np.linalg.norm(jacobian, 2)))
    return np.array(stretch, dtype=Wh.dtype)


def gradient_along_the_cell(forget: np.ndarray) -> np.ndarray:
    """∂c_k/∂c_0 of an LSTM for k = 1, ..., T, the way through the gates themselves left out.

    Args:
        forget: (T, ...) forget gates, first step first, 0 to 1.

    Returns:
        (T, ...) products of the first k gates.
    """
    return np.cumprod(forget, axis=0)
