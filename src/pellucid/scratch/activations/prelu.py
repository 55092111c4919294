"""PReLU: a leaky ReLU that learns the slope of its left half, one for all channels or one for each.

Formula:
    f(x) = x where x > 0, α_c x elsewhere, for channel c of x
    ∂f/∂x = 1 where x > 0, α_c elsewhere;  ∂f/∂α_c = 0 where x > 0, x elsewhere

Derivation:
    Left of 0, f = α_c x is linear in x with slope α_c, and linear in α_c with slope x. One α_c serves all samples and
    places of its channel, so its gradient is the sum over them:
        dα_c = Σ dy · min(0, x)  over all of the batch and the image in channel c
    An α for all channels sums over these too. He et al. start at 0.25 and use no weight decay on α, which would
    pull it towards 0, the ReLU.

Source: He et al., "Delving Deep into Rectifiers", 2015.
"""

import numpy as np

from pellucid.core.errors import DataError

Cache = tuple[np.ndarray, np.ndarray, np.ndarray]


def prelu_forward(x: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, Cache]:
    """Outputs of the shape of `x`, and what backward needs.

    Args:
        x: (N, C, ...) inputs; of any rank if `alpha` is a single number.
        alpha: () or (1,), one slope for all, or (C,), one a channel.

    Raises:
        DataError: there is neither one slope nor one a channel.
    """
    _check(x, alpha)
    positive = x > 0
    out = np.where(positive, x, _beside(alpha, x) * x)
    return out, (x, alpha, positive)


def prelu_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients dx, of the shape of `x`, and dalpha, of the shape of `alpha`."""
    x, alpha, positive = cache
    dx = np.where(positive, dout, _beside(alpha, x) * dout)
    left = dout * np.minimum(x, 0)  # (N, C, ...)
    if alpha.size == 1:
        return dx, np.sum(left).reshape(alpha.shape)
    return dx, left.sum(axis=(0, *range(2, x.ndim)))


def _beside(alpha: np.ndarray, x: np.ndarray) -> np.ndarray:
    """`alpha` as (C, 1, ..., 1), which NumPy lays along the channels of x (N, C, ...)."""
    return alpha.reshape(alpha.size, *[1] * (x.ndim - 2))


def _check(x: np.ndarray, alpha: np.ndarray) -> None:
    if alpha.size != 1 and alpha.shape != x.shape[1:2]:
        channels = f" or {x.shape[1:2]}, one a channel" if x.ndim > 1 else ""
        raise DataError(f"prelu: alpha must be (1,){channels}, for x {x.shape}; got {alpha.shape}.")
