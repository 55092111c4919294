"""Coarse to fine: the budget, the ranges that shrink, and what chance is."""

import math

import pytest

from pellucid.core.errors import ConfigError
from pellucid.training.search.importance import importance
from pellucid.training.search.noise import judge_noise
from pellucid.training.search.sample import draw
from pellucid.training.search.space import Choice, Float, Int, Space
from pellucid.training.search.stages import Stage, heads, plan_stages, shrunk
from pellucid.training.search.tried import Tried, best_of, ranked

SPACE: Space = {
    "lr": Float(1e-5, 1e-1, log=True),
    "drop": Float(0.0, 0.8),
    "k": Int(1, 9),
    "o": Choice(("a", "b", "c")),
}


def planted(n: int = 40) -> list[Tried]:
    """The score falls with the distance of the rate from 1e-3; all else changes nothing."""
    found = []
    for k in range(n):
        settings = draw(SPACE, 3, k)
        found.append(Tried("coarse", k, settings, "done", 1 - abs(math.log10(settings["lr"]) + 3) / 4))
    return found


def test_a_budget_in_trials_is_kept_to_the_trial() -> None:
    assert plan_stages(24, 0, 2, 10) == (Stage("coarse", 2, 16), Stage("fine", 10, 6), Stage("repeat", 10, 2))
    assert plan_stages(0, 0, 2, 10) == plan_stages(24, 0, 2, 10)
    assert plan_stages(10, 0, 3, 0) == (Stage("coarse", 3, 8), Stage("repeat", 3, 2))
    assert plan_stages(1, 0, 2, 10) == (Stage("coarse", 2, 1),)
    for n in range(1, 60):
        assert sum(stage.trials for stage in plan_stages(n, 0, 2, 10)) == n


