"""The ladder on pictures of 17 pixels: one split, one opening, no rung twice."""

import json
import runpy
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import Tiny

from pellucid.core.errors import ConfigError, DataError, Interrupted, RunError
from pellucid.core.facts import DataFacts
from pellucid.core.files import read_json, read_lines
from pellucid.core.preprocess import Preprocess
from pellucid.data.source import Source
from pellucid.models.classify import MODELS
from pellucid.runs.comparing.climbing import climb
from pellucid.runs.comparing.climbing.rungs import NAMES, RUNGS, STRONG, chosen, settings_for, why_not
from pellucid.runs.comparing.ladder import Ladder, ladder, usual_budget
from pellucid.runs.run import Run

QUICK: dict[str, Any] = {"only": ["softmax", "cnn", "strong", "ensemble"], "threads": 1, "progress": "quiet"}


def make_quick(patch: pytest.MonkeyPatch) -> None:
    """Small nets, and an epoch that costs 1 s of a budget of 20, so that epochs do not depend on the machine."""
    for name in ("convnet", "whitened_convnet"):
        patch.setitem(MODELS, name, Tiny)
    patch.setattr(climb, "epoch_cost", lambda cfg, source: (1.0, 4))
    patch.setattr(climb.time, "process_time", lambda: 0.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(90) % 3
    noise = np.random.default_rng(0).integers(0, 90, (90, 17, 17))
    return (noise + 80 * labels[:, None, None]).clip(0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def straight(data: Any, tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """A finished ladder that no test changes."""
    with pytest.MonkeyPatch.context() as patch:
        make_quick(patch)
        return ladder(data, out=tmp_path_factory.mktemp("ladders") / "straight", budget=20.0, **QUICK)


@pytest.fixture
def done(straight: Ladder, tmp_path: Path) -> Ladder:
    """A copy of it, to be changed."""
    return replace(straight, folder=Path(shutil.copytree(straight.folder, tmp_path / "ladder")))


def test_all_rungs_share_the_split_and_the_test_is_opened_once(done: Ladder) -> None:
    assert [row["rung"] for row in done.rows] == QUICK["only"] and done.left_out == {}
    state = read_json(done.folder / "ladder.json")
    folders = sorted({name for each in state["plan"].values() for name in each["folders"]})
    assert folders == ["cnn", "members/0", "members/1", "softmax"]
    runs = [Run(done.folder / name) for name in folders]
    assert len({run.facts.split_hash for run in runs}) == 1 and runs[0].facts.split_hash == state["asked"]["split"]
    assert [run.config.train.seed for run in runs] == [0, 0, 1, 0]
    (opening,) = read_lines(done.folder / "test_openings.jsonl")
    assert opening["values"] == {row["rung"]: pytest.approx(row["test"], abs=1e-6) for row in done.rows}
    assert [len(read_lines(run.folder / "test_openings.jsonl")) for run in runs] == [1, 1, 1, 1]
    assert done.verdicts == ()
    by_name = {row["rung"]: row for row in done.rows}
    assert by_name["ensemble"]["model"] == "2 x whitened_convnet"
    assert by_name["ensemble"]["parameters"] == 2 * by_name["strong"]["parameters"]
    assert by_name["softmax"]["parameters"] == 3 * 17 * 17 + 3 and by_name["softmax"]["epochs"] is None
    assert by_name["strong"]["validation"] == Run(done.folder / "members/0").history[-1]["val_accuracy"]


def test_the_budget_decides_the_epochs(done: Ladder) -> None:
    """20 s less 6 %; 8 parts of 78 to the small net, then the rest to the two strong ones; 1 s an epoch."""
    by_name = {row["rung"]: row for row in done.rows}
    assert by_name["cnn"]["epochs"] == round(20 * 0.94 * 8 / 78)
    assert by_name["strong"]["epochs"] == by_name["ensemble"]["epochs"] == int(20 * 0.94 / 2)


def test_called_again_nothing_is_repeated(done: Ladder, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(climb, "start", lambda *args, **rest: pytest.fail("trained again"))
    before = (done.folder / "ladder.html").read_bytes()
    again = ladder(data, out=done.folder, budget=20.0, **QUICK)
    assert again.rows == done.rows and again.verdicts == ()
    assert (done.folder / "ladder.html").read_bytes() == before
    assert len(read_lines(done.folder / "test_openings.jsonl")) == 1


def test_a_rung_that_is_added_opens_the_test_again_and_says_so(done: Ladder, data: Any) -> None:
    more = ladder(data, out=done.folder, budget=20.0, **{**QUICK, "only": ["svm", *QUICK["only"]]})
    assert [row["rung"] for row in more.rows] == ["softmax", "svm", "cnn", "strong", "ensemble"]
    assert [row for row in more.rows if row["rung"] != "svm"] == done.rows
    (verdict,) = more.verdicts
    assert (verdict.rule, verdict.status) == ("test-opened-again", "warn")
    assert (
        "Failed" not in (done.folder / "ladder.html").read_text()
        and "test-opened-again" in (done.folder / "ladder.html").read_text()
    )


def test_it_goes_on_where_it_was_stopped(
    data: Any, straight: Ladder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal in the third training: the two before are not repeated, the third is gone on with."""
    real, calls = climb.start, list[str]()

    def stopped(*args: Any, **rest: Any) -> Run:
        calls.append(Path(args[5]).name)
        if len(calls) == 3:
            raise Interrupted("Stopped by Ctrl-C; nothing was fitted yet. Go on with: pellucid train --resume x", 2)
        return real(*args, **rest)

    monkeypatch.setattr(climb, "start", stopped)
    with pytest.raises(Interrupted) as caught:
        ladder(data, out=tmp_path / "cut", budget=20.0, **QUICK)
    assert str(caught.value) == (
        f"Stopped by Ctrl-C; what was done is in {tmp_path / 'cut'}. Give the same command again to go on."
    )
    assert caught.value.exit_code == 130
    assert not (tmp_path / "cut" / "test_openings.jsonl").exists()
    again = ladder(data, out=tmp_path / "cut", budget=20.0, **QUICK)
    assert calls == ["softmax", "cnn", "0", "0", "1"]
    same = ("rung", "model", "parameters", "epochs", "validation", "test")
    assert [[row[name] for name in same] for row in again.rows] == [[r[n] for n in same] for r in straight.rows]


def test_other_settings_are_refused_and_begun_anew_when_said(done: Ladder, data: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        ladder(data, out=done.folder, budget=30.0, **QUICK)
    assert str(caught.value) == (
        f"{done.folder} holds a ladder with other settings (budget 20.0 -> 30.0). Choose another --out, or say "
        "--overwrite to begin anew."
    )
    (done.folder / "mine.txt").write_text("keep")
    anew = ladder(data, out=done.folder, budget=30.0, overwrite=True, **{**QUICK, "only": ["softmax"]})
    assert [row["rung"] for row in anew.rows] == ["softmax"]
    assert not (done.folder / "members").exists() and (done.folder / "mine.txt").read_text() == "keep"


def test_what_does_not_suit_is_left_out_and_said(data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(climb, "epoch_cost", lambda cfg, source: (1000.0, 4))
    made = ladder(data, out=tmp_path / "x", budget=20.0, **{**QUICK, "only": ["softmax", "cnn", "transfer"]})
    assert [row["rung"] for row in made.rows] == ["softmax"]
    assert made.left_out["cnn"].startswith("one epoch takes about 1,000.0 CPU s, and its part of the budget is 18.8.")
    assert made.left_out["transfer"] == (
        "efficientnet_lite0 was trained on colour photos; these pictures are 17x17 px, grey"
    )
    with pytest.raises(ConfigError, match=r"^No rung could be climbed\. efficientnet_lite0 was trained on"):
        ladder(data, out=tmp_path / "y", budget=20.0, **{**QUICK, "only": ["transfer"]})


def test_wrong_input(data: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Unknown rung 'cn'. Did you mean 'cnn'"):
        ladder(data, only=["cn"])
    with pytest.raises(ConfigError, match="No rung is left"):
        ladder(data, skip=NAMES)
    with pytest.raises(ConfigError, match="budget must be 0"):
        ladder(data, budget=-1)
    with pytest.raises(DataError, match="has no labels; the ladder is for pictures with one label each"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pellucid.runs.comparing.ladder.load", lambda _: Source("masks", data[0], ["x"] * 90, ("a",)))
            ladder("masks", out=tmp_path / "s", progress="quiet")
    with pytest.raises(DataError, match="has no validation pictures, which the ladder needs"):
        ladder(data, out=tmp_path / "v", val_fraction=0.0, progress="quiet")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").write_text("mine")
    with pytest.raises(RunError, match="holds something that is no ladder"):
        ladder(data, out=tmp_path / "other", progress="quiet")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "ladder.json").write_text(json.dumps({"rungs": []}))
    with pytest.raises(RunError, match="is damaged: it holds no ladder"):
        ladder(data, out=tmp_path / "bad", progress="quiet")


def test_rungs_fit_the_size_of_the_pictures() -> None:
    small = DataFacts("classify", "x", ("a", "b"), (1, 1), Preprocess((28, 28)))
    large = DataFacts("classify", "x", ("a", "b"), (1, 1), Preprocess((224, 224)))
    table = {rung.name: rung for rung in RUNGS}
    assert settings_for(table["resnet"], small)["model"] == "resnet20"
    assert settings_for(table["resnet"], large)["model"] == "resnet18"
    assert "image_size" not in settings_for(table["knn"], small)
    assert settings_for(table["knn"], large)["image_size"] == "32"
    few, some, many = (replace(small, n_train=n) for n in (90, 10_800, 54_000))
    seen = [
        (settings_for(table["strong"], each)["batch"], settings_for(table["strong"], each)["lr"])
        for each in (few, some, many)
    ]
    assert seen == [(8, 0.25 / 32), (256, 0.25), (256, 0.25)]
    assert [settings_for(table["cnn"], each).get("batch") for each in (few, some, many)] == [None, 64, None]
    assert why_not(table["transfer"], large, 100, 1e6) == ""
    assert why_not(table["transfer"], large, 100_000, 120.0) == (
        "its features take about 4,000 CPU s, more than 30% of the budget"
    )
    assert [rung.name for rung in chosen(skip=["knn"])] == list(NAMES[1:])


def test_the_usual_budget() -> None:
    assert usual_budget(100) == usual_budget(10_800) == 240
    assert usual_budget(13_000) == 240 + 0.125 * 1000
    assert usual_budget(54_000) == usual_budget(10**6) == 5400


def test_the_strong_rung_is_the_measured_recipe() -> None:
    """What `docs/time-to-accuracy.md` measured is what the ladder trains; how long, and on what, it decides itself."""
    recipe = runpy.run_path(str(Path(__file__).parents[4] / "recipes" / "fast.py"))["RECIPE"]
    assert recipe == {**STRONG, "epochs": 10, "val_fraction": 0.0}
