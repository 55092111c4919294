"""Pictures of losses and penalties: what a score costs, and how hard it is pulled."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lessons.pictures.chart import LEFT, RIGHT, SAMPLES, chart, panel
from lessons.pictures.drawing import WIDTH, caption, numbers, picture
from pellucid.plots import axes, svg
from pellucid.scratch.checks.softmax_curvature import softmax_hessian
from pellucid.scratch.losses.adversarial import generator_loss, saturating_generator_loss
from pellucid.scratch.losses.binary_cross_entropy import binary_cross_entropy
from pellucid.scratch.losses.kl import kl_divergence
from pellucid.scratch.losses.l1 import l1_loss
from pellucid.scratch.losses.l2 import l2_loss
from pellucid.scratch.losses.penalties import elastic_net_penalty, l1_penalty, l2_penalty
from pellucid.scratch.losses.smooth_l1 import smooth_l1_loss
from pellucid.scratch.losses.softmax import softmax_loss
from pellucid.scratch.losses.squared_hinge import squared_hinge_loss
from pellucid.scratch.losses.svm import svm_loss
from pellucid.scratch.losses.temporal_softmax import temporal_softmax_loss

Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]
OTHERS = (1.0, -1.0)  # scores of the two wrong classes


def along(loss: Loss, x: np.ndarray, entry: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The loss and its slope in one entry, for samples (S, ...) one by one."""
    found = [loss(sample) for sample in x]
    return np.array([value for value, _ in found]), np.array([gradient.flat[entry] for _, gradient in found])


def against_score(title: str, loss: Callable[[np.ndarray, np.ndarray], Any], name: str, compared: bool = True) -> str:
    """A loss of three classes against the score of the right one; the hinge is drawn in grey to compare with."""
    right = np.linspace(-3, 5, SAMPLES)
    scores = np.stack([right, *(np.full_like(right, score) for score in OTHERS)], axis=1)[:, None]  # (S, 1, 3)
    label = np.zeros(1, dtype=int)
    value, slope = along(lambda x: loss(x, label), scores)
    lines: dict[str, tuple[Any, int]] = {name: (value, 1), "its slope": (slope, 2)}
    if compared:
        lines["hinge"] = (along(lambda x: svm_loss(x, label), scores)[0], 6)
    spoken = f"{name} and its slope; the two other classes have the scores 1 and -1."
    return chart(title, spoken, right, lines, "score of the right class; the others have 1 and −1", (-5, 7.2))


def against_difference(title: str, loss: Callable[[np.ndarray, np.ndarray], Any], squared: bool = True) -> str:
    """A loss of one number against how far it is off; the squared distance in grey to compare with."""
    x = np.linspace(-3, 3, SAMPLES)
    target = np.zeros(1)
    value, slope = along(lambda here: loss(here, target), x[:, None])
    lines: dict[str, tuple[Any, int]] = {"loss": (value, 1), "its slope": (slope, 2)}
    if squared:
        lines["squared"] = (along(lambda here: l2_loss(here, target), x[:, None])[0], 6)
    return chart(title, f"{title}: loss and slope from -3 to 3.", x, lines, "output − target", (-3.2, 4.2))


def svm() -> str:
    return against_score("Two wrong classes, two kinks; then it stops caring", svm_loss, "hinge", False)


def squared_hinge() -> str:
    return against_score("No kink, and large violations cost much more", squared_hinge_loss, "squared hinge")


def softmax() -> str:
    return against_score("Never quite satisfied: the slope is p − 1", softmax_loss, "softmax loss")


def yes_or_no() -> str:
    """Both targets."""
    x = np.linspace(-5, 5, SAMPLES)
    yes, slope = along(lambda here: binary_cross_entropy(here, np.ones(1)), x[:, None])
    no, _ = along(lambda here: binary_cross_entropy(here, np.zeros(1)), x[:, None])
    return chart(
        "The slope is σ(x) − y: how wrong the answer is",
        "Binary cross-entropy for targets 1 and 0, and the slope for target 1.",
        x,
        {"target 1": (yes, 1), "its slope": (slope, 2), "target 0": (no, 3)},
        "score",
    )


def adversarial() -> str:
    """The generator's two losses, and how hard each pulls."""
    x = np.linspace(-6, 4, SAMPLES)
    lines: dict[str, tuple[Any, int]] = {}
    for name, loss, colours in (
        ("−ln D", generator_loss, (1, 2)),
        ("ln(1 − D)", saturating_generator_loss, (5, 4)),
    ):
        value, slope = along(loss, x[:, None])
        lines |= {name: (value, colours[0]), f"slope of {name}": (slope, colours[1])}
    return chart(
        "Seen through (left), only −ln D still has a slope",
        "Two losses of a generator against the score of its sample, with their slopes.",
        x,
        lines,
        "score of a generated sample",
        (-4.2, 6.2),
    )


def l1() -> str:
    return against_difference("The pull is the same, however far off", l1_loss)


def l2() -> str:
    return against_difference("Twice as far off, twice the pull", l2_loss, squared=False)


def smooth_l1() -> str:
    return against_difference("A pull that fades near 0 and never exceeds 1", smooth_l1_loss)


def kullback_leibler() -> str:
    """Between coins, in both directions."""
    q = np.linspace(0.005, 0.995, SAMPLES)
    model, truth = np.stack([q, 1 - q], axis=1), np.array([0.3, 0.7])
    return chart(
        "0 only where p = q, and not the same both ways",
        "Both divergences between a coin with probability 0.3 and one with probability q.",
        q,
        {
            "KL(p ‖ q)": ([kl_divergence(truth, row)[0] for row in model], 1),
            "KL(q ‖ p)": ([kl_divergence(row, truth)[0] for row in model], 2),
        },
        "q of the model's coin; the true p is 0.3",
        (-0.1, 2.0),
    )


