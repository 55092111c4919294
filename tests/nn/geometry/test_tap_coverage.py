"""Which pixels dilated stacks read: worked counts, and the gradient as the independent answer."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.nn.geometry import (
    Tap,
    coverage_map,
    doubling_field,
    largest_gap,
    passes_gap_rule,
    receptive_field,
    tap_coverage,
)


@pytest.mark.parametrize(
    ("rates", "read", "field"),
    [([1, 2, 5], 17, 17), ([1, 2, 4], 15, 15), ([1, 2, 3], 13, 13), ([2, 2, 2], 7, 13), ([1, 2, 9], 21, 25)],
)
def test_worked_counts(rates: list[int], read: int, field: int) -> None:
    found = tap_coverage(rates)
    assert (found.read, found.field) == (read, field)
    assert found.share == read / field
    assert found.field == receptive_field([Tap(3, dilation=rate) for rate in rates])[-1]


def test_shares() -> None:
    assert tap_coverage([2, 2, 2]).share == pytest.approx(0.538, abs=5e-4)
    assert tap_coverage([1, 2, 9]).share == 0.84
    assert tap_coverage([2, 4, 8]).share == pytest.approx(0.517, abs=5e-4)
    assert tap_coverage([2, 2, 2]).share_of_square == (7 / 13) ** 2


def gradient_of(rates: list[int], kernel: int) -> np.ndarray:
    """Paths from each pixel to one unit, through real layers whose weights are all 1."""
    net = nn.Sequential(*(nn.Conv2d(1, 1, kernel, dilation=rate, bias=False) for rate in rates)).double()
    for parameter in net.parameters():
        nn.init.ones_(parameter)
    field = 1 + sum((kernel - 1) * rate for rate in rates)
    picture = torch.zeros(1, 1, field, field, dtype=torch.float64, requires_grad=True)
    net(picture).sum().backward()
    return picture.grad[0, 0].numpy()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 4))
def test_counts_equal_the_gradient(rates: list[int], kernel: int) -> None:
    paths = gradient_of(rates, kernel)
    found = tap_coverage(rates, kernel)
    np.testing.assert_array_equal(np.outer(found.weights, found.weights), paths)
    np.testing.assert_allclose(coverage_map(rates, kernel), paths / paths.sum())


def test_strides_spread_the_taps_of_later_layers() -> None:
    """The second layer reads every second unit of the first; 3x3 of stride 2 twice sees 7 pixels and reads all."""
    assert tap_coverage([1, 1], strides=[2, 1]).weights == (1, 1, 2, 1, 2, 1, 1)
    assert tap_coverage([1, 1], kernel=1, strides=[2, 2]).field == 1


def test_the_published_rule_alone_passes_gridding() -> None:
    assert largest_gap([2, 2, 2]) == 2 and passes_gap_rule([2, 2, 2])
    assert tap_coverage([2, 2, 2]).share < 1
    assert largest_gap([1, 2, 5]) == 2 and passes_gap_rule([1, 2, 5])  # both as in the paper
    assert largest_gap([1, 2, 9]) == 5 and not passes_gap_rule([1, 2, 9])


@pytest.mark.parametrize("power", range(6))
def test_the_closed_form_of_doubling_rates(power: int) -> None:
    rates = [2**k for k in range(power + 1)]
    found = tap_coverage(rates)
    assert doubling_field(2**power) == found.field == 2 ** (power + 2) - 1
    assert found.share == 1


def test_the_closed_form_is_for_doubling_rates_alone() -> None:
    assert tap_coverage([1, 2, 4, 4]).field != doubling_field(4)
    with pytest.raises(ConfigError, match="last_rate must be a power of two, since the rates double from 1, got 5"):
        doubling_field(5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([],), "rates must be one or more dilations of 1 or more, got []"),
        (([1, 0],), "rates must be one or more dilations of 1 or more, got [1, 0]"),
        (([1], 0), "kernel must be 1 or more, got 0"),
        (([1, 2], 3, [1]), "strides must be as many as rates, 2, got [1]"),
    ],
)
def test_what_is_refused(arguments: tuple[object, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tap_coverage(*arguments)  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_deep_stacks_do_not_overflow() -> None:
    assert sum(tap_coverage([1] * 60).weights) == 3**60
