"""`pellucid evaluate` with several runs, views, and soups."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from answer import Ask

from pellucid.core.errors import ConfigError
from pellucid.core.files import read_lines
from pellucid.runs.comparing.words import names_a_run, runs_and_data


@pytest.fixture
def two(finished: Path, tmp_path: Path) -> list[str]:
    return [str(shutil.copytree(finished, tmp_path / name)) for name in ("a", "b")]


def rows(ask: Ask, *words: object) -> dict[str, Any]:
    answer = ask("evaluate", *words, "--json")
    assert answer.code == 0, answer.err
    last = answer.out[answer.out.index("{\n") :]  # after the lines of progress, each an object of its own
    found: dict[str, Any] = json.loads(last)
    return found


def test_runs_stand_beside_their_mean(ask: Ask, two: list[str]) -> None:
    found = rows(ask, *two)
    assert [row["model"] for row in found["rows"]] == [*two, "mean of their answers"]
    assert len({row["accuracy"] for row in found["rows"]}) == 1  # copies of one run
    assert (found["split"], found["pictures"]) == ("test", 3)
    assert [len(read_lines(Path(run) / "test_openings.jsonl")) for run in two] == [1, 1]


def test_a_snapshot_answers_for_its_run_in_one_opening(ask: Ask, two: list[str]) -> None:
    snapshot = Path(two[0], "snapshots", "one.safetensors")
    snapshot.parent.mkdir(exist_ok=True)
    shutil.copy(Path(two[0], "model.safetensors"), snapshot)
    found = rows(ask, two[0], snapshot)
    assert len(found["rows"]) == 3
    assert len(read_lines(Path(two[0]) / "test_openings.jsonl")) == 1
    assert "how" not in read_lines(Path(two[0]) / "test_openings.jsonl")[0]
    rows(ask, snapshot, shutil.copy(snapshot, snapshot.with_name("two.safetensors")))
    assert read_lines(Path(two[0]) / "test_openings.jsonl")[1]["how"] == f"weights {snapshot}"


def test_a_run_counts_once(ask: Ask, two: list[str]) -> None:
    answer = ask("evaluate", *two, Path("a"))
    assert answer.code == 2
    assert answer.err == (
        "pellucid: a is given twice: it would count double in every mean. Leave one of the two out.\n"
    )
    assert not Path(two[0], "test_openings.jsonl").exists()


@pytest.mark.parametrize(("name", "again"), [("mirror", 1), ("ten", 1)])
def test_views_stand_beside_one_view(ask: Ask, two: list[str], name: str, again: int) -> None:
    found = rows(ask, two[0], "--tta", name)
    assert [row["model"] for row in found["rows"]] == ["one view", f"mean over views: {name}"]
    opened = read_lines(Path(two[0]) / "test_openings.jsonl")
    assert len(opened) == again and opened[0]["how"] == f"tta {name}"
    assert not (Path(two[0]) / "test.safetensors").exists()  # what the report shows is of one view


def test_a_soup_is_measured_on_validation_unless_said(ask: Ask, two: list[str], tmp_path: Path) -> None:
    found = rows(ask, *two, "--soup", "greedy", "--out", tmp_path / "soup.safetensors")
    assert found["split"] == "val"
    assert found["rows"][-1]["model"] == "greedy soup of 2"
    assert not any((Path(run) / "test_openings.jsonl").exists() for run in two)
    answer = ask("evaluate", *two, "--soup", "uniform", "--out", tmp_path / "two.safetensors", "--split", "test")
    assert answer.code == 0 and "uniform soup of 2" in answer.out and f"{tmp_path / 'two.safetensors'}" in answer.out
    assert [len(read_lines(Path(run) / "test_openings.jsonl")) for run in two] == [1, 1]
    predicted = ask("predict", tmp_path / "soup.safetensors", two[0] + "/examples")
    assert predicted.code in (0, 1)  # a weights file like any other: it is read


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["A", "nowhere"], "nowhere"),
        (["A", "B", "PHOTOS", "C"], "PHOTOS is no run, and DATA comes last, once."),
        (["A", "--soup", "uniform"], "--soup needs a new file to be written to: say --out FILE.safetensors."),
        (["A", "B", "--out", "x.safetensors"], "--out is where --soup is written to."),
        (["A", "--soup", "uniform", "--out", "x.safetensors"], "A soup needs two runs or more."),
        (["A", "--tta", "many"], "Unknown test-time augmentation 'many'."),
        (["A", "B", "--challenges"], "--challenges is measured on one run as it is."),
        (["A", "B", "--split", "exam"], "Unknown split 'exam'."),
    ],
)
def test_what_does_not_go_together(ask: Ask, two: list[str], photos: Path, words: list[str], message: str) -> None:
    known = {"A": two[0], "B": two[1], "C": two[0], "PHOTOS": str(photos)}
    answer = ask("evaluate", *(known.get(word, word) for word in words))
    assert answer.code in (1, 2) and message.replace("PHOTOS", str(photos)) in answer.err
    assert not any((Path(run) / "test_openings.jsonl").exists() for run in two)


def test_other_tasks_are_refused(ask: Ask, two: list[str], scenes: Path, tmp_path: Path) -> None:
    made = ask(
        "train", scenes, "--epochs", 1, "--image-size", 16, "--out", tmp_path / "masks", "--quiet", "--allow-leaks"
    )
    assert made.code == 0, made.err
    answer = ask("evaluate", two[0], tmp_path / "masks")
    assert answer.code == 2
    assert f"An ensemble is made of classifiers, but {tmp_path / 'masks'} is a run of task segment." in answer.err
    answer = ask("evaluate", tmp_path / "masks", "--tta", "ten")
    assert answer.code == 2 and "--tta averages the answers of classifiers" in answer.err


def test_words_are_told_apart(finished: Path, photos: Path, tmp_path: Path) -> None:
    run, data = str(finished), str(photos)
    assert runs_and_data([run]) == ([run], None)
    assert runs_and_data([run, "x.safetensors", data]) == ([run, "x.safetensors"], data)
    assert runs_and_data(["gone", data]) == (["gone"], data)  # the first is always a run
    assert runs_and_data([run, "x.safetensors", "fashion-mnist"]) == ([run, "x.safetensors"], "fashion-mnist")
    assert names_a_run("efficientnet_lite0") and not names_a_run("fashion-mnist") and not names_a_run(data)
    with pytest.raises(ConfigError, match="is no run, and DATA comes last, once"):
        runs_and_data([run, data, run])
