"""`pellucid check` and `pellucid train --plan` on the command line."""

import json
from pathlib import Path

import pytest
from answer import Ask

SMALL = ("--model", "mlp", "--threads", "1", "--precision", "fp32", "--batch", "8", "--image-size", "8")


def test_a_table_and_a_sum(ask: Ask, photos: Path) -> None:
    answer = ask("check", photos, *SMALL)
    assert answer.code in (0, 1)
    assert "overfit-tiny-batch" in answer.out
    assert "with mlp:" in answer.out.splitlines()[-1]


def test_json(ask: Ask, photos: Path) -> None:
    answer = ask("check", photos, "--json", "--save", "kept")
    found = json.loads(answer.out)
    assert found["ok"] == (answer.code == 0)
    assert Path(found["page"]).exists()


def test_warnings_can_be_made_to_fail(ask: Ask, photos: Path) -> None:
    for number in range(3):  # a class of three among classes of ten
        (photos.parent / "few" / "red").mkdir(parents=True, exist_ok=True)
        (photos.parent / "few" / "red" / f"{number}.png").write_bytes((photos / "red" / f"{number}.png").read_bytes())
    (photos.parent / "few" / "blue").mkdir(exist_ok=True)
    for path in (photos / "blue").iterdir():
        (photos.parent / "few" / "blue" / path.name).write_bytes(path.read_bytes())
    (photos.parent / "few" / "blue" / "copy.png").write_bytes((photos / "blue" / "0.png").read_bytes())
    found = json.loads(ask("check", photos.parent / "few", "--json").out)
    worst = {verdict["status"] for verdict in found["verdicts"]}
    assert worst & {"warn", "fail"}
    assert ask("check", photos.parent / "few", "--fail-on", "warn").code == 1


def test_rules(ask: Ask) -> None:
    answer = ask("check", "--rules")
    line = next(line for line in answer.out.splitlines() if line.startswith("overfit-tiny-batch "))
    assert line.endswith(" a few pictures are learned by heart")
    assert json.loads(ask("check", "--rules", "--json").out)["batch-mixing"]


def test_a_run(ask: Ask, finished: Path) -> None:
    answer = ask("check", finished)
    assert answer.code in (0, 1)
    assert "initial-loss" in answer.out


def test_a_folder_of_something_else_is_refused_before_the_work(
    ask: Ask, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("thesis").mkdir()
    Path("thesis/chapter.txt").write_text("years of work")
    monkeypatch.setattr("pellucid.runs.checking.check.examine", lambda *args, **more: pytest.fail("it looked"))
    answer = ask("check", photos, "--save", "thesis")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert "thesis holds something else. Choose a new or empty folder for the check." in answer.err


def test_wrong_turns(ask: Ask, finished: Path, photos: Path) -> None:
    for words, code, said in (
        (("check",), 2, "check needs DATA"),
        (("check", "nowhere/x"), 1, "nowhere/x does not exist"),
        (("check", finished, "--model", "mlp"), 2, "leave out --model"),
        (("check", finished, "--epochs", "3"), 2, "leave out --epochs"),
        (("check", photos, "--model", "mlpp"), 2, "Did you mean 'mlp'"),
        (("check", photos, "--modle", "mlp"), 2, "Did you mean --model"),
        (("check", photos, "--fail-on", "info"), 2, "fail-on"),
        (("train", photos, "--plan", "plan.png"), 2, "--plan draws an .svg"),
        (("train", photos, "--plan", "plan.svg", "--model", "knn"), 2, "means nothing for model knn"),
        (("train", "--resume", finished, "--plan", "plan.svg"), 2, "takes no --plan"),
    ):
        answer = ask(*words)
        assert answer.code == code, answer
        assert answer.err.count("\n") == 1
        assert said in answer.err, answer.err
    assert not Path("plan.svg").exists()


@pytest.mark.parametrize(
    ("settings", "marks"),
    [
        (("--schedule", "step", "--epochs", "9"), ("warm-up ends", "x 0.1")),
        (("--schedule", "restarts", "--epochs", "9"), ("warm-up ends", "restart")),
        (("--warmup-epochs", "0"), ()),
    ],
)
def test_a_plan_is_drawn_and_nothing_trained(
    ask: Ask, photos: Path, settings: tuple[str, ...], marks: tuple[str, ...]
) -> None:
    answer = ask("train", photos, *SMALL, *settings, "--plan", "plan.svg")
    assert answer.code == 0
    assert "Nothing was trained." in answer.err
    drawn = Path("plan.svg").read_text()
    assert all(mark in drawn for mark in marks)
    assert ("warm-up ends" in drawn) == ("warm-up ends" in marks)
    assert [path.name for path in Path().iterdir()] == ["plan.svg"], "no run folder"
