"""knn, svm and softmax are runs like any other: the same folder, report, predict, evaluate and verify."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier
from small_runs import QUICK, arrays, temporary_files

import pellucid
from pellucid.core.errors import ConfigError, DataError
from pellucid.models.weights import read_weights
from pellucid.runs import fit as fitting

SMALL: dict[str, Any] = {"image_size": "16", "val_fraction": 0.2, "threads": 1, "device": "cpu", "progress": "quiet"}
EASY = dict.fromkeys(("knn", "svm", "softmax"))


def train(data: Any, out: Path, **changes: Any) -> pellucid.Run:
    return pellucid.train(data, out=out, **{**SMALL, **changes})


@pytest.mark.parametrize("features", ["pixels", "hog", "color", "hog+color", "bow"])
@pytest.mark.parametrize("model", EASY)
def test_a_run_is_complete(model: str, features: str, photos: Path, tmp_path: Path) -> None:
    run = train(photos, tmp_path / "run", model=model, features=features)
    names = {path.name for path in run.folder.iterdir()}
    wanted = {"config.toml", "model.safetensors", "metrics.jsonl", "timing.jsonl", "doctor.json", "split.json"}
    assert wanted | {"examples", "report.html", "choices.csv"} == names
    assert not temporary_files(tmp_path)
    if features != "hog":  # the classes differ by their colour alone
        assert run.evaluate(progress="quiet")["accuracy"] == 1.0
    assert all(verdict.status == "pass" for verdict in run.verify())
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "Fitting" in page and "Learning rate" not in page


@pytest.mark.parametrize("model", EASY)
def test_the_weights_file_alone_predicts(model: str, photos: Path, tmp_path: Path) -> None:
    run = train(photos, tmp_path / "run", model=model)
    alone = tmp_path / "alone.safetensors"
    shutil.copy(run.folder / "model.safetensors", alone)
    picture = next((photos / "green").iterdir())
    assert [r.label for r in pellucid.Run(alone).predict(picture)] == ["green"]


def test_the_same_seed_gives_the_same_bytes(photos: Path, tmp_path: Path) -> None:
    for features in ("pixels", "bow"):
        both = [train(photos, tmp_path / f"{features}{n}", model="svm", features=features, seed=3) for n in range(2)]
        first, second = ((run.folder / "model.safetensors").read_bytes() for run in both)
        assert first == second


def test_neighbours_are_scikit_learns() -> None:
    images, labels = arrays(60)
    run = train((images, labels), Path("run"), model="knn", k=3, image_size="auto")
    rows = run.splits.split
    flat = images.reshape(len(images), -1)
    theirs = KNeighborsClassifier(3, algorithm="brute").fit(flat[rows.train], labels[rows.train])
    ours = [int(result.label) for result in run.predict(*images[rows.test])]
    assert ours == theirs.predict(flat[rows.test]).tolist()


def test_one_neighbour_knows_its_own_pictures() -> None:
    images, labels = arrays(40)
    noisy = np.random.default_rng(0).integers(0, 2, len(labels))  # labels that mean nothing are remembered all the same
    run = train((images, noisy), Path("run"), model="knn", k=1, image_size="auto")
    assert run.evaluate(split="train", progress="quiet")["accuracy"] == 1.0


def test_shares_of_votes_are_the_probabilities() -> None:
    images = np.full((12, 8, 8), 100, dtype=np.uint8)
    labels = np.array([0, 1] * 6)
    run = train((images, labels), Path("run"), model="knn", k=4, image_size="auto", ties="smallest")
    weights = read_weights(run.folder / "model.safetensors").tensors
    nearest_four = weights["head.labels"][:4]  # all pictures are equal, so the first four are nearest
    (result,) = run.predict(images[0])
    share = float((nearest_four == int(result.label)).float().mean())
    assert result.probability == pytest.approx(share, abs=1e-3)


def test_what_is_chosen_is_written_down(photos: Path, tmp_path: Path) -> None:
    run = train(photos, tmp_path / "run", model="knn", distance="auto")
    rows = run.choices
    assert {row["distance"] for row in rows} == {"l1", "l2"}
    best = max(rows, key=lambda row: float(row["mean"]))
    assert int(run.trained.model.net.head.k) == int(best["k"])


def test_the_report_says_when_validation_also_chose(photos: Path, tmp_path: Path) -> None:
    said = "on the validation split, which also picked the best of 6."
    pages = {
        name: (train(photos, tmp_path / name, model="svm", **changes).folder / "report.html").read_text(
            encoding="utf-8"
        )
        for name, changes in {"chosen": {}, "stated": {"reg": 0.1}, "folds": {"folds": 2}}.items()
    }
    assert said in pages["chosen"]
    assert all("on the validation split." in pages[name] for name in ("stated", "folds"))


def test_cross_validation_needs_no_validation_split(photos: Path, tmp_path: Path) -> None:
    run = train(photos, tmp_path / "run", model="knn", val_fraction=0, folds=3, repeats=2)
    assert {name for name in run.choices[0] if name.startswith("fold")} == {f"fold {n}" for n in range(1, 7)}
    softmax = train(photos, tmp_path / "softmax", model="softmax", val_fraction=0, folds=3)
    assert len(softmax.choices[0]) == 1 + 2 + 3  # reg, mean and deviation, folds


def test_cross_validation_by_another_metric(photos: Path, tmp_path: Path) -> None:
    run = train(photos, tmp_path / "run", model="knn", folds=2, metric="macro_f1")
    assert all(0 <= float(row["mean"]) <= 1 for row in run.choices)


def test_features_of_a_run_travel_with_the_weights(photos: Path, tmp_path: Path) -> None:
    deep = pellucid.train(photos, out=tmp_path / "deep", progress="quiet", **QUICK)
    run = train(photos, tmp_path / "run", model="softmax", features=str(deep.folder), image_size="auto")
    assert run.config.classic.backbone == "convnet:3"
    assert run.facts.preprocess == deep.facts.preprocess
    before = run.evaluate(progress="quiet")["accuracy"]
    picture = next((photos / "red").iterdir())
    said = run.predict(picture)[0].top
    shutil.rmtree(deep.folder)
    assert pellucid.Run(run.folder).predict(picture)[0].top == said
    assert before == 1.0


def test_a_run_of_a_run_must_be_a_network(photos: Path, tmp_path: Path) -> None:
    knn = train(photos, tmp_path / "knn", model="knn")
    with pytest.raises(ConfigError, match="is a knn; features come from a network that was trained to classify"):
        train(photos, tmp_path / "run", model="svm", features=str(knn.folder))


def test_two_classes_and_an_absent_one(tmp_path: Path) -> None:
    images, labels = arrays(40)
    run = train((images, labels), tmp_path / "two", model="svm", image_size="auto")
    assert run.trained.model.net.head.weight.shape[0] == 2
    assert run.evaluate(progress="quiet")["accuracy"] == 1.0


def test_a_killed_fit_is_done_again(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = train(photos, tmp_path / "straight", model="softmax")

    def power_cut(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "write_weights", power_cut)
    with pytest.raises(pellucid.PellucidError, match="nothing was fitted yet. Go on with: pellucid train --resume"):
        train(photos, tmp_path / "run", model="softmax")
    monkeypatch.undo()
    run = pellucid.train(resume=tmp_path / "run", progress="quiet")
    for name in ("model.safetensors", "choices.csv", "config.toml"):
        assert (run.folder / name).read_bytes() == (straight.folder / name).read_bytes()


def test_a_finished_run_stays(photos: Path, tmp_path: Path) -> None:
    run = train(photos, tmp_path / "run", model="knn")
    before = {path.name: path.read_bytes() for path in run.folder.glob("*.*")}
    pellucid.train(resume=run.folder, progress="quiet")
    assert {path.name: path.read_bytes() for path in run.folder.glob("*.*")} == before


def test_its_config_makes_it_again(photos: Path, tmp_path: Path) -> None:
    run = train(photos, tmp_path / "run", model="svm", features="color")
    again = pellucid.train(photos, out=tmp_path / "again", config=run.folder / "config.toml", progress="quiet")
    names = ("model.safetensors", "metrics.jsonl")
    assert [(run.folder / n).read_bytes() for n in names] == [(again.folder / n).read_bytes() for n in names]


def test_a_choice_at_the_border_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    images = rng.integers(0, 120, (400, 4, 4)) + 16 * labels[:, None, None]  # many neighbours see through the noise
    run = train((images.astype(np.uint8), labels), tmp_path / "run", model="knn", image_size="auto")
    chosen = int(run.trained.model.net.head.k)
    told = [verdict.rule for verdict in run.verdicts]
    assert ("choice-at-border" in told) == (chosen == 100)


WRONG = {
    "k": ({"model": "knn", "k": 500}, "k must be at most the number of training pictures, 21, got 500"),
    "features": ({"model": "svm", "features": "hogg"}, "Unknown features 'hogg'. Did you mean 'hog'"),
    "distance": ({"model": "knn", "distance": "cosine"}, "Unknown value of distance 'cosine'"),
    "lr": ({"model": "knn", "lr": 0.1}, "--lr means nothing for model knn, which is fitted in one go"),
    "epochs": ({"model": "svm", "epochs": 3}, "--epochs means nothing for model svm"),
    "network": ({"model": "convnet", "k": 3}, "--k means nothing for model convnet, only for knn, svm, softmax"),
    "metric": ({"model": "knn", "metric": "ece"}, "Unknown metric of knn 'ece'"),
    "validation": ({"model": "knn", "val_fraction": 0}, "there is no validation split. State --k, or choose by"),
    "folds": ({"model": "knn", "folds": 1}, "folds must be 0 (none) or at least 2, got 1"),
    "grey": ({"model": "svm", "features": "color", "colour": "grey"}, "3 channels"),
    "model": ({"model": "kn"}, "Unknown model of classify 'kn'. Did you mean 'knn'"),
    "precision": (
        {"model": "knn", "precision": "bf16"},
        "--precision bf16 means nothing for model knn, fitted in fp32",
    ),
    "size": ({"model": "svm", "features": "hog", "image_size": "4"}, "4"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_are_refused_in_one_line(case: str, photos: Path, tmp_path: Path) -> None:
    changes, message = WRONG[case]
    with pytest.raises((ConfigError, DataError)) as refused:
        train(photos, tmp_path / "run", **changes)
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_fitted_models_keep_away_from_segmentation(tmp_path: Path) -> None:
    from small_runs import make_scenes

    with pytest.raises(ConfigError, match="model of segment"):
        train(make_scenes(tmp_path / "scenes"), tmp_path / "run", model="knn")


def test_pictures_without_a_label_are_not_remembered(tmp_path: Path) -> None:
    images, labels = arrays(40)
    labels[::5] = -1
    run = train((images, labels), tmp_path / "run", model="knn", k=1, image_size="auto")
    assert len(run.trained.model.net.head.labels) == sum(run.facts.class_counts) < run.facts.n_train


def test_a_prediction_does_not_depend_on_its_company(photos: Path, tmp_path: Path) -> None:
    pictures = [np.asarray(Image.open(path)) for path in sorted((photos / "blue").iterdir())[:4]]
    for model in EASY:
        run = train(photos, tmp_path / model, model=model, features="hog+color")
        together = run.predict(*pictures)
        alone = [run.predict(picture)[0] for picture in pictures]
        assert [r.top[0][0] for r in together] == [r.top[0][0] for r in alone]
        torch.testing.assert_close(
            torch.tensor([r.probability for r in together]),
            torch.tensor([r.probability for r in alone]),
            rtol=1e-4,
            atol=1e-6,
        )


def test_no_part_of_the_features_drowns_the_others(photos: Path, tmp_path: Path) -> None:
    run = train(photos, tmp_path / "run", model="knn", features="hog+color")
    features = run.trained.model.net.features
    hog, colour = run.trained.model.net.head.memory.split(features.parts, dim=1)
    assert float(hog.square().sum(1).mean()) == pytest.approx(1, rel=1e-3)
    assert float(colour.square().sum(1).mean()) == pytest.approx(1, rel=1e-3)
