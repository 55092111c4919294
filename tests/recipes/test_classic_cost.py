"""What the demonstration of costs claims: nothing to train, and in proportion to predict."""

import numpy as np
import pytest
from write_questions import CLASSIC

SCRIPT = CLASSIC.load("cost_of_train_and_predict")


def test_distances_are_counted_not_assumed() -> None:
    assert [SCRIPT.counted_distances(n) for n in (1, 10, 250)] == [1, 10, 250]


def test_the_table_is_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SCRIPT, "SIZES", (100, 200, 400))
    header, rows, picture = SCRIPT.experiment()
    assert all(len(row) == len(header) for row in rows) and picture.startswith("<svg")
    assert [row[1] for row in rows] == ["0", "0", "0"]
    work = np.array([float(row[3].replace(",", "")) for row in rows])
    assert abs(SCRIPT.slope(np.array(SCRIPT.SIZES), work) - 1) < 1e-9


def test_the_slope_of_known_costs() -> None:
    sizes = np.array([10.0, 100.0, 1000.0])
    assert abs(SCRIPT.slope(sizes, 3 * sizes) - 1) < 1e-9
    assert abs(SCRIPT.slope(sizes, np.full(3, 7.0))) < 1e-9


@pytest.mark.slow
def test_time_to_predict_grows_in_proportion() -> None:
    """Processor time, the best of several; the bounds are those of the claim."""
    sizes = np.array([40_000, 80_000, 160_000])  # of fewer samples, what every call costs is a part of the time
    assert 0.8 < SCRIPT.slope(sizes, np.array([SCRIPT.seconds(n, repeats=5)[1] for n in sizes])) < 1.2
