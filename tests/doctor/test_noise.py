"""Wrong labels: confident learning by hand, and on digits."""

import numpy as np
import pytest
from doctored import findings, prepared

from pellucid.core.errors import DataError
from pellucid.data.load import load
from pellucid.data.source import Source
from pellucid.doctor.labels.noise import confident_joint, doubt
from pellucid.runs.checking.cross_validated import cross_validated


def test_confident_joint_by_hand() -> None:
    """Thresholds: class 0 (0.9 + 0.8 + 0.1) / 3 = 0.6, class 1 (0.7 + 0.9) / 2 = 0.8."""
    first = np.array([0.9, 0.8, 0.1, 0.3, 0.1])
    probabilities, labels = np.stack([first, 1 - first], 1), np.array([0, 0, 0, 1, 1])
    assert confident_joint(probabilities, labels).tolist() == [[2, 1], [0, 1]]
    found = doubt(probabilities, labels)
    assert found.rows.tolist() == [2]
    assert found.suggested.tolist() == [1]
    np.testing.assert_allclose(found.margin, [0.8])
    np.testing.assert_allclose(found.joint, [[0.4, 0.2], [0.0, 0.4]])  # rows scaled to 3 and 2 of 5


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(DataError, match="sum to 1"):
        doubt(np.ones((3, 2)), np.zeros(3, int))
    with pytest.raises(DataError, match="label 2 has no column"):
        doubt(np.full((3, 2), 0.5), np.array([0, 1, 2]))


def digits(wrong: int, seed: int) -> tuple[Source, np.ndarray]:
    """300 digits, of which some have another label."""
    rng = np.random.default_rng(seed)
    known = load("digits")
    source = known.take(rng.choice(len(known), 300, replace=False))
    assert source.labels is not None
    bad = rng.choice(300, wrong, replace=False)
    source.labels = source.labels.copy()
    source.labels[bad] = (source.labels[bad] + rng.integers(1, 10, wrong)) % 10
    return source, bad


@pytest.mark.parametrize("seed", [0, 1])
def test_fifteen_wrong_labels_of_three_hundred(seed: int) -> None:
    source, bad = digits(15, seed)
    found = findings(source, probabilities=cross_validated(prepared(source)))
    assert set(found) == {"label-noise"}
    doubted = found["label-noise"].rows
    right = np.isin(doubted, bad)
    assert right.sum() >= 10
    assert (~right).sum() <= 5
    assert right[:5].all()  # the clearest come first


def test_right_labels_are_no_alarm() -> None:
    source, _ = digits(0, 2)
    assert findings(source, probabilities=cross_validated(prepared(source))) == {}


def test_probabilities_are_of_pictures_not_seen_and_repeat() -> None:
    source, _ = digits(0, 3)
    source.labels[7] = -1  # type: ignore[index]
    splits = prepared(source)
    first, again = cross_validated(splits), cross_validated(splits)
    assert first is not None
    np.testing.assert_array_equal(first, again)
    assert np.isnan(first[7]).all()
    rows = np.arange(300) != 7
    np.testing.assert_allclose(first[rows].sum(axis=1), 1, atol=1e-6)
    assert (first[rows].argmax(axis=1) == source.labels[rows]).mean() > 0.9  # type: ignore[index]
