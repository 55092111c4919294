"""Signals in deep nets: the course's printouts again, and the theory that says what they should be.

Ten layers of 500 units and 1,000 samples, unless said. From seed to seed the deviations of wide layers vary little, so
that one net is enough for a test; what differs from the printouts of the notes are two misprints.
"""

import re

import numpy as np
import pytest

from pellucid.core.errors import ConfigError
from pellucid.scratch.checks.activation_statistics import (
    LayerStatistics,
    activation_statistics,
    expected_statistics,
    lines,
)

SMALL = [0.21346, 0.04760, 0.01063, 0.00238, 0.00053, 0.00012, 2.7e-5, 6e-6, 1e-6, 0]


def deep(activation: str, init: str | float, seed: int = 0) -> list[LayerStatistics]:
    """The hidden layers of the course's net."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1000, 500)).astype(np.float32)
    return activation_statistics(x, activation, [500] * 10, rng, init)[1:]


def stds(layers: list[LayerStatistics]) -> np.ndarray:
    return np.array([layer.std for layer in layers])


def test_small_weights_let_the_signal_die() -> None:
    found = stds(deep("tanh", 0.01))
    assert found == pytest.approx(SMALL, abs=1e-3, rel=0.03)
    assert found[2] == pytest.approx(0.01063, abs=3e-4)
    # The notes print 0.018630 for layer 3: each layer has 0.2236 of the one before, and that line has not.
    assert found[2] / found[1] == pytest.approx(0.2236, rel=0.03)
    assert found[3] / found[2] == pytest.approx(0.2236, rel=0.03)
    assert 0.002378 / 0.018630 < 0.13  # the notes' own next line over the misprint


@pytest.mark.slow
def test_small_weights_over_ten_seeds() -> None:
    found = np.array([stds(deep("tanh", 0.01, seed)) for seed in range(10)])
    assert found.mean(axis=0) == pytest.approx(SMALL, abs=2e-4)
    assert found.std(axis=0).max() < 3e-4
    assert abs(0.018630 - found[:, 2].mean()) > 100 * found[:, 2].std()


def test_large_weights_saturate_tanh() -> None:
    layers = deep("tanh", 1.0)
    assert stds(layers) == pytest.approx(np.full(10, 0.9817), abs=1e-3)
    assert [layer.saturated for layer in layers] == pytest.approx([0.948] * 10, abs=3e-3)
    assert layers[5].counts[0] + layers[5].counts[-1] > 0.9 * 500_000  # the two outer bars of the histogram


def test_xavier_keeps_tanh_alive() -> None:
    wanted = [0.628, 0.486, 0.408, 0.357, 0.321, 0.294, 0.273, 0.255, 0.241, 0.228]
    assert stds(deep("tanh", "xavier")) == pytest.approx(wanted, abs=6e-3)
    assert stds(deep("tanh", "auto")) == pytest.approx(wanted, abs=6e-3)


def test_xavier_halves_the_variance_under_relu() -> None:
    layers = deep("relu", "xavier")
    wanted = [0.5837, 0.4143, 0.2944, 0.2069, 0.1473, 0.1020, 0.0723, 0.0513, 0.0365, 0.0251]
    assert stds(layers) == pytest.approx(wanted, rel=0.25)  # the same weights see all samples: one net wanders
    assert stds(layers)[:3] == pytest.approx(wanted[:3], rel=0.06)
    assert [layer.mean for layer in layers[:6]] == pytest.approx(
        [0.3990, 0.2847, 0.2000, 0.1401, 0.1003, 0.0674], rel=0.25
    )
    # Mean and deviation of a layer come from one s: 0.3989 s and 0.5838 s. The notes print 0.183280 beside the mean
    # 0.072234 in layer 6, where that ratio says 0.1057.
    assert [layer.mean / layer.std for layer in layers] == pytest.approx([0.6833] * 10, rel=0.1)
    assert layers[5].std < 0.14
    assert 0.072234 / 0.183280 < 0.4
    assert [layer.zeros for layer in layers] == pytest.approx([0.5] * 10, abs=0.05)


def test_he_keeps_relu_alive() -> None:
    found = stds(deep("relu", "he"))
    assert found[:3] == pytest.approx(np.full(3, 0.8256), rel=0.05)
    assert found == pytest.approx(np.full(10, 0.8256), rel=0.25)
    assert np.array_equal(found, stds(deep("relu", "auto")))


@pytest.mark.slow
def test_he_over_ten_seeds_shows_no_trend() -> None:
    found = np.array([stds(deep("relu", "he", seed)) for seed in range(10)])
    assert found.mean(axis=0) == pytest.approx(np.full(10, 0.8256), abs=0.04)
    assert found[:, :3].std() < 0.03


# ------------------------------------------------------------------------------------------------------- theory


def test_theory_of_relu_in_closed_form() -> None:
    """With Xavier s halves in variance, layer by layer: means s/√(2π), deviations 0.5838 s."""
    s = np.sqrt(0.5 ** np.arange(10))
    found = np.array(expected_statistics("relu", 1.0, 10))
    assert found[:, 0] == pytest.approx(s / np.sqrt(2 * np.pi), rel=1e-4)
    assert found[:, 1] == pytest.approx(0.58381 * s, rel=1e-4)
    he = np.array(expected_statistics("relu", np.sqrt(2), 10))
    assert he[:, 1] == pytest.approx(np.full(10, 0.8256), abs=1e-4)


WIDE = {0.01: [0.492, 0.288, 0.178, 0.113, 0.072, 0.046], 0.05: [0.872, 0.853, 0.849, 0.850, 0.849, 0.850]}


@pytest.mark.parametrize("std", WIDE)
def test_six_wide_tanh_layers_by_theory_and_narrower(std: float) -> None:
    """What matters is the gain std · √4096: a quarter of the width with twice the deviation is the same net."""
    by_theory = [each for _, each in expected_statistics("tanh", std * 64, 6)]
    assert by_theory == pytest.approx(WIDE[std], abs=5e-3)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 1024)).astype(np.float32)
    layers = activation_statistics(x, "tanh", [1024] * 6, rng, 2 * std)
    assert stds(layers[1:]) == pytest.approx(by_theory, abs=0.012)


@pytest.mark.slow
@pytest.mark.parametrize("std", WIDE)
def test_six_tanh_layers_of_4096(std: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((16, 4096)).astype(np.float32)
    layers = activation_statistics(x, "tanh", [4096] * 6, rng, std)
    assert stds(layers[1:]) == pytest.approx(WIDE[std], abs=6e-3)


def test_selu_brings_the_signal_back_by_itself() -> None:
    assert expected_statistics("selu", 1.0, 20)[-1] == pytest.approx((0, 1), abs=1e-3)


# -------------------------------------------------------------------------------------------------------- words


def test_lines_are_those_of_the_notes() -> None:
    rng = np.random.default_rng(0)
    found = lines(activation_statistics(rng.standard_normal((50, 20)), "tanh", [20, 20], rng, 0.01))
    number = r"-?\d\.\d{6}"
    assert re.fullmatch(rf"input layer had mean {number} and std {number}", found[0])
    assert re.fullmatch(rf"hidden layer 1 had mean {number} and std {number}", found[1])
    assert found[2].startswith("hidden layer 2 had mean ")
    layer = LayerStatistics("hidden layer 3", -0.0000021, 0.0106331, 0.0, None, np.zeros(1), np.zeros(2))
    assert lines([layer]) == ["hidden layer 3 had mean -0.000002 and std 0.010633"]


def test_one_sample_and_no_layers() -> None:
    found = activation_statistics(np.ones((1, 3)), "relu", [], np.random.default_rng(0))
    assert [(layer.name, layer.mean, layer.std) for layer in found] == [("input layer", 1.0, 0.0)]
    (_, hidden) = activation_statistics(np.ones((1, 3)), "sigmoid", [4], np.random.default_rng(0))
    assert hidden.counts.sum() == 4


def test_unknown_names_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match=r"^Unknown activation 'tahn'\. Did you mean 'tanh'"):
        activation_statistics(np.ones((2, 3)), "tahn", [4], rng)
    with pytest.raises(ConfigError, match=r"^Unknown initialisation 'kaiming'"):
        activation_statistics(np.ones((2, 3)), "tanh", [4], rng, "kaiming")
    with pytest.raises(ConfigError, match=r"^Unknown activation 'tahn'"):
        expected_statistics("tahn", 1.0, 3)