def test_a_budget_in_minutes_leaves_time_for_every_stage() -> None:
    stages = plan_stages(0, 10, 2, 10)
    assert [(stage.name, stage.until_minutes) for stage in stages] == [("coarse", 5), ("fine", 8.5), ("repeat", 10)]
    both = plan_stages(8, 10, 2, 10)
    assert [(stage.trials, stage.until_minutes) for stage in both] == [(4, 5), (2, 8.5), (2, 10)]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((-1, 0, 2, 10), "trials must be 0 (automatic) or positive, got -1."),
        ((0, -1, 2, 10), "minutes must be 0 (no limit) or positive, got -1."),
        ((0, math.inf, 2, 10), "minutes must be 0 (no limit) or positive, got inf."),
        ((0, 0, 0, 10), "coarse_epochs must be 1 or more, got 0."),
        ((0, 0, 5, 3), "fine_epochs must be at least coarse_epochs, 5, or 0 for no fine stage, got 3."),
    ],
)
def test_budgets_that_make_no_sense(numbers: tuple[int, float, int, int], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_stages(*numbers)
    assert str(caught.value) == said


def test_ranges_shrink_around_the_best() -> None:
    trials = planted()
    best = ranked(trials, True)[0]
    narrow = shrunk(SPACE, trials, True)
    for name in ("lr", "drop"):
        old, new = SPACE[name], narrow[name]
        assert isinstance(old, Float) and isinstance(new, Float)
        assert old.low <= new.low <= best.settings[name] <= new.high <= old.high
        width = old.position(new.high) - old.position(new.low)
        assert width <= 0.5 + 1e-3
    rate = narrow["lr"]
    assert isinstance(rate, Float)
    assert 10**-4.1 < rate.low < 1e-3 < rate.high < 10**-1.9  # the planted optimum stays inside
    assert {len(heads(trials, True, n)) for n in (1, 2, 3)} == {1}
    assert heads(trials, True, 6) == [one.settings for one in ranked(trials, True)[:3]]


def test_shrinking_stops_at_the_ends_and_without_a_result_does_nothing() -> None:
    space: Space = {"lr": Float(1e-4, 1.0, log=True)}
    trials = [Tried("coarse", 0, {"lr": 1.0}, "done", 0.9)]
    assert shrunk(space, trials, True) == {"lr": Float(0.3162, 1.0, log=True)}  # half of a quarter of four decades
    assert shrunk(SPACE, [], True) == SPACE


def test_choices_keep_what_the_best_had() -> None:
    trials = [Tried("coarse", k, {**draw(SPACE, 0, k), "o": "abc"[k % 3]}, "done", -(k % 3)) for k in range(12)]
    narrow = shrunk(SPACE, trials, True)
    assert narrow["o"] == SPACE["o"]  # "a" alone would be no choice; the others stay
    trials = [
        Tried("coarse", k, {**draw(SPACE, 0, k), "o": "abc"[k % 3]}, "done", -float(k % 3 == 2)) for k in range(12)
    ]
    assert shrunk(SPACE, trials, True)["o"] == Choice(("a", "b"))


def test_importance_finds_the_planted_setting() -> None:
    found = importance(SPACE, planted())
    assert next(iter(found)) == "lr"
    assert found["lr"] > 0.8
    assert sum(found.values()) == pytest.approx(1)
    assert set(found) == set(SPACE)
    assert importance(SPACE, planted(3)) == {}
    assert importance(SPACE, [Tried("coarse", k, draw(SPACE, 0, k), "done", 0.5) for k in range(9)]) == {}


def test_ranking() -> None:
    nan = math.nan
    rows = [("done", 0.5, 2.0), ("done", 0.9, 3.0), ("failed", nan, nan), ("done", 0.9, 1.0), ("pruned", nan, nan)]
    trials = [Tried("coarse", k, {}, state, value, loss) for k, (state, value, loss) in enumerate(rows)]  # type: ignore
    assert [one.draw for one in ranked(trials, True)] == [3, 1, 0]
    assert [one.draw for one in ranked(trials, False)] == [0, 3, 1]
    fine = Tried("fine", 0, {}, "done", 0.1)
    assert best_of([*trials, fine, Tried("repeat", 0, {}, "done", 1.0)], True) is fine
    assert best_of([], True) is None


def repeats(best: float, *others: float) -> list[Tried]:
    again = [Tried("repeat", k, {"lr": 1}, "done", value, repeat=k + 1) for k, value in enumerate(others)]
    return [Tried("fine", 0, {"lr": 1}, "done", best), *again]


def test_noise_between_seeds() -> None:
    """Seeds 0.80, 0.81, 0.82: s = 0.01, and 2 sqrt(2) s = 0.0283."""
    close = [Tried("fine", 1, {"lr": 2}, "done", 0.80), Tried("fine", 2, {"lr": 3}, "done", 0.70)]
    (verdict,) = judge_noise([*repeats(0.82, 0.80, 0.81), *close], True)
    assert (verdict.rule, verdict.status) == ("seed-noise", "info")
    assert "0.8100 ± 0.0100 over 3 seeds, and 1 other lies within 0.0283 of it, the next at 0.8000" in verdict.evidence
    far = [Tried("fine", 1, {"lr": 2}, "done", 0.78)]
    assert judge_noise([*repeats(0.82, 0.80, 0.81), *far], True) == []
    assert judge_noise([*repeats(0.82, 0.80), *close], True) == []  # two seeds are no spread
    assert judge_noise([], True) == []


def test_noise_between_folds() -> None:
    """Folds 0.7, 0.8, 0.9: deviation 0.1, of their mean 0.0577; 2 sqrt(2) times that is 0.163."""
    best = Tried("coarse", 0, {"lr": 1}, "done", 0.8, folds=(0.7, 0.8, 0.9))
    assert best.deviation == pytest.approx(0.1)
    (verdict,) = judge_noise([best, Tried("coarse", 1, {"lr": 2}, "done", 0.65)], True)
    assert "0.8000 ± 0.0577 over 3 folds, and 1 other lies within 0.1633 of it" in verdict.evidence
    assert judge_noise([best, Tried("coarse", 1, {"lr": 2}, "done", 0.6)], True) == []


def test_the_same_candidate_again_is_no_rival() -> None:
    """The fine stage begins with a candidate that may be drawn once more."""
    again = Tried("fine", 1, {"lr": 1}, "done", 0.815)
    assert judge_noise([*repeats(0.82, 0.80, 0.81), again], True) == []


def test_a_setting_that_stayed_the_same_explains_nothing() -> None:
    space: Space = {"lr": Float(1e-5, 1e-1, log=True), "flip": Float(0.0, 0.5)}
    trials = [Tried("coarse", k, {"lr": 10.0 ** (-1 - k % 5), "flip": 0.25}, "done", 0.1 * (k % 5)) for k in range(20)]
    assert importance(space, trials) == {"lr": pytest.approx(1.0), "flip": 0.0}


def test_a_whole_number_lies_in_the_middle_of_its_share() -> None:
    """Of 1, 2, 3, 4 each has a quarter of the range, so that no end is nearer to the border than its share."""
    assert [Int(1, 4).position(value) for value in (1, 2, 3, 4)] == [0.125, 0.375, 0.625, 0.875]
    assert [Int(1, 4).value(at) for at in (0.0, 0.24, 0.26, 0.99)] == [1, 1, 2, 4]
