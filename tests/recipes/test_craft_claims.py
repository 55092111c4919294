"""What the experiments with training claim, on smaller numbers where the whole takes long."""

import numpy as np
import pytest
import torch
from write_questions import CRAFT

from pellucid.nn.regularisation.averaged_out import agreement


def test_the_parts_of_the_error_add_up() -> None:
    """Bias², variance and noise are measured apart from the error; Geman, Bienenstock and Doursat 1992."""
    script = CRAFT.load("bias_and_variance")
    found = {degree: script.parts_of_the_error(degree) for degree in script.DEGREES}
    for parts in found.values():
        assert parts["bias²"] + parts["variance"] + parts["noise"] == pytest.approx(
            parts["error on new points"], rel=0.05
        )
    biases, variances = ([parts[name] for parts in found.values()] for name in ("bias²", "variance"))
    assert biases[0] > 50 * biases[3] and all(np.diff(variances) > 0)
    errors = [parts["error on new points"] for parts in found.values()]
    assert 3 <= script.DEGREES[int(np.argmin(errors))] <= 5
    assert found[15]["training error"] < found[5]["training error"], "which says nothing of new points"


def test_the_variance_of_a_line_is_what_theory_says() -> None:
    """A least squares fit of p weights to N points with noise s² has variance s² p / N at the points, on average."""
    script = CRAFT.load("bias_and_variance")
    script.NEW = np.linspace(-1, 1, script.N)
    assert script.parts_of_the_error(1)["variance"] == pytest.approx(script.NOISE**2 * 2 / script.N, rel=0.05)


def test_the_gap_closes_with_more_pictures() -> None:
    script = CRAFT.load("more_data")
    script.STEPS = 300
    data = script.pictures()
    few, many = (script.accuracies(n, data, 0) for n in (100, 3200))
    assert few[0] == 1 and few[0] - few[1] > 2 * (many[0] - many[1]) and many[1] > few[1] + 0.08


def test_both_bad_starts_train_with_batch_normalisation() -> None:
    script = CRAFT.load("bad_starts")
    script.STEPS = 120
    X, y = script.pictures()
    for deviation, first_loss in ((0.01, 2.303), (1.0, None)):
        plain, accuracy = script.losses(deviation, False, X, y)
        normalised, better = script.losses(deviation, True, X, y)
        assert better > accuracy and normalised[-1] < 0.5 * normalised[0]
        assert plain[0] == pytest.approx(first_loss, rel=1e-3) if first_loss else plain[0] > 1e4


def test_plain_descent_stays_at_a_saddle_that_momentum_leaves() -> None:
    script = CRAFT.load("race_of_optimisers")
    saddle, dip = script.LANDSCAPES["saddle"], script.LANDSCAPES["a dip on the way"]
    sgd, momentum = script.path(saddle, "SGD"), script.path(saddle, "momentum 0.9")
    grows = script.LANDSCAPES["saddle"].start[1] * 1.015 ** np.arange(201)  # 1 + rate · ½, the bend along the ridge
    assert np.allclose(sgd[:201, 1], grows, rtol=1e-3)
    assert script.distance(saddle, sgd)[200] > 0.99 and script.distance(saddle, momentum)[200] < 0.1
    ends = {rule: script.distance(dip, script.path(dip, rule))[-1] for rule in script.RULES}
    assert ends["SGD"] > 1 and ends["RMSProp"] > 1 and max(ends["momentum 0.9"], ends["Adam"]) < 0.1


def test_steps_through_the_valley_and_wandering_under_noise() -> None:
    script = CRAFT.load("race_of_optimisers")
    header, rows, picture = script.experiment()
    table = {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows}
    assert int(table["momentum 0.9"]["narrow valley"]) * 3 < int(table["SGD"]["narrow valley"])
    wandering = {rule: float(cells["noise: distance at the end"]) for rule, cells in table.items()}
    assert wandering["momentum 0.9"] > 2 * max(value for rule, value in wandering.items() if rule != "momentum 0.9")
    assert picture.count("<animate ") == 2 * len(script.RULES) * len(script.LANDSCAPES), "every point moves both ways"


