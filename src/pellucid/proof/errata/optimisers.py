"""Mistakes about descent and its variants."""

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import torch

from pellucid.proof.errata.erratum import Erratum
from pellucid.scratch.losses.svm import svm_loss_vectorized
from pellucid.scratch.optimisers.batches import batches
from pellucid.scratch.optimisers.momentum import sgd_momentum_unscaled
from pellucid.scratch.optimisers.sgd import sgd

Step = Callable[[np.ndarray, np.ndarray, dict[str, Any]], np.ndarray]

CURVATURE = np.array([1.0, 0.02])  # of a long bowl, along its two axes
START = np.array([1.0, 1.0])


def bowl(w: np.ndarray) -> float:
    """½ Σ λ w², whose gradient is λ w."""
    return float(0.5 * np.sum(CURVATURE * w**2))


def _descend(step: Step, steps: int) -> float:
    """The loss after so many steps, as a share of the first one."""
    w, state = START.copy(), dict[str, Any]()
    for _ in range(steps):
        w = step(w, CURVATURE * w, state)
    return bowl(w) / bowl(START)


def _rise(step: Step) -> float:
    return max(0.0, _descend(step, 5) - 1)


def _climb(w: np.ndarray, dx: np.ndarray, state: dict[str, Any]) -> np.ndarray:
    return w + 0.1 * dx


def _climb_with_momentum(w: np.ndarray, dx: np.ndarray, state: dict[str, Any]) -> np.ndarray:
    state["vx"] = 0.9 * state.get("vx", 0) + dx
    return w + 0.1 * state["vx"]


def _sgd(w: np.ndarray, dw: np.ndarray, state: dict[str, Any]) -> np.ndarray:
    return sgd(w, dw, {"learning_rate": 0.1})[0]


def _momentum(w: np.ndarray, dw: np.ndarray, state: dict[str, Any]) -> np.ndarray:
    state.update(learning_rate=0.1, momentum=0.9)
    return sgd_momentum_unscaled(w, dw, state)[0]


SGD_SIGN = Erratum(
    title="The sign of a step of SGD",
    printed="The code beside the formula of SGD has `x += learning_rate * dx`; the formula itself has a minus.",
    right="`x -= learning_rate * dx`. With a plus it climbs.",
    measure="rise of the loss in five steps on a bowl, as a share of the first loss",
    error=_rise,
    printed_version=_climb,
    right_version=_sgd,
)

MOMENTUM_SIGN = Erratum(
    title="The sign of a step with momentum",
    printed="The code beside the formula of momentum has `x += learning_rate * vx`, with `vx = rho * vx + dx`.",
    right="`x -= learning_rate * vx`. The code after it, `v = mu * v - learning_rate * dx` and `x += v`, is right.",
    measure="rise of the loss in five steps on a bowl, as a share of the first loss",
    error=_rise,
    printed_version=_climb_with_momentum,
    right_version=_momentum,
)


def _difference_momentum(w: np.ndarray, dw: np.ndarray, state: dict[str, Any]) -> np.ndarray:
    """The velocity takes Δf, by how much f has changed; the first time, all of it."""
    value = bowl(w)
    state["v"] = 0.9 * state.get("v", 0) + (value - state.get("f", 0.0))
    state["f"] = value
    return w - 0.1 * state["v"]


def _torch_momentum() -> float:
    w = torch.tensor(START, requires_grad=True)
    optimiser = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    for _ in range(100):
        w.grad = torch.tensor(CURVATURE) * w.detach()
        optimiser.step()
    return bowl(w.detach().numpy()) / bowl(START)


MOMENTUM_GRADIENT = Erratum(
    title="What the velocity adds up",
    printed="The notes on optimisation write v = ρ v + Δf(x), a difference of the function.",
    right="v = ρ v + ∇f(x), its gradient: a vector with a direction for every weight.",
    measure="difference from PyTorch's loss after 100 steps, as a share of the first loss",
    error=lambda step: abs(_descend(step, 100) - _torch_momentum()),
    printed_version=_difference_momentum,
    right_version=_momentum,
)


def _beside_plain(rho: float) -> float:
    """The loss after 100 steps with momentum, as a share of what is left without."""

    def step(w: np.ndarray, dw: np.ndarray, state: dict[str, Any]) -> np.ndarray:
        state.update(learning_rate=0.1, momentum=rho)
        return sgd_momentum_unscaled(w, dw, state)[0]

    return _descend(step, 100) / _descend(_sgd, 100)


USUAL_RHO = Erratum(
    title="The usual momentum",
    printed='The notes on momentum: "usually ρ = 0, takes 0.9 or 0.99".',
    right="Usually 0.9 or 0.99. With ρ = 0 it is plain SGD, as the next line there says.",
    measure="loss after 100 steps in a long bowl, as a share of that of plain SGD",
    error=_beside_plain,
    printed_version=0.0,
    right_version=0.9,
    tolerance=0.1,
)

