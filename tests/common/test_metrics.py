"""What every metric must hold. A public function of the metric modules that is not listed here fails."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import astuple, is_dataclass
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from pellucid.metrics import borders, calibration, classification, segmentation

K = 4
Case = Callable[[Tensor, Tensor], Any]
HELPERS = {"labelled", "as_counts", "usual_tolerance"}  # these change the form of the input and measure nothing


def of_matrix(metric: Callable[[Tensor], Any]) -> Case:
    return lambda probabilities, labels: metric(classification.confusion_matrix(probabilities, labels))


def of_pixels(metric: Callable[[Tensor], Any]) -> Case:
    def call(probabilities: Tensor, labels: Tensor) -> Any:
        masks = torch.where(labels == -1, 255, labels).view(-1, 1, 1)  # every record is a picture of one pixel
        return metric(segmentation.confusion(probabilities.argmax(1).view(-1, 1, 1), masks, K).sum(0))

    return call


def of_stripes(metric: Callable[[Tensor, Tensor], Any]) -> Case:
    """Every record is a picture of two pixels: what it is, and class 0."""

    def call(probabilities: Tensor, labels: Tensor) -> Any:
        both = torch.stack([probabilities.argmax(1), labels], dim=1)
        pictures = torch.stack([both, torch.where(labels == -1, -1, 0)[:, None].expand(both.shape)], dim=2)[:, :, None]
        return metric(pictures[:, 0], torch.where(pictures[:, 1] == -1, 255, pictures[:, 1]))

    return call


CASES: Mapping[ModuleType, Mapping[str, Case]] = {
    classification: {
        "top_k_accuracy": lambda p, y: classification.top_k_accuracy(p, y, 2),
        "confusion_matrix": classification.confusion_matrix,
        "accuracy": of_matrix(classification.accuracy),
        "per_class": of_matrix(classification.per_class),
        "balanced_accuracy": of_matrix(classification.balanced_accuracy),
        "macro_f1": of_matrix(classification.macro_f1),
        "most_confused": of_matrix(classification.most_confused),
        "confident_errors": lambda p, y: p[classification.confident_errors(p, y)],
    },
    calibration: {
        "reliability": calibration.reliability,
        "expected_calibration_error": calibration.expected_calibration_error,
        "brier_score": calibration.brier_score,
        "negative_log_likelihood": calibration.negative_log_likelihood,
    },
    segmentation: {
        "confusion": of_pixels(lambda matrix: matrix),
        "pixel_accuracy": of_pixels(segmentation.pixel_accuracy),
        "mean_accuracy": of_pixels(segmentation.mean_accuracy),
        "iou": of_pixels(segmentation.iou),
        "mean_iou": of_pixels(segmentation.mean_iou),
        "dice": of_pixels(segmentation.dice),
        "mean_dice": of_pixels(segmentation.mean_dice),
        "frequency_weighted_iou": of_pixels(segmentation.frequency_weighted_iou),
    },
    borders: {
        "boundary_counts": of_stripes(lambda called, true: borders.boundary_counts(called, true, K).sum(0)),
        "boundary_f1": of_stripes(lambda called, true: borders.boundary_f1(borders.boundary_counts(called, true, K))),
        "mean_boundary_f1": of_stripes(
            lambda called, true: borders.mean_boundary_f1(borders.boundary_counts(called, true, K))
        ),
        "border_errors": of_stripes(lambda called, true: borders.border_errors(called, true).sum(0)),
        "trimap_accuracy": of_stripes(
            lambda called, true: borders.trimap_accuracy(borders.border_errors(called, true))
        ),
    },
}
ALL = {
    f"{module.__name__.split('.')[-1]}.{name}": case for module, cases in CASES.items() for name, case in cases.items()
}
MEANS = ("accuracy", "top_k_accuracy", "brier_score", "negative_log_likelihood", "pixel_accuracy")
COUNTS = ("confusion_matrix", "confusion", "boundary_counts", "border_errors")
battery = pytest.mark.parametrize("case", ALL.values(), ids=ALL.keys())


def numbers(result: Any) -> Tensor:
    """Every number of a result, in one row."""
    if is_dataclass(result) and not isinstance(result, type):
        result = astuple(result)
    if isinstance(result, (tuple, list)):
        return torch.cat([numbers(part) for part in result]) if result else torch.zeros(0, dtype=torch.float64)
    return torch.as_tensor(result, dtype=torch.float64).flatten()


def same(left: Any, right: Any) -> bool:
    left, right = numbers(left), numbers(right)
    return left.shape == right.shape and torch.allclose(left, right, rtol=1e-12, atol=1e-15, equal_nan=True)


@pytest.fixture
def data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    probabilities = torch.randn(60, K, generator=generator, dtype=torch.float64).softmax(1)
    labels = torch.randint(0, K - 1, (60,), generator=generator)  # class K - 1 never occurs
    return probabilities, labels


@pytest.mark.parametrize("module", CASES, ids=lambda module: module.__name__)
def test_every_public_metric_is_in_the_battery(module: ModuleType) -> None:
    own = {
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert own - HELPERS == set(CASES[module])


@battery
def test_empty_input_is_defined(case: Case) -> None:
    result = numbers(case(torch.zeros(0, K), torch.zeros(0, dtype=torch.int64)))
    assert not result.isinf().any()


@battery
def test_order_does_not_matter(case: Case, data: tuple[Tensor, Tensor]) -> None:
    probabilities, labels = data
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    assert same(case(probabilities, labels), case(probabilities[order], labels[order]))


@battery
def test_unlabelled_records_do_not_matter(case: Case, data: tuple[Tensor, Tensor]) -> None:
    probabilities, labels = data
    padding = torch.eye(K, dtype=torch.float64).repeat(3, 1)
    padded = (
        torch.cat([padding, probabilities, padding]),
        torch.cat([torch.full((3 * K,), -1), labels, torch.full((3 * K,), -1)]),
    )
    assert same(case(probabilities, labels), case(*padded))


@battery
def test_repeating_every_record_changes_no_share(case: Case, data: tuple[Tensor, Tensor]) -> None:
    probabilities, labels = data
    once, twice = case(probabilities, labels), case(probabilities.repeat(2, 1), labels.repeat(2))
    if isinstance(once, float):
        assert same(once, twice)


@battery
def test_the_input_stays_as_it_was(case: Case, data: tuple[Tensor, Tensor]) -> None:
    probabilities, labels = data
    before = probabilities.clone(), labels.clone()
    case(probabilities, labels)
    assert torch.equal(probabilities, before[0]) and torch.equal(labels, before[1])


@battery
def test_one_record(case: Case, data: tuple[Tensor, Tensor]) -> None:
    probabilities, labels = data
    assert not numbers(case(probabilities[:1], labels[:1])).isinf().any()


@pytest.mark.parametrize("name", [name for name in ALL if name.split(".")[1] in MEANS])
def test_a_batch_is_the_mean_of_its_records(name: str, data: tuple[Tensor, Tensor]) -> None:
    singles = [ALL[name](p[None], y[None]) for p, y in zip(*data, strict=True)]
    assert ALL[name](*data) == pytest.approx(math.fsum(singles) / len(singles))


@pytest.mark.parametrize("name", [name for name in ALL if name.split(".")[1] in COUNTS])
def test_a_batch_is_the_sum_of_its_records(name: str, data: tuple[Tensor, Tensor]) -> None:
    singles = [ALL[name](p[None], y[None]) for p, y in zip(*data, strict=True)]
    assert torch.equal(ALL[name](*data), torch.stack(singles).sum(0))