def test_batch_norm_loses_to_group_norm_in_batches_of_two_and_not_of_64() -> None:
    script = CRAFT.load("small_batches")
    script.N, script.EPOCHS, script.RATE = 256, 3, 6e-3
    data = script.pictures()
    found = {
        norm: {batch: script.accuracy(norm, batch, data) for batch in (2, 64)} for norm in ("batch norm", "group norm")
    }
    assert found["group norm"][2] > found["batch norm"][2] + 0.1
    assert found["batch norm"][64] > found["group norm"][64] - 0.05


def test_two_numbers_are_normalised_to_one_and_minus_one() -> None:
    """Which is all that batch norm leaves of a batch of two where a map has one place."""
    norm, x = torch.nn.BatchNorm2d(3, eps=1e-9), torch.randn(2, 3, 1, 1)
    assert torch.allclose(norm(x).detach().abs(), torch.ones(2, 3, 1, 1), atol=1e-4)
    assert torch.equal(norm(x)[0] > 0, x[0] > x[1])


def test_the_noise_is_averaged_out_exactly_where_linear_steps_follow() -> None:
    script = CRAFT.load("noise_averaged_out")
    noises, x = script.cases()
    before = torch.get_rng_state()
    exact = {name: agreement(noisy, x, 100).agrees for name, noisy in noises.items()}
    assert torch.equal(before, torch.get_rng_state())
    assert [name for name, agrees in exact.items() if agrees] == list(exact)[:4]


def test_random_search_wins_on_a_ridge_and_the_grid_on_a_hill() -> None:
    """On a ridge at c the grid comes within d of it, and loses unless all nine draws lie further: 1 - (1 - share)^9,
    where the share is the part of [0, 1] nearer than d.
    """
    script = CRAFT.load("random_beats_grid")
    script.PLACES, script.SEEDS = 10, 60
    centres = (np.arange(10) + 0.5) / 10
    d = np.abs(centres[:, None] - (np.arange(3) + 0.5) / 3).min(axis=1)
    shares = np.minimum(centres + d, 1) - np.maximum(centres - d, 0)
    races = script.races("one setting")
    assert all(race.distinct == {"grid": 3, "random": 9} for race in races)
    assert np.mean([race.wins for race in races]) == pytest.approx(np.mean(1 - (1 - shares) ** 9), abs=0.04)
    assert np.mean([race.mean_best["random"] - race.mean_best["grid"] for race in races]) > 0.1
    assert np.mean([race.wins for race in script.races("both settings")]) < 0.45


def test_the_doctor_names_the_four_fits() -> None:
    script = CRAFT.load("four_fits")
    X, y = script.pictures()
    script.PLANS["a good fit"] = script.Plan(2048, 32, 10, 0.03)
    rules = {
        name: [v.rule for v in script.diagnose(script.train(plan, X, y)) if v.status != "info"]
        for name, plan in script.PLANS.items()
    }
    assert rules == {
        "too small a net": ["curve-underfit"],
        "a good fit": [],
        "few pictures": ["curve-overfit"],
        "labels shuffled": ["labels-unrelated"],
    }


def test_the_doctor_names_the_four_rates() -> None:
    """The names are those of where training ended, which the doctor does not see."""
    script = CRAFT.load("four_rates")
    data = script.pictures()
    found = {rate: script.train(rate, data) for rate in script.DRAWN.values()}
    assert {script.called(rate, found): rate for rate in found} == script.DRAWN
    alarms = {rate: [v.rule for v in script.diagnose(curve) if v.status != "info"] for rate, curve in found.items()}
    assert list(alarms.values()) == [["curve-rate-too-low"], [], ["curve-rate-high"], ["curve-rate-very-high"]]


def test_an_autoencoder_is_the_better_start_where_one_picture_of_each_class_has_a_label() -> None:
    script = CRAFT.load("autoencoder_start")
    script.EPOCHS = 2
    x, y, x_new, y_new = script.pictures()
    data = (x[:5000], y[:5000], x_new, y_new)
    net = script.network(0)
    learned, errors = script.pretrained(net, data[0], 0)
    assert errors[-1] < 0.35, "of the pixels' variance"
    assert script.accuracy(learned, 1, 60, data, 0) > script.accuracy(net, 1, 60, data, 0) + 0.05
