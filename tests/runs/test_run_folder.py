"""The run folder: which files, what is in them, and that each can be used for what it is there for."""

import json
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from small_runs import QUICK, everything, outcome, temporary_files
from torch import nn

import pellucid
from pellucid.core.config import sections
from pellucid.core.errors import ConfigError, DataError, PellucidError, RunError, WriteError
from pellucid.core.files import read_json, read_lines
from pellucid.models import classify
from pellucid.models.published.packaged import PACKAGED
from pellucid.runs.run import Run
from pellucid.runs.stored import folder as files
from pellucid.tasks.classify.config import ClassifyConfig

DESIGNED = {
    "config.toml",
    "model.safetensors",
    "last",
    "metrics.jsonl",
    "timing.jsonl",
    "layers.jsonl",
    "doctor.json",
    "split.json",
    "examples",
    "report.html",
}


def test_files_are_those_of_the_design(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == DESIGNED
    assert [path.suffix for path in sorted((finished / "last").iterdir())] == [".safetensors"] * 2  # two generations
    n_examples = len(read_json(finished / "split.json")["val"])
    names = {f"{number:03d}.png" for number in range(min(n_examples, 8))}
    assert {path.name for path in (finished / "examples").iterdir()} == {"outputs.safetensors", *names}
    assert not temporary_files(finished)


def test_config_states_every_setting(finished: Path) -> None:
    content = tomllib.loads((finished / "config.toml").read_text())
    story = content.pop("run")
    assert story["task"] == "classify"
    assert Path(story["data"]).is_absolute()
    assert story["version"] == pellucid.__version__
    known = {section: {field.name for field in fields(kind)} for section, kind in sections(ClassifyConfig).items()}
    assert {section: set(part) for section, part in content.items()} == known
    resolved = {section: part for section, part in content.items() if section != "transfer"}  # nothing is borrowed
    assert "auto" not in [value for part in resolved.values() for value in part.values()]
    for section, name in (("optim", "lr"), ("train", "batch"), ("train", "threads")):  # 0 would mean: decide for me
        assert content[section][name] > 0
    assert content["train"]["device"] == "cpu"  # the device is recorded


def test_automatic_settings_are_resolved_in_config(photos: Path) -> None:
    settings = {name: value for name, value in QUICK.items() if name not in ("model", "image_size", "batch", "device")}
    run = pellucid.train(photos, out="run", progress="quiet", **{**settings, "epochs": 1})
    content = tomllib.loads(Path("run/config.toml").read_text())
    assert content["model"]["model"] == "convnet"
    assert content["data"] | {"image_size": "18x21", "fit": "crop", "colour": "rgb"} == content["data"]
    assert content["train"]["device"] == str(next(run.trained.model.parameters()).device)
    assert content["train"]["metric"] == "accuracy"


def test_config_repeats_the_run_to_the_bit(finished: Path, photos: Path) -> None:
    pellucid.train(photos, out="again", config=finished / "config.toml", progress="quiet")
    assert outcome(Path("again")) == outcome(finished)


def test_another_seed_gives_another_run(finished: Path, photos: Path) -> None:
    pellucid.train(photos, out="again", config=finished / "config.toml", seed=1, progress="quiet")
    assert outcome(Path("again"))["model.safetensors"] != outcome(finished)["model.safetensors"]


def test_weights_say_all_that_predicting_needs(finished: Path, photos: Path) -> None:
    with safe_open(finished / "model.safetensors", "pt") as file:  # any safetensors reader can see it
        about = json.loads(file.metadata()["pellucid"])["about"]
        names = set(file.keys())
    assert about["task"] == "classify"
    assert about["model"] == "convnet"
    facts = about["facts"]
    assert facts["classes"] == ["blue", "green", "red"]
    assert facts["preprocess"]["size"] == [16, 16]
    assert facts["preprocess"]["mode"] == "standardise"
    assert len(facts["preprocess"]["shift"]) == len(facts["preprocess"]["scale"]) == 3
    assert facts["split_hash"] == read_json(finished / "split.json")["digest"]
    assert about["config"]["train"]["seed"] == 0
    assert set(about["versions"]) == {"pellucid", "python", "torch", "numpy", "pillow", "simplejpeg"}
    assert about["best_epoch"] in (0, 1)
    assert 0 <= about["values"]["val_accuracy"] <= 1
    assert names == set(pellucid.models.create("convnet", 3, 3, (16, 16)).state_dict())  # no wrapper's prefix


def test_a_moved_run_and_its_weights_alone_predict_the_same(
    finished: Path, run_copy: Callable[[str], Path], photos: Path, tmp_path: Path
) -> None:
    pictures = [photos / "red" / "0.png", photos / "blue" / "3.png"]
    before = [result.top for result in Run(finished).predict(pictures)]
    moved = run_copy("elsewhere")
    for name in DESIGNED - {"model.safetensors"}:
        path = moved / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    alone = tmp_path / "mine.safetensors"
    shutil.copy(finished / "model.safetensors", alone)
    assert [result.top for result in Run(moved).predict(pictures)] == before
    assert [result.top for result in Run(alone).predict(pictures)] == before


def test_split_names_every_record_once(finished: Path) -> None:
    split = read_json(finished / "split.json")
    names = [name for role in ("train", "val", "test") for name in split[role]]
    assert sorted(names) == sorted(f"{colour}/{k}.png" for colour in ("blue", "green", "red") for k in range(10))
    assert "digest" in split


def test_logs_have_a_line_for_each_step_and_epoch(finished: Path) -> None:
    steps_an_epoch = len(read_json(finished / "split.json")["train"]) // 8  # a short last batch is left out
    records = read_lines(finished / "metrics.jsonl")
    assert [r["step"] for r in records if r["kind"] == "step"] == list(range(2 * steps_an_epoch))
    epochs = [r for r in records if r["kind"] == "epoch"]
    assert [r["epoch"] for r in epochs] == [0, 1]
    assert {"train_loss", "val_loss", "val_accuracy", "lr", "best"} <= epochs[0].keys()
    timing = read_lines(finished / "timing.jsonl")
    assert [r["kind"] for r in timing] == ["train", "val"] * 2
    assert all(r["images_per_second"] > 0 and r["cpu_seconds"] > 0 for r in timing)


def test_initial_loss_is_judged(finished: Path) -> None:
    verdicts = {v["rule"]: v for v in read_json(finished / "doctor.json")}
    assert verdicts["initial-loss"]["status"] == "pass"
    assert "1.099" in verdicts["initial-loss"]["evidence"]  # ln 3


class Biased(nn.Module):
    """A linear classifier that is sure of class 0 before it has seen anything."""

    def __init__(self, n_classes: int, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.fc = nn.Linear(channels * size[0] * size[1], n_classes)
        nn.init.zeros_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)
        with torch.no_grad():
            self.fc.bias[0] = 6.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x.flatten(1))


