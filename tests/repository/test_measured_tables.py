"""The tools that fill the accuracy tables: what they plan, read and write, without training anything."""

import json
from pathlib import Path
from typing import Any

import pytest

ROW = {"parameters": 1000, "macs": 2_000_000, "epoch_seconds": 100.0}


@pytest.fixture
def zoo(tools: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import measure_zoo

    monkeypatch.setattr(measure_zoo, "CACHE", tmp_path)
    return measure_zoo


@pytest.fixture
def fast(tools: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import measure_time_to_accuracy

    monkeypatch.setattr(measure_time_to_accuracy, "CACHE", tmp_path)
    return measure_time_to_accuracy


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "tools"))


@pytest.mark.parametrize(
    ("seconds", "budget", "epochs"), [(100.0, 700, 6), (631.0, 700, 0), (629.0, 700, 1), (1.0, 700, 12)]
)
def test_epochs_are_those_that_fit(zoo: Any, seconds: float, budget: float, epochs: int) -> None:
    assert zoo.planned({"epoch_seconds": seconds}, budget) == epochs
    assert zoo.planned({"refused": "too small"}, budget) == 0


def test_the_zoo_table_has_what_is_done_first_and_says_what_is_not(zoo: Any) -> None:
    zoo.keep("slow", {**ROW, "epoch_seconds": 9000.0})
    zoo.keep("done", {**ROW, "epochs": 6, "seconds": 612, "kind": "CPU", "how": "", "accuracy": 0.9312})
    zoo.keep("other", {**ROW, "epochs": 12, "seconds": 9999, "kind": "wall", "how": "lr 0.1", "accuracy": 0.945})
    zoo.keep("large", {"refused": "needs 75 px"})
    text = zoo.page(["slow", "done", "other", "large", "new"], 700)
    assert "Not even measured yet: `new`." in text
    assert "2 of 4 networks are trained" in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert [row.split(" | ")[0] for row in rows] == ["| other", "| done", "| slow"]
    assert "9,999 (wall)* | 94.50%" in rows[0] and "6 | 612 | 93.12%" in rows[1]
    assert "not run: no epoch fits" in rows[2]
    assert "*`other` was trained otherwise: lr 0.1." in text and "Not for pictures of 28 px: `large`." in text


def test_cpu_seconds_are_read_where_they_were_logged(zoo: Any, tmp_path: Path) -> None:
    old, new = {"seconds": 3.0}, {"seconds": 3.0, "cpu_seconds": 2.0}
    for lines, expected in (([new, new], (4.0, "CPU")), ([old, new], (6.0, "wall"))):
        (tmp_path / "timing.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert zoo.spent(tmp_path) == expected


def test_the_first_epoch_at_the_target_is_what_the_plain_way_needs(fast: Any, tmp_path: Path) -> None:
    assert fast.epochs_needed(None) == {"epochs": fast.ASSUMED_EPOCHS, "real": False}
    values = (0.91, 0.941, 0.938, 0.946)
    lines = [{"kind": "step", "loss": 1.0}, *({"kind": "epoch", "val_accuracy": value} for value in values)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = {"epochs": 2, "of": 4, "real": True, "best": 0.946}
    assert fast.epochs_needed(tmp_path) == found
    assert fast.epochs_needed(None) == found, "kept for the next time"
    (tmp_path / "metrics.jsonl").write_text(json.dumps(lines[1]) + "\n")
    with pytest.raises(SystemExit, match=r"has not reached 94.0%: 91.00% so far"):
        fast.epochs_needed(tmp_path)


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.9412, "reaches 94.0%"), (0.93, "**does not reach** 94.0%")])
def test_the_ratio_is_plain_seconds_over_ours(fast: Any, accuracy: float, verdict: str) -> None:
    rows = [{"seed": 0, "accuracy": accuracy, "training": 300.0, "cpu": 375.0, "wall": 800.0}]
    text = fast.page(rows, {"steps": 20, "step": 4.0}, {"epochs": 10, "real": False})
    assert verdict in text
    assert "| one epoch of 60,000 | 1,875 CPU s |" in text and "| **ratio to the recipe** | **50** |" in text
    assert "**10 epochs are assumed**" in text
