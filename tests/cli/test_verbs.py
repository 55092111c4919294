"""What each verb prints: tables for people, one JSON text for programs, nothing when quiet."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answer import Answer, Ask
from PIL import Image
from small_runs import QUICK, flags

from pellucid.runs.run import Run

SHORT = flags({**QUICK, "epochs": 1})


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A run of one's own."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def table(text: str) -> list[list[str]]:
    """Cells of a printed table; columns stand two spaces or more apart."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]


# ---------------------------------------------------------------------------------------------- train


def test_train_tells_what_it_does(ask: Ask, photos: Path) -> None:
    answer = ask("train", photos, *flags(QUICK))
    assert (answer.code, answer.out) == (0, "")
    lines = answer.err.splitlines()
    assert lines[0] == "photos: 3 classes, 21 train / 6 val / 3 test, 16x16 px, RGB."
    assert lines[1] == (
        "convnet: 292,048 parameters on cpu in fp32, 1 thread; adamw, lr 0.00025: 0.001, usual for adamw at batch 128, "
        "scaled with the square root to batch 8, cosine, 2 epochs of 2 steps."
    )
    assert [line.split("  ")[0] for line in lines[2:-2]] == ["Epoch 1/2", "Epoch 2/2"]
    assert "val loss" in lines[2] and "val accuracy" in lines[2]
    assert lines[-2:] == ["Run folder: runs/photos-convnet", "Report: runs/photos-convnet/report.html"]


def test_train_in_json_and_quietly(ask: Ask, photos: Path) -> None:
    answer = ask("train", photos, "--json", *flags(QUICK))
    assert (answer.code, answer.err) == (0, "")
    events = records(answer.out)
    assert [event["event"] for event in events] == ["epoch", "epoch", "done"]
    assert events[0]["val_accuracy"] is not None
    assert events[-1] == {"event": "done", "run": "runs/photos-convnet", "report": "runs/photos-convnet/report.html"}
    assert ask("train", photos, "--quiet", *SHORT) == Answer(0, "", "")
    assert Path("runs/photos-convnet-2/report.html").exists()


def test_warnings_are_events_too(ask: Ask, photos: Path) -> None:
    """A program that starts a run must not miss what a person is told."""
    events = records(ask("train", photos, "--json", "--defaults", *SHORT).out)
    assert [(event["event"], event.get("rule")) for event in events] == [
        ("verdict", "course-defaults"),
        ("epoch", None),
        ("done", None),
    ]


def test_flags_win_over_the_file_and_the_file_over_defaults(ask: Ask, photos: Path) -> None:
    Path("mine.toml").write_text("[train]\nepochs = 2\nbatch = 4\n[augment]\nflip = 0.25\n")
    words = [
        "--config",
        "mine.toml",
        "--batch",
        "7",
        "--no-stratify",
        "--milestones",
        "1",
        "2",
        "--quiet",
        "--out",
        "r",
    ]
    settings = {name: value for name, value in QUICK.items() if name not in ("epochs", "batch")}
    assert ask("train", photos, *words, *flags(settings)).code == 0
    cfg = Run("r").config
    assert (cfg.train.epochs, cfg.train.batch, cfg.augment.flip) == (2, 7, 0.25)
    assert (cfg.data.stratify, cfg.schedule.milestones) == (False, (1, 2))


def test_defaults_beside_a_flag(ask: Ask, photos: Path) -> None:
    settings = {name: value for name, value in QUICK.items() if name != "epochs"}
    assert (
        ask("train", photos, "--defaults", "--lr", 0.02, "--epochs", 1, "--quiet", "--out", "r", *flags(settings)).code
        == 0
    )
    cfg = Run("r").config
    assert (cfg.data.preprocess, cfg.optim.optimiser, cfg.optim.lr) == ("centre", "adam", 0.02)
    (verdict,) = [v for v in Run("r").verdicts if v.rule == "course-defaults"]
    assert verdict.evidence == (
        "recommended defaults in use: preprocess centre, optimiser adam, ReLU, batch norm; "
        "not in use: lr 0.001, He initialisation"
    )


