"""What each demonstration claims is what its experiment shows."""

from functools import cache
from types import ModuleType

import numpy as np
import pytest
from write_questions import CLASSIC

Rows = list[tuple[str, ...]]


@cache
def script(name: str) -> ModuleType:
    return CLASSIC.load(name)


@cache
def table(name: str) -> Rows:
    """The rows, without the header."""
    header, rows, _ = script(name).experiment()
    assert all(len(row) == len(header) for row in rows)
    return [tuple(row) for row in rows]


def number(cell: str) -> float:
    """A cell as a number: "12.5%" is 0.125, "1,024" is 1024; NaN where there are words."""
    try:
        return float(cell.removesuffix("%").replace(",", "")) / (100 if cell.endswith("%") else 1)
    except ValueError:
        return float("nan")


def columns(name: str) -> list[np.ndarray]:
    return [np.array([number(cell) for cell in column]) for column in zip(*table(name), strict=True)]


def rows(name: str) -> dict[str, tuple[float, ...]]:
    """First cell -> the others as numbers."""
    return {row[0]: tuple(number(cell) for cell in row[1:]) for row in table(name)}


# ----------------------------------------------------------------------------------------------------------- distances


def test_l1_of_a_turned_vector_grows_and_l2_stays() -> None:
    found = rows("axis_dependence")
    assert found["0°"][:2] == (1.0, 1.0)
    assert found["45°"][:2] == (1.414214, 1.0)
    _, l1, l2, changed_l1, changed_l2 = columns("axis_dependence")
    np.testing.assert_allclose(l1, [1, np.sqrt(1.5), (1 + np.sqrt(3)) / 2, np.sqrt(2)], atol=1e-6)
    assert np.all(l2 == 1) and np.all(changed_l2 == 0) and np.all(changed_l1[1:] > 0.02)


def test_changes_of_a_photograph_are_at_equal_distances() -> None:
    versions, distance = script("pixel_distances_fail").versions, script("pixel_distances_fail").distance
    original = script("pixel_distances_fail").photograph()
    far = {name: distance(changed, original) for name, (changed, _) in versions(2).items()}
    assert set(far) == {"shifted", "darkened", "boxed", "noise"}
    np.testing.assert_allclose(list(far.values()), far["shifted"], rtol=1e-9)
    shifts = [changed for changed, _ in (versions(pixels)["shifted"] for pixels in (1, 4))]
    np.testing.assert_array_equal(shifts[1][:, 4:], original[:, :-4])
    l1 = columns("pixel_distances_fail")[3]
    assert np.all(l1[2::4] < l1[0::4]) and np.all(l1[0::4] < l1[1::4])  # boxed, shifted, darkened: L1 disagrees with L2


def test_a_shift_costs_neighbours_their_answers_and_other_changes_as_far_away_cost_more() -> None:
    _, far, shifted, darkened, boxed = columns("shift_by_a_pixel")
    assert far[0] == 0 and shifted[0] == darkened[0] == boxed[0] > 0.75
    assert np.all(np.diff(shifted) < -0.05) and np.all(shifted[1:] > darkened[1:]) and np.all(darkened[1:] > boxed[1:])
    assert shifted[2] < 2 / 3 * shifted[0] and shifted[3] < 0.4


def test_shifted_clothes_lie_as_far_away_as_darkened_and_boxed_ones() -> None:
    module = script("shift_by_a_pixel")
    pictures = module.clothes()["test"][0][:50].astype(np.float64)
    far = module.lengths(module.shifted(pictures, 1) - pictures)
    np.testing.assert_allclose(module.lengths(module.boxed(pictures, far) - pictures), far, rtol=1e-6)
    reachable = np.minimum(far, module.lengths(pictures))  # no picture gets darker than black
    np.testing.assert_allclose(module.lengths(module.darkened(pictures, far) - pictures), reachable, rtol=1e-6)


def test_the_same_density_costs_more_and_more_samples_and_distances_grow_alike() -> None:
    samples = script("curse_of_dimensionality").samples_for_density
    assert [samples(d) for d in (1, 2, 3)] == [4, 16, 64]
    assert [row[1] for row in table("curse_of_dimensionality")][:3] == ["4", "16", "64"]
    d, _, side, _, ratio = columns("curse_of_dimensionality")
    np.testing.assert_allclose(side**d, 0.01, rtol=0.45)  # of three decimals
    assert np.all(np.diff(ratio) > 0) and ratio[0] < 0.01 and ratio[-1] > 0.85


def test_distances_by_one_product_are_no_numbers_unless_clamped() -> None:
    found = {row[:2]: (int(row[2].split()[0]), float(row[3])) for row in table("distances_in_one_product")}
    assert 40 < found["product", "float32"][0] < 110  # 71 in the exercise; which ones depends on the order of sums
    assert found["product, clamped at 0", "float32"][0] == found["product, clamped at 0", "float64"][0] == 0
    assert found["subtracted", "float32"] == found["subtracted", "float64"] == (0, 0.0)
    assert 0.01 < found["product, clamped at 0", "float32"][1] < 0.1


# --------------------------------------------------------------------------------------------------- linear classifiers


def test_no_line_separates_what_a_net_of_two_layers_does() -> None:
    for name, (softmax, best, net) in rows("xor_and_ring").items():
        assert softmax <= best < 0.8 and net > 0.99, name


