"""How do the softmax and the SVM loss differ?

Both want the right score above the others. The SVM asks for a margin of 1 and then is content: loss 0, gradient 0,
whether the others lie at 9 or at -100. Softmax asks for a probability of 1, which no finite score gives: there is
always some loss and some gradient left, although soon too little to matter. And the SVM pulls with the same force
wherever a margin is violated, softmax in proportion to the probability that is missing.

In practice both end at similar classifiers. In the table the classes can be told apart: the SVM satisfies all its
margins and its weights come to rest, while softmax goes on for ever to make its weights longer, unless a penalty stops
it.

    python recipes/questions/softmax_against_svm.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.losses.softmax import softmax_loss, softmax_loss_vectorized
from pellucid.scratch.losses.svm import svm_loss, svm_loss_vectorized

EXAMPLES = ((10.0, -2.0, 3.0), (10.0, 9.0, 9.0), (10.0, 9.5, 9.5), (10.0, -100.0, -100.0), (-2.0, 3.0, 3.0))
STEPS = (100, 1000, 4000)


def training(kind: str, steps: int = max(STEPS)) -> list[float]:
    """Length of the weights (3, 3) before each step of gradient descent on three classes far apart."""
    y = np.arange(60) % 3
    X = np.random.default_rng(0).uniform(-0.5, 0.5, (60, 3)) + 2 * np.eye(3)[y]
    W, lengths = np.zeros((3, 3)), []
    loss = svm_loss_vectorized if kind == "SVM" else softmax_loss_vectorized
    for _ in range(steps + 1):
        lengths.append(float(np.linalg.norm(W)))
        W -= 0.1 * loss(W, X, y, 0.0)[1]
    return lengths


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Losses and gradients for single scores (the first is right), and weights in training without a penalty."""
    rows = []
    for scores in EXAMPLES:
        cells = [", ".join(f"{score:g}" for score in scores)]
        for loss in (svm_loss, softmax_loss):
            value, dx = loss(np.array([scores]), np.zeros(1, dtype=int))
            cells += [f"{abs(value):.4f}", f"{np.linalg.norm(dx):.2e}"]
        rows.append(cells)
    lengths = {kind: training(kind) for kind in ("SVM", "softmax")}
    for steps in STEPS:
        svm, soft = (f"{each[steps]:.4f}" for each in lengths.values())
        rows.append([f"‖W‖ after {steps} steps", svm, "–", soft, "–"])
    lines = {kind: (np.arange(0, max(STEPS) + 1, 20), each[::20]) for kind, each in lengths.items()}
    picture = curves(lines, "Training without a penalty", "step", "length of the weights")
    return ["scores, the first right", "SVM", "its gradient", "softmax", "its gradient"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(16) for cell in row))
