"""What have L1 and L2 to do with softmax?

They are parts of the same sum and judge different things. Softmax, or the SVM loss, looks at scores and labels: how
wrong is the answer? L1 and L2 as penalties look at the weights alone: how large are they? Training makes the sum
small: data loss + λ · penalty. One cannot replace the other: softmax alone lets the weights grow without end where
classes can be told apart, a penalty alone would have them all 0. (The same names also stand for distances, as in
nearest neighbours, and for losses of regression; always a sum of sizes or of squares.)

In the table the data loss is always softmax. A penalty raises it on the training samples, makes the weights
shorter and, with L1, most of them 0; on samples not seen before it lowers the loss.

    python recipes/questions/losses_and_penalties.py
"""

import numpy as np

from pellucid.plots.bars import bars
from pellucid.scratch.losses.penalties import l1_penalty, l2_penalty
from pellucid.scratch.losses.softmax import softmax_loss

CASES = (("none", 0.0), ("L2", 0.03), ("L1", 0.03))
RATE, STEPS = 0.3, 1500


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """60 training samples and 2000 others of three classes; two of the twelve inputs matter."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2060, 12))
    y = np.digitize(X[:, 0] + 0.7 * X[:, 1] + 0.6 * rng.standard_normal(2060), [-0.7, 0.7])
    return X[:60], y[:60], X[60:], y[60:]


def train(penalty: str, reg: float) -> np.ndarray:
    """Weights (12, 3) that make data loss + penalty small; L1 by shrinking towards 0 and stopping there."""
    X, y, _, _ = data()
    W = np.zeros((12, 3))
    for _ in range(STEPS):
        slope = X.T @ softmax_loss(X @ W, y)[1]
        slope += l2_penalty(W, reg if penalty == "L2" else 0.0)[1]
        W = W - RATE * slope
        W = np.sign(W) * np.maximum(np.abs(W) - (RATE * reg if penalty == "L1" else 0.0), 0)
    return W


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Both parts of the sum, the weights, and the loss on new samples."""
    X, y, X_new, y_new = data()
    rows, known, new = [], [], []
    for penalty, reg in CASES:
        W = train(penalty, reg)
        known.append(softmax_loss(X @ W, y)[0])
        new.append(softmax_loss(X_new @ W, y_new)[0])
        part = (l1_penalty if penalty == "L1" else l2_penalty)(W, reg)[0]
        cells = [known[-1], part, known[-1] + part, np.linalg.norm(W)]
        rows.append([penalty, f"{reg:g}", *(f"{cell:.3f}" for cell in cells), str(np.sum(W == 0)), f"{new[-1]:.3f}"])
    names = [f"{penalty}, λ = {reg:g}" if reg else penalty for penalty, reg in CASES]
    picture = bars({"training samples": known, "new samples": new}, names, "Softmax loss with each penalty")
    return ["penalty", "λ", "data loss", "penalty", "sum", "‖W‖", "zeros of 36", "loss on new samples"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(16) for cell in row))
