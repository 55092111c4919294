"""The measured properties of the activations against what is known of each, and functions made to fail each."""

from collections.abc import Callable

import numpy as np
import pytest

from pellucid.core.errors import ConfigError
from pellucid.scratch.checks.activation_properties import (
    CANDIDATES,
    Candidate,
    cost,
    kinks,
    many_layers,
    properties,
    property_table,
)

# Nonlinear, Differentiable, Cheap, Unsaturated, Monotone, Bounded, Few parameters, Normalising
KNOWN = {
    "sigmoid": "ND..MBF.",
    "tanh": "ND..MBF.",
    "relu": "NDCUM.F.",
    "leaky_relu": "NDCUM.F.",
    "prelu": "NDCUM.F.",
    "elu": "ND.UM.F.",
    "selu": "ND.UM.FN",
    "swish": "ND.U..F.",
    "relu6": "NDC.MBF.",
    "hard_sigmoid": "NDC.MBF.",
    "hard_swish": "NDCU..F.",
    "gelu": "ND.U..F.",
    "crelu": "NDCUM.F.",
    "maxout": "ND.U....",
}
SATURATED = {
    "sigmoid": "both",
    "tanh": "both",
    "relu6": "both",
    "hard_sigmoid": "both",
    "relu": "left",
    "elu": "left",
    "selu": "left",
    "swish": "left",
    "hard_swish": "left",
    "gelu": "left",
    "leaky_relu": "none",
    "prelu": "none",
    "crelu": "none",
    "maxout": "none",
}


def made_of(f: Callable[[np.ndarray], np.ndarray], slope: Callable[[np.ndarray], np.ndarray]) -> Candidate:
    return Candidate(lambda x: (f(x), x), lambda dout, x: dout * slope(x))


def test_the_table_of_all_activations() -> None:
    table = property_table()
    letters = {
        name: "".join(c if yes else "." for c, yes in zip("NDCUMBFN", answers.values(), strict=True))
        for name, answers in table.items()
    }
    assert letters == KNOWN
    assert list(table["relu"]) == [
        "nonlinear",
        "differentiable almost everywhere",
        "cheap",
        "non-saturating",
        "monotone",
        "bounded",
        "few parameters",
        "normalising",
    ]


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_sides_that_saturate_are_those_where_the_slope_goes_to_zero(name: str) -> None:
    found = properties(name)
    assert found.saturates == SATURATED[name]
    assert found.non_saturating == (SATURATED[name] != "both")


def test_the_limits_of_the_slopes() -> None:
    assert (properties("leaky_relu").left, properties("leaky_relu").right) == (0.01, 1)
    assert (properties("crelu").left, properties("crelu").right) == (-1, 1)
    assert properties("selu").right == pytest.approx(1.0507, abs=1e-5)


def test_the_identity_is_not_nonlinear_and_nothing_else_is_wrong_with_it() -> None:
    found = properties(made_of(lambda x: 3 * x + 1, lambda x: np.full_like(x, 3.0)))
    assert not found.nonlinear
    assert found.differentiable
    assert found.cheap
    assert found.monotone
    assert not found.bounded
    assert not found.normalising


def test_a_function_that_is_rough_everywhere_is_not_differentiable() -> None:
    def weierstrass(x: np.ndarray) -> np.ndarray:
        return sum((0.5**n * np.cos(7**n * np.pi * x) for n in range(9)), start=np.zeros_like(x))

    def to_the_right(x: np.ndarray) -> np.ndarray:
        return (weierstrass(x + 1e-6) - weierstrass(x)) / 1e-6

    assert not properties(made_of(weierstrass, to_the_right)).differentiable


def test_a_wrong_derivative_is_not_taken_for_the_slope() -> None:
    assert not properties(made_of(np.sin, lambda x: -np.cos(x))).differentiable
    assert not properties(made_of(np.sin, lambda x: np.where(x > 9, 0, np.cos(x)))).differentiable
    assert properties(made_of(np.sin, np.cos)).differentiable


def test_the_softplus_saturates_on_the_left_slowly_growing_ones_on_the_right() -> None:
    def gate(x: np.ndarray) -> np.ndarray:
        return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))

    assert properties(made_of(lambda x: np.logaddexp(0, x), gate)).saturates == "left"
    assert properties(made_of(np.arcsinh, lambda x: 1 / np.sqrt(1 + x * x))).saturates == "both"
    assert not properties(made_of(np.arcsinh, lambda x: 1 / np.sqrt(1 + x * x))).bounded