def test_group_and_strict_as_flags(ask: Ask, photos: Path, tmp_path: Path) -> None:
    assert "group must be folder" in ask("train", photos, "--group", "owner").err
    assert "group must be folder" in ask("train", photos, "--group=owner").err
    data = Path(shutil.copytree(photos, tmp_path / "data"))
    (data / "red" / "notes.txt").write_text("no picture")
    answer = ask("train", data, "--strict", *SHORT)
    assert answer.code == 1
    assert "strict, and 1 things had to be left out. The first: red/notes.txt" in answer.err
    answer = ask("train", data, *SHORT)
    assert answer.code == 0
    assert "WARN unreadable-files: 1 left out as not-an-image, the first of them red/notes.txt" in answer.err


# ---------------------------------------------------------------------------------------------- evaluate


def test_evaluate(ask: Ask, run: Path) -> None:
    answer = ask("evaluate", run)
    assert (answer.code, answer.err) == (0, "")
    rows = table(answer.out)
    assert rows[0] == ["metric", "value"]
    assert {"accuracy", "loss", "ece"} <= {row[0] for row in rows[1:] if row}
    assert answer.out.splitlines()[-1] == f"3 pictures (test). Report: {run}/report.html"
    assert "Measured on 3 pictures (test)" in (run / "report.html").read_text()
    again = ask("evaluate", run, "--json")
    assert again.err == ""
    found = json.loads(again.out)
    assert (found["split"], found["test_openings"]) == ("test", 2)
    assert found["accuracy"] == Run(run).evaluate()["accuracy"]
    assert "WARN test-opened-again" in ask("evaluate", run).err
    assert ask("evaluate", run, "--quiet") == Answer(0, "", "")
    before = (run / "report.html").read_bytes()
    found = json.loads(ask("evaluate", run, "--split", "val", "--json").out)
    assert found["pictures"] == 6
    assert "test_openings" not in found
    assert ask("evaluate", run, "--split", "val").out.splitlines()[-1] == "6 pictures (val)."
    assert (run / "report.html").read_bytes() == before  # which tells of the test split


