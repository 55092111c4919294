"""Numbers of a confusion matrix as sentences."""

from collections.abc import Sequence

import numpy as np

LISTED = 3  # other classes that are named
WORTH = 0.01  # share below which they are not


def called_instead(matrix: np.ndarray, classes: Sequence[str], k: int) -> str:
    """What the pixels of class k are called by mistake: "31% T-shirt, 12% background"."""
    return _listed(matrix[k], classes, k)


def instead_of(matrix: np.ndarray, classes: Sequence[str], k: int) -> str:
    """What the pixels that are called k are in truth, where they are not k."""
    return _listed(matrix[:, k], classes, k)


def confusions(matrix: np.ndarray, classes: Sequence[str], count: int) -> list[str]:
    """The confusions of most pixels: "31% of the pixels of shirt are called T-shirt"."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = [divmod(int(cell), len(matrix)) for cell in order if wrong.flat[cell]]
    return [
        f"{percent(wrong[true, called] / matrix[true].sum())} of the pixels of {classes[true]} are called "
        f"{classes[called]}"
        for true, called in pairs
    ]


def percent(share: float) -> str:
    """Whole percent, or one digit below ten."""
    return f"{share:.0%}" if share >= 0.0995 or share == 0 else f"{share:.1%}"


def _listed(counts: np.ndarray, classes: Sequence[str], k: int) -> str:
    total = counts.sum()
    others = [int(j) for j in np.argsort(-counts, kind="stable") if j != k]
    return ", ".join(
        f"{percent(counts[j] / total)} {classes[j]}" for j in others[:LISTED] if total and counts[j] >= WORTH * total
    )
