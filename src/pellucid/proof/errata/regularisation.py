"""Mistakes about penalties, about searching for their strength, about ensembles and about what to train."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch

from pellucid.proof.errata.erratum import Erratum, apart
from pellucid.scratch.losses.penalties import l1_penalty, l2_penalty
from pellucid.scratch.losses.softmax import softmax_loss_vectorized

REG = 0.5


def _off_network_penalty(penalty: Callable[[np.ndarray], tuple[float, np.ndarray]]) -> float:
    w = np.random.default_rng(0).standard_normal((3, 4))
    theirs = torch.tensor(w, requires_grad=True)
    truth = torch.autograd.grad(0.5 * REG * (theirs * theirs).sum(), theirs)[0]
    return apart(penalty(w)[1], truth)


REG_TWO_MEANINGS = Erratum(
    title="One name, two penalties",
    printed="In the notes on the exercises the linear classifiers add reg · ΣW² and the two-layer network half of that,"
    " both under the name reg and without a word.",
    right="Both are fine, with gradients 2 reg W and reg W. But the same reg is twice as strong in the first, so"
    " halve it there to compare them.",
    measure="largest difference of the gradient from that of the network's penalty by PyTorch, reg = 0.5",
    error=_off_network_penalty,
    printed_version=lambda w: l2_penalty(w, REG),
    right_version=lambda w: l2_penalty(w, REG / 2),
)


def _l1_gap() -> float:
    """L1 of w1 less that of w2, in the notes' example."""
    w1, w2 = np.array([1.0, 0.0, 0.0, 0.0]), np.full(4, 0.25)
    return l1_penalty(w1, 1.0)[0] - l1_penalty(w2, 1.0)[0]


L1_TIE = Erratum(
    title="What L1 prefers",
    printed="The notes on regularisation: of w1 = (1, 0, 0, 0) and w2 = (¼, ¼, ¼, ¼) L1 prefers w1.",
    right="Neither: both sums of sizes are 1. L1 makes weights sparse by its slope, which does not fade near 0, not by"
    " this example.",
    measure="distance of what it claims, -1 for w1, 0 for neither, from the sign of the difference",
    error=lambda claim: abs(claim - np.sign(_l1_gap())),
    printed_version=-1,
    right_version=0,
)

# --------------------------------------------------------------------------------------------------------------- search

X, Y = np.random.default_rng(1).standard_normal((20, 4)), np.arange(20) % 3
REGS = (1e4, 5e4, 1e5)


def _growth(grid: Sequence[tuple[float, float]]) -> float:
    """By how much the weights grow in one step, beyond 1, at the worst corner; W has entries of about 1."""
    w = np.random.default_rng(2).standard_normal((4, 3))
    steps = [np.abs(w - lr * softmax_loss_vectorized(w, X, Y, reg)[1]).max() / np.abs(w).max() for lr, reg in grid]
    return max(0.0, max(steps) - 1)


GRID_DIVERGES = Erratum(
    title="A corner of the grid",
    printed="The grid in the notes on the softmax exercise has learning rates up to 5e-5 and strengths up to 1e5.",
    right="Each step multiplies W by 1 - 2 lr reg, which is -9 in that corner and -4 beside it: W explodes. lr · reg"
    " must stay below 1, and does without 5e-5.",
    measure="growth of the largest weight in one step at the worst corner, beyond 1",
    error=_growth,
    printed_version=list(product((5e-8, 1e-7, 5e-5), REGS)),
    right_version=list(product((5e-8, 1e-7), REGS)),
)

SEARCH = """
best_val = -1
best_{declared} = None
for reg in [1e-3, 1e-1]:
    classifier, accuracy = train(reg)
    if accuracy > best_val:
        best_val = accuracy
        best_softmax = classifier
"""


def _train(reg: float) -> tuple[np.ndarray, float]:
    w = np.zeros((4, 3))
    for _ in range(10):
        w -= 0.1 * softmax_loss_vectorized(w, X, Y, reg)[1]
    return w, float(np.mean((X @ w).argmax(axis=1) == Y))


def _never_set(declared: str) -> int:
    """How many `best_...` are still None when the search is done."""
    names: dict[str, Any] = {"train": _train}
    exec(compile(SEARCH.format(declared=declared), "<notes>", "exec"), names)
    return sum(value is None for name, value in names.items() if name.startswith("best_"))


SEARCH_NAME = Erratum(
    title="The name of the best classifier",
    printed="The same search declares `best_svm = None` and then works with `best_softmax`.",
    right="One name. As printed, the declared one stays None; if no accuracy beats -1, the other does not exist.",
    measure="names of a best classifier that are still None after the search",
    error=_never_set,
    printed_version="svm",
    right_version="softmax",
)

