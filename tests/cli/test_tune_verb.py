"""The verb `tune`: flags, refusals, what it prints."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from answer import Ask
from small_runs import QUICK, flags

from pellucid.runs.searching.options import NAMES

FAST = flags({name: value for name, value in QUICK.items() if name != "epochs"})
SHORT = ["--trials", "2", "--coarse-epochs", "1", "--fine-epochs", "1", *FAST]


def test_a_search_from_the_command_line(ask: Ask, photos: Path) -> None:
    answer = ask("tune", photos, "--out", "s", "--space", "lr=10**U(-1,-3), flip=0|0.5", "--json", *SHORT)
    assert answer.code == 0
    events = [json.loads(line) for line in answer.out.splitlines()]
    (done,) = [event for event in events if event["event"] == "done"]
    assert set(done["best"]) == {"lr", "flip"}
    assert done["study"] == "s"
    assert Path("s/best.toml").exists()
    again = ask("tune", "--resume", "s", "--quiet")
    assert (again.code, again.out, again.err) == (0, "", "")
    assert ask("runs", ".").out.count("best") == 1
    taken = ask("tune", photos, "--out", "s", *SHORT)
    assert (taken.code, taken.err) == (
        1, "pellucid: s holds a search. Choose another --out, or go on with it: --resume s.\n",
    )  # fmt: skip


def test_without_a_space_the_rate_the_decay_and_the_smoothing_are_searched(ask: Ask, photos: Path) -> None:
    answer = ask("tune", photos, *SHORT)
    assert answer.code == 0
    assert "Searching lr=1e-05..0.1 log, weight_decay=1e-06..0.1 log, label_smoothing=0..0.2 linear." in answer.err
    assert Path("runs/photos-tune/report.html").exists()
    fixed = ask("tune", photos, "--optimiser", "sgd", "--weight-decay", "0", *SHORT)
    assert "Searching lr=0.001..1 log, label_smoothing=0..0.2 linear." in fixed.err
    assert Path("runs/photos-tune-2/report.html").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--spce", "lr=1..2"], "Unknown option --spce. Did you mean --space"),
        (["--space", "lrr=1..2"], "Unknown setting 'lrr'. Did you mean 'lr'"),
        (["--space", "lr=1e-3..1e-1", "--lr", "0.1"], "lr is both fixed and searched: leave it out of one of them."),
        (["--epochs", "3"], "--epochs means nothing to a search: say --coarse-epochs and --fine-epochs."),
        (["--find-lr"], "--find-lr means nothing to a search, which tries rates itself."),
        (["--space", "batch=auto|32"], "batch cannot be auto in a space: it is measured once."),
        (["--trials", "few"], "Argument --trials: invalid int value: 'few'."),
        (["--trials", "-3"], "trials must be 0 (automatic) or positive, got -3."),
        (["--minutes", "nan"], "minutes must be 0 (no limit) or positive, got nan."),
        (["--cv", "1"], "cv must be 0 (none) or at least 2, got 1."),
        (["--cv", "40", "--trials", "1"], "cannot fill 40 folds"),
        (["--sampler", "grid", "--trials", "2", "--space", "flip=0|0.1|0.2"], "trials must be at least 3"),
        (["--resume", "gone"], "gone is no folder of a search: it does not exist."),
        (["--resume", "gone", "--trials", "3"], "takes no --trials. Leave it out."),
    ],
)
def test_refusals_are_one_line(ask: Ask, photos: Path, words: list[str], said: str) -> None:
    answer = ask("tune", photos, *words, "--out", "s") if "--resume" not in words else ask("tune", *words)
    assert answer.code in (1, 2)
    assert said in answer.err
    assert answer.err.count("\n") == 1 and answer.err.startswith("pellucid: ")
    assert not Path("s").exists()


def test_needs_data(ask: Ask) -> None:
    assert "tune needs DATA" in ask("tune").err
    assert ask("tune", "--trials", "3").code == 2


def test_help_names_every_option(ask: Ask) -> None:
    answer = ask("tune", "--help")
    assert answer.code == 0
    for name in (*NAMES, "space", "task", "out", "config", "resume"):
        assert f"--{name.replace('_', '-')}" in answer.out
    assert "worker" not in answer.out


def test_without_optuna_it_says_what_to_install(photos: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['optuna'] = None\n"
        "from pellucid.cli.main import main\n"
        "sys.exit(main(['tune', sys.argv[1], '--out', 's']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(photos)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == 'pellucid: Searching needs optuna, which is not installed: pip install "pellucid[tune]".\n'
    assert not (tmp_path / "s").exists()