def test_planted_output_bias_fails_the_initial_loss(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(classify.MODELS, "biased", Biased)
    pellucid.train(photos, out="run", progress="lines", **{**QUICK, "model": "biased", "epochs": 1})
    verdicts = {v["rule"]: v for v in read_json(Path("run/doctor.json"))}
    assert verdicts["initial-loss"]["status"] == "fail"
    assert "a biased or too large last layer" in verdicts["initial-loss"]["cause"]
    assert "FAIL initial-loss" in capsys.readouterr().err
    assert "1 check(s) failed" in Path("run/report.html").read_text()


def test_fraction_takes_the_same_subset_each_time(finished: Path, photos: Path) -> None:
    splits = []
    for name in ("a", "b"):
        pellucid.train(photos, out=name, progress="quiet", **{**QUICK, "epochs": 1, "fraction": 0.5})
        splits.append(read_json(Path(name) / "split.json"))
    whole = read_json(finished / "split.json")
    assert splits[0] == splits[1]
    assert set(splits[0]["train"]) < set(whole["train"])
    assert len(splits[0]["train"]) == pytest.approx(len(whole["train"]) / 2, abs=1.5)  # rounded within each class
    assert (splits[0]["val"], splits[0]["test"]) == (whole["val"], whole["test"])


def course_defaults(photos: Path, **settings: str | float) -> str:
    pellucid.train(
        photos, out="run", overwrite=True, progress="quiet", **{**QUICK, "epochs": 1, "defaults": True, **settings}
    )
    verdicts = {v["rule"]: v for v in read_json(Path("run/doctor.json"))}
    return str(verdicts["course-defaults"]["evidence"])


def test_defaults_say_only_what_is_true(photos: Path) -> None:
    used, unused = course_defaults(photos, model="mlp").split("; not in use: ")
    assert used == "recommended defaults in use: preprocess centre, optimiser adam, lr 0.001, ReLU, He initialisation"
    assert unused == "batch norm"
    used, unused = course_defaults(photos, model="linear", optimiser="sgd").split("; not in use: ")
    assert used == "recommended defaults in use: preprocess centre, lr 0.001"
    assert unused == "optimiser adam, ReLU, batch norm, He initialisation"


def test_free_names_are_found(photos: Path) -> None:
    for _ in range(2):
        pellucid.train(photos, progress="quiet", **{**QUICK, "epochs": 1})
    assert sorted(path.name for path in Path("runs").iterdir()) == ["photos-convnet", "photos-convnet-2"]


def test_overwrite_leaves_nothing_of_the_old_run(run_copy: Callable[[str], Path], photos: Path) -> None:
    old = run_copy("run")
    (old / "notes.txt").write_text("mine")
    Run(old).evaluate()
    (old / "nonfinite").mkdir()
    (old / "nonfinite" / "batch.safetensors").write_text("old")
    (old / ".config.toml.x1.tmp").write_text("half")
    pellucid.train(photos, out=old, overwrite=True, progress="quiet", **{**QUICK, "epochs": 1})
    assert {path.name for path in old.iterdir()} == DESIGNED | {"notes.txt"}
    assert len(Run(old).history) == 1


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"model": "resnet19"}, ConfigError),
        ({"metric": "acuracy"}, ConfigError),
        ({"class_weights": (1.0, 2.0)}, ConfigError),
        ({"device": "cuda:77"}, PellucidError),
        ({"image_size": "2", "model": "convnet"}, PellucidError),
        ({"group": "folder"}, DataError),
    ],
)
def test_refused_training_changes_nothing(
    run_copy: Callable[[str], Path], photos: Path, settings: dict[str, object], error: type[PellucidError]
) -> None:
    old = run_copy("run")
    before = everything(Path())
    for out in (None, "new", old):
        with pytest.raises(error):
            pellucid.train(photos, out=out, overwrite=True, progress="quiet", **{**QUICK, **settings})
        assert everything(Path()) == before
    assert [path.name for path in Path().iterdir()] == ["run"]