# ------------------------------------------------------------------------------------------------------------ ensembles

ROUNDS = 30
POINTS = np.arange(60) / 60
INSIDE = np.where((POINTS >= 0.2) & (POINTS < 0.5), 1, -1)  # of an interval: any one threshold errs on a fifth at least

Stump = tuple[float, int]  # threshold and sign: the sign above the threshold, its opposite below


def best_stump(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Stump:
    """The threshold with the lowest weighted error, of all that lie halfway between neighbours, or below all."""
    places = np.unique(x)
    thresholds = [places[0] - 1, *(places[:-1] + places[1:]) / 2]
    return min(
        product(thresholds, (1, -1)),
        key=lambda stump: float(weight[says(stump, x) != y].sum() + 1e-12 * (stump[1] < 0)),
    )


def says(stump: Stump, x: np.ndarray) -> np.ndarray:
    """(N,) of -1 and 1."""
    threshold, sign = stump
    return np.where(x > threshold, sign, -sign)


def mean_of_independents(x: np.ndarray, y: np.ndarray) -> list[tuple[float, Stump]]:
    """Vote and stump of models that know nothing of each other, each trained on examples drawn with replacement."""
    rng = np.random.default_rng(0)
    drawn = (np.bincount(rng.integers(len(x), size=len(x)), minlength=len(x)) for _ in range(ROUNDS))
    return [(1 / ROUNDS, best_stump(x, y, counts / len(x))) for counts in drawn]


def adaboost(x: np.ndarray, y: np.ndarray) -> list[tuple[float, Stump]]:
    """Vote and stump of each round: what one gets wrong weighs more for the next. Freund & Schapire 1997."""
    weight = np.full(len(x), 1 / len(x))
    rounds = []
    for _ in range(ROUNDS):
        stump = best_stump(x, y, weight)
        right = says(stump, x) == y
        error = float(weight[~right].sum())
        vote = 0.5 * np.log((1 - error) / error)
        weight = weight * np.exp(np.where(right, -vote, vote))
        weight = weight / weight.sum()
        rounds.append((float(vote), stump))
    return rounds


def _committee_errs(train: Callable[[np.ndarray, np.ndarray], list[tuple[float, Stump]]]) -> float:
    score = np.sum([vote * says(stump, POINTS) for vote, stump in train(POINTS, INSIDE)], axis=0)
    return float(np.mean(np.sign(score) != INSIDE))


MEAN_IS_NOT_ADABOOST = Erratum(
    title="Averaging models is not AdaBoost",
    printed="One set of notes, on training several independent models and averaging what they say: that is in fact the"
    " idea of AdaBoost.",
    right="It is that of bagging: the mean errs less because the models err apart, and none is better for the others."
    " AdaBoost trains one after the other on what the earlier ones got wrong, and weighs their votes.",
    measure="share of 60 points that 30 stumps together get wrong, where the class is an interval",
    error=_committee_errs,
    printed_version=mean_of_independents,
    right_version=adaboost,
)

# ------------------------------------------------------------------------------------------------------------- transfer


def _transferred(trained: str) -> float:
    """Errors on a new task after 150 steps from features of an old one, training "last" or "all"."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (400, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(float)  # asks for both numbers together; the old task looked at the first alone
    features = np.c_[np.linspace(-3, 3, 16), 0.05 * rng.standard_normal(16)].T  # (2, 16)
    tensors = {"w": features, "b": 0.5 * rng.standard_normal(16), "v": np.zeros(16), "c": np.zeros(1)}
    w, b, v, c = (torch.tensor(value, requires_grad=True) for value in tensors.values())
    optimiser = torch.optim.Adam([v, c] if trained == "last" else [w, b, v, c], lr=0.1)
    inputs, target = torch.from_numpy(x), torch.from_numpy(y)
    for _ in range(150):
        score = torch.tanh(inputs @ w + b) @ v + c
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(score, target).backward()
        optimiser.step()
    return float(((score > 0) != (target > 0)).float().mean())


RETRAIN_AT_MOST_FC = Erratum(
    title="How much of a pretrained network to train again",
    printed="One set of notes: as a rule at most the FC layers are trained again. Another has three ways, by the size"
    " of the data: all of it, part of it, the last layers.",
    right="The size of the data and how like the old data it is decide together: few pictures, the last layer; many,"
    " everything. The rule of FC alone fails where features are asked for that the old task did not need.",
    measure="share of 400 examples of such a task that are wrong, training the last layer or everything",
    error=_transferred,
    printed_version="last",
    right_version="all",
    tolerance=0.05,
)

ERRATA = (REG_TWO_MEANINGS, L1_TIE, GRID_DIVERGES, SEARCH_NAME, MEAN_IS_NOT_ADABOOST, RETRAIN_AT_MOST_FC)
