"""Searching with real training: the folder, the winner, going on after a stop or kill, failures, folds."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import QUICK, arrays, make_photos, make_scenes
from small_searches import FAST, SPACE, facts

import pellucid
from pellucid.core.errors import ConfigError, DataError, Interrupted, RunError
from pellucid.data.prepare import Splits
from pellucid.runs.searching.study import Study
from pellucid.runs.searching.trial import Trainer, Watcher
from pellucid.runs.searching.tune import tune
from pellucid.runs.stored.folder import list_runs
from pellucid.training import loop
from pellucid.training.job import Job


def test_the_folder_holds_the_search_and_the_winner(found: Study) -> None:
    assert {path.name for path in found.folder.iterdir()} == {
        "config.toml", "journal.log", "journal.log.flock", "finish.flock", "trials", "best", "best.toml", "report.html",
    }  # fmt: skip
    assert [sum(one.stage == stage for one in found.trials) for stage in ("coarse", "fine", "repeat")] == [4, 2, 2]
    weights = [path.parent.name for path in (found.folder / "trials").rglob("model.safetensors")]
    assert weights == [found.best.name]  # those of the best alone
    assert not list((found.folder / "trials").rglob("last"))
    assert list_runs(found.folder) == [found.folder / "best"]  # a trial is no run
    assert set(found.settings) == {"lr", "optimiser"}
    assert found.value == found.best.value
    assert found.table()[0]["trial"] == found.best.name
    assert "optimiser" in found._repr_html_()


def test_the_best_is_a_run_that_predicts(found: Study, photos: Path) -> None:
    run = found.run
    assert all(verdict.status == "pass" for verdict in run.verify())
    assert run.evaluate(split="val", progress="quiet")["accuracy"] == pytest.approx(found.value)
    (result,) = run.predict(photos / "red" / "0.png")
    assert result.label in ("blue", "green", "red")


def test_the_config_of_the_winner_repeats_it_to_the_bit(found: Study, photos: Path, tmp_path: Path) -> None:
    again = pellucid.train(photos, config=found.folder / "best.toml", out=tmp_path / "again", progress="quiet")
    values = [epoch["val_accuracy"] for epoch in again.history]
    assert values == list(found.best.curve)
    kept = found.folder / "trials" / found.best.name / "model.safetensors"
    ours, theirs = (pellucid.Run(path.parent).trained.digest for path in (kept, again.folder / "model.safetensors"))
    assert ours == theirs
    text = (found.folder / "best.toml").read_text()
    assert text.startswith(f"# The best of {len(found.trials)} trials: ")
    assert 'schedule = "constant"' in text


def test_the_report(found: Study) -> None:
    page = (found.folder / "report.html").read_text()
    for words in ("What it says", "Coarse candidates", "What matters", "best.toml", "The fine stage", "pellucid tune"):
        assert words in page
    assert page.count("<svg") >= 4  # two stages, two slices
    assert "the test split was not opened" in page
    for verdict in found.verdicts:
        assert verdict.rule in ("choice-at-border", "seed-noise")


def test_the_next_space_can_be_searched(found: Study) -> None:
    from pellucid.training.search.notation import read_space

    assert set(read_space(found.next_space, found.begun.cfg)) == {"lr", "optimiser"}


def test_the_same_seed_gives_the_same_search_and_resuming_a_finished_one_changes_nothing(
    found: Study, photos: Path, tmp_path: Path
) -> None:
    study = tune(photos, space=SPACE, out=tmp_path / "again", trials=8, progress="quiet", **FAST)
    assert facts(study) == facts(found)
    assert (study.folder / "best.toml").read_text() == (found.folder / "best.toml").read_text()
    journal = (study.folder / "journal.log").read_bytes()
    assert facts(tune(resume=study.folder, progress="quiet")) == facts(found)
    assert (study.folder / "journal.log").read_bytes() == journal


def test_the_test_split_is_never_read(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    loader = Splits.loader

    def watched(self: Splits, role: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(role)
        return loader(self, role, *args, **kwargs)

    monkeypatch.setattr(Splits, "loader", watched)
    tune(photos, space=SPACE, out=tmp_path / "s", trials=2, cv=2, progress="quiet", **FAST)
    assert set(asked) == {"train", "val"}


def test_failures_are_results(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A NaN, too little memory, and settings that do not go together; the search goes on and says why."""
    train = loop.train
    count = 0

    def fragile(job: Job) -> None:
        nonlocal count
        count += 1
        if count == 1:
            with np.errstate(all="ignore"):
                next(job.model.parameters()).data.fill_(math.nan)
        if count == 2:
            raise MemoryError
        if count == 3:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        if count == 4:
            raise ConfigError("these two do not go together.")
        train(job)

    monkeypatch.setattr(loop, "train", fragile)
    study = tune(photos, space=SPACE, out=tmp_path / "s", trials=7, sampler="random", progress="quiet", **FAST)
    reasons = [one.reason for one in study.trials if one.state == "failed"]
    assert reasons[0].startswith("Training stopped: FAIL non-finite")
    assert reasons[1:] == ["not enough memory for these settings"] * 2 + ["these two do not go together."]
    assert "not enough memory" in (study.folder / "report.html").read_text()
    assert study.best.state == "done"


