"""What every recurrent layer shares: one set of weights for all steps, and what may leave the loop over time.

Formula:
    x_t Wx + b        for all t:  X Wx + b,   X = every x_t, stacked: (T·N, D)
    dWx = Σ_t x_tᵀ da_t         =  Xᵀ dA,     dA = the gradients of all pre-activations: (T·N, G)
    dWh = Σ_t h_{t-1}ᵀ da_t     =  Hᵀ dA,     H = the state before every step

Derivation:
    Only h_{t-1} Wh needs the step before. The inputs are known beforehand, so their products with Wx are one large
    product instead of T small ones. Backward, the loop has to find only da_t; every step uses the same weights, so
    their gradient is the sum of what each step alone would give, and a sum of products of rows is again one product.
    Inside, time comes first, so that the numbers of one step lie together in memory.

Source: Werbos, "Backpropagation through time: what it does and how to do it", 1990; CS231n, assignment 3.
"""

import numpy as np

from pellucid.core.errors import DataError


def time_first(x: np.ndarray) -> np.ndarray:
    """(N, T, D) as (T, N, D), or back; always a new array, each step in one piece of memory."""
    return x.transpose(1, 0, 2).copy()


def all_inputs_forward(x: np.ndarray, Wx: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The part of all pre-activations that no state is needed for.

    Args:
        x: (T, N, D) inputs.
        Wx: (D, G) weights.
        b: (G,) bias, or (N, G), one for each sample.

    Returns:
        (T, N, G).
    """
    T, N, D = x.shape
    out: np.ndarray = (x.reshape(T * N, D) @ Wx).reshape(T, N, Wx.shape[1])
    out += b
    return out


def all_inputs_backward(
    da: np.ndarray, x: np.ndarray, Wx: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx (T, N, D), dWx (D, G) and db (of b's shape) from da (T, N, G)."""
    T, N, D = x.shape
    rows = da.reshape(T * N, Wx.shape[1])
    dx = (rows @ Wx.T).reshape(T, N, D)
    dWx = x.reshape(T * N, D).T @ rows
    return dx, dWx, bias_gradient(da, b)


def state_weights_gradient(before: np.ndarray, da: np.ndarray) -> np.ndarray:
    """Gradient dWh (H, G) from the states before each step (T, N, H) and da (T, N, G)."""
    T, N, H = before.shape
    return before.reshape(T * N, H).T @ da.reshape(T * N, da.shape[2])


def bias_gradient(da: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`da` summed over the axes in front that `b` does not have: samples for (G,), none of them for (N, G)."""
    return da.sum(axis=tuple(range(da.ndim - b.ndim)))


def sigmoid(a: np.ndarray) -> np.ndarray:
    """The gate 1 / (1 + e⁻ᵃ), written as (1 + tanh(a/2)) / 2: tanh never overflows, and is quick."""
    out: np.ndarray = 0.5 + 0.5 * np.tanh(0.5 * a)
    return out


def check_shapes(
    name: str,
    x: np.ndarray,
    state: dict[str, np.ndarray],
    weights: tuple[np.ndarray, np.ndarray, np.ndarray],
    blocks: tuple[int, int],
) -> None:
    """Raise if a recurrent layer cannot work on these arrays.

    Args:
        name: of the layer; "step" in it means that `x` has no time axis.
        x: (N, D) or (N, T, D).
        state: name -> array that must be (N, H).
        weights: Wx, Wh, b.
        blocks: how many times H columns the weights and the bias must have.

    Raises:
        DataError: names the first array that does not fit.
    """
    (Wx, Wh, b), (gates, biases) = weights, blocks
    if x.ndim != (2 if "step" in name else 3):
        raise DataError(f"{name}: x must be {'(N, D)' if 'step' in name else '(N, T, D)'}, got {x.shape}.")
    H = len(Wh)
    for which, h in state.items():
        if h.shape != (len(x), H):
            raise DataError(
                f"{name}: x {x.shape} has {len(x)} samples and Wh {Wh.shape} is for {H} units,"
                f" so {which} must be ({len(x)}, {H}), got {h.shape}."
            )
    for which, w, rows in (("Wx", Wx, x.shape[-1]), ("Wh", Wh, H)):
        if w.shape != (rows, gates * H):
            raise DataError(f"{name}: with {H} units {which} must be ({rows}, {gates * H}), got {w.shape}.")
    if b.shape not in ((biases * H,), (len(x), biases * H)):
        raise DataError(
            f"{name}: with {H} units b must be ({biases * H},), or ({len(x)}, {biases * H}) for one bias a sample,"
            f" got {b.shape}."
        )