def test_out_that_is_no_run_is_never_touched(photos: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "report.html").write_text("my own page")
    (mine / "thesis.txt").write_text("years of work")
    before = everything(tmp_path)
    with pytest.raises(RunError, match="holds something that is no run. Choose another --out; nothing in it was"):
        pellucid.train(photos, out=mine, overwrite=True, progress="quiet", **QUICK)
    assert everything(tmp_path) == before


def test_a_run_that_exists_is_kept(run_copy: Callable[[str], Path], photos: Path) -> None:
    old = run_copy("run")
    before = everything(old)
    with pytest.raises(RunError, match=r"run exists already\. .* --out, go on with --resume .*run, or say --overwrite"):
        pellucid.train(photos, out=old, progress="quiet", **QUICK)
    assert everything(old) == before


def test_what_a_killed_beginning_left_is_free(photos: Path) -> None:
    """Killed before the config was written, a run can neither be resumed nor be in the way."""
    left = Path("run")
    (left / "last").mkdir(parents=True)
    (left / "split.json").write_text("{}")
    (left / ".doctor.json.abc.tmp").write_text("half")
    assert files.is_leftover(left)
    pellucid.train(photos, out=left, progress="quiet", **{**QUICK, "epochs": 1})
    assert {path.name for path in left.iterdir()} == DESIGNED


def test_a_file_in_the_way(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="file is a file; --out needs a folder that is new or empty"):
        pellucid.train(photos, out=tmp_path / "file", progress="quiet", **QUICK)
    with pytest.raises(WriteError, match="a part of the path is a file. Nothing was changed; choose another folder"):
        pellucid.train(photos, out=tmp_path / "file" / "run", progress="quiet", **QUICK)


def test_no_permission_is_said_before_any_picture_is_read(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.os, "access", lambda path, mode: False)
    monkeypatch.setattr("pellucid.data.prepare.make_pack", lambda *args, **kwargs: pytest.fail("pictures were read"))
    with pytest.raises(WriteError, match=r"Cannot write run: permission denied\. .*choose a folder you may write to"):
        pellucid.train(photos, out="run", progress="quiet", **QUICK)
    assert not Path("run").exists()


@pytest.mark.parametrize("settings", [{"model": "resnet19"}, {"metric": "acuracy"}, {"device": "cuda:77"}])
def test_names_are_checked_before_any_picture_is_read(
    photos: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, object]
) -> None:
    """Packing may take minutes; a slip of the pen must not wait for it."""
    monkeypatch.setattr("pellucid.data.prepare.make_pack", lambda *args, **kwargs: pytest.fail("pictures were read"))
    with pytest.raises(PellucidError):
        pellucid.train(photos, out="run", progress="quiet", **{**QUICK, **settings})


def test_names_of_packaged_models_are_known_without_torch() -> None:
    assert tuple(PACKAGED) == files.PACKAGED
