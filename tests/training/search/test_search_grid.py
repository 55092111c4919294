"""The grid, and why random draws beat it where one setting matters."""

import pytest

from pellucid.core.errors import ConfigError
from pellucid.training.search.grid import grid, random_against_grid, shuffled_grid
from pellucid.training.search.space import Choice, Float, Int, Space

SQUARE: Space = {"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}


def test_nine_trials_try_nine_values_or_three() -> None:
    race = random_against_grid(lambda x, y: -abs(x - 0.4), trials=9)
    assert race.distinct == {"grid": 3, "random": 9}


def test_random_beats_the_grid_on_a_function_with_one_relevant_axis() -> None:
    """The nearest of 3 grid values is 0.1 from the best at 0.4; that of 9 random ones on average 0.057.

    E[min |x - c|] of n uniform draws is the integral of P(all further than t): for c = 0.4 and n = 9
    (1 - 0.8^10) / 20 + 0.2^10 / 10 ... = 0.0500 * (1 - 0.2^10) + 0.2^10 / 10 = 0.05.
    """
    n, c = 9, 0.4
    expected = (1 - (1 - 2 * c) ** (n + 1)) / (2 * (n + 1)) + (1 - 2 * c) ** (n + 1) / (n + 1)
    race = random_against_grid(lambda x, y: -abs(x - c), trials=n, seeds=2000)
    assert race.mean_best["grid"] == pytest.approx(-0.1)
    assert race.mean_best["random"] == pytest.approx(-expected, rel=0.05)
    # random wins unless all nine are 0.1 or more away: 1 - 0.8^9
    assert race.wins == pytest.approx(1 - 0.8**9, abs=0.03)


def test_where_both_axes_matter_alike_the_grid_is_no_worse_a_choice() -> None:
    """The demonstration is of one relevant axis, not of magic."""
    race = random_against_grid(lambda x, y: -max(abs(x - 0.5), abs(y - 0.5)), trials=9)
    assert race.mean_best["grid"] == 0.0
    assert race.wins == 0.0


def test_grids_spread_evenly_on_the_scale_and_keep_to_the_budget() -> None:
    space: Space = {"lr": Float(1e-4, 1e-1, log=True), "o": Choice(("a", "b")), "k": Int(1, 2)}
    found = grid(space, 20)
    assert len(found) == 12  # 3 rates x 2 x 2 whole numbers: three points of 1..2 are only two
    assert sorted({each["lr"] for each in found}) == pytest.approx([10**-3.5, 10**-2.5, 10**-1.5], rel=1e-3)
    assert sorted(map(str, shuffled_grid(space, 20, 0))) == sorted(map(str, found))
    assert shuffled_grid(space, 20, 0) != found
    assert len(grid(SQUARE, 1)) == 1


def test_choices_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"trials must be at least 4, the combinations of all choices, for a grid"):
        grid({"a": Choice((1, 2)), "b": Choice((1, 2))}, 3)
