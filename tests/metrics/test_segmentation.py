"""Segmentation metrics against a 3x3 picture counted by hand, scikit-learn, and ignored pixels."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from pellucid.core.errors import DataError
from pellucid.metrics.segmentation import (
    confusion,
    dice,
    frequency_weighted_iou,
    iou,
    mean_accuracy,
    mean_dice,
    mean_iou,
    pixel_accuracy,
)

MASK = torch.tensor([[[0, 0, 1], [0, 1, 1], [2, 2, 255]]])
PREDICTION = torch.tensor([[[0, 1, 1], [0, 1, 0], [2, 1, 2]]])


def test_three_by_three_by_hand() -> None:
    matrix = confusion(PREDICTION, MASK, 3)
    assert matrix.dtype == torch.int64
    assert matrix.tolist() == [[[2, 1, 0], [1, 2, 0], [0, 1, 1]]]
    matrix = matrix.sum(0)
    assert pixel_accuracy(matrix) == 5 / 8
    assert mean_accuracy(matrix) == pytest.approx((2 / 3 + 2 / 3 + 1 / 2) / 3)
    assert iou(matrix).tolist() == [2 / 4, 2 / 5, 1 / 2]
    assert mean_iou(matrix) == pytest.approx((1 / 2 + 2 / 5 + 1 / 2) / 3)
    assert dice(matrix).tolist() == pytest.approx([4 / 6, 4 / 7, 2 / 3])
    assert mean_dice(matrix) == pytest.approx((2 / 3 + 4 / 7 + 2 / 3) / 3)
    assert torch.allclose(dice(matrix), 2 * iou(matrix) / (1 + iou(matrix)))
    assert frequency_weighted_iou(matrix) == pytest.approx((3 * 1 / 2 + 3 * 2 / 5 + 2 * 1 / 2) / 8)


def test_ignored_pixels_do_not_matter_whatever_is_predicted_there() -> None:
    expected = confusion(PREDICTION, MASK, 3)
    for value in (0, 1, 2, 255, -7):
        changed = PREDICTION.clone()
        changed[0, 2, 2] = value
        assert torch.equal(confusion(changed, MASK, 3), expected)


def test_another_ignore_index_also_inside_the_classes() -> None:
    without_background = confusion(PREDICTION, MASK.where(MASK != 255, 0), 3, ignore_index=0)
    assert without_background.tolist() == [[[0, 0, 0], [1, 2, 0], [0, 1, 1]]]
    assert torch.equal(
        confusion(PREDICTION, MASK.where(MASK != 255, -1), 3, ignore_index=-1), confusion(PREDICTION, MASK, 3)
    )


def test_absent_classes_are_nan_and_left_out() -> None:
    matrix = confusion(PREDICTION, MASK, 5).sum(0)
    assert iou(matrix).isnan().tolist() == [False, False, False, True, True]
    smaller = confusion(PREDICTION, MASK, 3).sum(0)
    for function in (pixel_accuracy, mean_accuracy, mean_iou, mean_dice, frequency_weighted_iou):
        assert function(matrix) == function(smaller)


def test_a_class_that_is_only_predicted_counts_as_zero() -> None:
    matrix = confusion(torch.tensor([[[0, 1]]]), torch.tensor([[[0, 0]]]), 2).sum(0)
    assert iou(matrix).tolist() == [0.5, 0.0]
    assert mean_iou(matrix) == 0.25
    assert mean_accuracy(matrix) == 0.5
    assert frequency_weighted_iou(matrix) == 0.5


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 4), height=st.integers(1, 7), width=st.integers(1, 5))
def test_equals_scikit_learn_and_pictures_stay_apart(seed: int, n: int, height: int, width: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    k = 4
    predictions = torch.randint(0, k, (n, height, width), generator=generator)
    masks = torch.randint(0, k + 1, (n, height, width), generator=generator)
    masks[masks == k] = 255
    matrices = confusion(predictions, masks, k)
    for matrix, prediction, mask in zip(matrices, predictions, masks, strict=True):
        true, called = mask[mask != 255], prediction[mask != 255]
        assert torch.equal(matrix, confusion(prediction[None], mask[None], k)[0])
        if not len(true):
            assert not matrix.any()
            continue
        assert matrix.tolist() == sk.confusion_matrix(true, called, labels=range(k)).tolist()
        jaccard = sk.jaccard_score(true, called, labels=range(k), average=None, zero_division=0)
        assert iou(matrix).nan_to_num(0).tolist() == pytest.approx(jaccard.tolist())
        assert frequency_weighted_iou(matrix) == pytest.approx(sk.jaccard_score(true, called, average="weighted"))


def test_iou_of_many_pictures_at_once() -> None:
    masks = torch.cat([MASK, PREDICTION])
    matrices = confusion(PREDICTION.repeat(2, 1, 1), masks, 3)
    assert iou(matrices).shape == (2, 3)
    assert torch.equal(iou(matrices)[0], iou(matrices[0]))
    assert iou(matrices)[1].tolist() == [1, 1, 1]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_every_whole_number_type_is_read(dtype: torch.dtype) -> None:
    many = 300  # picture times class leaves the range of uint8 and int16
    masks = MASK.repeat(many, 1, 1)
    predictions = PREDICTION.repeat(many, 1, 1)
    result = confusion(predictions.to(dtype), masks.to(dtype), 200)
    assert torch.equal(result, confusion(predictions, masks, 200))
    assert result.sum() == many * 8


def test_nothing_counted_is_nan_and_not_an_error() -> None:
    assert confusion(torch.zeros(0, 2, 2, dtype=torch.int64), torch.zeros(0, 2, 2, dtype=torch.int64), 3).shape == (
        0,
        3,
        3,
    )
    all_ignored = confusion(torch.zeros(2, 1, 1, dtype=torch.int64), torch.full((2, 1, 1), 255), 3)
    assert all_ignored.shape == (2, 3, 3) and not all_ignored.any()
    for function in (pixel_accuracy, mean_accuracy, mean_iou, frequency_weighted_iou):
        assert math.isnan(function(all_ignored.sum(0)))


def test_bad_input_is_refused_in_one_line() -> None:
    mask = torch.tensor([[[0, 3]]])
    with pytest.raises(
        DataError, match=r"^Masks must hold 0\.\.2 \(3 classes\) or 255 \(ignored in the mask\), got 3\.$"
    ):
        confusion(torch.zeros_like(mask), mask, 3)
    with pytest.raises(DataError, match=r"^Masks must hold .*, got -1\.$"):
        confusion(torch.zeros_like(mask), mask - 1, 3)
    with pytest.raises(DataError, match=r"^Predictions must hold 0\.\.2 .*, got 3\.$"):
        confusion(mask, torch.zeros_like(mask), 3)
    with pytest.raises(DataError, match=r"^predictions must have shape \(N, H, W\) = \(1, 1, 2\), got \(1, 2, 1\)\.$"):
        confusion(mask.mT, mask, 3)
    with pytest.raises(DataError, match=r"^masks must have shape \(N, H, W\)"):
        confusion(mask[0], mask[0], 3)
