"""Mistakes about scores, losses and probabilities."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.errata.erratum import Erratum, apart
from pellucid.scratch.losses.kl import cross_entropy, entropy
from pellucid.scratch.losses.softmax import softmax, softmax_loss
from pellucid.scratch.losses.svm import svm_loss

Loss = Callable[[np.ndarray, np.ndarray], Any]

SCORES = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])  # cat, car, frog; one row a picture
LABELS = np.array([0, 1, 2])
TRUTH, MODEL = np.array([0.0, 1.0, 0.0]), np.array([0.2, 0.7, 0.1])
SPREAD = np.array([0.5, 0.3, 0.2])


def torch_hinge(scores: np.ndarray, y: np.ndarray) -> torch.Tensor:
    """PyTorch's hinge loss, the mean over samples of the sum over wrong classes: theirs divides by the classes."""
    return F.multi_margin_loss(torch.tensor(scores), torch.tensor(y)) * scores.shape[1]


# ------------------------------------------------------------------------------------------------ scores and hinge loss

CORRECT_CLASS_SCORES = Erratum(
    title="Which scores belong to the right classes",
    printed="The table of the SVM example sets 5.1, in the column of the cat, in bold: the score of its own class.",
    right="The scores of the right classes are 3.2 (cat), 4.9 (car) and -3.1 (frog); 5.1 is the cat's score as a car.",
    measure="difference from the first picture's printed loss of 2.9 with that score as the right one",
    error=lambda right: abs(sum(max(0.0, s - right + 1) for s in SCORES[0] if s != right) - 2.9),
    printed_version=5.1,
    right_version=3.2,
)


def _off_probabilities(outputs: np.ndarray) -> float:
    return max(apart(outputs.sum(axis=1), 1), -outputs.min(), outputs.max() - 1)


SCORES_ARE_NO_PROBABILITIES = Erratum(
    title="What a linear classifier gives out",
    printed="The notes on linear classifiers say that f(x, W) = Wx + b gives the probabilities of the classes.",
    right="It gives scores: any numbers, with any sum. Softmax turns them into probabilities.",
    measure="how far outputs for ten samples leave [0, 1] or a sum of 1",
    error=lambda version: _off_probabilities(version(np.random.default_rng(0).standard_normal((10, 4)))),
    printed_version=lambda x: x @ np.random.default_rng(1).standard_normal((4, 3)),
    right_version=lambda x: softmax(x @ np.random.default_rng(1).standard_normal((4, 3))),
)


def _svm_formula(w: np.ndarray, x: np.ndarray, label: Callable[[int, int], int]) -> float:
    """Mean of Σ over j ≠ y_i of max(0, w_j · x_i - w_label · x_i + 1)."""
    return float(
        np.mean(
            [
                sum(max(0.0, w[j] @ x[i] - w[label(i, j)] @ x[i] + 1) for j in range(len(w)) if j != LABELS[i])
                for i in range(len(x))
            ]
        )
    )


def _off_svm_formula(label: Callable[[int, int], int]) -> float:
    rng = np.random.default_rng(2)
    w, x = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    return apart(_svm_formula(w, x, label), torch_hinge(x @ w.T, LABELS))


SVM_FORMULA = Erratum(
    title="Whose weights the SVM loss subtracts",
    printed="The formula in the notes on the SVM exercise subtracts w_{y_j} · x, where j runs over classes.",
    right="The score of the sample's own class, w_{y_i} · x, is subtracted. Labels belong to samples, not to classes.",
    measure="difference from PyTorch's multi-margin loss, three samples and three classes",
    error=_off_svm_formula,
    printed_version=lambda i, j: LABELS[j],
    right_version=lambda i, j: LABELS[i],
)


def _off_svm_gradient(gradient: Loss) -> float:
    scores = torch.tensor(SCORES, requires_grad=True)
    loss = F.multi_margin_loss(scores, torch.tensor(LABELS), reduction="sum") * 3
    return apart(gradient(SCORES, LABELS), torch.autograd.grad(loss, scores)[0])


