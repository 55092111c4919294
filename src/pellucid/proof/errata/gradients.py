"""Mistakes about derivatives and backpropagation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from pellucid.proof.errata.erratum import Erratum, apart
from pellucid.scratch.checks.jacobian import numerical_jacobian
from pellucid.scratch.graph.functions.inverse_trigonometric import arccsc, arcsec

W = np.array([[0.1, 0.5], [-0.3, 0.8]])
X = np.array([[0.2], [0.4]])
Q = W @ X  # [[0.22], [0.26]]

STEP = 0.01  # centred differences of a square are exact but for rounding, and a large step rounds less

Gradients = Callable[[np.ndarray, np.ndarray, np.ndarray], Any]


def _square_gradients() -> tuple[torch.Tensor, torch.Tensor]:
    """PyTorch's gradients of |W x|² with respect to W and x, for the worked example."""
    w, x = torch.tensor(W, requires_grad=True), torch.tensor(X, requires_grad=True)
    dw, dx = torch.autograd.grad(((w @ x) ** 2).sum(), (w, x))
    return dw, dx


# --------------------------------------------------------------------------------------------------- the worked example

EXAMPLE_WEIGHT = Erratum(
    title="A sign in the example of |Wx|²",
    printed="The notes on backpropagation with matrices print W = [[0.1, 0.5], [0.3, 0.8]].",
    right="The second row begins with -0.3. Only then is Wx = (0.22, 0.26), as the next line of the example has it.",
    measure="largest difference of Wx from (0.22, 0.26), for x = (0.2, 0.4)",
    error=lambda w: apart(np.array(w) @ X, [[0.22], [0.26]]),
    printed_version=[[0.1, 0.5], [0.3, 0.8]],
    right_version=W,
)

EXAMPLE_WEIGHT_GRADIENT = Erratum(
    title="An entry of the weights' gradient",
    printed="The same example prints 0.08 as the first entry of dW.",
    right="It is 2 · 0.22 · 0.2 = 0.088. The other three entries are right.",
    measure="largest difference from PyTorch's gradient",
    error=lambda dw: apart(dw, _square_gradients()[0]),
    printed_version=[[0.08, 0.176], [0.104, 0.208]],
    right_version=2 * Q @ X.T,
)

EXAMPLE_INPUT_GRADIENT = Erratum(
    title="A sign in the inputs' gradient",
    printed="The same example prints dx = (-0.112, -0.636).",
    right="dx = 2 Wᵀq = (-0.112, +0.636).",
    measure="largest difference from PyTorch's gradient",
    error=lambda dx: apart(dx, _square_gradients()[1]),
    printed_version=[[-0.112], [-0.636]],
    right_version=2 * W.T @ Q,
)

SQUARE_GRADIENT = Erratum(
    title="The formula of the weights' gradient",
    printed="The same example uses ∂q_k/∂W_ij = q_j and comes to dW_ij = 2 q_i q_j.",
    right="q_k = Σ W_kj x_j, so the derivative is x_j where k = i, and dW = 2 q xᵀ.",
    measure="largest difference from PyTorch's gradient",
    error=lambda formula: apart(formula(Q, X), _square_gradients()[0]),
    printed_version=lambda q, x: 2 * q @ q.T,
    right_version=lambda q, x: 2 * q @ x.T,
)

# ------------------------------------------------------------------------------------------------------- the chain rule


def _off_linear(gradients: Gradients) -> float:
    rng = np.random.default_rng(0)
    w, x, dy = (rng.standard_normal((3, 3)) for _ in range(3))  # x: three samples as columns
    tw, tx = torch.tensor(w, requires_grad=True), torch.tensor(x, requires_grad=True)
    truth = torch.autograd.grad(tw.T @ tx, (tx, tw), torch.tensor(dy))
    return max(apart(ours, theirs) for ours, theirs in zip(gradients(w, x, dy), truth, strict=True))


