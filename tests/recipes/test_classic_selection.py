"""Choosing hyperparameters, decision regions, templates, the boundary and the hinge: what the pages claim is shown."""

from functools import cache
from types import ModuleType

import numpy as np
import pytest
from write_questions import CLASSIC

from pellucid.scratch.nets.decision_regions import region_count


@cache
def script(name: str) -> ModuleType:
    return CLASSIC.load(name)


@cache
def table(name: str) -> tuple[tuple[str, ...], ...]:
    """Header and rows; the picture is an SVG."""
    header, rows, picture = script(name).experiment()
    assert all(len(row) == len(header) for row in rows) and picture.startswith("<svg")
    return tuple(header), *(tuple(row) for row in rows)


def test_the_wrong_ways_believe_too_much_and_the_sound_ones_do_not() -> None:
    rows = {row[0]: row[1:] for row in table("choosing_hyperparameters")[1:]}
    assert {name: row[0] for name, row in rows.items()} == {
        "train": "wrong", "test": "wrong", "train/val/test": "sound", "cross-validation": "sound",
    }  # fmt: skip
    gaps = {name: tuple(map(float, row[4].split(" ± "))) for name, row in rows.items()}  # mean, its error
    for name, (gap, error) in gaps.items():
        assert gap > 3 * error if rows[name][0] == "wrong" else abs(gap) < 2 * error
    assert rows["train"][1] == "1" and float(rows["train"][2]) == 1.0
    fresh = {name: float(row[3]) for name, row in rows.items()}
    assert min(fresh, key=fresh.get) == "train"


def test_one_neighbour_is_perfect_on_distinct_training_pictures_and_only_there() -> None:
    recipe = script("choosing_hyperparameters")
    (X, y), *_ = recipe.draw(*recipe.pictures(), 0)
    assert len(np.unique(X, axis=0)) == len(X)
    assert recipe.KNearestNeighbors(1).fit(X, y).score(X, y) == 1.0
    assert recipe.KNearestNeighbors(5).fit(X, y).score(X, y) < 0.9


def test_accuracy_rises_to_a_broad_top_and_falls() -> None:
    _, *rows, chosen = table("accuracy_against_k")
    means = {int(k): [float(cell.split(" ± ")[0]) for cell in cells] for k, *cells in rows}
    spreads = np.array([float(cell.split(" ± ")[1]) for _, *cells in rows for cell in cells])
    assert means[1] == means[2]  # when two disagree the nearer one wins
    best = np.max(list(means.values()), axis=0)
    assert (best > np.array(means[1]) + 0.01).all() and (np.array(means[100]) < np.array(means[1]) - 0.04).all()
    top = np.array([means[k] for k in (3, 4, 5, 6, 8)])
    assert np.ptp(top) < spreads.mean() and np.abs(best[0] - best[1]) < spreads.mean()
    k, distance = int(chosen[0].split(",")[0]), 0 if chosen[1] != "–" else 1
    assert means[k][distance] == best.max()
    tested = float(chosen[1 + distance])
    assert abs(tested - best.max()) < 0.04


def test_the_table_of_k_can_be_written(tmp_path) -> None:
    recipe = script("accuracy_against_k")
    found = recipe.cross_validate_neighbours([1, 5], recipe.DISTANCES, *recipe.pictures("train", 300))
    found.write_csv(tmp_path / "k.csv")
    assert (tmp_path / "k.csv").read_text().startswith("k,distance,mean,std,fold 1,fold 2,fold 3,fold 4,fold 5\n1,l2,")


def test_regions_get_fewer_as_k_grows_and_only_several_neighbours_are_undecided() -> None:
    _, *rows = table("decision_regions")
    numbers = np.array([[float(cell) for cell in row] for row in rows])
    k, regions, white = numbers[:, 0], numbers[:, 1:3], numbers[:, 3:]
    assert (np.diff(k) > 0).all() and (regions[0] > 2 * regions[-1]).all() and regions[-1].min() >= 3
    assert (regions[1:] < regions[0]).all() and (regions[1] > regions[-1]).all()
    assert (white[0] == 0).all() and (white[1:] > 0.005).all() and (white[-1] < white[1]).all()


