"""What each answer claims is what its experiment shows."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from write_questions import QUESTIONS


@cache
def script(name: str) -> ModuleType:
    return QUESTIONS.load(name)


@cache
def table(name: str) -> tuple[tuple[str, ...], ...]:
    """Header and rows."""
    header, rows, _ = script(name).experiment()
    assert all(len(row) == len(header) for row in rows)
    return tuple(header), *(tuple(row) for row in rows)


def number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def columns(name: str) -> list[np.ndarray]:
    """The columns as numbers, NaN where there are words."""
    return [np.array([number(cell) for cell in column]) for column in zip(*table(name)[1:], strict=True)]


def rows(name: str) -> dict[str, tuple[float, ...]]:
    """First cell -> the others as numbers."""
    return {row[0]: tuple(number(cell) for cell in row[1:]) for row in table(name)[1:]}


# ------------------------------------------------------------------------------- the doubts at the end of the notes


def test_numerical_gradient_errors_make_a_u_with_its_bottom_where_theory_has_it() -> None:
    h, one, two = columns("numerical_gradient")
    assert 1e-9 < h[one.argmin()] < 1e-6 and 1e-6 < h[two.argmin()] < 1e-3
    assert two.min() < one.min() / 300
    assert one[0] / one[2] == pytest.approx(100, rel=0.2) and two[0] / two[2] == pytest.approx(1e4, rel=0.2)
    assert one[-1] > 1e4 * one.min() and two[-1] > 1e6 * two.min()


def test_numerical_gradient_of_a_square() -> None:
    gradient = script("numerical_gradient").eval_numerical_gradient
    square, w = lambda w: float(w[0] ** 2), np.ones(1)
    assert gradient(square, w, h=1e-3, centred=False)[0] == pytest.approx(2.001, abs=1e-9)
    assert gradient(square, w, h=1e-3)[0] == pytest.approx(2.0, abs=1e-9)


def test_monte_carlo_errors_fall_with_the_root_of_n() -> None:
    n, _, pi, theory, gradient = columns("monte_carlo")
    np.testing.assert_allclose(pi, theory, rtol=0.15)
    np.testing.assert_allclose(pi * np.sqrt(n), pi[0] * np.sqrt(n[0]), rtol=0.15)
    np.testing.assert_allclose(gradient * np.sqrt(n), gradient[0] * np.sqrt(n[0]), rtol=0.15)
    many = script("monte_carlo").estimates_of_pi(10, np.random.default_rng(1))
    assert many.mean() == pytest.approx(np.pi, abs=0.1)  # right on average even where single ones are far off


def test_sigmoid_derivative_by_hand_is_the_measured_one() -> None:
    x, by_hand, measured = columns("sigmoid_derivative")
    np.testing.assert_allclose(by_hand, measured, rtol=1e-3)
    assert by_hand.max() == by_hand[x == 0][0] == 0.25
    np.testing.assert_allclose(by_hand[np.abs(x) == 10], 4.5398e-5, rtol=1e-4)
    assert 0.25 / by_hand.min() > 5000 and 1 / by_hand.min() > 20000


def test_jacobian_of_relu_is_diagonal_and_backward_is_its_product() -> None:
    matrix, backward = script("jacobian").relu_jacobian(30)
    assert np.count_nonzero(matrix - np.diag(np.diag(matrix))) == 0
    assert set(np.round(np.diag(matrix), 6)) == {0.0, 1.0}
    np.testing.assert_allclose(backward, np.arange(1.0, 31) @ matrix, atol=1e-6)
    affine = script("jacobian").affine_jacobian(3, 4)
    blocks = np.kron(np.eye(3), np.ones((4, 4)))
    assert np.all((np.abs(affine) > 1e-6) == (blocks > 0))
    np.testing.assert_allclose(affine[:4, :4], affine[4:8, 4:8], atol=1e-8)  # W again and again
    assert table("jacobian")[-1][-2:] == ("671 GB", "410 kB")


def test_hessian_condition_number_sets_the_steps_of_sgd() -> None:
    kappa, measured, left, steps, theory = columns("hessian_condition")
    np.testing.assert_allclose(measured, kappa, rtol=0.01)
    np.testing.assert_allclose(left, (kappa - 1) / (kappa + 1), atol=1e-3)
    np.testing.assert_allclose(steps, theory, atol=1)
    assert steps[-1] / steps[-2] == pytest.approx(10, rel=0.02)
    path = script("hessian_condition").path(15)
    assert np.all(np.sign(path[1:20, 1]) == -np.sign(path[:19, 1]))  # across: the other slope every time
    assert np.all(path[:20, 0] > 0)


def test_cross_entropy_is_entropy_plus_kl_and_keeps_pulling_where_the_square_stops() -> None:
    _, q, own, kl, both, pull, pull_of_square = columns("cross_entropy")
    np.testing.assert_allclose(own + kl, both, atol=2e-4)
    assert np.ptp(own) == 0 and q[both.argmin()] == 0.9 and kl.min() == 0
    np.testing.assert_allclose(pull, q - 0.9, atol=1e-4)
    assert pull[0] < -0.89 and abs(pull_of_square[0]) < abs(pull[0]) / 5000
    np.testing.assert_allclose(pull_of_square, 2 * (q - 0.9) * q * (1 - q), atol=2e-4)


def test_unbiased_estimates_of_a_variance_and_of_adams_moments() -> None:
    n, by_n, by_less, m, plain, corrected = columns("unbiased_estimate")
    np.testing.assert_allclose(by_n, (n - 1) / n, atol=0.02)
    np.testing.assert_allclose(by_less[1:], 1, atol=0.02)
    np.testing.assert_allclose(m, 1 - 0.9**n, atol=1e-3)
    np.testing.assert_allclose(plain[:3], [3.162, 4.250, 4.950], atol=1e-3)
    assert np.all(corrected == 1)


def test_second_order_newton_needs_one_step_and_lbfgs_lies_between() -> None:
    found = rows("second_order")
    assert found["Newton"][0] == 1 < found["L-BFGS"][0] < found["SGD"][0] / 10
    assert found["SGD"][0] > 1000
    assert found["SGD"][1] < found["L-BFGS"][1] < found["Newton"][1] == 1e12
    assert {row[0]: row[3] for row in table("second_order")[1:]}["Newton"] == "8000 GB"


def test_gradient_flow_vanishes_explodes_or_passes_through_residuals() -> None:
    found = rows("gradient_flow")
    assert found["times 0.9"][-1] == 0.00515 and found["times 1.1"][-1] == 117
    assert 0.5 < found["plain, He"][-1] < 2
    assert found["plain, 0.7 × He"][-1] < 1e-7 and found["plain, 1.3 × He"][-1] > 1e5
    assert all(1 <= length < 10 for length in found["residual, 0.7 × He"])


# -------------------------------------------------------------------------------------- the marks "??" in the notes


def test_half_variance_is_lost_in_each_relu_with_xavier_and_kept_with_he() -> None:
    _, xavier, _, part, he = columns("half_variance")
    np.testing.assert_allclose(part[1:], 0.5, atol=0.04)
    assert xavier[-1] == pytest.approx(0.5**10, rel=0.2)
    assert np.all((he > 0.8) & (he < 1.2))


def test_momentum_adds_up_along_cancels_across_and_overshoots() -> None:
    rho, same, flipping, steps, past = columns("momentum_flat_axis")
    np.testing.assert_allclose(same, 1 / (1 - rho), rtol=1e-3)
    np.testing.assert_allclose(flipping, 1 / (1 + rho), atol=1e-3)
    assert steps[rho == 0.9] < steps[0] / 2 < steps[0] < steps[rho == 0.99]
    assert past[0] == 0 and past[-1] > 0.8 and np.all(np.diff(past) >= 0)


def test_momentum_is_not_always_calmer() -> None:
    """Across a slope where each plain step leaves a fifth, momentum 0.9 swings longer."""
    step = script("momentum_flat_axis").sgd_momentum
    ends = []
    for momentum in (0.0, 0.9):
        w, config = np.ones(1), {"learning_rate": 1.2, "momentum": momentum}
        for _ in range(20):
            w, config = step(w, w, config)
        ends.append(abs(w[0]))
    assert ends[0] < 1e-12 and ends[1] > 0.01


def test_log_sampling_shares_decades_evenly_and_finds_the_better_loss() -> None:
    found = rows("log_sampling")
    *decades, best = found.values()
    assert np.allclose([row[1] for row in decades], 1 / 6, atol=0.03)
    assert decades[-1][0] == pytest.approx(0.9, abs=0.02) and sum(row[0] for row in decades[:3]) < 0.004
    assert best[1] < 1 < best[0]
    assert min(decades, key=lambda row: row[2]) in decades[2:4]  # the good ones lie between 0.0001 and 0.01


def test_norms_ratios_near_a_thousandth_learn_and_far_from_it_do_not() -> None:
    _, first, _, third, loss = columns("norms")
    assert np.all(np.diff(first) > 0) and third[0] / first[0] > 30
    assert np.all(loss[first < 1e-4] > 0.8)
    assert loss[np.abs(np.log10(first) + 3).argmin()] < 0.1 and 1e-2 < first[loss.argmin()] < 5e-2
    assert loss[-1] > 10 * loss.min()


def test_anchors_of_several_sizes_and_shapes_cover_more_objects() -> None:
    one, shapes, sizes, nine = (row[1] for row in rows("anchors").values())
    assert one < 0.4 < shapes < 0.5 < sizes < 0.95 < nine
    iou = script("anchors").iou
    boxes = np.array([[0.0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6]])
    np.testing.assert_allclose(iou(boxes[:1], boxes), [[1, 1 / 7, 0]])


def test_normalising_moves_and_stretches_but_makes_nothing_gaussian() -> None:
    found = rows("normalising_and_gaussian")
    for name in ("Gaussian", "exponential", "uniform", "two humps"):
        before, after = found[f"{name}, before"], found[f"{name}, after"]
        assert after[:2] == (0, 1) and before[:2] != after[:2]
        np.testing.assert_allclose(before[2:], after[2:], atol=1.5e-3)
    assert found["exponential, after"][2] > 1.5 and found["uniform, after"][3] < -1
    assert max(abs(value) for value in found["Gaussian, after"][2:]) < 0.1


# --------------------------------------------------------------------------------------------------- losses, penalties


def test_delta_and_lambda_with_the_same_product_are_the_same_classifier() -> None:
    train = script("delta_and_lambda").train
    one = train(1.0, 0.1)
    np.testing.assert_allclose(train(10.0, 0.01) / 10, one, rtol=1e-9)
    np.testing.assert_allclose(train(0.1, 1.0) / 0.1, one, rtol=1e-9)
    np.testing.assert_allclose(train(10.0, 0.1) / 10, train(1.0, 1.0), rtol=1e-9)
    assert np.linalg.norm(train(10.0, 0.1) / 10 - one) > 0.1 * np.linalg.norm(one)


def test_scaling_the_weights_scales_the_margins() -> None:
    loss = script("delta_and_lambda").svm_loss_vectorized
    X, y = script("delta_and_lambda").data()
    V = np.random.default_rng(0).standard_normal((4, 3))
    for delta, reg in ((10.0, 0.03), (0.1, 2.0)):
        assert loss(delta * V, X, y, reg, delta)[0] == pytest.approx(delta * loss(V, X, y, delta * reg, 1.0)[0])


def test_squared_hinge_cares_more_for_the_worst_mistake() -> None:
    m, hinge, pull, share, squared, pull2, share2 = columns("why_square_or_not")
    np.testing.assert_allclose(hinge, m)
    np.testing.assert_allclose(squared, m**2, atol=1e-9)
    assert np.all(pull == 1) and np.all(share == 0.1)
    np.testing.assert_allclose(pull2, 2 * m)
    assert share2[0] < 0.05 and share2[-1] > 0.5


def test_l2_and_elastic_net_prefer_spread_weights_and_l1_ties() -> None:
    found = rows("which_norm_prefers_spread_weights")
    assert found["L2"][:2] == (1, 0.25) and found["L1"][:2] == (1, 1) and found["elastic net"][:2] == (1.5, 1.125)
    trained = script("which_norm_prefers_spread_weights").trained
    for name in ("L2", "elastic net"):
        np.testing.assert_allclose(trained(name), trained(name).mean(), rtol=1e-3)
    assert trained("L1")[0] > 0.9 and np.all(trained("L1")[1:] == 0)


def test_l1_makes_zeros_where_inputs_explain_little_and_l2_none() -> None:
    found = {tuple(row[:2]): [number(cell) for cell in row[2:]] for row in table("l1_zeros")[1:]}
    assert found["L1", "0.1"][0] >= 10 and found["L1", "0.5"][0] >= 20
    assert all(row[1] == 5 for row in found.values())
    assert [row[0] for key, row in found.items() if key[0] != "L1"] == [0, 0, 0, 0]  # plain steps hop over 0
    assert found["L1, plain steps", "0.5"][2] < 0.05
    assert found["L1", "0.1"][3] < min(found["none", "0"][3], found["L2", "0.1"][3])


def test_svm_is_content_where_softmax_goes_on() -> None:
    found = rows("softmax_against_svm")
    for scores in ("10, -2, 3", "10, 9, 9", "10, -100, -100"):
        svm, svm_pull, _, pull = found[scores]
        assert svm == svm_pull == 0 < pull
    assert found["10, 9.5, 9.5"][1] == found["-2, 3, 3"][1]  # the same force
    assert found["10, 9.5, 9.5"][3] < found["-2, 3, 3"][3]
    svm, softmax = (script("softmax_against_svm").training(kind) for kind in ("SVM", "softmax"))
    assert svm[1000] == svm[-1] and softmax[-1] > softmax[1000] > softmax[100] > softmax[0]


def test_losses_and_penalties_add_up_and_judge_different_things() -> None:
    found = rows("losses_and_penalties")
    for reg, data_loss, penalty, total, *_ in found.values():
        assert total == pytest.approx(data_loss + penalty, abs=2e-3) and (penalty > 0) == (reg > 0)
    none, l2, l1 = found["none"], found["L2"], found["L1"]
    assert none[1] < min(l1[1], l2[1]) and none[4] > max(l1[4], l2[4]) and none[6] > max(l1[6], l2[6])
    assert none[5] == l2[5] == 0 and l1[5] > 18


def test_penalty_adds_curvature_and_saves_steps() -> None:
    reg, _, smallest, kappa, steps = columns("penalty_and_curvature")
    np.testing.assert_allclose(smallest, 2 * reg, atol=1e-4)
    assert table("penalty_and_curvature")[1][3] == "infinite" and np.all(np.diff(kappa[1:]) < 0)
    assert np.all(np.diff(steps) < 0) and steps[0] < script("penalty_and_curvature").LIMIT


# ------------------------------------------------------------------------------------------------------- nets, training


def test_all_positive_inputs_give_one_sign_and_a_zig_zag_that_centring_removes() -> None:
    found = {tuple(row[:2]): [number(cell) for cell in row[2:]] for row in table("all_positive_inputs")[1:]}
    assert found["0 to 1", "1"][0] == 1 and found["centred", "1"][0] < 0.1
    assert 0.2 < found["0 to 1", "32"][0] < 1
    for batch, factor in (("1", 2), ("32", 5)):
        positive, centred = found["0 to 1", batch], found["centred", batch]
        assert positive[1] > centred[1] and positive[3] > factor * centred[3]


def test_every_neuron_has_gradients_of_one_sign_for_positive_inputs() -> None:
    module, rng = script("all_positive_inputs"), np.random.default_rng(0)
    for shift, always in ((0.0, True), (0.5, False)):
        x, w = rng.random((1, 20)) - shift, rng.standard_normal((20, 15))
        _, cache_ = module.affine_forward(x, w, np.zeros(15))
        dw = module.affine_backward(rng.standard_normal((1, 15)), cache_)[1]
        assert (np.abs(np.sign(dw).sum(axis=0)) == 20).all() == always


def test_activation_properties_are_as_the_answer_says() -> None:
    header, *body = table("activation_properties")
    found = {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in body}
    assert len(header) == 9 and all(set(row.values()) <= {"yes", "no"} for row in found.values())
    assert not any(set(row.values()) == {"yes"} for row in found.values())
    assert [name for name, row in found.items() if row["normalising"] == "yes"] == ["selu"]
    for row in found.values():
        assert not (row["bounded"] == row["monotone"] == row["not saturating"] == "yes")
    assert found["relu"] == dict(zip(header[1:], "yes yes yes yes yes no yes no".split(), strict=True))


def test_dying_activations_are_those_of_the_notes_but_for_two_misprints() -> None:
    small, large, xavier, relu, he = (column[1:11] for column in columns("dying_activations")[1:])
    np.testing.assert_allclose(small[:4], [0.21346, 0.04760, 0.01063, 0.00238], rtol=0.02)
    assert small[2] < 0.0186 / 1.5 and small[-1] < 1e-6  # the notes print 0.018630
    np.testing.assert_allclose(large, 0.9817, atol=2e-3)
    np.testing.assert_allclose(
        xavier, [0.628, 0.486, 0.408, 0.357, 0.321, 0.294, 0.273, 0.255, 0.241, 0.228], atol=5e-3
    )
    np.testing.assert_allclose(relu[:6], [0.5837, 0.4143, 0.2944, 0.2069, 0.1473, 0.1020], rtol=0.1)
    assert relu[5] < 0.183 / 1.5  # the notes print 0.183280
    assert np.all((he > 0.7) & (he < 0.95))
    assert rows("dying_activations")["saturated in the last"][1] > 0.9


def test_dying_activations_prints_the_format_of_the_notes() -> None:
    module = script("dying_activations")
    printed = module.lines(module.layers("tanh, 0.01"))
    assert printed[0].startswith("input layer had mean ") and len(printed) == 11
    assert printed[3].startswith("hidden layer 3 had mean ") and " and std 0.0106" in printed[3]


def test_capacity_grows_with_units_and_falls_with_a_penalty() -> None:
    units, _, regions, boundary, train, val, gap = columns("capacity")
    free, penalised = slice(0, 4), [2, 4, 5, 6]
    assert np.all(np.diff(units[free]) > 0) and np.all(units[penalised] == 20)
    for column in (boundary, train, gap):
        assert np.all(np.diff(column[free]) > 0)
        assert np.all(np.diff(column[penalised]) <= 0)
    assert regions[0] <= 2 < regions[2] <= regions[3] and regions[2] > regions[5] == regions[6] == 2
    assert max(val[4:6]) > val[2] > val[3] and val[0] < val.max() - 0.05  # one unit is too small


@pytest.mark.parametrize("gradient", [0.0, 1e-9, 1.0])
def test_epsilon_guards_zero_and_must_be_small(gradient: float) -> None:
    step: Callable[[float, float], float] = script("epsilon").step
    for epsilon in (1e-7, 1e-2):
        assert step(gradient, epsilon) == pytest.approx(gradient / (gradient + epsilon))
    assert np.isnan(step(gradient, 0.0)) == (gradient == 0)


def test_epsilon_in_half_precision() -> None:
    assert rows("epsilon")["1e-8 in float16"][0] == 0 and float(np.float16(1e-7)) > 0
    assert table("epsilon")[1][1] == "not a number"


def test_zero_padding_keeps_the_size_and_darkens_a_rim() -> None:
    layers, _, _, middle, edge, corner, rim = columns("zero_padding")
    assert (edge[1], corner[1]) == (0.667, 0.444) and np.all(middle > 0.999)
    assert np.all(np.diff(edge) < 0) and np.all(np.diff(corner) < 0) and np.all(rim == layers)
    assert [row[1] for row in table("zero_padding")[1:3]] == ["16 × 16", "14 × 14"]
    windows = script("zero_padding").windows
    assert windows(0)[0, 0] == 1 and windows(1)[0, 0] == 4 and windows(0)[8, 8] == windows(1)[8, 8] == 9


def test_max_pooling_finds_sparse_signals_and_mean_pooling_spread_ones() -> None:
    places, _, by_max, by_mean = columns("max_or_mean")
    assert np.all(by_max[places <= 4] > by_mean[places <= 4] + 0.05)
    assert np.all(by_mean[places >= 8] > by_max[places >= 8] + 0.05)
    assert np.ptp(by_mean) < 0.05 and np.all(np.diff(by_max) < 0.01)


def test_max_unpooling_sets_nothing_beside_the_line() -> None:
    found = rows("max_unpooling")
    assert found["max unpooling"][1] == 0 and 0 < found["max unpooling"][0] < found["the line"][0]
    assert found["bed of nails"][1] > 0 and found["copying"][1] > found["copying"][0]


def test_sampling_varies_where_the_likeliest_letter_runs_in_a_circle() -> None:
    write, distance = script("sampling_or_argmax").write, script("sampling_or_argmax").distance
    greedy = write(0.0, 400)
    period = len("the ")
    assert greedy[period:] == greedy[:-period] and greedy == write(0.0, 400, seed=1)
    assert write(1.0, 400) != write(1.0, 400, seed=1)
    assert distance(write(1.0, 3000)) < 0.1 < distance(write(3.0, 3000)) < distance(write(0.3, 3000))
    pieces = columns("sampling_or_argmax")[2]
    assert pieces[0] == 4 and np.all(np.diff(pieces) > 0)


def test_every_question_has_a_test() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    missing = [name for name in QUESTIONS.names() if f'"{name}"' not in text]
    assert not missing, f"no test of what {', '.join(missing)} claims"