def test_evaluate_other_data(ask: Ask, run: Path, photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for colour in ("red", "blue"):
        shutil.copytree(photos / colour, other / colour)
    before = (run / "report.html").read_bytes()
    found = json.loads(ask("evaluate", run, other, "--json").out)
    assert (found["split"], found["pictures"]) == ("other", 20)
    assert json.loads(ask("evaluate", run / "model.safetensors", other, "--json").out) == found
    assert ask("evaluate", run, other).out.splitlines()[-1] == "20 pictures (other)."
    assert (run / "report.html").read_bytes() == before


def test_numbers_that_are_none_are_null_in_json(ask: Ask, photos: Path) -> None:
    """One class only in the test split: JSON has no NaN."""
    shutil.copytree(photos, "data/train")
    shutil.copytree(photos / "red", "data/test/red")
    assert ask("train", "data", "--quiet", "--out", "r", "--allow-leaks", *SHORT).code == 0
    text = ask("evaluate", "r", "--json").out
    assert "NaN" not in text
    assert json.loads(text)["pictures"] == 10


# ---------------------------------------------------------------------------------------------- predict


def test_predict(ask: Ask, run: Path, photos: Path) -> None:
    answer = ask("predict", run, photos / "red" / "0.png", photos / "blue")
    assert (answer.code, answer.err) == (0, "")
    rows = table(answer.out)
    assert rows[0] == ["image", "label", "probability", "then"]
    assert [row[0] for row in rows[1:]] == [str(photos / "red" / "0.png")] + [
        str(photos / "blue" / f"{k}.png") for k in range(10)
    ]
    assert all(line == line.rstrip() for line in answer.out.splitlines())
    assert ask("predict", run, photos / "blue" / "*.png").out.splitlines()[1:] == answer.out.splitlines()[2:]


def test_predict_in_json(ask: Ask, run: Path, photos: Path) -> None:
    answer = ask("predict", run, photos / "red", "--json")
    assert answer.err == ""
    found = json.loads(answer.out)
    assert [each["image"] for each in found] == [str(photos / "red" / f"{k}.png") for k in range(10)]
    assert set(found[0]) == {"image", "label", "probability", "top"}
    assert found[0]["top"][0] == {"label": found[0]["label"], "probability": found[0]["probability"]}
    alone = shutil.copy(run / "model.safetensors", "mine.safetensors")
    assert json.loads(ask("predict", alone, photos / "red", "--json").out) == found
    assert ask("predict", run, photos / "red", "--quiet") == Answer(0, "", "")


def test_predict_saves_drawings(ask: Ask, run: Path, photos: Path) -> None:
    assert (
        ask("predict", run, photos / "red" / "0.png", photos / "blue" / "1.png", "--save", "out", "--quiet").code == 0
    )
    assert sorted(path.name for path in Path("out").iterdir()) == ["0000-0.png", "0001-1.png"]
    with Image.open("out/0000-0.png") as drawing:
        assert drawing.width >= 320


def test_predict_passes_over_bad_pictures_and_says_so(ask: Ask, run: Path, photos: Path) -> None:
    Path("bad.jpg").write_text("text")
    answer = ask("predict", run, photos / "red" / "0.png", "bad.jpg", "--json")
    assert answer.code == 1
    assert [each["image"] for each in json.loads(answer.out)] == [str(photos / "red" / "0.png")]
    assert answer.err.startswith("pellucid: skipped: bad.jpg is text; ")
    assert len(answer.err.splitlines()) == 1
    strict = ask("predict", run, photos / "red" / "0.png", "bad.jpg", "--strict")
    assert (strict.code, strict.out) == (1, "")
    assert strict.err.startswith("pellucid: bad.jpg is text; ")
    nothing = ask("predict", run, "bad.jpg")
    assert (nothing.code, nothing.out) == (1, "")


def test_names_that_are_no_text_can_be_printed(ask: Ask, run: Path, photos: Path) -> None:
    odd = os.fsdecode(b"caf\xe9 \xc3\xbc.png")
    shutil.copy(photos / "red" / "0.png", odd)
    assert r"caf\udce9 ü.png" in ask("predict", run, odd).out
    assert json.loads(ask("predict", run, odd, "--json").out)[0]["image"] == odd


def test_segmentation_from_folder_to_masks(ask: Ask, scenes: Path) -> None:
    """The same words for the other task."""
    words = flags({"epochs": 1, "batch": 4, "image_size": 16, "threads": 1, "val_fraction": 0.2})
    assert ask("train", scenes, "--out", "run", *words).code == 0
    found = json.loads(ask("evaluate", "run", "--json").out)
    assert {"miou", "pixel_accuracy", "loss"} <= found.keys()
    assert "WARN test-opened-again" in ask("evaluate", "run").err
    answer = ask("predict", "run", scenes / "images" / "0.png", "--save", "out", "--json")
    (result,) = json.loads(answer.out)
    assert (result["height"], result["width"]) == (20, 24)
    assert sum(result["shares"].values()) == pytest.approx(1, abs=1e-4)
    assert sorted(path.name for path in Path("out").iterdir()) == ["0000-0-mask.png", "0000-0.png", "classes.txt"]
    with Image.open("out/0000-0-mask.png") as mask:
        assert np.asarray(mask).shape == (20, 24)
    assert ask("verify", "run").code == 0
    assert ask("report", "run").out == "run/report.html\n"
    assert ask("summary", "run").code == 0
    assert table(ask("runs", ".").out)[1][:4] == ["run", "segment", "scenes", "fcn_small"]


# ---------------------------------------------------------------------------------------------- verify, report


def test_verify(ask: Ask, run: Path) -> None:
    answer = ask("verify", run)
    assert (answer.code, answer.err) == (0, "")
    assert [line.split(":")[0] for line in answer.out.splitlines()] == [
        f"PASS verify-{rule}" for rule in ("weights", "classes", "preprocessing", "examples", "outputs")
    ]
    assert ask("verify", run, "--quiet") == Answer(0, "", "")
    (run / "examples" / "000.png").unlink()
    answer = ask("verify", run, "--json")
    assert answer.code == 1
    statuses = {verdict["rule"]: verdict["status"] for verdict in json.loads(answer.out)}
    assert statuses["verify-examples"] == "fail"
    assert "FAIL verify-examples: of 6 stored pictures 1 missing (000.png)" in ask("verify", run).out
    assert ask("verify", run, "--quiet") == Answer(1, "", "")


def test_report(ask: Ask, run: Path) -> None:
    ask("report", run)  # the copied folder has another path, which the page names
    before = (run / "report.html").read_bytes()
    (run / "report.html").unlink()
    assert ask("report", run) == Answer(0, f"{run}/report.html\n", "")
    assert (run / "report.html").read_bytes() == before  # the same run, the same page
    assert json.loads(ask("report", run, "--json").out) == {"report": f"{run}/report.html"}
    assert ask("report", run, "--quiet") == Answer(0, "", "")


def test_the_report_can_be_copied_from(ask: Ask, photos: Path, tmp_path: Path) -> None:
    """Its commands survive a folder with a space."""
    data = Path(shutil.copytree(photos, tmp_path / "my photos"))
    assert ask("train", data, "--out", "my run", "--quiet", *SHORT).code == 0
    page = Path("my run/report.html").read_text()
    assert f"pellucid train &#39;{data}&#39; --task classify --config &#39;my run/config.toml&#39;" in page
    assert "pellucid verify &#39;my run&#39;" in page


# ---------------------------------------------------------------------------------------------- runs


def test_runs(ask: Ask, run: Path, photos: Path) -> None:
    ask("evaluate", run)
    ask("train", photos, "--out", "later", "--quiet", *SHORT)
    (Path("later") / "report.html").unlink()
    Path("other").mkdir()
    Path("other/config.toml").write_text("[tool]\nname = 'not ours'\n")
    os.utime("run/config.toml", (1, 1))
    rows = json.loads(ask("runs", ".", "--json").out)
    assert [row["run"] for row in rows] == ["later", "run"]  # newest first; what is no run is not listed
    assert rows[1] | {"task": "classify", "data": "photos", "model": "convnet", "epochs": "2/2"} == rows[1]
    assert rows[1]["metric"] == "accuracy"
    assert rows[1]["val"] == max(record["val_accuracy"] for record in Run(run).history)
    assert rows[1]["test"] == pytest.approx(Run(run).evaluate()["accuracy"], abs=1e-6)
    assert rows[1]["state"] == "done"
    assert rows[0]["test"] is None
    assert rows[0]["state"] == "not finished; go on with --resume"
    text = ask("runs", ".").out
    assert table(text)[0] == ["run", "task", "data", "model", "epochs", "metric", "val", "test", "state"]
    assert ask("runs", ".", "--quiet") == Answer(0, "", "")


def test_runs_that_failed_say_so(ask: Ask, run: Path) -> None:
    (run / "report.html").unlink()
    (run / "nonfinite").mkdir()
    assert "failed: not finite, see doctor.json" in ask("runs", ".").out
    (run / "config.toml").write_text((run / "config.toml").read_text().replace("epochs = 2", "epochs = 'x'"))
    (row,) = json.loads(ask("runs", ".", "--json").out)
    assert row["state"].startswith("unreadable: ")


def test_no_runs_yet(ask: Ask) -> None:
    answer = ask("runs")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "pellucid: No folder runs. Train a first run with: pellucid train DATA\n"
    Path("runs").mkdir()
    assert ask("runs").out == "No runs in runs. Train one with: pellucid train DATA\n"
    assert json.loads(ask("runs", "--json").out) == []
    assert ask("runs", "--quiet") == Answer(0, "", "")