def test_undecided_places_are_minus_one_and_have_tied_votes() -> None:
    recipe = script("decision_regions")
    X, y = recipe.samples()
    places = np.random.default_rng(0).uniform(-2, 2, (2000, 2))
    found = recipe.classifier(5, "l2")(places)
    near = np.argsort(((places[:, None] - X) ** 2).sum(-1), axis=1)[:, :5]
    votes = np.stack([(y[near] == c).sum(1) for c in range(3)], axis=1)
    tied = (votes == votes.max(1, keepdims=True)).sum(1) > 1
    np.testing.assert_array_equal(found == -1, tied)
    np.testing.assert_array_equal(found[~tied], votes.argmax(1)[~tied])


def test_counted_regions_leave_out_the_white_ones() -> None:
    recipe = script("decision_regions")
    box, places = recipe.around(recipe.samples(0)[0]), recipe.PLACES
    count, white = recipe.measures(1, "l2", 0)
    assert white == 0 and count == region_count(recipe.classifier(1, "l2", 0), _middles(box, places), places)


def _middles(box: tuple[float, ...], n: int) -> tuple[float, ...]:
    """The rectangle whose n evenly spaced grid points, edges included, are the middles of n places of `box`."""
    left, low, right, high = box
    dx, dy = (right - left) / n / 2, (high - low) / n / 2
    return left + dx, low + dy, right - dx, high - dy


def test_one_template_shows_both_modes() -> None:
    _, before, after = table("templates")
    left, right, mirror, found = (np.array([float(row[n]) for row in (before, after)]) for n in (1, 2, 3, 4))
    assert left[0] > 0.9 and right[0] < 0 and mirror[0] < 0
    assert min(left[1], right[1]) > 0.4 and abs(left[1] - right[1]) < 0.15 and mirror[1] > 0.8
    assert max(left[1], right[1]) < left[0] - 0.2
    assert found[1] < found[0] - 0.05


def test_the_boundary_is_where_the_score_is_zero() -> None:
    rows = table("score_zero_is_the_boundary")[1:]
    assert len(rows) == 6 and max(float(row[1]) for row in rows) < 1e-6 and max(float(row[2]) for row in rows) < 1e-6
    recipe = script("score_zero_is_the_boundary")
    model = recipe.fitted()
    places, w = recipe.crossings(model), model.coef_[0]
    direction = np.diff(places, axis=0)
    np.testing.assert_allclose(direction @ w, 0, atol=1e-9)  # all on one line, at right angles to the weights
    np.testing.assert_array_equal(model.predict(places + 1e-6 * w), 1)
    np.testing.assert_array_equal(model.predict(places - 1e-6 * w), 0)
    length = np.linalg.norm(w)
    on_margin = model.decision_function(places + w / length**2)  # 1 / |w| further
    np.testing.assert_allclose(on_margin, 1, atol=1e-9)


def test_longer_weights_do_not_move_the_boundary() -> None:
    recipe = script("score_zero_is_the_boundary")
    model = recipe.fitted()
    before = recipe.crossings(model)
    model.coef_, model.intercept_ = 3 * model.coef_, 3 * model.intercept_
    np.testing.assert_allclose(recipe.crossings(model), before, atol=1e-9)


def test_slope_of_the_hinge_is_minus_one_then_zero_and_softmax_never_rests() -> None:
    score, svm, steep, soft, gentle = np.array([[float(cell) for cell in row] for row in table("hinge_curve")[1:]]).T
    np.testing.assert_allclose(steep[score < 1], -1, atol=1e-4)
    np.testing.assert_allclose(steep[score >= 1], 0, atol=1e-4)
    np.testing.assert_allclose(svm, np.maximum(0, 1 - score), atol=1e-4)
    missing = 1 - 1 / (1 + np.exp(-score))
    np.testing.assert_allclose(gentle, -missing, atol=2e-4)
    np.testing.assert_allclose(soft, np.log1p(np.exp(-score)), atol=1e-4)
    assert (gentle < 0).all() and gentle[0] == pytest.approx(-1, abs=0.01)
