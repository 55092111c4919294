"""Batch norm of two samples: small enough to derive on one line, and to see what the layer does to a gradient.

Formula:
    d = (x₁ - x₂) / 2,  μ = (x₁ + x₂) / 2,  σ² = d²,  x̂₁ = d / √(d² + ε) = -x̂₂,  y = γ x̂ + β

Derivation:
    Both outputs are functions of d alone, which is half the distance: a shift of both samples is lost.
        dx̂₁/dd = 1/s - d² / s³ = ε / s³,  s = √(d² + ε),  and dd/dx₁ = ½ = -dd/dx₂, so
        dx₁ = ½ γ (dy₁ - dy₂) ε / s³ = -dx₂
        dγ = (dy₁ - dy₂) d / s,  dβ = dy₁ + dy₂
    With ε = 0 the outputs are γ sign(d) + β, whatever x is: dx is 0 for every dy. That is no accident of two samples:
    of N gradients the layer removes the parts along 1 and along x̂, and with N = 2 nothing else is there.
    The way over the variance is not 0 by itself, it is what cancels the direct one:
        ∂L/∂σ² = Σ γ dy (x - μ) (-½) s⁻³ = -½ γ (dy₁ - dy₂) d / s³

Source: Ioffe and Szegedy, "Batch Normalization", 2015, with m = 2.
"""

import numpy as np

from pellucid.scratch.normalisation.standardise import EPSILON

Cache = tuple[np.ndarray, np.ndarray, np.ndarray, float]


def two_sample_forward(
    x1: np.ndarray, x2: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = EPSILON
) -> tuple[np.ndarray, np.ndarray, Cache]:
    """Outputs y1 and y2 (D,) of two samples x1 and x2 (D,), with scale and shift (D,)."""
    d = (x1 - x2) / 2
    s = np.sqrt(d * d + eps)
    y1 = gamma * (d / s) + beta
    y2 = gamma * (-d / s) + beta
    return y1, y2, (d, s, gamma, eps)


def two_sample_backward(
    dy1: np.ndarray, dy2: np.ndarray, cache: Cache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx1, dx2, dgamma and dbeta (D,) from dy1 and dy2 (D,)."""
    d, s, gamma, eps = cache
    dx1 = gamma * (dy1 - dy2) * eps / (2 * s**3)
    dgamma = (dy1 - dy2) * d / s
    return dx1, -dx1, dgamma, dy1 + dy2


def two_sample_variance_gradient(dy1: np.ndarray, dy2: np.ndarray, cache: Cache) -> np.ndarray:
    """∂L/∂σ² (D,), the step in between: 0 only where dy1 = dy2 or x1 = x2."""
    d, s, gamma, _ = cache
    return np.asarray(-gamma * (dy1 - dy2) * d / (2 * s**3))