def test_where_everything_fails_the_reason_is_said(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hopeless(job: Job) -> None:
        raise MemoryError

    monkeypatch.setattr(loop, "train", hopeless)
    with pytest.raises(RunError, match="no trial has a score: not enough memory for these settings"):
        tune(photos, space=SPACE, out=tmp_path / "s", trials=2, progress="quiet", **FAST)


def test_other_errors_end_the_search_and_their_trial_is_done_again(
    found: Study, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours, or Ctrl-C: the trial under way is given back, and the resumed search equals the straight one."""
    train, count = loop.train, 0

    def stopped(job: Job) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        train(job)

    monkeypatch.setattr(loop, "train", stopped)
    with pytest.raises(Interrupted) as caught:
        tune(photos, space=SPACE, out=tmp_path / "s", trials=8, progress="quiet", **FAST)
    assert str(caught.value) == (
        f"Stopped by Ctrl-C; 2 trials are kept. Go on with: pellucid tune --resume {tmp_path / 's'}"
    )
    monkeypatch.setattr(loop, "train", train)
    assert facts(tune(resume=tmp_path / "s", progress="quiet")) == facts(found)


def test_repeats_differ_by_their_seed_and_share_the_split(found: Study, photos: Path, tmp_path: Path) -> None:
    from pellucid.core.config import from_dict, read_toml
    from pellucid.tasks import CONFIGS

    texts = {
        name: (found.folder / "trials" / name / "settings.toml").read_text() for name in ("repeat-000", "repeat-001")
    }
    cfgs: list[Any] = [from_dict(CONFIGS["classify"], read_toml(text, name), name) for name, text in texts.items()]
    assert [cfg.train.seed for cfg in cfgs] == [1, 2]
    assert [cfg.data.split_seed for cfg in cfgs] == [0, 0]


def test_folds(tmp_path: Path) -> None:
    """Three folds over 24 training and validation pictures: mean and deviation, every picture held out once."""
    images, labels = arrays(30)
    fast = {**FAST, "image_size": "8"}
    study = tune((images, labels), space="lr=1e-3..1e-1", out=tmp_path / "s", trials=3, cv=3, progress="quiet", **fast)
    best = study.best
    assert len(best.folds) == 3
    assert best.value == pytest.approx(sum(best.folds) / 3)
    assert best.deviation == pytest.approx(float(np.std(best.folds, ddof=1)))
    assert "deviation" in study.table()[0]
    assert not list(study.folder.rglob("model.safetensors"))
    with pytest.raises(RunError, match="its weights were not kept. Train it: pellucid train DATA --config"):
        _ = study.run


def test_folds_are_disjoint_and_their_statistics_their_own(photos: Path, tmp_path: Path) -> None:
    from pellucid.data.load import load
    from pellucid.runs.setup.config import make_config
    from pellucid.tasks import CONFIGS, get_task

    fixed = {k: v for k, v in QUICK.items() if k != "epochs"}
    cfg = make_config(CONFIGS["classify"], {}, fixed)
    source = load(photos)
    trainer = Trainer(get_task("classify"), source, cfg, tmp_path, 3)
    folds = trainer.splits(cfg)
    whole = Trainer(get_task("classify"), source, cfg, tmp_path).splits(cfg)[0]
    held_out = np.concatenate([fold.split.val for fold in folds])
    both = np.sort(np.concatenate([whole.split.train, whole.split.val]))
    assert np.array_equal(np.sort(held_out), both)
    for fold in folds:
        assert not set(fold.split.train) & set(fold.split.val)
        assert np.array_equal(fold.split.test, whole.split.test)
        assert not set(fold.split.test) & set(both)
        assert fold.facts.n_train == len(fold.split.train) == sum(fold.facts.class_counts)
        pixels = np.asarray(fold.pack.images)[fold.split.train].reshape(-1, 3)
        assert np.allclose(fold.facts.preprocess.shift, pixels.mean(0) / 255, atol=1e-4) or np.allclose(
            fold.facts.preprocess.shift, pixels.mean(0), atol=0.05
        )
    assert len({fold.facts.split_hash for fold in folds}) == 3
    assert trainer.splits(cfg) is folds  # made once


def test_models_that_are_fitted_in_one_go(photos: Path, tmp_path: Path) -> None:
    fixed = {k: v for k, v in FAST.items() if k not in ("model", "coarse_epochs", "fine_epochs")}
    study = tune(photos, out=tmp_path / "s", trials=3, fine_epochs=0, model="softmax", progress="quiet", **fixed)
    assert set(study.settings) == {"reg"}
    assert study.value > 0.5
    space = "model=svm|convnet, weight_decay=1e-4..1e-2"  # of both kinds in one search
    study = tune(
        photos, space=space, out=tmp_path / "t", trials=4, sampler="grid", fine_epochs=0, progress="quiet", **fixed
    )
    assert {(one.settings["model"], one.state) for one in study.trials} >= {("convnet", "done"), ("svm", "failed")}
    assert "--weight-decay means nothing for model svm" in next(t.reason for t in study.trials if t.state == "failed")


def test_pictures_with_masks(tmp_path: Path) -> None:
    scenes = make_scenes(tmp_path / "scenes")
    fixed = {k: v for k, v in FAST.items() if k != "model"} | {"allow_leaks": True}  # boxes on noise are much alike
    study = tune(scenes, space="lr=1e-3..1e-2", out=tmp_path / "s", trials=2, progress="quiet", **fixed)
    assert study.metric.name == "miou"
    assert 0 <= study.value <= 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"space": "lr=1e-3..1e-1", "lr": 0.1}, "lr is both fixed and searched: leave it out of one of them."),
        ({"space": "model=convnet|resnet19"}, "Unknown model of classify 'resnet19'."),
        ({"epochs": 3}, "--epochs means nothing to a search: say --coarse-epochs and --fine-epochs."),
        ({"sampler": "bayes"}, "Unknown sampler 'bayes'."),
        ({"pruner": "medain"}, "Unknown pruner 'medain'. Did you mean 'median'?"),
        ({"trials": 2.5}, "trials must be a whole number, got 2.5."),
        ({"cv": 1}, "cv must be 0 (none) or at least 2, got 1."),
        ({"jobs": 0}, "jobs must be from 1 to 256, got 0."),
        ({"lr": 0.1, "weight_decay": 0.1, "label_smoothing": 0.1}, "Everything that is searched by itself is fixed"),
        ({"storage": "nosuchbase://x"}, "Cannot open the database nosuchbase://x"),
    ],
)
def test_what_makes_no_sense_is_refused(photos: Path, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tune(photos, out=tmp_path / "s", progress="quiet", **changes)
    assert said in str(caught.value)


def test_folders_that_are_taken_or_none(found: Study, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"holds a search. Choose another --out, or go on with it: --resume"):
        tune(photos, out=found.folder, progress="quiet")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "precious").touch()
    with pytest.raises(RunError, match="holds something else"):
        tune(photos, out=tmp_path / "other", progress="quiet")
    with pytest.raises(RunError, match="is no folder of a search: it does not exist"):
        tune(resume=tmp_path / "gone", progress="quiet")
    with pytest.raises(ConfigError, match="takes no --trials or --lr. Leave it out"):
        tune(resume=found.folder, trials=3, lr=0.1, progress="quiet")
    with pytest.raises(RunError, match="is of no search: it was not written by pellucid tune"):
        Study(found.folder / "best").begun  # noqa: B018
    with pytest.raises(ConfigError, match="tune needs data"):
        tune()


def test_without_validation_pictures_folds_are_offered(photos: Path, tmp_path: Path) -> None:
    fixed = {**FAST, "val_fraction": 0.0}
    with pytest.raises(DataError, match=r"Raise --val-fraction, or say --cv 5"):
        tune(photos, space=SPACE, out=tmp_path / "s", progress="quiet", **fixed)
    assert not (tmp_path / "s").exists()


def test_arrays_are_not_shared_and_not_stored(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--jobs needs data that other processes can read"):
        tune(arrays(30), out=tmp_path / "s", jobs=2, progress="quiet")
    fast = {**FAST, "image_size": "8"}
    study = tune(arrays(30), space="lr=1e-3..1e-1", out=tmp_path / "a", trials=2, progress="quiet", **fast)
    with pytest.raises(ConfigError, match="Pass the data again"):
        tune(resume=study.folder, progress="quiet")
    assert facts(tune(arrays(30), resume=study.folder, progress="quiet")) == facts(study)


def test_a_line_a_trial(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tune(photos, space=SPACE, out=tmp_path / "s", trials=3, progress="lines", **FAST)
    lines = capsys.readouterr().err.splitlines()
    told = [line for line in lines if line.startswith(("coarse ", "fine "))]
    assert len(told) == 3
    assert told[0].startswith("coarse 1/2  accuracy ")
    assert "  best " in told[0] and "lr " in told[0] and "trials a minute" in told[0] and told[0].endswith(" left")
    assert not any(line.startswith("Epoch") for line in lines)
    assert any(line.startswith("Best: lr ") for line in lines)
    tune(photos, space=SPACE, out=tmp_path / "j", trials=2, progress="json", **FAST)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events if event["event"] != "verdict"] == ["trial", "trial", "done"]


def test_a_watcher_hears_epochs_alone() -> None:
    heard: list[tuple[int, float]] = []
    watcher = Watcher("val_accuracy", lambda step, score: heard.append((step, score)))
    watcher.event("verdict", {"rule": "x"})
    watcher.event("epoch", {"epoch": 0, "val_accuracy": 0.5})
    watcher.event("epoch", {"epoch": 1, "val_accuracy": None})
    assert heard == [(1, 0.5)]


def test_how_loaded_data_is_grouped_goes_with_the_search(tmp_path: Path) -> None:
    """Going on with a search reads the data again, by its settings."""
    photos = make_photos(tmp_path / "photos")
    table = tmp_path / "table.csv"
    files = sorted(photos.rglob("*.png"))
    lines = [f"{path},{path.parent.name},{number // 2}" for number, path in enumerate(files)]
    table.write_text("\n".join(["image,label,day", *lines]) + "\n")
    data = pellucid.load(table, group="day")
    study = tune(data, space=SPACE, out=tmp_path / "s", trials=2, progress="quiet", **FAST)
    assert 'group = "day"' in (study.folder / "config.toml").read_text()