def test_the_best_line_is_found_where_it_is_known() -> None:
    module = script("xor_and_ring")
    X, y = module.points("XOR")
    assert module.best_line("XOR") >= max(np.mean((X[:, 0] > 0) == y), np.mean((X @ [1, 1] > 0) == y))
    assert all(np.bincount(module.points(kind)[1]).tolist() == [200, 200] for kind in module.SETS)


def test_polar_features_make_a_ring_separable() -> None:
    found = rows("polar_features")
    assert 0.5 <= found["x, y"][0] <= 0.6 and found["x, y"][1] <= 0.6
    for name in ("distance, angle", "distance", "x², y²"):
        assert found[name] == (1.0, 1.0), name
    assert max(found["angle"]) < 0.6
    np.testing.assert_allclose(script("polar_features").polar(np.array([[0.0, 2.0]])), [[2, np.pi / 2]])


def test_shapes_are_those_of_the_lecture_and_the_ways_agree() -> None:
    found = {row[0]: row[1:] for row in table("shapes_of_a_linear_classifier")}
    assert found["x"] == ("3072 × 1", "3,072") and found["W"] == ("10 × 3072", "30,720")
    assert found["f(x, W) = W x + b"] == found["b"] == ("10 × 1", "10")
    arrays = script("shapes_of_a_linear_classifier").arrays()
    scores = arrays["f(x, W) = W x + b"]
    np.testing.assert_allclose(arrays["their product"], scores)
    np.testing.assert_allclose(arrays["X Wᵀ + bᵀ"][0], scores[:, 0])


def test_the_bias_recovers_the_log_ratio_of_the_classes() -> None:
    cats, ratio, bias, fitted, without, corrected = columns("bias_as_prior")
    np.testing.assert_allclose(ratio, np.log(cats / (1 - cats)), atol=1e-3)
    np.testing.assert_allclose(bias, ratio, atol=0.12)
    assert np.all(fitted[1:] > without[1:] + 0.02)
    np.testing.assert_allclose(corrected, fitted, atol=0.003)


def test_what_diverges_is_foretold_by_the_factor_of_the_weights() -> None:
    found = {row[:2]: row[2:] for row in table("diverging_corner")}
    assert number(found["5e-05", "100000"][0]) == -9 and number(found["1e-07", "100000"][0]) == 0.98
    for factor, growth, outcome in found.values():
        assert (outcome == "diverges") == (abs(number(factor)) > 1)
        if number(factor):
            assert number(growth) == pytest.approx(abs(number(factor)), rel=0.01)


# ------------------------------------------------------------------------------------------------- filters and edges


def test_a_gaussian_kernel_of_25_values_has_the_known_sum_middle_and_corner() -> None:
    found = {row[:2]: row[2:] for row in table("gaussian_kernel")}
    assert found["5 x 5", "1"][:3] == ("0.98181476", "0.162103", "0.002969")
    for total, _, _, left in found.values():
        assert number(left) == pytest.approx(100 * number(total) ** script("gaussian_kernel").TIMES, rel=1e-3, abs=0.01)
    assert np.all(script("gaussian_kernel").brightness(np.full((3, 3), 1 / 9)) == pytest.approx(100))


def test_the_median_is_for_wrong_pixels_and_the_gaussian_for_normal_noise() -> None:
    for noise, *levels, best in table("noise_and_filters"):
        assert best.startswith("Gaussian" if "normal" in noise else "median"), noise
        none, median3, median5, *gaussians = map(number, levels)
        assert max(median3, median5, *gaussians) > none + 1
        if noise.startswith("flower") and "normal" not in noise:
            assert median3 > max(gaussians) + 5


def test_edges_get_fewer_as_sigma_grows() -> None:
    sigma, same, each, pieces = columns("edges_fine_and_coarse")
    assert np.all(np.diff(sigma) > 0)
    for counts in (same, each, pieces):
        assert np.all(np.diff(counts) < 0) and counts[0] > 5 * counts[-1]


# ------------------------------------------------------------------------------------------------------------- features


def test_neighbours_by_hog_are_right_more_often_than_neighbours_by_pixels() -> None:
    found = rows("neighbours_in_feature_space")
    assert all(hog > 2 * pixels for hog, pixels in zip(found["HOG"], found["pixels"], strict=True))
    assert found["HOG"][0] > 0.5 and found["colours"][0] < 0.2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_features_beat_pixels_and_both_features_beat_either() -> None:
    found = rows("features_beat_pixels")
    for column in range(3):
        pixels, colour, shape, both = (found[name][column] for name in ("pixels", "colour", "HOG", "HOG + colour"))
        assert both > pixels + 0.04 and both > shape + 0.04 and both > colour + 0.3
    assert found["HOG"][3] > 2 * found["pixels"][3] and found["colour"][3] < 0.15  # any colours


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_features_learnt_on_some_classes_are_good_for_others() -> None:
    found = rows("generic_features")
    net, pixels, fresh = (found[name] for name in ("net trained on others", "pixels", "untrained net"))
    assert all(a > 1.8 * b for a, b in zip(net, pixels, strict=True))
    assert net[0] > pixels[2] and all(a > b + 0.2 for a, b in zip(net, fresh, strict=True))


def test_every_demonstration_of_this_file_has_a_page() -> None:
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    named = [name for name in CLASSIC.names() if f'"{name}"' in text]
    assert all((CLASSIC.folder / f"{name}.md").exists() for name in named)
