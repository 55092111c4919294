"""The temperature of scores against a closed form, a search by SciPy, and what it must not change."""

import math

import pytest
import torch
from scipy.optimize import minimize_scalar

from pellucid.core.errors import DataError
from pellucid.metrics.calibration import expected_calibration_error, negative_log_likelihood
from pellucid.metrics.temperature import fit_temperature


def test_closed_form_of_two_classes() -> None:
    # Scores (2, 0), right three times of four: softmax(2 / T) must be 3/4, so T = 2 / ln 3.
    logits = torch.tensor([[2.0, 0.0]]).repeat(4, 1)
    assert fit_temperature(logits, torch.tensor([0, 0, 0, 1])) == pytest.approx(2 / math.log(3), rel=1e-6)


def test_no_other_temperature_is_likelier() -> None:
    torch.manual_seed(0)
    logits, labels = 5 * torch.randn(300, 4, dtype=torch.float64), torch.randint(4, (300,))
    logits[torch.arange(300), labels] += 4

    def cost(log_temperature: float) -> float:
        return negative_log_likelihood((logits / math.exp(log_temperature)).softmax(1), labels)

    best = minimize_scalar(cost, bounds=(-3, 3), method="bounded", options={"xatol": 1e-9})
    assert math.log(fit_temperature(logits, labels)) == pytest.approx(best.x, abs=1e-5)


def test_the_scale_of_the_scores_drops_out() -> None:
    torch.manual_seed(1)
    scores = torch.randn(500, 3)
    labels = torch.multinomial((2 * scores).softmax(1), 1)[:, 0]
    first, second = (fit_temperature(scale * scores, labels) for scale in (1.0, 7.0))
    assert second / first == pytest.approx(7, rel=1e-4)


def test_overconfident_scores_become_honest() -> None:
    torch.manual_seed(2)
    honest = torch.randn(4000, 5)
    labels = torch.multinomial(honest.softmax(1), 1)[:, 0]
    temperature = fit_temperature(6 * honest, labels)
    assert temperature == pytest.approx(6, rel=0.1)
    assert expected_calibration_error((6 * honest / temperature).softmax(1), labels) < 0.03


def test_scores_that_are_always_right_become_sure_and_stay_numbers() -> None:
    temperature = fit_temperature(torch.eye(3), torch.arange(3))  # the smaller the likelier
    assert 1e-3 <= temperature < 0.05
    assert float((torch.eye(3) / temperature).softmax(1).diagonal().min()) > 1 - 1e-12


def test_unlabelled_pictures_do_not_count() -> None:
    logits = torch.tensor([[2.0, 0.0]]).repeat(5, 1)
    assert fit_temperature(logits, torch.tensor([0, 0, 0, 1, -1])) == pytest.approx(2 / math.log(3), rel=1e-6)


def test_errors() -> None:
    with pytest.raises(DataError, match="none is labelled"):
        fit_temperature(torch.zeros(2, 3), torch.tensor([-1, -1]))
    with pytest.raises(DataError, match="labels must have shape"):
        fit_temperature(torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64))


def test_the_interval_ends_where_it_says() -> None:
    one = torch.tensor([[1.0, 0.0]])
    assert fit_temperature(one, torch.tensor([1])) == pytest.approx(1e3, rel=1e-6)  # always wrong: the flattest
