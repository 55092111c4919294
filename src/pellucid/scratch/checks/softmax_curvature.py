"""Curvature of the softmax loss of a linear classifier, and what a penalty adds to it.

Formula:
    ∂²L/∂W_dc ∂W_ek = (1/N) Σ_n x_nd x_ne p_nc (1[c = k] - p_nk) + 2 λ 1[d = e, c = k]

Derivation:
    ∂L/∂W_dc = (1/N) Σ_n x_nd (p_nc - 1[c = y_n]) + 2 λ W_dc, and ∂p_c/∂s_k = p_c (1[c = k] - p_k) with
    s_nk = Σ_e x_ne W_ek. Labels are gone: curvature does not depend on them.
    The matrix of a sample is that of the variances of a distribution, diag(p) - p pᵀ, so no direction curves down:
    the loss is convex. But a number added to all classes changes no p, so without a penalty D directions are flat.
    λ Σ W² adds 2 λ to every eigenvalue. The condition number κ = (λ_max + 2 λ) / (λ_min + 2 λ) falls, and gradient
    descent, whose slowest direction shrinks by about 1 - 1/κ a step, needs fewer steps.

Source: Böhning, "Multinomial logistic regression algorithm", 1992; Boyd and Vandenberghe, "Convex optimization", 9.3.
"""

import numpy as np

from pellucid.scratch.losses.softmax import softmax
from pellucid.scratch.losses.targets import require_linear


def softmax_hessian(W: np.ndarray, X: np.ndarray, reg: float) -> np.ndarray:
    """All second derivatives of `softmax_loss_vectorized(W, X, y, reg)`, whatever the labels are.

    Args:
        W: (D, C) weights.
        X: (N, D) samples.
        reg: λ of the penalty λ Σ W².

    Returns:
        (D · C, D · C), symmetric, rows and columns in the order of `W.ravel()`.

    Raises:
        DataError: the shapes do not fit.
    """
    require_linear(W, X)
    p = softmax(X @ W)  # (N, C)
    n, n_classes = p.shape
    scores = p[:, :, None] * (np.eye(n_classes) - p[:, None, :])  # (N, C, C)
    hessian = np.einsum("nd,ne,nck->dcek", X, X, scores).reshape(W.size, W.size) / n
    return hessian + 2 * reg * np.eye(W.size)
