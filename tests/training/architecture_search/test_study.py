"""Pairs of searches at equal budget, and that nothing but validation decides until the end."""

from dataclasses import replace
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
    """Accuracies made up from the question; notes what was asked for."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere.jsonl"))
        self.asked: list[tuple[Genotype, Plan, int, str]] = []

    def accuracy(self, cell: Genotype, plan: Plan, seed: int, role: str = "val") -> float:
        self.asked.append((cell, plan, seed, role))
        return sum(map(ord, f"{cell}{plan.pictures}{seed}{role}")) % 97 / 97


def test_both_searches_ask_as_often_and_only_for_validation() -> None:
    journal = Made()
    found = STUDY.searches(journal, 1)
    assert [len(history.tried) for history in found.values()] == [9, 9] and len(journal.asked) == 18
    assert {(plan, seed, role) for _, plan, seed, role in journal.asked} == {(STUDY.short, 1, "val")}
    first, second = (history.tried for history in found.values())
    assert first[:4] == second[:4] and first[4:] != second[4:]


def test_what_is_tested_was_chosen_on_validation() -> None:
    journal, plain = Made(), replace(STUDY, second_look=0)
    found, chosen = plain.searches(journal, 2), plain.chosen(journal, 2)
    assert {name: chosen[name] for name in found} == {name: history.best.cell for name, history in found.items()}
    ranked = sorted(one.accuracy for one in found["random search"].tried)
    assert journal.accuracy(chosen["median random cell"], STUDY.short, 2) == ranked[4]
    journal.asked.clear()
    tested = plain.tested(journal, 2)
    opened = [(cell, plan, seed) for cell, plan, seed, role in journal.asked if role == "test"]
    assert opened == [(cell, STUDY.long, 2) for cell in chosen.values()] and tested.keys() == chosen.keys()


def test_a_second_look_is_at_the_best_and_on_validation() -> None:
    """The long training decides among the three best of the short one, of each search; the median stays."""
    study, journal = replace(STUDY, second_look=3), Made()
    found, chosen = study.searches(journal, 0), study.chosen(journal, 0)
    looks = [(cell, seed, role) for cell, plan, seed, role in journal.asked if plan == study.long]
    assert len(looks) == 6 and {(seed, role) for _, seed, role in looks} == {(0, "val")}
    for history, three in zip(found.values(), (looks[:3], looks[3:]), strict=True):
        least = min(journal.accuracy(cell, study.short, 0) for cell, *_ in three)
        assert sum(one.accuracy > least for one in history.tried) == 2
    for name, three in zip(found, (looks[:3], looks[3:]), strict=True):
        assert chosen[name] == max((cell for cell, *_ in three), key=lambda cell: journal.accuracy(cell, study.long, 0))
    assert chosen["median random cell"] == replace(study, second_look=0).chosen(journal, 0)["median random cell"]


def test_finalists_are_judged_by_all_seeds() -> None:
    journal = Made()
    finalists = STUDY.finalists(journal)
    best = {cell for seed in STUDY.seeds for cell in list(STUDY.chosen(journal, seed).values())[1:]}
    assert {one.cell for one in finalists} == best and len(finalists) == len(best)
    for one in finalists:
        assert one.accuracy == mean(journal.accuracy(one.cell, STUDY.short, seed) for seed in STUDY.seeds)
    assert finalists[0].accuracy == max(one.accuracy for one in finalists)
    assert {role for *_, role in journal.asked} == {"val"}


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(ConfigError, match="second_look must be 0 to 9, got 10"):
        replace(STUDY, second_look=10)


def test_seeds_must_differ() -> None:
    with pytest.raises(ConfigError, match=r"seeds must be different numbers, one or more, got \(1, 1\)"):
        Study(seeds=(1, 1))
