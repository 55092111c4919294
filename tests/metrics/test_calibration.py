"""Calibration against worked examples, scikit-learn, and what must hold for a calibrated model."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from pellucid.core.errors import ConfigError
from pellucid.metrics.calibration import (
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
)


def case(n: int = 500, k: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    probabilities = torch.from_numpy(rng.normal(size=(n, k)) * 3).softmax(1)
    return probabilities, torch.from_numpy(rng.integers(0, k, n))


def test_worked_example() -> None:
    # Confidences .9 right, .9 wrong, .6 right, .6 right in 2 bins: |.75 - .75| = 0; in 5 bins .4 and .4.
    probabilities = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]], dtype=torch.float64)
    labels = torch.tensor([0, 1, 1, 1])
    assert expected_calibration_error(probabilities, labels, n_bins=2) == pytest.approx(0, abs=1e-12)
    assert expected_calibration_error(probabilities, labels, n_bins=10) == pytest.approx((2 * 0.4 + 2 * 0.4) / 4)
    bins = reliability(probabilities, labels, n_bins=10)
    assert bins.edges.tolist() == pytest.approx([i / 10 for i in range(11)])
    assert bins.count.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 2, 0]
    assert bins.confidence[[5, 8]].tolist() == pytest.approx([0.6, 0.9])
    assert bins.accuracy[[5, 8]].tolist() == [1, 0.5]
    assert bins.accuracy.isnan().sum() == bins.confidence.isnan().sum() == 8


def test_bins_are_open_below_and_closed_above() -> None:
    probabilities = torch.tensor([[0.5, 0.5], [1.0, 0.0], [0.0, 0.0]])
    assert reliability(probabilities, torch.zeros(3, dtype=torch.int64), n_bins=2).count.tolist() == [2, 1]


def test_equals_a_plain_loop_over_bins() -> None:
    probabilities, labels = case()
    confidence, called = probabilities.max(1)
    expected = 0.0
    for low in range(15):
        inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if inside.any():
            gap = (called == labels)[inside].double().mean() - confidence[inside].mean()
            expected += float(inside.double().mean() * gap.abs())
    assert expected_calibration_error(probabilities, labels) == pytest.approx(expected)


def test_a_calibrated_model_has_nearly_no_error_and_a_boastful_one_much() -> None:
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.5, 1, 40_000)
    probabilities = torch.from_numpy(np.stack([sure, 1 - sure], 1))
    labels = torch.from_numpy((rng.uniform(size=len(sure)) > sure).astype(np.int64))
    # The gap of a bin of 40000 / 7.5 pictures is about 0.5 / sqrt(5300) = 0.007.
    assert expected_calibration_error(probabilities, labels) < 0.02
    boastful = torch.tensor([[1.0, 0.0]]).repeat(len(labels), 1)
    assert expected_calibration_error(boastful, labels) == pytest.approx(float(labels.double().mean()))


def test_brier_and_likelihood_equal_scikit_learn() -> None:
    probabilities, labels = case()
    one_hot = torch.nn.functional.one_hot(labels, 4)
    assert brier_score(probabilities, labels) == pytest.approx(4 * sk.mean_squared_error(one_hot, probabilities))
    assert negative_log_likelihood(probabilities, labels) == pytest.approx(sk.log_loss(labels, probabilities))
    two, binary = case(k=2)
    assert brier_score(two, binary) == pytest.approx(2 * sk.brier_score_loss(binary, two[:, 1]))


def test_ends_of_the_scales() -> None:
    labels = torch.tensor([0, 2, 1])
    certain = torch.eye(3)
    assert brier_score(certain[labels], labels) == negative_log_likelihood(certain[labels], labels) == 0
    wrong = certain[(labels + 1) % 3]
    assert brier_score(wrong, labels) == 2
    assert negative_log_likelihood(wrong, labels) == pytest.approx(87.336, abs=1e-3)
    uniform = torch.full((3, 3), 1 / 3)
    assert negative_log_likelihood(uniform, labels) == pytest.approx(math.log(3))
    assert brier_score(uniform, labels) == pytest.approx(2 / 3)


def test_the_argument_stays_as_it_was() -> None:
    probabilities, labels = case(5)
    before = probabilities.clone()
    brier_score(probabilities, labels)
    assert torch.equal(before, probabilities)


def test_nothing_labelled_is_nan() -> None:
    for n in (0, 2):
        probabilities, labels = torch.full((n, 3), 1 / 3), torch.full((n,), -1)
        for function in (expected_calibration_error, brier_score, negative_log_likelihood):
            assert math.isnan(function(probabilities, labels))
        bins = reliability(probabilities, labels)
        assert bins.count.tolist() == [0] * 15 and bins.accuracy.isnan().all()


def test_number_of_bins_is_checked() -> None:
    with pytest.raises(ConfigError, match=r"^n_bins must be 1 or more, got 0\.$"):
        reliability(*case(3), n_bins=0)
    probabilities, labels = case()
    called = probabilities.argmax(1)
    gap = float((called == labels).double().mean() - probabilities.max(1).values.mean())
    assert expected_calibration_error(probabilities, labels, n_bins=1) == pytest.approx(abs(gap))
