"""Candidates: grids, tables, the best, the CSV."""

import csv

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from pellucid.core.errors import ConfigError, DataError, WriteError
from pellucid.training.selection.candidates import Candidate, Table, all_of, require_samples, share_right, worded


def table(*scores: tuple[float, ...]) -> Table:
    return Table(tuple(Candidate({"k": k, "distance": "l2"}, each) for k, each in enumerate(scores, 1)))


def test_a_grid_is_all_combinations_the_last_name_fastest() -> None:
    found = all_of({"k": [1, 3], "distance": ("l1", "l2")})
    assert [tuple(each.values()) for each in found] == [(1, "l1"), (1, "l2"), (3, "l1"), (3, "l2")]
    assert all_of([{"k": 1}, {"k": 3, "reg": 2}]) == [{"k": 1}, {"k": 3, "reg": 2}]
    assert all_of({"reg": np.array([0.5, 1.0])}) == [{"reg": 0.5}, {"reg": 1.0}]


@pytest.mark.parametrize("empty", [{}, [], {"k": []}])
def test_nothing_to_try_is_refused(empty: object) -> None:
    with pytest.raises(ConfigError, match="The grid holds no candidate: give each setting at least one value"):
        all_of(empty)


@pytest.mark.parametrize("value", [5, "l1"])
def test_a_setting_needs_a_list(value: object) -> None:
    with pytest.raises(ConfigError, match=r"k must be a list of the values to try, got"):
        all_of({"k": value})


def test_settings_that_the_estimator_does_not_take_are_refused_before_any_fit() -> None:
    with pytest.raises(
        ConfigError, match=r"from the settings kk: .*unexpected keyword argument 'kk'. It takes: n_neig"
    ):
        all_of({"kk": [1]}, KNeighborsClassifier)
    with pytest.raises(ConfigError, match=r"unexpected keyword argument 'k'. It takes: nothing"):
        all_of({"k": [1]}, lambda: None)
    assert all_of({"n_neighbors": [1]}, KNeighborsClassifier) == [{"n_neighbors": 1}]


def test_mean_and_sample_standard_deviation() -> None:
    candidate = Candidate({"k": 1}, (0.5, 0.7, 0.9))
    assert candidate.mean == pytest.approx(0.7) and candidate.std == pytest.approx(0.2)  # sqrt((.04 + 0 + .04) / 2)
    assert np.isnan(Candidate({"k": 1}, (0.5,)).std)
    assert candidate.name == "k=1" and table((1.0,)).best.name == "k=1, distance=l2"


def test_best_is_the_first_of_equals_whatever_the_rounding() -> None:
    assert table((0.1, 0.2), (0.4, 0.3), (0.3, 0.4)).best.settings["k"] == 2
    assert table((0.3, 0.2, 0.1), (0.1, 0.2, 0.3)).best.settings["k"] == 1  # the second sum is larger by the last bit
    assert table((float("nan"),), (0.1,)).best.settings["k"] == 2
    with pytest.raises(DataError, match="No candidate has a score that is a number"):
        _ = table((float("nan"),)).best


def test_a_curve_is_one_setting_where_the_others_stay() -> None:
    both = Table((*table((0.1, 0.2), (0.3, 0.4)).candidates, Candidate({"k": 1, "distance": "l1"}, (0.5, 0.6))))
    values, scores = both.curve("k", {"distance": "l2"})
    assert values == [1, 2]
    np.testing.assert_array_equal(scores, [[0.1, 0.2], [0.3, 0.4]])
    assert both.curve("k")[0] == [1, 2, 1]
    with pytest.raises(ConfigError, match="No candidate has k, distance=l3. The first one has k=1, distance=l2."):
        both.curve("k", {"distance": "l3"})


def test_csv_has_a_row_a_candidate(tmp_path) -> None:
    table((0.5, 0.7, 0.9), (1.0, 1.0, 1.0)).write_csv(tmp_path / "new/k.csv")
    with open(tmp_path / "new/k.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["k", "distance", "mean", "std", "fold 1", "fold 2", "fold 3"]
    assert [float(rows[0][name]) for name in ("k", "mean", "std", "fold 3")] == pytest.approx([1, 0.7, 0.2, 0.9])
    assert rows[1]["std"] == "0.0" and b"\r" not in (tmp_path / "new/k.csv").read_bytes()


def test_csv_words_functions_and_leaves_missing_settings_empty(tmp_path) -> None:
    Table((Candidate({"f": share_right}, (1.0,)), Candidate({"kernel": "a,b"}, (1.0,)))).write_csv(tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines == ["f,mean,std,fold 1,kernel", "share_right,1.0,nan,1.0,", ',1.0,nan,1.0,"a,b"']
    assert worded(KNeighborsClassifier) == "KNeighborsClassifier" and worded(0.5) == "0.5"


def test_csv_that_cannot_be_written(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="a part of the path is a file"):
        table((1.0,)).write_csv(tmp_path / "file/t.csv")


@pytest.mark.parametrize(
    ("X", "y", "said"),
    [
        (np.zeros((3, 2)), [0, 1], "X has 3 samples but 2 labels; it needs one for each."),
        (np.zeros((2, 2)), [[0, 1]], r"The labels of X must have shape \(N,\), got \(1, 2\)."),
        (np.zeros((0, 2)), [], "X has no samples."),
    ],
)
def test_samples_and_labels_must_match(X, y, said) -> None:
    with pytest.raises(DataError, match=said):
        require_samples(X, y)


def test_accuracy_needs_a_prediction_each() -> None:
    assert share_right(np.array(["a", "b"]), np.array(["a", "c"])) == 0.5
    with pytest.raises(DataError, match=r"2 samples need as many predictions, got shape \(2, 1\)."):
        share_right(np.array([0, 1]), np.array([[0], [1]]))
