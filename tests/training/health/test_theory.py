"""Every loss of the package, measured at small random scores, is within 5 % of what theory says."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from pellucid.classic.linear.losses import one_vs_rest_squared_hinge, smooth_hinge
from pellucid.ops.losses import cross_entropy
from pellucid.scratch.losses.adversarial import discriminator_loss, generator_loss, saturating_generator_loss
from pellucid.scratch.losses.binary_cross_entropy import binary_cross_entropy
from pellucid.scratch.losses.kl import kl_divergence_of_scores
from pellucid.scratch.losses.softmax import softmax_loss
from pellucid.scratch.losses.squared_hinge import squared_hinge_loss
from pellucid.scratch.losses.svm import svm_loss
from pellucid.scratch.losses.temporal_softmax import temporal_softmax_loss
from pellucid.training.health.theory import AT_EQUAL_SCORES

N = 64
Scores = np.ndarray
Labels = np.ndarray


def pixels(x: Scores, y: Labels, weights: torch.Tensor | None = None, smoothing: float = 0.0) -> float:
    """Each sample as a picture of four pixels with the same label."""
    logits = torch.from_numpy(x)[:, :, None, None].expand(-1, -1, 2, 2)
    target = torch.from_numpy(y)[:, None, None].expand(-1, 2, 2)
    return float(cross_entropy(logits, target, ignore_index=255, weights=weights, label_smoothing=smoothing))


def weighted(x: Scores, y: Labels) -> float:
    return pixels(x, y, weights=torch.linspace(0.1, 3, x.shape[1]), smoothing=0.2)


MEASURED: list[tuple[str, Callable[[Scores, Labels], float]]] = [
    ("cross_entropy", lambda x, y: softmax_loss(x, y)[0]),
    ("cross_entropy", pixels),
    ("cross_entropy", weighted),
    ("hinge", lambda x, y: svm_loss(x, y)[0]),
    ("squared_hinge", lambda x, y: squared_hinge_loss(x, y)[0]),
    ("smooth_hinge", lambda x, y: smooth_hinge(x, y, 1.0)[0]),
    ("one_vs_rest_squared_hinge", lambda x, y: one_vs_rest_squared_hinge(x, y)[0]),
    ("binary_cross_entropy", lambda x, y: binary_cross_entropy(x, np.eye(x.shape[1])[y])[0]),
    ("discriminator", lambda x, y: discriminator_loss(x[:, 0], x[:, 1])[0]),
    ("generator", lambda x, y: generator_loss(x[:, 0])[0]),
    ("saturating_generator", lambda x, y: saturating_generator_loss(x[:, 0])[0]),
    ("kl_divergence", lambda x, y: kl_divergence_of_scores(np.eye(x.shape[1])[y], x)[0]),
]


@pytest.mark.parametrize("n_classes", [2, 10, 100])
@pytest.mark.parametrize(("name", "measure"), MEASURED, ids=[f"{k}-{row[0]}" for k, row in enumerate(MEASURED)])
def test_measured_is_within_five_per_cent_of_theory(
    name: str, measure: Callable[[Scores, Labels], float], n_classes: int
) -> None:
    rng = np.random.default_rng(n_classes)
    scores, labels = 0.01 * rng.standard_normal((N, n_classes)), rng.integers(0, n_classes, N)
    assert measure(scores, labels) == pytest.approx(AT_EQUAL_SCORES[name](n_classes), rel=0.05)


def test_every_row_of_the_table_is_measured() -> None:
    assert {name for name, _ in MEASURED} == set(AT_EQUAL_SCORES)


def test_temporal_softmax_counts_its_steps() -> None:
    rng = np.random.default_rng(0)
    scores, labels = 0.01 * rng.standard_normal((8, 5, 10)), rng.integers(0, 10, (8, 5))
    loss, _ = temporal_softmax_loss(scores, labels, np.ones((8, 5), dtype=bool))
    assert loss == pytest.approx(5 * math.log(10), rel=0.05)


def test_numbers_of_the_course() -> None:
    assert AT_EQUAL_SCORES["cross_entropy"](10) == pytest.approx(2.302585)
    assert AT_EQUAL_SCORES["hinge"](10) == 9


def test_too_large_scores_leave_the_bound() -> None:
    rng = np.random.default_rng(0)
    scores, labels = 3 * rng.standard_normal((N, 10)), rng.integers(0, 10, N)
    assert softmax_loss(scores, labels)[0] > 1.4 * AT_EQUAL_SCORES["cross_entropy"](10)