def over_time() -> str:
    """What each step costs; nothing where the sentence is over."""
    rng = np.random.default_rng(3)
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=bool)
    x, y = 2 * rng.standard_normal((2, 5, 4)), rng.integers(0, 4, (2, 5))
    y[~mask] = 0
    loss, dx = temporal_softmax_loss(x, y, mask)
    costs = np.full(mask.shape, np.nan)
    for n, t in np.argwhere(mask):
        only = np.zeros_like(mask)
        only[n, t] = True
        costs[n, t] = 2 * temporal_softmax_loss(x, y, only)[0]  # one step alone, not averaged over the two sentences
    parts = [caption(0, 50, "cost of each step, −ln p; grey is padding")]
    parts += numbers(0, 60, costs, lambda n, t: "f1 light" if mask[n, t] else "f6 pale", 44)
    for n, total in enumerate(np.nansum(costs, axis=1)):
        parts.append(svg.text(236, 87 + 44 * n, f"sentence {n + 1}: {total:.2f}"))
    parts.append(svg.text(0, 174, f"L = mean over sentences = {loss:.2f}"))
    parts.append(caption(0, 208, "gradient of the first score at each step: 0 where nothing counts"))
    parts += numbers(0, 218, dx[:, :, 0], lambda n, t: "f2 light" if mask[n, t] else "f6 pale", 44)
    return picture("A loss at every step; padding is not counted", 312, "Costs of steps, and gradients.", parts)


def curvature() -> str:
    """Eigenvalues without and with a penalty."""
    rng = np.random.default_rng(0)
    W, X, reg = 0.3 * rng.standard_normal((3, 4)), rng.standard_normal((40, 3)), 0.04
    plain, lifted = (np.linalg.eigvalsh(softmax_hessian(W, X, strength))[::-1] for strength in (0.0, reg))
    swatches = [(svg.rect(0, -8, 22, 12, f"f{n + 1}"), name) for n, name in enumerate(("no penalty", f"λ = {reg}"))]
    parts, tall = svg.key_rows(swatches, WIDTH, 0, 28)
    area = panel(LEFT, 58 + tall, RIGHT - LEFT, 160, (0, 13), (0, 0.5))
    ratio = f"curvature; largest / smallest is {lifted[0] / lifted[-1]:.1f} with the penalty"
    parts += axes.y_axis(area.up, LEFT, RIGHT, ratio)
    for n, values in enumerate(zip(plain, lifted, strict=True)):
        for side, value in enumerate(values):
            x, y = area.at(n + 0.6 + 0.4 * side, max(float(value), 0.0))
            parts.append(svg.rect(x, y, 11, area.up.start - y, f"f{side + 1}"))
    bottom = area.up.start + 20
    parts.append(caption(RIGHT, bottom, "the 12 directions of W, steepest first; 3 are flat without it", "end"))
    return picture("A penalty lifts every curvature by 2 λ", bottom + 12, "Eigenvalues of the Hessian.", parts)


def penalised() -> str:
    """Where the data's bowl touches each penalty's level line."""
    centre = np.array([0.6, 1.4])
    parts = []
    grid = np.stack(np.meshgrid(np.linspace(-1.5, 1.5, 97), np.linspace(-0.75, 2.25, 97)), axis=-1)

    def data(w: np.ndarray) -> np.ndarray:
        d = w - centre
        return 1.2 * d[..., 0] ** 2 + 0.8 * d[..., 1] ** 2 - 0.6 * d[..., 0] * d[..., 1]

    for number, (name, penalty) in enumerate(
        (("L2", l2_penalty), ("L1", l1_penalty), ("elastic net", elastic_net_penalty))
    ):

        def cost(w: np.ndarray, penalty: Callable[..., Any] = penalty) -> np.ndarray:
            return np.array([penalty(point, 1.0)[0] for point in w.reshape(-1, 2)]).reshape(w.shape[:-1])

        best = grid[np.unravel_index(np.argmin(data(grid) + cost(grid)), grid.shape[:2])]
        area = panel(162 * number, 64, 150, 150, (-1.5, 1.5), (-0.75, 2.25))
        parts += [svg.text(162 * number, 54, name), *area.cross()]
        parts.append(area.contours(data, [0.1, 0.4, 0.9, 1.6, 2.5]))
        parts.append(area.contours(cost, [float(cost(best[None])[0])], "curve s2"))
        x, y = area.at(*best)
        parts += [svg.circle(x, y, 4.5, "f1"), svg.circle(*area.at(*centre), 3, "f6")]
        parts.append(caption(162 * number + 75, 234, f"({best[0]:.2f}, {best[1]:.2f})", "middle"))
    parts.append(caption(0, 262, "grey dot: best for the data alone; dashed: weights with the same penalty"))
    return picture("L1 sets a weight to 0, L2 makes both smaller", 272, "Three penalties.", parts)


PICTURES: dict[str, Callable[[], str]] = {
    "svm-loss": svm,
    "squared-hinge": squared_hinge,
    "softmax-loss": softmax,
    "binary-cross-entropy": yes_or_no,
    "temporal-softmax": over_time,
    "adversarial": adversarial,
    "softmax-curvature": curvature,
    "l1-loss": l1,
    "l2-loss": l2,
    "smooth-l1": smooth_l1,
    "kl-divergence": kullback_leibler,
    "penalties": penalised,
}