def test_a_function_that_only_falls_is_monotone_and_a_wave_is_not() -> None:
    assert properties(made_of(lambda x: -np.tanh(x), lambda x: np.tanh(x) ** 2 - 1)).monotone
    wave = properties(made_of(np.sin, np.cos))
    assert not wave.monotone
    assert wave.bounded
    assert wave.saturates == "none"


def test_of_several_outputs_each_has_to_pass() -> None:
    def beside(other: Callable[[np.ndarray], np.ndarray], slope: Callable[[np.ndarray], np.ndarray]) -> Candidate:
        return Candidate(
            lambda x: (np.concatenate([x, other(x)], axis=1), x),
            lambda dout, x: np.split(dout, 2, axis=1)[0] + np.split(dout, 2, axis=1)[1] * slope(x),
        )

    assert not properties(beside(np.sin, np.cos)).monotone
    bent = properties(beside(np.tanh, lambda x: 1 - np.tanh(x) ** 2))
    assert bent.monotone
    assert not bent.bounded
    assert kinks(beside(lambda x: np.maximum(x, 1.5), lambda x: 1.0 * (x > 1.5))) == (1.5,)


def test_one_side_is_enough_to_be_unbounded() -> None:
    assert not properties(made_of(lambda x: np.minimum(x, 0), lambda x: 1.0 * (x < 0))).bounded
    assert not properties(made_of(lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0))).bounded


def test_kinks_are_found_where_they_are() -> None:
    where = {name: kinks(candidate) for name, candidate in CANDIDATES.items()}
    assert {name: found for name, found in where.items() if found} == {
        "relu": (0,),
        "leaky_relu": (0,),
        "prelu": (0,),
        "selu": (0,),
        "crelu": (0,),
        "maxout": (0,),
        "relu6": (0, 6),
        "hard_sigmoid": (-3, 3),
        "hard_swish": (-3, 3),
    }


def test_what_is_counted() -> None:
    assert cost(CANDIDATES["relu"]) == (0, 1)
    assert cost(CANDIDATES["tanh"]) == (1, 1)
    assert cost(CANDIDATES["leaky_relu"]) == (0, 3)  # compare, multiply, choose
    assert cost(CANDIDATES["crelu"]) == (0, 1.5)  # turn, twice the maximum: three for two numbers out
    assert cost(CANDIDATES["maxout"]) == (0, 2 * 8 + 2 + 2)  # two products of 8, two additions, a maximum of two
    assert cost(CANDIDATES["sigmoid"])[0] == 2
    chosen_twice = made_of(lambda x: np.where(x > 1, np.where(x > 2, 1, x), x), np.zeros_like)
    assert cost(chosen_twice) == (0, 4)


def test_what_is_learnt() -> None:
    learnt = {name: properties(candidate).parameters for name, candidate in CANDIDATES.items()}
    assert {name: n for name, n in learnt.items() if n} == {"prelu": 1, "swish": 1 / 8, "maxout": 2 * (8 + 1)}


def test_only_selu_brings_every_start_back_to_mean_zero_and_square_one() -> None:
    mean, square = many_layers(CANDIDATES["selu"], starts=(0.1, 10.0))
    assert mean == pytest.approx(0, abs=1e-6)
    assert square == pytest.approx(1, abs=1e-6)
    for name in ("relu", "crelu"):  # the mean square over all units: half in each layer
        assert many_layers(CANDIDATES[name], starts=(1.0,))[1] == pytest.approx(0.5**100, rel=1e-3)


def test_the_worst_start_decides() -> None:
    line = made_of(lambda x: x, np.ones_like)  # keeps every mean square
    assert many_layers(line, starts=(1.0, 4.0, 0.5))[1] == pytest.approx(4)
    assert many_layers(line, starts=(1.0, 1.1, 0.25))[1] == pytest.approx(0.25)
    assert not properties(line).normalising


def test_an_unknown_name_is_said_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        properties("rellu")
    assert str(caught.value).startswith("Unknown activation 'rellu'. Did you mean 'relu'")
