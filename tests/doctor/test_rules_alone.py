"""Rules on hand-made numbers, where the answer is known: what each of their conditions is for."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

from pellucid.doctor.labels.noise import judge_noise
from pellucid.doctor.pictures.measures import measure
from pellucid.doctor.pictures.sizes import judge_sizes
from pellucid.doctor.sides.drift import differences
from pellucid.doctor.sides.groups import judge_groups


@pytest.mark.parametrize(("usual", "status"), [((0.84, 0.13, 0.03), "info"), ((0.96, 0.01, 0.03), "warn")])
def test_classes_that_are_often_mixed_up_are_no_wrong_labels(usual: tuple[float, ...], status: str) -> None:
    """Five pictures of shirts look like coats for sure; that counts where shirts hardly ever look like coats."""
    rows = [usual] * 30 + [(0.04, 0.95, 0.01)] * 5 + [(0.08, 0.9, 0.02)] * 35 + [(0.02, 0.02, 0.96)] * 35
    (found,) = judge_noise(np.array(rows), np.repeat([0, 1, 2], 35), ("shirt", "coat", "bag"))
    assert found.verdict.status == status
    assert found.rows == (30, 31, 32, 33, 34)


def test_each_comparison_of_sides_is_that_of_the_textbook() -> None:
    """Kolmogorov and Smirnov's, of all pictures and of each class alone; p times the number of comparisons."""
    rng = np.random.default_rng(0)
    values = rng.normal(100, 10, (160, 1))
    labels = np.arange(160) % 2
    values[labels == 1] += 30  # another class, other pictures
    train, val = np.arange(0, 100), np.arange(100, 160)
    (alone,) = differences({"mean": values}, None, ("a", "b"), val, train)
    expected = ks_2samp(values[val, 0], values[train, 0], method="asymp")
    assert (alone.distance, alone.p) == pytest.approx((expected.statistic, expected.pvalue))
    first, *_ = differences({"mean": values, "contrast": values}, None, ("a", "b"), val, train)
    assert first.p == pytest.approx(min(1.0, 2 * expected.pvalue))
    found = {each.what: each for each in differences({"mean": values}, labels, ("a", "b"), val, train)}
    of_a = ks_2samp(values[val[labels[val] == 0], 0], values[train[labels[train] == 0], 0], method="asymp")
    assert found["mean of grey among a"].distance == pytest.approx(of_a.statistic)


def test_what_has_no_group_is_in_none() -> None:
    sides = {"train": np.array([0, 1]), "val": np.array([2, 3])}
    assert judge_groups(["a", None, None, "b"], sides) == []
    assert judge_groups(["a", None, "a", "b"], sides)[0].pairs == ((0, 2),)


def test_a_square_among_banners_is_not_odd() -> None:
    banners = [[100, 400]] * 20
    assert judge_sizes(np.array([*banners, [200, 200]])) == []
    assert judge_sizes(np.array([*banners, [400, 100]]))[0].rows == (20,)


def test_padding_is_no_part_of_a_picture() -> None:
    images = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    images[0, :4, :6], images[1] = 200, 50
    pack: Any = SimpleNamespace(images=images, targets={"valid_hw": np.array([[4, 6], [8, 8]])})
    found = measure(pack)
    assert found.mean.tolist() == [[200.0] * 3, [50.0] * 3]
    assert (found.low.tolist(), found.high.tolist()) == ([200.0, 50.0], [200.0, 50.0])
    assert found.spread.tolist() == [0.0, 0.0]
