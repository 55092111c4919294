"""The page of detection rates: what counts as found, and that every planted fault has a rule that exists."""

from pathlib import Path
from typing import Any

import pytest

import doctor
from pellucid.core.verdict import Verdict
from pellucid.doctor.rules import RULES

CASE = doctor.Case("while", "dead-units", lambda folder: [], ("initial-loss",))
HEALTHY = doctor.Case("while", "", lambda folder: [])


@pytest.mark.parametrize(
    ("case", "alarms", "right"),
    [
        (CASE, ["dead-units"], True),
        (CASE, ["dead-units", "initial-loss"], True),
        (CASE, ["initial-loss"], False),
        (CASE, [], False),
        (CASE, ["dead-units", "drift"], False),
        (HEALTHY, [], True),
        (HEALTHY, ["drift"], False),
    ],
)
def test_found_means_its_rule_and_no_other(case: Any, alarms: list[str], right: bool) -> None:
    assert doctor.is_right(case, alarms) == right


def test_notes_are_no_alarms(tmp_path: Path) -> None:
    said = [Verdict("drift", "info", "a little"), Verdict("dead-units", "warn", "many"), Verdict("x", "pass", "fine")]
    found = doctor.examine(doctor.Case("data", "drift", lambda folder: said))
    assert found["alarms"] == ["dead-units"]


def test_every_fault_names_a_rule_and_there_are_twenty_healthy_runs() -> None:
    every = doctor.cases()
    assert {rule for case in every.values() for rule in (case.rule, *case.also) if rule} <= set(RULES)
    assert sum(case.part == "while" and not case.rule for case in every.values()) == 20
    assert {case.part for case in every.values()} == {"data", "before", "while", "after"}


def test_the_page_says_what_was_missed() -> None:
    kept = {
        "one": {"alarms": ["dead-units"], "seconds": 1.0},
        "two": {"alarms": [], "seconds": 1.0},
        "fine": {"alarms": [], "seconds": 2.0},
        "cried": {"alarms": ["drift"], "seconds": 2.0},
    }
    page = doctor.page({"one": CASE, "two": CASE, "fine": HEALTHY, "cried": HEALTHY}, kept)
    assert "**1 of 2 planted faults** are named" in page
    assert "Of **2** healthy cases" in page and "**1 raise an alarm** (cried)" in page
    assert "| two | while training | `dead-units` (or `initial-loss`) | none | **missed** |" in page
    assert all(f"| `{rule}` |" in page for rule in RULES)