# -------------------------------------------------------------------------------------------------------------- batches


def _samples_seen(rows: np.ndarray) -> int:
    """How many of 50 samples change the gradient on these rows when they change."""
    rng = np.random.default_rng(0)
    x, y, w = rng.standard_normal((50, 4)), rng.integers(0, 3, 50), np.zeros((4, 3))
    before = svm_loss_vectorized(w, x[rows], y[rows], 0.0)[1]
    seen = 0
    for sample in range(50):
        moved = x.copy()
        moved[sample] += 1
        seen += bool((svm_loss_vectorized(w, moved[rows], y[rows], 0.0)[1] != before).any())
    return seen


def _too_many(rows: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> float:
    """Samples that a step's gradient sees beyond the batch: single samples, then batches of 8."""
    drawn = [next(batches(50, size, 1, np.random.default_rng(1))).indices for size in (1, 8)]
    return max(_samples_seen(rows(batch, np.arange(50))) - len(batch) for batch in drawn)


GRADIENT_OF_BATCH = Erratum(
    title="Which samples a step of SGD looks at",
    printed="The pseudo-code of stochastic and mini-batch descent samples data, then takes the gradient on all the"
    " training samples.",
    right="The gradient on the samples drawn. That is the whole point: a step costs a batch, not the whole set.",
    measure="samples a step sees beyond its batch, 50 in all, batches of 1 and 8",
    error=_too_many,
    printed_version=lambda sampled, training: training,
    right_version=lambda sampled, training: sampled,
)

BATCH_SIZES = Erratum(
    title="Usual sizes of a mini-batch",
    printed="The notes on SGD give 34, 64 and 128 as examples. (Another set has 32 and 64.)",
    right="32, 64 and 128: each is twice the one before, a power of two.",
    measure="largest distance of their ratios from 2",
    error=lambda sizes: max(abs(after / before - 2) for before, after in pairwise(sizes)),
    printed_version=(34, 64, 128),
    right_version=(32, 64, 128),
)

# ---------------------------------------------------------------------------------------------------------------- loops

ADAM_BRACKET = "x -= learning_rate * first_unbias / (np.sqrt(second_unbias) + 1e-7))"
ADAM_LINE = "x -= learning_rate * first_unbias / (np.sqrt(second_unbias) + 1e-7)"
RANDOM_SEARCH = """
for count in {loop}(max_count):
    reg = 10**uniform(-5, 5)
    lr = 10**uniform(-3, -6)
    drawn.append((reg, lr))
"""


def _off_adam_line(line: str) -> float:
    """The first step from x = 1 with gradient 2, whose corrected moments are 2 and 4."""
    names: dict[str, Any] = {"np": np, "x": 1.0, "learning_rate": 0.1, "first_unbias": 2.0, "second_unbias": 4.0}
    exec(compile(line, "<notes>", "exec"), names)
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    x.grad = torch.tensor(2.0, dtype=torch.float64)
    torch.optim.Adam([x], lr=0.1, eps=1e-7).step()
    return abs(names["x"] - x.item())


ADAM_LAST_BRACKET = Erratum(
    title="A bracket in the loop of Adam",
    printed="The last line of Adam's loop in the notes on optimisation closes one bracket too many.",
    right="`x -= learning_rate * first_unbias / (np.sqrt(second_unbias) + 1e-7)`.",
    measure="difference from PyTorch's first step",
    error=_off_adam_line,
    printed_version=ADAM_BRACKET,
    right_version=ADAM_LINE,
)

ADAM_STEPS = Erratum(
    title="How often the loop of Adam runs",
    printed="`for t in range(1, num_iterations)`.",
    right="`range(1, num_iterations + 1)`: t begins at 1 for the bias correction, and the end of a range is left out.",
    measure="difference from 100 steps",
    error=lambda loop: abs(len(loop(100)) - 100),
    printed_version=lambda num_iterations: range(1, num_iterations),
    right_version=lambda num_iterations: range(1, num_iterations + 1),
)


def _missing_draws(loop: str) -> float:
    names: dict[str, Any] = {"uniform": Random(2).uniform, "max_count": 100, "drawn": []}
    exec(compile(RANDOM_SEARCH.format(loop=loop), "<notes>", "exec"), names)
    return abs(len(names["drawn"]) - 100)


RANDOM_SEARCH_LOOP = Erratum(
    title="The loop of random search",
    printed="The notes on hyperparameters loop over `xrange(max_count)`.",
    right="`range(max_count)`. xrange was Python 2.",
    measure="difference from 100 draws",
    error=_missing_draws,
    printed_version="xrange",
    right_version="range",
)

ERRATA = (
    SGD_SIGN,
    MOMENTUM_SIGN,
    MOMENTUM_GRADIENT,
    USUAL_RHO,
    GRADIENT_OF_BATCH,
    BATCH_SIZES,
    ADAM_LAST_BRACKET,
    ADAM_STEPS,
    RANDOM_SEARCH_LOOP,
)
