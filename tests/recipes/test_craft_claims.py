"""What the experiments with training claim, on smaller numbers where the whole takes long."""

import numpy as np
import pytest
from write_questions import CRAFT


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
