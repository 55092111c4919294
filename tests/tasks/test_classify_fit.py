"""The small decisions of fitting, each alone: which candidate is kept, what is warned of, what an absent class gets."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import pellucid
from pellucid.tasks.classify import fit, fit_report
from pellucid.tasks.classify.fit import Part
from pellucid.training.selection.candidates import Candidate, Table, share_right


def table(regs: tuple[float, ...], scores: tuple[float, ...]) -> Table:
    return Table(tuple(Candidate({"reg": reg}, (score,)) for reg, score in zip(regs, scores, strict=True)))


class OnlyTwoIsRight:
    """An estimator that is right for reg = 2 alone."""

    def __init__(self, reg: float) -> None:
        self.reg = reg

    def fit(self, x: Any, y: Any) -> "OnlyTwoIsRight":
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.full(len(x), int(self.reg != 2))


def test_the_estimator_that_is_kept_is_the_best_and_not_the_last() -> None:
    val = Part(torch.zeros(4, 1), np.zeros(4, dtype=np.int64))
    found, best = fit._compare_linear(OnlyTwoIsRight, [1.0, 2.0, 3.0], np.zeros((4, 1)), val.y, val, share_right)
    assert found.best.settings == {"reg": 2.0} and best.reg == 2.0


def test_a_class_without_training_pictures_cannot_win() -> None:
    estimator = SimpleNamespace(coef_=np.array([[1.0, -2.0]]), intercept_=np.array([0.5]))
    weight, bias = fit._templates(estimator, np.array([0, 2]), 3)
    assert bias[1] < -1000 and not weight[1].any()
    assert torch.equal(weight[2] - weight[0], torch.tensor([1.0, -2.0])) and float(bias[2] - bias[0]) == 0.5


def test_k_fits_the_smallest_part_of_a_fold() -> None:
    cfg: Any = SimpleNamespace(classic=SimpleNamespace(folds=2))
    assert fit._smallest(cfg, Part(torch.zeros(15, 1), np.zeros(15, dtype=np.int64))) == 7


def test_a_best_at_the_border_is_told_when_it_beats_its_neighbour() -> None:
    told = fit._at_border(table((3.0, 2.0, 1.0), (0.5, 0.6, 0.7)), "reg", (3.0, 2.0, 1.0), "--reg")
    assert told is not None and "smallest" in told.evidence
    regs = (4.0, 3.0, 2.0, 1.0)
    assert fit._at_border(table(regs, (0.7, 0.7, 0.6, 0.5)), "reg", regs, "--reg") is None


def test_the_temperature_scales_weights_and_bias_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    images = (rng.integers(0, 60, (60, 8, 8)) + 60 * labels[:, None, None]).astype(np.uint8)
    heads = []
    for temperature in (1.0, 4.0):
        monkeypatch.setattr(fit, "fit_temperature", lambda *_, chosen=temperature: chosen)
        run = pellucid.train(
            (images, labels), out=tmp_path / str(temperature), model="svm", reg=0.1, threads=1, progress="quiet"
        )
        heads.append(run.trained.model.net.head)
    plain, cooled = heads
    assert float(plain.bias.detach().abs().max()) > 0
    torch.testing.assert_close(plain.bias, 4 * cooled.bias)
    torch.testing.assert_close(plain.weight, 4 * cooled.weight)


def test_neighbours_are_shown_only_where_places_in_memory_are_places_in_the_split() -> None:
    facts: Any = SimpleNamespace(n_train=3)
    assert not fit_report._labelled(facts, torch.zeros(2)) and fit_report._labelled(facts, torch.zeros(3))
