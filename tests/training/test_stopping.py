"""Which epoch is the best, and when the patience is used up."""

import json

import pytest

from pellucid.core.task import Metric
from pellucid.training.stopping import EarlyStopping

NAN = float("nan")
ACCURACY, LOSS = Metric("accuracy"), Metric("loss", higher_is_better=False)


def feed(tracker: EarlyStopping, values: list[float]) -> list[bool]:
    return [tracker.update(epoch, value) for epoch, value in enumerate(values)]


@pytest.mark.parametrize(
    ("metric", "values", "improved", "best"),
    [
        (ACCURACY, [0.1, 0.3, 0.2, 0.3, 0.4], [True, True, False, False, True], (0.4, 4)),
        (LOSS, [2.0, 1.0, 1.5, 1.0, 0.5], [True, True, False, False, True], (0.5, 4)),
        (ACCURACY, [0.5, 0.5, 0.5], [True, False, False], (0.5, 0)),
        (ACCURACY, [NAN, 0.2, NAN, 0.1], [False, True, False, False], (0.2, 1)),
        (LOSS, [NAN, 0.2, NAN, 0.1], [False, True, False, True], (0.1, 3)),
        (LOSS, [float("inf"), 3.0], [True, True], (3.0, 1)),
        (ACCURACY, [0.0], [True], (0.0, 0)),
        (ACCURACY, [NAN, NAN], [False, False], (None, None)),
        (ACCURACY, [], [], (None, None)),
    ],
)
def test_best(metric: Metric, values: list[float], improved: list[bool], best: tuple[float | None, int | None]) -> None:
    tracker = EarlyStopping(metric)
    assert feed(tracker, values) == improved
    assert (tracker.best_value, tracker.best_epoch) == best


@pytest.mark.parametrize("patience", [1, 2, 5])
def test_stops_after_so_many_epochs_without_a_better_value(patience: int) -> None:
    tracker = EarlyStopping(ACCURACY, patience)
    feed(tracker, [0.1, 0.5])
    for waited in range(1, patience + 1):
        assert not tracker.should_stop
        tracker.update(1 + waited, 0.4)
    assert tracker.should_stop
    assert tracker.best_epoch == 1


def test_a_better_value_renews_the_patience() -> None:
    tracker = EarlyStopping(LOSS, patience=2)
    stops = []
    for epoch, value in enumerate([3.0, 4.0, 2.0, 4.0, 4.0]):
        tracker.update(epoch, value)
        stops.append(tracker.should_stop)
    assert stops == [False, False, False, False, True]


def test_patience_zero_never_stops_and_nan_uses_patience_up() -> None:
    never = EarlyStopping(ACCURACY)
    feed(never, [0.5] + [0.1] * 100)
    assert not never.should_stop
    hopeless = EarlyStopping(ACCURACY, patience=3)
    feed(hopeless, [NAN] * 3)
    assert hopeless.should_stop and hopeless.best_epoch is None


def test_of_equal_values_the_lower_loss_wins_and_renews_the_patience() -> None:
    tracker = EarlyStopping(ACCURACY, patience=2)
    epochs = [(0.9, 0.5), (1.0, 0.4), (1.0, 0.3), (1.0, 0.3), (0.9, 0.1)]
    improved = [tracker.update(epoch, value, loss) for epoch, (value, loss) in enumerate(epochs)]
    assert improved == [True, True, True, False, False]
    assert (tracker.best_epoch, tracker.best_loss) == (2, 0.3)
    assert tracker.should_stop


def test_not_before_the_first_epoch() -> None:
    assert not EarlyStopping(ACCURACY, patience=1).should_stop


def test_a_restart_changes_nothing() -> None:
    values = [0.1, NAN, 0.4, 0.3, 0.3, 0.5, 0.2, 0.2]
    straight = EarlyStopping(ACCURACY, patience=2)
    resumed = EarlyStopping(ACCURACY, patience=2)
    for epoch, value in enumerate(values):
        again = EarlyStopping(ACCURACY, patience=2)
        again.load_state_dict(json.loads(json.dumps(resumed.state_dict())))
        resumed = again
        assert straight.update(epoch, value) == resumed.update(epoch, value)
        assert straight.should_stop == resumed.should_stop
    assert straight == resumed
