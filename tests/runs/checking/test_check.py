"""`pellucid.check`: data alone, data with a model, and a run; what it keeps, and what it refuses."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import QUICK, arrays, everything, make_scenes

import pellucid
from pellucid.core.errors import ConfigError, DataError, NonFiniteError, WriteError
from pellucid.core.verdict import Verdict
from pellucid.doctor.rules import RULES
from pellucid.runs.checking.check import check
from pellucid.runs.checking.checked import Checked
from pellucid.training.health.preflight.steps import STEPS

SMALL: dict[str, Any] = {"model": "mlp", "threads": 1, "precision": "fp32", "device": "cpu", "batch": 8}


def with_copies() -> tuple[np.ndarray, np.ndarray]:
    """Sixty pictures, three of them there twice."""
    images, labels = arrays(60)
    images[30:33] = images[10:13]
    return images, labels


def test_data_alone_is_not_trained_on() -> None:
    found = check(arrays(60), progress="quiet")
    assert found.preflight == ()
    assert found.ok
    assert {verdict.rule for verdict in found.verdicts} <= set(RULES)
    assert everything(Path()) == {}, "checking writes nothing"


def test_with_a_model_every_step_is_made() -> None:
    found = check(arrays(60), progress="quiet", **SMALL)
    assert [verdict.rule for verdict in found.preflight] == [rule for rule, _ in STEPS]
    assert found.seconds.keys() == {"reading", "data", "preflight"}
    assert found.ok


def test_masks_are_data_too(tmp_path: Path) -> None:
    assert check(make_scenes(tmp_path / "scenes"), progress="quiet").ok


def test_copies_are_listed_and_kept_with_their_pictures(tmp_path: Path) -> None:
    found = check(with_copies(), progress="quiet", seed=1)
    copies = [finding for finding in found.findings if "duplicates" in finding.verdict.rule]
    assert copies
    listed = {record["record"] for record in found.records() if "duplicates" in record["rule"]}
    assert len(listed) >= 2
    page = found.save(tmp_path / "kept")
    assert page.read_text().startswith("<!doctype html>")
    rows = list(csv.DictReader((tmp_path / "kept" / "records.csv").read_text().splitlines()))
    assert rows == found.records()
    sheets = {path.name for path in (tmp_path / "kept").glob("sheet-*.png")}
    assert {f"sheet-{finding.verdict.rule}.png" for finding in copies} <= sheets
    found.save(tmp_path / "kept")  # its own files may be written anew


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    with pytest.raises(WriteError, match="holds something else. Choose a new or empty folder"):
        check(arrays(), progress="quiet").save(tmp_path / "letters")
    assert everything(tmp_path / "letters") == {"a.txt": b"dear"}


def test_a_run_tells_what_it_keeps(finished: Path) -> None:
    before = everything(finished)
    found = check(finished)
    stored = [verdict["rule"] for verdict in json.loads((finished / "doctor.json").read_text())]
    assert {verdict.rule for verdict in found.verdicts} >= {rule for rule in stored if not rule.startswith("curve-")}
    assert everything(finished) == before


def test_a_run_that_met_a_nan_is_replayed(tmp_path: Path) -> None:
    settings = {**QUICK, "model": "mlp", "optimiser": "sgd", "lr": 1e25, "warmup_epochs": 0.0}
    with pytest.raises(NonFiniteError):
        pellucid.train(arrays(60), out=tmp_path / "run", progress="quiet", **settings)
    found = check(tmp_path / "run", progress="quiet")
    assert not found.ok
    assert "non-finite" in {verdict.rule for verdict in found.verdicts}
    assert "once more, layer by layer" in found.notes[0]
    assert any("not finite" in note for note in found.notes)


def test_a_run_has_its_settings(finished: Path) -> None:
    with pytest.raises(ConfigError, match="is a run, whose settings are fixed: leave out --model"):
        check(finished, model="mlp")


@pytest.mark.parametrize(
    ("data", "changes", "error", "said"),
    [
        (None, {}, ConfigError, "check needs data"),
        ("nowhere/at/all", {}, DataError, "nowhere/at/all does not exist"),
        ("digits", {"model": "mlpp"}, ConfigError, "Did you mean 'mlp'"),
        ("digits", {"model": "knn"}, ConfigError, "is fitted in one go, and has no training to look at beforehand"),
        ("digits", {"modell": "mlp"}, ConfigError, "modell"),
    ],
)
def test_wrong_turns(data: Any, changes: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        check(data, progress="quiet", **changes)


def test_the_worst_stands_first_and_decides() -> None:
    ranked = [
        Verdict("drift", "info", "a"),
        Verdict("label-noise", "fail", "b <i>"),
        Verdict("duplicates", "warn", "c"),
    ]
    found = Checked("made", other=ranked)
    assert [verdict.status for verdict in found.verdicts] == ["fail", "warn", "info"]
    assert not found.ok
    assert Checked("made", other=ranked[::2]).ok
    assert "b &lt;i&gt;" in found._repr_html_()
    assert found.as_dict()["ok"] is False


def test_a_searched_rate_is_a_stated_rate(tmp_path: Path) -> None:
    """The run has the weights of one that was given the rate, to the bit, and goes on with it when resumed."""
    settings = {**QUICK, "model": "mlp", "batch": 8}
    searched = pellucid.train(arrays(60), out=tmp_path / "a", progress="quiet", find_lr=True, **settings)
    rate = searched.config.optim.lr
    stated = pellucid.train(arrays(60), out=tmp_path / "b", progress="quiet", lr=rate, **settings)
    weights = [(run.folder / "model.safetensors").read_bytes() for run in (searched, stated)]
    assert weights[0] == weights[1]
    assert searched.config == stated.config
    assert "rate-found" in {verdict.rule for verdict in searched.verdicts}
    assert (tmp_path / "a" / "rate_finder.svg").read_text().startswith("<svg")
    assert "Search of the rate" in (tmp_path / "a" / "report.html").read_text()
    assert json.loads((tmp_path / "a" / "rate_finder.json").read_text())["rates"]
    again = pellucid.train(arrays(60), resume=tmp_path / "a", progress="quiet")
    assert again.config.optim.lr == rate


def test_a_rate_is_searched_or_stated() -> None:
    with pytest.raises(ConfigError, match="--find-lr searches the rate that --lr 0.1 states"):
        pellucid.train("digits", find_lr=True, lr=0.1)
