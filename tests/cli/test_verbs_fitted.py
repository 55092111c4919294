"""knn, svm and softmax as a user types them: every verb, every kind of features, and one wrong turn for each option."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from answer import Answer, Ask
from PIL import Image
from small_runs import everything

import pellucid
from pellucid.classic.linear.svm import LinearSVM

QUICK = ("--image-size", "16", "--val-fraction", "0.2", "--threads", "1", "--device", "cpu")


@pytest.fixture(scope="module")
def fitted(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of softmax on colours, not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "softmax"
    settings = {"image_size": "16", "val_fraction": 0.2, "threads": 1, "device": "cpu", "progress": "quiet"}
    pellucid.train(photos, out=folder, model="softmax", features="hog+color", **settings)
    return folder


def test_every_verb_on_a_fitted_run(ask: Ask, photos: Path) -> None:
    trained = ask("train", photos, "--model", "knn", *QUICK)
    assert trained.code == 0 and trained.out == ""
    lines = trained.err.splitlines()
    assert lines[0] == "photos: 3 classes, 21 train / 6 val / 3 test, 16x16 px, RGB."
    assert lines[2].startswith("Remembers 21 pictures of 768 features; k=")
    assert lines[-2:] == ["Run folder: runs/photos-knn", "Report: runs/photos-knn/report.html"]
    run, picture = "runs/photos-knn", photos / "red" / "0.png"
    answers = {
        words[0]: ask(*words)
        for words in (
            ("evaluate", run, "--json"),
            ("predict", run, picture, "--json", "--save", "out"),
            ("verify", run),
            ("report", run),
            ("runs", "--json"),
        )
    }
    assert {verb: answer.code for verb, answer in answers.items()} == dict.fromkeys(answers, 0)
    assert json.loads(answers["evaluate"].out)["pictures"] == 3
    assert [row["label"] for row in json.loads(answers["predict"].out)] == ["red"]
    assert all(line.startswith("PASS") for line in answers["verify"].out.splitlines())
    (row,) = json.loads(answers["runs"].out)
    assert (row["model"], row["epochs"], row["state"]) == ("knn on pixels", "1/1", "done")
    assert row["test"] == json.loads(answers["evaluate"].out)["accuracy"]


def test_evaluate_on_other_pictures(ask: Ask, photos: Path, fitted: Path) -> None:
    for name, colour in (("red", "#f02010"), ("green", "#10d030"), ("blue", "#2030f0")):
        Path("other", name).mkdir(parents=True)
        for side in (20, 30):
            Image.new("RGB", (side, 20), colour).save(f"other/{name}/{side}.png")
    shown = json.loads(ask("evaluate", fitted, "other", "--json").out)
    assert shown["split"] == "other" and shown["pictures"] == 6 and shown["accuracy"] == 1.0
    assert json.loads(ask("evaluate", fitted, "--split", "val", "--json").out)["pictures"] == 6


@pytest.mark.parametrize("features", ["hog2", "hog-blocks", "bow-triangle"])
def test_every_kind_of_features(features: str, ask: Ask, photos: Path) -> None:
    assert ask("train", photos, "--model", "svm", "--features", features, "--quiet", "--out", "run", *QUICK).code == 0
    assert ask("verify", "run").code == 0
    assert ask("predict", "run", photos / "red").code == 0


@pytest.mark.parametrize("end", ["", "model.safetensors"])
def test_features_of_a_network(end: str, ask: Ask, photos: Path, finished: Path) -> None:
    words = ("--model", "softmax", "--features", finished / end, "--quiet", "--val-fraction", "0.2", "--threads", "1")
    assert ask("train", photos, *words, "--out", "run").code == 0
    assert tomllib.loads(Path("run/config.toml").read_text())["classic"]["backbone"] == "convnet:3"
    again = ask("train", photos, "--config", "run/config.toml", "--quiet", "--out", "again")
    assert again.code == 0, again.err
    assert Path("run/model.safetensors").read_bytes() == Path("again/model.safetensors").read_bytes()


def test_programs_read_what_was_reached(ask: Ask, photos: Path) -> None:
    lines = ask("train", photos, "--model", "svm", "--json", "--out", "run", *QUICK).out.splitlines()
    events = {event["event"]: event for event in map(json.loads, lines)}
    (logged,) = map(json.loads, Path("run/metrics.jsonl").read_text().splitlines())
    assert {**logged, "event": "epoch"} == events["epoch"]
    assert events["done"] == {"event": "done", "run": "run", "report": "run/report.html"}


def test_summary_says_why_not(ask: Ask, fitted: Path) -> None:
    answer = ask("summary", fitted)
    assert answer.code == 2 and "is a softmax, which has no layers to open" in answer.err
    by_name = ask("summary", "knn")
    assert by_name.code == 2 and by_name.err.startswith(
        "pellucid: knn is fitted to features and has no layers to open."
    )


def test_help_says_what_each_kind_of_features_is(ask: Ask) -> None:
    page = " ".join(ask("train", "--help").out.split())
    for name in ("pixels;", "hog (", "hog-blocks (", "hog2 (", "color (", "hog+color;", "bow (", "bow-triangle ("):
        assert name in page


@pytest.mark.parametrize(
    ("words", "mode"),
    [("knn", "none"), ("svm --features hog", "none"), ("svm", "standardise"), ("svm --preprocess unit", "unit")],
)
def test_no_page_says_that_the_model_saw_other_numbers(words: str, mode: str, ask: Ask, photos: Path) -> None:
    assert ask("train", photos, *QUICK, "--quiet", "--out", "run", "--model", *words.split()).code == 0
    run = pellucid.Run("run")
    assert run.facts.preprocess.mode == mode
    assert ("pixel values 0..255 as they are" in Path("run/report.html").read_text()) == (mode == "none")
    assert ask("verify", "run").code == 0
    again = ask("train", photos, "--config", "run/config.toml", "--quiet", "--out", "again")
    assert again.code == 0, again.err
    assert Path("run/model.safetensors").read_bytes() == Path("again/model.safetensors").read_bytes()


# ---------------------------------------------------------------------------------------------------- choosing


def test_the_strongest_of_equal_penalties_wins(ask: Ask, photos: Path) -> None:
    """All of them are right about every picture; then the simplest model is taken, and nobody is told to go on."""
    answer = ask("train", photos, "--model", "softmax", "--features", "color", "--out", "run", *QUICK)
    choices = pellucid.Run("run").choices
    regs = [float(row["reg"]) for row in choices]
    assert {float(row["mean"]) for row in choices} == {1.0}
    assert regs == sorted(regs, reverse=True)
    assert f"reg {regs[0]:.3g}" in answer.err and "choice-at-border" not in answer.err
    assert f"best: 1 at reg {regs[0]:g}" in Path("run/report.html").read_text()  # the one that is ringed


def test_fewer_pictures_than_features_give_the_same_classifier(photos: Path, tmp_path: Path) -> None:
    """Fitting in the directions that the pictures span finds what fitting in all of them finds."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (40, 10, 10), dtype=np.uint8), np.arange(40) % 2
    settings = {"val_fraction": 0.0, "threads": 1, "device": "cpu", "progress": "quiet"}
    run = pellucid.train((images, labels), out=tmp_path / "run", model="svm", reg=1.0, **settings)
    rows = run.splits.split.train
    assert 2 * len(rows) < 100  # as many as make it turn
    model = run.trained.model
    x = model.net.features(torch.from_numpy(images[rows])[:, None]).numpy().astype(np.float64)
    theirs = LinearSVM(loss="squared_hinge", reg=1.0, tol=1e-10, max_iter=1000).fit(x, labels[rows])
    ours = model.net.head.weight.detach().numpy()
    np.testing.assert_allclose(ours[1] - ours[0], theirs.coef_[0], atol=2e-3 * np.abs(theirs.coef_).max())


