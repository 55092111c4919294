"""Why are δ and λ of the SVM loss one trade-off?

Multiply all weights by a: every score, and so every difference of scores, is multiplied by a. A margin of δ = 10 asks
for nothing but weights ten times as large as a margin of 1, and how large weights may be is what λ says. In symbols,
with W = δ V: loss(W; δ, λ) = δ · loss(V; 1, δ λ). So the pair (δ, λ) makes the same classifier as (1, δ λ), and δ = 1
can be kept while λ alone is searched.

The table trains from zero with learning rates in proportion to δ: pairs with the same product give the same V, step by
step, and the same answers. The last row has another product, and gets another V.

    python recipes/questions/delta_and_lambda.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.losses.svm import svm_loss_vectorized

PAIRS = ((1.0, 0.1), (10.0, 0.01), (0.1, 1.0), (10.0, 0.1))


def data() -> tuple[np.ndarray, np.ndarray]:
    """Samples (90, 4), a 1 for the bias among them, of three overlapping classes."""
    y = np.arange(90) % 3
    X = np.random.default_rng(0).standard_normal((90, 3)) + 1.5 * np.eye(3)[y]
    return np.concatenate([X, np.ones((90, 1))], axis=1), y


def train(delta: float, reg: float, steps: int = 300) -> np.ndarray:
    """Weights (4, 3) after gradient descent from zero."""
    X, y = data()
    W = np.zeros((4, 3))
    for step in range(steps):
        _, dW = svm_loss_vectorized(W, X, y, reg, delta)
        W -= delta * 0.2 / (1 + 0.02 * step) * dW
    return W


def experiment() -> tuple[list[str], list[list[str]], str]:
    """What each pair of δ and λ ends with."""
    X, y = data()
    rows = []
    for delta, reg in PAIRS:
        W = train(delta, reg)
        loss = svm_loss_vectorized(W, X, y, reg, delta)[0]
        scaled, accuracy = np.linalg.norm(W) / delta, np.mean((X @ W).argmax(axis=1) == y)
        cells = [np.linalg.norm(W), scaled, loss / delta, accuracy]
        rows.append([f"{delta:g}", f"{reg:g}", f"{delta * reg:g}", *(f"{cell:.4f}" for cell in cells)])
    products, lines = np.linspace(-3, 0, 7), {}
    for delta in (0.1, 1.0, 10.0):
        regs = products - np.log10(delta)
        lines[f"δ = {delta:g}"] = (regs, [np.linalg.norm(train(delta, 10**reg, 100)) / delta for reg in regs])
    picture = curves(lines, "Ten times the margin is ten times the penalty", "log10 of λ", "‖W‖ / δ")
    return ["δ", "λ", "δ λ", "‖W‖", "‖W‖ / δ", "loss / δ", "accuracy"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(16) for cell in row))
