"""What the pages on architecture search claim, from the journal they are made from."""

from dataclasses import replace
from functools import cache
from statistics import mean

import pytest
from write_questions import ARCHITECTURES

from pellucid.data.load import load
from pellucid.models import create
from pellucid.models.classify.cell_net import FOUND, CellNet
from pellucid.models.classify.genotype import Genotype
from pellucid.training.architecture_search.evaluate import Held, Plan
from pellucid.training.architecture_search.journal import Journal
from pellucid.training.architecture_search.study import Study

STUDY = Study()
ALONE = replace(STUDY, second_look=0)


@cache
def journal() -> Journal:
    """Reads only: a line that is missing would be an error."""
    return Journal(ARCHITECTURES.load("architecture_search").JOURNAL)


def test_the_journal_holds_what_the_study_asks_for_and_no_more() -> None:
    """Searches of 24 cells, second looks, the chosen cells on all seeds, and on test pictures once for each choice."""
    asked: set[tuple[str, int, int, str]] = set()

    class Noting(Journal):
        def accuracy(self, cell: Genotype, plan: Plan, seed: int, role: Held = "val") -> float:
            asked.add((str(cell), plan.pictures, seed, role))
            return super().accuracy(cell, plan, seed, role)

    noting = Noting(journal().path)
    for seed in STUDY.seeds:
        assert all(len(history.tried) == 24 for history in STUDY.searches(noting, seed).values())
        ALONE.tested(noting, seed, STUDY.short)
        ALONE.tested(noting, seed)
        STUDY.tested(noting, seed)
    STUDY.finalists(noting)
    keys = [(line["cell"], line["pictures"], line["seed"], line["role"]) for line in noting.lines]
    assert sorted(keys) == sorted(asked)


def gains(study: Study, name: str, plan: Plan) -> list[float]:
    """Test accuracy of what a search chose, less that of the median random cell, by seed."""
    found = [study.tested(journal(), seed, plan) for seed in STUDY.seeds]
    return [one[name] - one["median random cell"] for one in found]


@pytest.mark.parametrize("name", ["random search", "evolution"])
def test_searches_beat_the_median_random_cell_at_the_training_they_saw(name: str) -> None:
    """Chosen on validation, in each pair; and on test pictures, in the mean and not below it in any pair."""
    for seed in STUDY.seeds:
        chosen = ALONE.chosen(journal(), seed)
        short = {key: journal().accuracy(cell, STUDY.short, seed) for key, cell in chosen.items()}
        assert short[name] > short["median random cell"]
    found = gains(ALONE, name, STUDY.short)
    assert min(found) >= 0 and mean(found) > 0.01


def test_the_gain_does_not_carry_over_to_a_longer_training() -> None:
    for study in (ALONE, STUDY):
        assert mean(gains(study, "random search", STUDY.long)) < 0
        assert abs(mean(gains(study, "evolution", STUDY.long))) < 0.005


def test_the_found_cell_is_the_best_finalist_and_a_model_by_name() -> None:
    best = STUDY.finalists(journal())[0].cell
    assert str(best) == FOUND
    model = create("cell_net", 10, 1, (28, 28))
    expected = CellNet(FOUND, 10, 1, small_stem=True).state_dict()
    assert {key: value.shape for key, value in model.state_dict().items()} == {k: v.shape for k, v in expected.items()}


def test_the_journal_is_true() -> None:
    """One evaluation made again; on another processor some of 2,000 pictures may be named otherwise."""
    script = ARCHITECTURES.load("architecture_search")
    again = Journal(script.JOURNAL, load("fashion-mnist-mini"))
    assert script.again(STUDY, again, 1) < 0.03