LINEAR_LAYER_GRADIENTS = Erratum(
    title="The gradients of y = wᵀx",
    printed="The notes on backpropagation give dL/dx = dL/dy · wᵀ and dL/dw = xᵀ · dL/dy for y = wᵀx.",
    right="Those belong to y = xw, with samples as rows. For y = wᵀx they are w · dL/dy and x · (dL/dy)ᵀ.",
    measure="largest difference from PyTorch's gradients, all matrices 3 × 3 so that the shapes allow both",
    error=_off_linear,
    printed_version=lambda w, x, dy: (dy @ w.T, x.T @ dy),
    right_version=lambda w, x, dy: (w @ dy, x @ dy.T),
)


def _pair(x: torch.Tensor) -> torch.Tensor:
    return torch.stack([x[0] * x[1], x[0] + x[1] ** 2])


def _pair_of_array(x: np.ndarray) -> np.ndarray:
    return _pair(torch.tensor(x)).numpy()


def _jacobian_alone(x: np.ndarray) -> np.ndarray:
    """Entries ∂f_i(x_j)/∂x_j: f of x_j alone, the other inputs 0."""
    columns = []
    for j in range(len(x)):
        alone = np.zeros_like(x)
        alone[j] = x[j]
        columns.append(numerical_jacobian(_pair_of_array, alone, STEP)[:, j])
    return np.stack(columns, axis=1)


JACOBIAN_ENTRIES = Erratum(
    title="What an entry of the Jacobian depends on",
    printed="The notes on vector derivatives write the entries as ∂f_i(x_j)/∂x_j, as if f_i saw x_j alone.",
    right="∂f_i/∂x_j, at all of x: the other inputs are held, not left out.",
    measure="largest difference from PyTorch's Jacobian of (x₁x₂, x₁ + x₂²) at (2, 3)",
    error=lambda jacobian: apart(
        jacobian(np.array([2.0, 3.0])),
        torch.autograd.functional.jacobian(_pair, torch.tensor([2.0, 3.0], dtype=torch.float64)),
    ),
    printed_version=_jacobian_alone,
    right_version=lambda x: numerical_jacobian(_pair_of_array, x, STEP),
)

# ----------------------------------------------------------------------------------------------- a table of derivatives

POINTS = np.array([-3.0, -2.0, 2.0, 3.0])


def _off_slope(slope: Callable[[np.ndarray], np.ndarray], function: Callable[[torch.Tensor], torch.Tensor]) -> float:
    x = torch.tensor(POINTS, requires_grad=True)
    return apart(slope(POINTS), torch.autograd.grad(function(x).sum(), x)[0])


ARCSEC_SLOPE = Erratum(
    title="The derivative of arcsec",
    printed="The table of derivatives gives 1 / (x √(x² - 1)).",
    right="1 / (|x| √(x² - 1)): arcsec rises on both sides. The printed sign is wrong for x < -1.",
    measure="largest difference from PyTorch's derivative of arccos(1/x) at ±2 and ±3",
    error=lambda slope: _off_slope(slope, lambda x: torch.arccos(1 / x)),
    printed_version=lambda x: 1 / (x * np.sqrt(x**2 - 1)),
    right_version=arcsec.derivative,
)

ARCCSC_SLOPE = Erratum(
    title="The derivative of arccsc",
    printed="The table of derivatives gives -1 / (x √(x² - 1)).",
    right="-1 / (|x| √(x² - 1)): arccsc falls on both sides.",
    measure="largest difference from PyTorch's derivative of arcsin(1/x) at ±2 and ±3",
    error=lambda slope: _off_slope(slope, lambda x: torch.arcsin(1 / x)),
    printed_version=lambda x: -1 / (x * np.sqrt(x**2 - 1)),
    right_version=arccsc.derivative,
)

ERRATA = (
    EXAMPLE_WEIGHT,
    EXAMPLE_WEIGHT_GRADIENT,
    EXAMPLE_INPUT_GRADIENT,
    SQUARE_GRADIENT,
    LINEAR_LAYER_GRADIENTS,
    JACOBIAN_ENTRIES,
    ARCSEC_SLOPE,
    ARCCSC_SLOPE,
)
