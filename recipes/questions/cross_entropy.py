"""What is cross-entropy, and why not the squared error?

H(p, q) = -Σ p ln q: the truth is p, the model says q, and -ln q is how surprised the model is. It is H(p) + KL(p ‖ q):
what nobody could know, plus what the model gets wrong. H(p) does not depend on the model, so making H(p, q) small
makes KL small, and it is smallest where q = p. With a label that is certain H(p) is 0 and -ln of the probability of
the right class remains.

The table takes a label that is right nine times in ten. By the score, the gradient of cross-entropy is q - p: the
worse the answer, the stronger the pull. The squared error (q - p)² after a sigmoid has the factor q (1 - q) besides,
which goes to 0 where the sigmoid saturates. At a score of -10, as wrong as can be, it hardly pulls at all.

    python recipes/questions/cross_entropy.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.activations.sigmoid import sigmoid_backward, sigmoid_forward
from pellucid.scratch.losses.kl import cross_entropy, entropy, kl_divergence, kl_divergence_of_scores
from pellucid.scratch.losses.l2 import l2_loss

P = 0.9  # how often the label is right


def parts(score: float) -> tuple[float, float, float, float]:
    """q, H(p), KL(p ‖ q) and H(p, q) for a model that gives the label this score and the other class 0."""
    q = float(sigmoid_forward(np.array(score))[0])
    truth, model = np.array([[P, 1 - P]]), np.array([[q, 1 - q]])
    return q, entropy(truth)[0], kl_divergence(truth, model)[0], cross_entropy(truth, model)[0]


def pulls(score: float) -> tuple[float, float]:
    """Gradients by the score: of the cross-entropy (KL's is the same, H(p) has none), and of (q - p)²."""
    of_entropy = kl_divergence_of_scores(np.array([[P, 1 - P]]), np.array([[score, 0.0]]))[1][0, 0]
    q, cache = sigmoid_forward(np.array([[score]]))
    of_square = sigmoid_backward(l2_loss(q, np.array([[P]]))[1], cache)[0, 0]
    return float(of_entropy), float(of_square)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """The parts of the cross-entropy and both gradients, from wrong to too sure."""
    rows = []
    for score in (-10.0, -5.0, 0.0, np.log(9.0), 5.0):
        values = parts(score)
        rows.append([f"{score:.2f}", *(f"{value:.4f}" for value in values), *(f"{pull:.4f}" for pull in pulls(score))])
    rows[3][-2:] = ["0.0000", "0.0000"]  # rounding has a sign
    scores = np.linspace(-10, 10, 81)
    both = np.array([pulls(score) for score in scores])
    lines = {"cross-entropy": (scores, both[:, 0]), "squared error": (scores, both[:, 1])}
    picture = curves(lines, "How strongly a wrong score is pulled back", "score of the label", "gradient")
    header = ["score", "q", "H(p)", "KL(p ‖ q)", "H(p, q)", "its gradient", "that of (q - p)²"]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(12) for cell in row))
