"""The watch over the borders, on the notes' own lines."""

import math

import pytest

from pellucid.training.search.borders import edge_of, watch_borders, widened
from pellucid.training.search.space import Choice, Float, Int, Space
from pellucid.training.search.tried import Tried

NOTES: Space = {"lr": Float(1e-4, 1e-3, log=True), "reg": Float(1e-4, 1.0, log=True)}
LINES = [(0.515, 6.947668e-04, 1.562808e-02), (0.531, 9.471549e-04, 1.433895e-03), (0.509, 3.140888e-04, 2.857518e-01)]


def tried(*rows: tuple[float, dict[str, object]]) -> list[Tried]:
    return [Tried("coarse", n, settings, "done", value) for n, (value, settings) in enumerate(rows)]


def notes() -> list[Tried]:
    return tried(*((value, {"lr": lr, "reg": reg}) for value, lr, reg in LINES))


def test_the_three_lines_of_the_notes_raise_it_for_the_rate_alone() -> None:
    (verdict,), wider = watch_borders(NOTES, notes(), higher_is_better=True)
    assert (verdict.rule, verdict.status) == ("choice-at-border", "warn")
    # log10(9.471549e-4) + 4 = 0.9764 of one decade
    assert NOTES["lr"].position(9.471549e-04) == pytest.approx(0.976, abs=5e-4)
    assert "the best lr, 9.471549e-04 (score 0.531), lies at 97.6% of its range 0.0001..0.001 log" in verdict.evidence
    assert '--space "lr=0.0001..0.01 log"' in verdict.cure
    assert wider == {"lr": Float(1e-4, 1e-2, log=True), "reg": NOTES["reg"]}


def test_lower_is_better_takes_the_other_line() -> None:
    verdicts, _ = watch_borders(NOTES, notes(), higher_is_better=False)  # lr 3.140888e-04 lies in the middle
    assert verdicts == []


@pytest.mark.parametrize(
    ("axis", "value", "edge"),
    [
        (Float(0.0, 1.0), 0.04, "low"),
        (Float(0.0, 1.0), 0.06, ""),
        (Float(0.0, 1.0), 0.96, "high"),
        (Float(1e-4, 1.0, log=True), 0.04, ""),  # 65 % of the decades, though 4 % of the numbers
        (Float(1e-4, 1.0, log=True), 1.5e-4, "low"),
        (Int(1, 3), 1, "low"),
        (Int(1, 3), 2, ""),
        (Int(1, 3), 3, "high"),
        (Int(1, 100), 4, "low"),
        (Choice(("a", "b")), "a", ""),
    ],
)
def test_edges_are_counted_on_the_scale(axis: Float | Int | Choice, value: object, edge: str) -> None:
    assert edge_of(axis, value) == edge


def test_wider_ranges() -> None:
    anything = lambda value: True  # noqa: E731
    assert widened(Float(1e-4, 1e-3, log=True), "low", anything) == Float(1e-5, 1e-3, log=True)
    assert widened(Float(0.0, 0.4), "high", anything) == Float(0.0, 0.6)
    assert widened(Int(2, 10), "high", anything) == Int(2, 14)
    assert widened(Int(16, 64, log=True), "low", anything) == Int(1, 64, log=True)


def test_nothing_impossible_is_proposed() -> None:
    assert widened(Float(0.0, 0.8), "high", lambda value: value < 1) == Float(0.0, 0.9)  # 1.2 and 1.0 are refused
    assert widened(Float(0.0, 0.5), "low", lambda value: value >= 0) is None
    space: Space = {"drop": Float(0.0, 0.5)}
    verdicts, wider = watch_borders(space, tried((0.9, {"drop": 0.0})), True, lambda name, value: value >= 0)
    assert (verdicts, wider) == ([], space)  # 0 is the end of what there is, not of the range alone


def test_what_hardly_matters_is_a_note() -> None:
    rows = tried(*((0.5 + k / 100, {"lr": 10 ** (-4 + k / 12), "reg": 0.9}) for k in range(12)))
    important = {"lr": 0.95, "reg": 0.05}
    verdicts, _ = watch_borders(NOTES, rows, True, importance=important)
    assert [(v.status, v.evidence.split(",")[0]) for v in verdicts] == [("info", "the best reg")]
    unknown, _ = watch_borders(NOTES, rows, True)
    assert [v.status for v in unknown] == ["warn"]


def test_the_outermost_values_of_a_grid_are_its_edge() -> None:
    rates = (3e-4, 1e-3, 3e-3)  # in the middle of thirds of 1e-4..1e-2, none within a twentieth of an end
    space: Space = {"lr": Float(1e-4, 1e-2, log=True), "drop": Float(0.0, 0.5)}
    rows = tried(*((0.5 + 10 * lr, {"lr": lr, "drop": drop}) for lr in rates for drop in (0.1, 0.2, 0.3)))
    verdicts, wider = watch_borders(space, rows, True)
    assert [v.evidence.split(",")[0] for v in verdicts] == ["the best lr", "the best drop"]
    inside = [one for one in rows if one.settings != {"lr": 3e-3, "drop": 0.1}]
    assert wider["lr"] == Float(1e-4, 1e-1, log=True)
    assert watch_borders(space, inside[:3], True)[0] == []  # three trials of three values are no grid


def test_nothing_is_said_of_nothing() -> None:
    assert watch_borders(NOTES, [], True) == ([], NOTES)
    failed = [Tried("coarse", 0, {"lr": 1e-3, "reg": 1.0}, "failed", math.nan)]
    assert watch_borders(NOTES, failed, True) == ([], NOTES)
