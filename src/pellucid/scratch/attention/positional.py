"""Positions: attention does not know the order of what it reads, so every place gets a vector that says where it is.

Formula:
    P[t, 2i] = sin(t ω_i),  P[t, 2i + 1] = cos(t ω_i),  ω_i = 10000^(-2i/d)
    y = x + P,  P as above, or a table that is learnt

Derivation:
    Each pair of columns is the hand of a clock, the first going around in 2π steps, the last in nearly 10000 · 2π. All
    hands together name the step, and the dot product of two places depends on their distance alone:
        P[s] · P[t] = Σ_i (sin sω sin tω + cos sω cos tω) = Σ_i cos((s - t) ω_i)
    A shift by k steps turns each hand by kω_i: a linear map that is the same at all places, easy to learn.
    A learnt table is added in the same way: dx = dy, and each row used gets dP[t] = Σ_n dy_nt.

Source: Vaswani et al., "Attention is all you need", 2017, section 3.5.
"""

from typing import Any

import numpy as np

from pellucid.core.errors import DataError

BASE = 10000.0


def sinusoidal_positions(T: int, d: int, dtype: Any = np.float64) -> np.ndarray:
    """The table P (T, d) of sines in the even columns and cosines in the odd ones; d may be odd."""
    waves = BASE ** (-np.arange(0, d, 2) / d)  # (d/2,) radians a step
    angles = np.arange(T)[:, None] * waves
    P = np.empty((T, d), dtype)
    P[:, 0::2] = np.sin(angles)
    P[:, 1::2] = np.cos(angles[:, : d // 2])
    return P


def positions_forward(x: np.ndarray, P: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Add the first T rows of a table.

    Args:
        x: (N, T, d) inputs.
        P: (L, d) table, learnt or not, L at least T.

    Returns:
        out (N, T, d), and what backward needs.

    Raises:
        DataError: the table is too short, or of another width.
    """
    if x.ndim != 3 or P.ndim != 2 or x.shape[2] != P.shape[1]:
        raise DataError(f"positions: x must be (N, T, d) and the table (L, d), got {x.shape} and {P.shape}.")
    if x.shape[1] > len(P):
        raise DataError(f"positions: the table has {len(P)} places, x {x.shape} needs {x.shape[1]}.")
    return x + P[: x.shape[1]], (x, P)


def positions_backward(dout: np.ndarray, cache: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Gradients dx (N, T, d) and dP (L, d), 0 where a row was not used, from dout (N, T, d)."""
    x, P = cache
    dP = np.zeros_like(P)
    dP[: x.shape[1]] = dout.sum(axis=0)
    return dout.copy(), dP