def _svm_gradient_printed(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    rows = np.arange(len(y))
    margins = scores - scores[rows, y][:, None] + 1
    margins[rows, y] = 0
    ds = (margins > 0).astype(float)
    ds[rows, y] = -1.0 * (margins > 0).any(axis=1)
    return ds


SVM_GRADIENT = Erratum(
    title="The gradient of the right score under the SVM loss",
    printed="The notes on the SVM exercise give dL/ds_y = -1 wherever the loss is above 0.",
    right="It is minus the number of classes that come too close: each of them pushes the right score up by 1.",
    measure="largest difference from PyTorch's gradient, for the three pictures of the SVM example",
    error=_off_svm_gradient,
    printed_version=_svm_gradient_printed,
    right_version=lambda scores, y: svm_loss(scores, y)[1] * len(y),
)


def _svm_layer_printed(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    N = x.shape[0]
    correct_scores = x[range(N), y].reshape(x.shape[0], -1)
    margins = np.maximum(0, x - correct_scores + 1)
    margins[range(N), y] = 0
    loss = np.sum(margins) / N
    margins[margins > 0] = 1
    margins[range(N, y)] = -np.sum(margins, axis=1)
    return loss, margins / N


SVM_LAYER_INDEX = Erratum(
    title="A bracket in the SVM layer",
    printed="The SVM layer in the notes on fully connected networks sets `margins[range(N, y)]`.",
    right="`margins[range(N), y]`: in each row the column of its label. `range` takes no array.",
    measure="difference from PyTorch's multi-margin loss",
    error=lambda layer: apart(layer(SCORES, LABELS)[0], torch_hinge(SCORES, LABELS)),
    printed_version=_svm_layer_printed,
    right_version=svm_loss,
)

INITIAL_HINGE_LOSS = Erratum(
    title="The SVM loss before training",
    printed="The notes on losses answer that with all scores near 0 the loss L_i is N × (C - 1).",
    right="L_i is C - 1, and so is the mean over samples. N (C - 1) is the sum over N samples, before the mean.",
    measure="difference from PyTorch's loss of 4 samples with 10 scores of 0",
    error=lambda version: apart(version(4, 10), torch_hinge(np.zeros((4, 10)), np.arange(4))),
    printed_version=lambda N, C: N * (C - 1),
    right_version=lambda N, C: C - 1,
)

# ----------------------------------------------------------------------------------------------------- the softmax loss


def _off_softmax(loss: Loss, scores: np.ndarray, y: np.ndarray) -> float:
    return apart(loss(scores, y), F.cross_entropy(torch.tensor(scores), torch.tensor(y)))


def _softmax_raw(scores: np.ndarray, y: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        p = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
        return float(np.sum(-np.log(p[range(len(y)), y])) / len(y))


def _softmax_log_of_p(x: np.ndarray, y: np.ndarray) -> float:
    scores = np.exp(x - x.max(axis=1, keepdims=True))
    p = scores / np.sum(scores, axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        return float(np.sum(-np.log(p[range(len(y)), y])) / len(y))


SOFTMAX_OVERFLOW = Erratum(
    title="Softmax of large scores",
    printed="Both softmax losses in the notes on the softmax exercise take exp of the scores as they are.",
    right="Subtract the largest score of the row first; the probabilities stay the same. exp overflows from 710 on.",
    measure="difference from PyTorch's loss for scores 1000, 999 and 0",
    error=lambda loss: _off_softmax(loss, np.array([[1000.0, 999.0, 0.0]]), np.array([1])),
    printed_version=_softmax_raw,
    right_version=lambda x, y: softmax_loss(x, y)[0],
)

SOFTMAX_UNDERFLOW = Erratum(
    title="The logarithm of a probability that became 0",
    printed="The softmax layer in the notes on fully connected networks subtracts the maximum, then takes log(p).",
    right="p itself may round to 0. Take log-sum-exp: L = max s + ln Σ exp(s - max s) - s_y, without p.",
    measure="difference from PyTorch's loss for scores 0 and -800, the second one right",
    error=lambda loss: _off_softmax(loss, np.array([[0.0, -800.0]]), np.array([1])),
    printed_version=_softmax_log_of_p,
    right_version=lambda x, y: softmax_loss(x, y)[0],
)


def _off_numerator(index: Callable[[int, int], int]) -> float:
    """The largest difference from PyTorch over samples i and values of the free index k."""
    truth = F.cross_entropy(torch.tensor(SCORES), torch.tensor(LABELS), reduction="none")
    shares = -np.log(softmax(SCORES))  # of every class
    return max(apart(shares[i, index(i, k)], truth[i]) for i in range(3) for k in range(3))


SOFTMAX_NUMERATOR = Erratum(
    title="The numerator of the softmax loss",
    printed="The notes on losses write L_i = -log(exp(s_k) / Σ_j exp(s_j)), with a k that nothing fixes.",
    right="L_i = -log(exp(s_{y_i}) / Σ_j exp(s_j)): the score of the sample's own class.",
    measure="largest difference from PyTorch's losses of three pictures, over all k",
    error=_off_numerator,
    printed_version=lambda i, k: k,
    right_version=lambda i, k: LABELS[i],
)


def _outside(bounds: tuple[float, float]) -> float:
    rng = np.random.default_rng(3)
    scores, y = 10 * rng.standard_normal((1000, 5)), rng.integers(0, 5, 1000)
    losses = F.cross_entropy(torch.tensor(scores), torch.tensor(y), reduction="none").numpy()
    return float(np.mean((losses < bounds[0]) | (losses > bounds[1])))


SOFTMAX_RANGE = Erratum(
    title="The range of the softmax loss",
    printed="The notes on losses answer: at most 0, at least minus infinity. (Another set has it right.)",
    right="At least 0, for a probability of 1; without upper limit, as the probability goes to 0.",
    measure="share of 1000 losses by PyTorch that lie outside",
    error=_outside,
    printed_version=(-np.inf, 0.0),
    right_version=(0.0, np.inf),
)

CERTAIN_PROBABILITIES = Erratum(
    title="Fully right, fully wrong",
    printed="The notes on the softmax loss give a fully right answer the probability 0 and a fully wrong one 1.",
    right="1 and 0. That is why the loss of a fully right answer is -ln 1 = 0.",
    measure="largest difference from the probability of the right class, scores 1000 and 0, then 0 and 1000",
    error=lambda claimed: apart(
        claimed, torch.softmax(torch.tensor([[1000.0, 0.0], [0.0, 1000.0]], dtype=torch.float64), 1)[:, 0]
    ),
    printed_version=(0.0, 1.0),
    right_version=(1.0, 0.0),
)


def _off_limit(limit: float) -> float:
    scores = torch.tensor([1000.0, 2.0, -1.0], dtype=torch.float64)  # the first one has been raised
    return float((torch.softmax(scores, 0)[1:] - limit).abs().max())


WRONG_CLASSES = Erratum(
    title="What happens to the wrong classes",
    printed="The notes that compare SVM and softmax say: the right one towards infinity drives the wrong ones to"
    " minus infinity.",
    right="Raising one score leaves the other scores where they are. Their probabilities go to 0, and the loss to 0.",
    measure="distance of that limit from PyTorch's softmax of the wrong classes, the right score at 1000",
    error=_off_limit,
    printed_version=-np.inf,
    right_version=0.0,
)

# --------------------------------------------------------------------------------------------------- information theory

KL_SIGN = Erratum(
    title="KL divergence from two entropies",
    printed="A heading in the notes on losses: KL divergence = entropy - cross-entropy.",
    right="Cross-entropy - entropy, which is never below 0: coding with the wrong distribution costs more, not less.",
    measure="difference from PyTorch's kl_div of (0.5, 0.3, 0.2) and (0.2, 0.7, 0.1)",
    error=lambda kl: apart(
        kl(SPREAD, MODEL), F.kl_div(torch.log(torch.tensor(MODEL)), torch.tensor(SPREAD), reduction="sum")
    ),
    printed_version=lambda p, q: entropy(p)[0] - cross_entropy(p, q)[0],
    right_version=lambda p, q: cross_entropy(p, q)[0] - entropy(p)[0],
)


def _cross_entropy_formula(p: np.ndarray, q: np.ndarray) -> float:
    """H(P, Q) = -Σ p log q, as printed."""
    with np.errstate(divide="ignore"):
        return float(-np.sum(p * np.log(q)))


KL_ROLES = Erratum(
    title="Which of the two is the truth",
    printed="The notes on losses say of H(P, Q) = -Σ p log q that P is the model's prediction and Q the truth.",
    right="P is the truth, Q the model. The other way round, a one-hot truth would stand under the logarithm.",
    measure="difference from -ln 0.7, the loss when the model gives 0.7 to the right class",
    error=lambda version: abs(version(TRUTH, MODEL) + np.log(0.7)),
    printed_version=lambda truth, model: _cross_entropy_formula(model, truth),
    right_version=lambda truth, model: cross_entropy(truth, model)[0],
)

ERRATA = (
    CORRECT_CLASS_SCORES,
    SCORES_ARE_NO_PROBABILITIES,
    SVM_FORMULA,
    SVM_GRADIENT,
    SVM_LAYER_INDEX,
    INITIAL_HINGE_LOSS,
    SOFTMAX_OVERFLOW,
    SOFTMAX_UNDERFLOW,
    SOFTMAX_NUMERATOR,
    SOFTMAX_RANGE,
    CERTAIN_PROBABILITIES,
    WRONG_CLASSES,
    KL_SIGN,
    KL_ROLES,
)