# ------------------------------------------------------------------------------------------------- wrong input

NOT_FOR_KNN = "means nothing for model knn, which is fitted in one go, not trained by steps. Leave it out."
WRONG = {
    "k of more": ("knn --k 22", "k must be at most the number of training pictures, 21, got 22. Use a smaller --k."),
    "k below": ("knn --k -1", "k must be 0 (chosen) or positive, got -1."),
    "k of svm": ("svm --k 3", "--k means nothing for model svm, only for knn. Leave it out."),
    "distance of svm": ("svm --distance l1", "--distance means nothing for model svm, only for knn."),
    "distance": ("knn --distance cosine", "--distance cannot be 'cosine': use one of 'l2', 'l1', 'auto'."),
    "ties of softmax": ("softmax --ties smallest", "--ties means nothing for model softmax, only for knn."),
    "ties": ("knn --ties random", "--ties cannot be 'random': use one of 'nearest', 'smallest'."),
    "reg of knn": ("knn --reg 0.1", "--reg means nothing for model knn, only for svm and softmax."),
    "reg": ("svm --reg nan", "reg must be 0 (chosen) or positive, got nan."),
    "folds": ("svm --folds 22", "--folds must be at most the number of training pictures, 21, got 22."),
    "folds for nothing": ("svm --folds 5 --reg 1", "--folds 5 has nothing to choose beside --reg 1: leave one of"),
    "folds for no k": ("knn --folds 5 --k 3", "--folds 5 has nothing to choose beside --k 3: leave one of them out."),
    "repeats": ("knn --repeats 2", "--repeats 2 needs folds to repeat: say --folds 5, or leave it out."),
    "no validation": ("knn --val-fraction 0", "--k is left to be chosen by validation, and there is no validation"),
    "no validation of distance": ("knn --val-fraction 0 --k 3 --distance auto", "State --distance, or choose by"),
    "metric": ("svm --metric loss", "Unknown metric of svm 'loss'. Choose from: accuracy, balanced_accuracy,"),
    "class weights": ("knn --class-weights 1 2 3", f"--class-weights {NOT_FOR_KNN}"),
    "balance": ("knn --balance", f"--balance {NOT_FOR_KNN}"),
    "defaults": ("knn --defaults", f"--defaults {NOT_FOR_KNN}"),
    "flip": ("knn --flip 0.9", "--flip means nothing for model knn, which sees pictures as they are. Leave it out."),
    "preprocess": ("svm --preprocess centre --features hog", "--preprocess means nothing for model svm, which sees"),
    "backbone": ("svm --backbone mlp:3", "--backbone is filled in by itself: pixels has no network, got mlp:3."),
    "features": ("svm --features hgo", "Unknown features 'hgo'. Did you mean 'hog'"),
    "a folder": (
        "svm --features .",
        "--features . is a folder without model.safetensors: give the folder of a finished",
    ),
    "too small": ("svm --features hog2 --image-size 10", "needs pictures of at least 14x14 pixels, got 10x10."),
    "grey": ("svm --features color --colour grey", "Colour features need pictures with 3 channels, got 1."),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_clear_line_and_nothing_written(case: str, ask: Ask, photos: Path) -> None:
    words, message = WRONG[case]
    answer = ask("train", photos, *QUICK, "--model", *words.split())
    assert_refused(answer, message)
    assert everything(Path()) == {}


def test_a_fitted_run_has_no_network_to_borrow(ask: Ask, photos: Path, fitted: Path) -> None:
    answer = ask("train", photos, *QUICK, "--model", "knn", "--features", fitted)
    assert_refused(answer, "is a softmax; features come from a network that was trained to classify.")
    assert everything(Path()) == {}


def test_a_picture_has_no_features_to_borrow(ask: Ask, photos: Path) -> None:
    Image.new("RGB", (9, 9)).save("picture.png")
    answer = ask("train", photos, *QUICK, "--model", "knn", "--features", "picture.png")
    assert_refused(answer, "picture.png is no intact safetensors file", code=1)


def assert_refused(answer: Answer, message: str, code: int = 2) -> None:
    assert answer.code == code, answer.err
    assert answer.err.startswith("pellucid: ") and answer.err.count("\n") == 1
    assert message in answer.err
