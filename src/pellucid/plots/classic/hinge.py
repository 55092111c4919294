"""Loss against the score of the right class: the hinge falls with slope -1 to its margin, softmax for ever."""

from collections.abc import Sequence

import numpy as np

from pellucid.core.config import require
from pellucid.plots import axes, svg
from pellucid.scratch.losses.softmax import softmax_loss
from pellucid.scratch.losses.svm import svm_loss

WIDTH, RIGHT, AREA = 480.0, 464.0, 200.0


def hinge_losses(scores: np.ndarray, others: Sequence[float] = (0.0,), delta: float = 1.0) -> dict[str, np.ndarray]:
    """The losses of one sample while the score of its right class moves: "SVM" and "softmax", (N,) each.

    Args:
        scores: (N,) of the right class.
        others: scores of the wrong classes, which stay.
        delta: margin of the hinge.

    Raises:
        ConfigError: no other class.
    """
    require(len(others) > 0, "others", "the score of at least one wrong class", list(others))
    samples = [np.array([[score, *others]], dtype=np.float64) for score in np.asarray(scores, dtype=np.float64)]
    right = np.zeros(1, dtype=np.int64)
    return {
        "SVM": np.array([svm_loss(x, right, delta)[0] for x in samples]),
        "softmax": np.array([softmax_loss(x, right)[0] for x in samples]),
    }


def hinge(others: Sequence[float] = (0.0,), delta: float = 1.0, reach: float = 4.0) -> str:
    """Draw both losses, with a guide where the margin begins.

    Args:
        others: scores of the wrong classes.
        delta: margin of the hinge.
        reach: how far left and right of the last of the others' scores plus the margin.

    Returns:
        SVG.

    Raises:
        ConfigError: no other class, or no reach.
    """
    require(reach > 0, "reach", "above 0", reach)
    require(len(others) > 0, "others", "the score of at least one wrong class", list(others))
    margin = max(others) + delta
    x = np.union1d(np.linspace(margin - reach, margin + reach, 161), np.array(others, dtype=np.float64) + delta)
    losses = hinge_losses(x, others, delta)
    names = {"SVM": f"SVM, margin {delta:g}", "softmax": "softmax"}
    entries = [(svg.line(0, 0, 22, 0, f"curve s{n}"), names[name]) for n, name in enumerate(losses, 1)]
    title = "Loss of one sample while the score of its class rises"
    key, tall = svg.key_rows(entries, WIDTH, 0, 30)
    top = 30 + tall + 30
    bottom = top + AREA
    up = axes.fit(np.concatenate([*losses.values(), [0.0]]), bottom, top)
    left = axes.left_of(up)
    across = axes.fit(x, left, RIGHT, pad=0)
    guide = float(across(margin))
    parts = [svg.text(0, 18, title, "title"), *key, *axes.y_axis(up, left, RIGHT, "loss")]
    parts += axes.x_axis(across, bottom, "score of the right class")
    parts.append(svg.line(guide, top, guide, bottom, "guide"))
    parts.append(svg.text(guide + 8, top + 14, f"margin kept from {margin:g} on", "soft"))
    for n, loss in enumerate(losses.values(), 1):
        parts.append(svg.path([list(zip(across(x).tolist(), up(loss).tolist(), strict=True))], f"curve s{n}"))
    spoken = f"{title}: the SVM loss falls to 0 at {margin:g} and stays there; the softmax loss falls for ever."
    return svg.document(WIDTH, bottom + 46, spoken, parts)
