"""Pairs of searches at equal budget, and that nothing but validation decides until the end."""

from pathlib import Path
from statistics import mean

import pytest

from pellucid.core.errors import ConfigError
from pellucid.models.classify.genotype import Genotype
from pellucid.training.architecture_search.evaluate import Plan
from pellucid.training.architecture_search.journal import Journal
from pellucid.training.architecture_search.study import Study

STUDY = Study(seeds=(0, 1, 2), budget=9, population=4, sample=2)


class Made(Journal):
    """Accuracies made up from the cell and the seed; notes what was asked for."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere.jsonl"))
        self.asked: list[tuple[Genotype, Plan, int, str]] = []

    def accuracy(self, cell: Genotype, plan: Plan, seed: int, role: str = "val") -> float:
        self.asked.append((cell, plan, seed, role))
        return sum(map(ord, f"{cell}{seed}{role}")) % 97 / 97


def test_both_searches_ask_as_often_and_only_for_validation() -> None:
    journal = Made()
    found = STUDY.searches(journal, 1)
    assert [len(history.tried) for history in found.values()] == [9, 9] and len(journal.asked) == 18
    assert {(plan, seed, role) for _, plan, seed, role in journal.asked} == {(STUDY.short, 1, "val")}
    first, second = (history.tried for history in found.values())
    assert first[:4] == second[:4] and first[4:] != second[4:]


def test_what_is_tested_was_chosen_on_validation() -> None:
    journal = Made()
    found, chosen = STUDY.searches(journal, 2), STUDY.chosen(journal, 2)
    assert chosen["random search"] == found["random search"].best and chosen["evolution"] == found["evolution"].best
    ranked = sorted(one.accuracy for one in found["random search"].tried)
    assert chosen["median random cell"].accuracy == ranked[4]
    journal.asked.clear()
    tested = STUDY.tested(journal, 2)
    opened = [(cell, plan, seed) for cell, plan, seed, role in journal.asked if role == "test"]
    assert opened == [(one.cell, STUDY.long, 2) for one in chosen.values()] and tested.keys() == chosen.keys()


def test_finalists_are_judged_by_all_seeds() -> None:
    journal = Made()
    finalists = STUDY.finalists(journal)
    best = {history.best.cell for seed in STUDY.seeds for history in STUDY.searches(journal, seed).values()}
    assert {one.cell for one in finalists} == best and len(finalists) == len(best)
    for one in finalists:
        assert one.accuracy == mean(journal.accuracy(one.cell, STUDY.short, seed) for seed in STUDY.seeds)
    assert finalists[0].accuracy == max(one.accuracy for one in finalists)
    assert {role for *_, role in journal.asked} == {"val"}


def test_seeds_must_differ() -> None:
    with pytest.raises(ConfigError, match=r"seeds must be different numbers, one or more, got \(1, 1\)"):
        Study(seeds=(1, 1))
