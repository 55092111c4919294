"""Detections on the command line: tables, JSON, what is saved, and what is refused in one line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from answer import Ask
from PIL import Image

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models.detect import build
from pellucid.models.weights import write_weights
from pellucid.runs.run import Run
from pellucid.tasks.detect.config import DetectConfig, ModelConfig

FACTS = DataFacts("detect", "made", ("cat", "dog"), (1, 1), Preprocess((32, 32), fit="pad"))


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a localizer that says: a dog, in the middle half of the picture."""
    torch.manual_seed(0)
    net = build("localizer", 2, 3, (32, 32))
    with torch.no_grad():
        net.answers.weight.zero_()
        net.answers.bias.copy_(torch.tensor([0.0, 2.0, 0.0, 0.0, 0.0, 0.0]))
    cfg = replace(DetectConfig(), model=ModelConfig("localizer", ""))
    about = {"task": "detect", "model": "localizer", "facts": FACTS.as_dict(), "config": settings.as_dict(cfg)}
    path = tmp_path_factory.mktemp("run") / "model.safetensors"
    write_weights(path, net.state_dict(), about)
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("frame10.png", "frame9.png"):
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / name)
    return folder


def test_a_table_and_json(ask: Ask, detector: Path, pictures: Path) -> None:
    lines = ask("predict", detector, pictures).out.splitlines()
    assert lines[0].split() == ["image", "size", "things", "surest"]
    assert [line.split()[0].rpartition("/")[2] for line in lines[1:]] == ["frame9.png", "frame10.png"]
    assert lines[1].split()[1:] == ["64x64", "1", "dog", "dog", "0.88"]
    told = json.loads(ask("predict", detector, pictures, "--json").out)
    assert told[0]["things"] == [{"label": "dog", "score": 0.880797, "box_xyxy": [16.0, 16.0, 48.0, 48.0]}]
    assert json.loads(ask("predict", detector, pictures, "--json", "--conf", "0.9").out)[0]["things"] == []


def test_what_is_saved(ask: Ask, detector: Path, pictures: Path, tmp_path: Path) -> None:
    assert ask("predict", detector, pictures, "--save", tmp_path / "saved").code == 0
    names = {each.name for each in (tmp_path / "saved").iterdir()}
    assert names == {
        "0000-frame9.png",
        "0000-frame9-found.json",
        "0001-frame10.png",
        "0001-frame10-found.json",
        "classes.txt",
        "results.json",
        "images.json",
    }
    results = json.loads((tmp_path / "saved" / "results.json").read_text())
    assert results == [
        {"image_id": number, "category_id": 2, "bbox": [16.0, 16.0, 32.0, 32.0], "score": 0.880797} for number in (1, 2)
    ]
    with Image.open(tmp_path / "saved" / "0000-frame9.png") as drawn:
        assert drawn.size == (256, 256)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--conf", "2"), "conf must be in 0..1, got 2.0."),
        (("--iou", "-0.5"), "iou must be in 0..1, got -0.5."),
        (("--top", "0"), "top must be in 1..10000, got 0."),
        (
            ("--masks", "on"),
            "This model finds boxes without outlines: leave masks out, or ask a model such as mask_rcnn.",
        ),
        (("--tile", "20"), "tile, overlap and scale belong to native size: add --size native (size='native')."),
        (("--probabilities",), "Predictions of task detect take no --probabilities. Options they take: --size"),
    ],
)
def test_what_is_refused(ask: Ask, detector: Path, pictures: Path, flags: tuple[str, ...], message: str) -> None:
    answer = ask("predict", detector, pictures, *flags)
    assert answer.code == 2 and answer.err.startswith(f"pellucid: {message}") and answer.err.count("\n") == 1


def test_help_tells_tasks_apart(ask: Ask) -> None:
    said = " ".join(ask("predict", "--help").out.split())
    assert "of runs that classify or detect" in said and "Of runs that detect: How many things are told" in said


def test_ids_are_asked_for_where_they_have_a_use_and_before_the_work(
    ask: Ask, detector: Path, pictures: Path, tmp_path: Path
) -> None:
    categories = [{"id": 7, "name": "cat"}, {"id": 8, "name": "dog"}]
    known = tmp_path / "known.json"
    known.write_text(json.dumps({"images": [{"id": 1, "file_name": "frame9.png"}], "categories": categories}))
    answer = ask("predict", detector, pictures, "--coco", known)
    assert answer.code == 2 and "add --save FOLDER, or leave it out." in answer.err
    answer = ask("predict", detector, pictures, "--coco", known, "--save", tmp_path / "saved")
    assert answer.code == 1 and "has no picture" in answer.err and "frame10.png" in answer.err
    assert not (tmp_path / "saved").exists()


def test_where_nothing_is_found_it_says_how_sure_the_surest_is(ask: Ask, detector: Path, pictures: Path) -> None:
    answer = ask("predict", detector, pictures, "--conf", "0.95")
    assert answer.code == 0 and answer.err == (
        "pellucid: notice: Nothing was found in any of 2 pictures with a score of 0.95 or more (--conf). The surest "
        "thing has 0.881: --conf 0.88 shows it.\n"
    )
    answer = ask("predict", detector, pictures, "--conf", "0.88", "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_ids_that_only_a_saved_file_has_are_refused_in_python(detector: Path, pictures: Path) -> None:
    message = r"^coco is for results that are saved, as `pellucid predict --save FOLDER` does: leave it out\.$"
    with pytest.raises(ConfigError, match=message):
        Run(detector).predict(pictures, coco="known.json")
