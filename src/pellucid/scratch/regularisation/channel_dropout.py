"""Channel dropout: whole feature maps are left out at random.

Formula:
    train: y_nchw = x_nchw m_nc / p    test: y = x    m_nc ~ Bernoulli(p), p = probability to keep

Derivation:
    Neighbours in a feature map hold nearly the same, so a single dropped pixel can be guessed from those around it
    and little is lost; what a convolution must learn to do without is the channel. One number for each sample and
    channel is drawn and spread over the pixels. With the mask fixed dx = dy m / p.

Source: Tompson et al., "Efficient object localization using convolutional networks", 2015, arXiv:1411.4280.
"""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.scratch.regularisation.random_mask import Param, keep_mask, read_param, require_some_kept

Cache = tuple[float, np.ndarray | None]


def channel_dropout_forward(x: np.ndarray, dropout_param: Param) -> tuple[np.ndarray, Cache]:
    """Inverted dropout of channels.

    Args:
        x: (N, C, ...) inputs, usually (N, C, H, W).
        dropout_param: "mode", "p" (the probability to keep) and optional "seed" or "rng", as of `dropout_forward`.

    Returns:
        out of the shape of `x` (in test mode `x` itself), and what backward needs.

    Raises:
        ConfigError: a setting is missing or wrong.
        DataError: `x` has no axis of channels.
    """
    if x.ndim < 2:
        raise DataError(f"Channel dropout needs inputs (N, C, ...), got {x.shape}.")
    training, p = read_param(dropout_param, "dropout_param")
    require_some_kept(p, "dropout_param")
    if not training:
        return x, (p, None)
    keep = keep_mask(x.shape[:2], dropout_param)  # (N, C)
    keep = keep.reshape(*keep.shape, *[1] * (x.ndim - 2))  # (N, C, 1, 1)
    return x * keep / p, (p, keep)


def channel_dropout_backward(dout: np.ndarray, cache: Cache) -> np.ndarray:
    """The gradient dx, of the shape of dout."""
    p, keep = cache
    return dout if keep is None else dout * keep / p
