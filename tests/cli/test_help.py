"""Help: every verb explains itself, every setting is shown, and none of it waits for torch."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from answer import Answer, Ask

import pellucid
from pellucid.cli.main import VERBS
from pellucid.core import config as settings
from pellucid.tasks import CONFIGS

# Runs a command line, then says which heavy packages it loaded.
PROBE = """
import contextlib, io, sys
from pellucid.cli.main import main
said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
    try:
        code = main(sys.argv[1:])
    except SystemExit as stop:
        code = stop.code or 0
print(code, *[name for name in ("torch", "sklearn", "scipy", "matplotlib") if name in sys.modules])
"""


def probe(words: list[str], cwd: Path) -> str:
    """Exit code, and the heavy packages that were loaded."""
    argv = [sys.executable, "-c", PROBE, *words]
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["train", "--help"],
        ["train", "--help", "--task", "segment"],
        ["runs", "."],
        ["datasets"],
        ["datasets", "mnist"],
        *([verb, "--help"] for verb in VERBS if verb != "train"),
    ],
    ids=" ".join,
)
def test_answers_without_torch(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir()
    config = settings.to_toml(CONFIGS["classify"]())
    (tmp_path / "run" / "config.toml").write_text(f'[run]\ntask = "classify"\ndata = ""\n{config}')
    assert probe(words, tmp_path) == "0"


def test_wrong_words_are_refused_without_torch(tmp_path: Path) -> None:
    for words in (["train", "gone"], ["train", ".", "--epoch", "3"], ["train", "--resume", "gone"]):
        assert probe(words, tmp_path) in ("1", "2")


@pytest.mark.parametrize("task", CONFIGS)
def test_train_help_shows_every_setting_and_option(ask: Ask, task: str) -> None:
    for words in (["train", "--help", "--task", task], ["train", "data", "--task", task, "-h"]):
        answer = ask(*words)
        assert (answer.code, answer.err) == (0, "")
        for name in settings.settings(CONFIGS[task]):
            assert f"--{name.replace('_', '-')}" in answer.out, name
        for name in ("--task", "--out", "--config", "--resume", "--overwrite", "--quiet", "--json"):
            assert name in answer.out
        assert f"settings of --task {task}" in answer.out


def test_overview_names_every_verb(ask: Ask) -> None:
    for words in ([], ["--help"], ["-h"], ["help"]):
        answer = ask(*words)
        assert answer.code == 0
        for name, verb in VERBS.items():
            assert f"  {verb.USAGE}" in answer.out
            assert verb.ABOUT in answer.out
            assert verb.USAGE.split()[0] == name
    assert ask("--version").out == f"pellucid {pellucid.__version__}\n"


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "train"])
def test_every_verb_explains_every_option(ask: Ask, verb: str) -> None:
    answer = ask(verb, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"usage: pellucid {verb} ")
    assert VERBS[verb].ABOUT.split()[0] in answer.out
    lines = answer.out.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("  --"):  # explained beside it or below it
            below = lines[number + 1] if number + 1 < len(lines) else ""
            assert len(line.split("  ")) > 2 or below.startswith(" " * 10), line


@pytest.mark.parametrize("columns", [50, 80, 120, 200])
def test_explanations_flow_to_the_width(ask: Ask, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """A line ends only where the next word would not fit, wherever the docstring's lines end in the source."""
    monkeypatch.setenv("COLUMNS", str(columns))
    width, flowing = min(columns, 120), 0
    lines = ask("train", "--help").out.split("in a TOML file:\n")[1].splitlines()
    for line, following in itertools.pairwise(lines):
        assert len(line) <= width, line
        if following.startswith(" " * 22) and (line.startswith(" " * 22) or line[20:22] == "  "):
            assert len(line) + 1 + len(following.split()[0]) > width, (line, following)
            flowing += 1
    assert flowing > 20


def test_explanations_are_the_docstrings(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    said = " ".join(ask("train", "--help").out.split())
    assert (
        "--schedule STR constant, cosine, restarts (cosine again and again), linear, polynomial, one-cycle, step (or "
        "multi-step), exponential, inverse-sqrt, inverse or plateau. (default: cosine) --warmup-epochs FLOAT"
    ) in said
    assert os.environ["COLUMNS"] == "60"


@pytest.mark.parametrize(
    ("verb", "flag", "offered"),
    [
        ("tune", "--trails", "--trials"),
        ("check", "--fail-om", "--fail-on"),
        ("augment", "--al", "--all"),
        ("ladder", "--budge", "--budget"),
    ],
)
def test_an_unknown_flag_is_answered_by_its_own_verb(ask: Ask, verb: str, flag: str, offered: str) -> None:
    answer = ask(verb, ".", flag, "3")
    assert answer.code == 2
    assert answer.err.startswith(f"pellucid: Unknown option {flag}. Did you mean {offered}")
    assert f"pellucid {verb} " in answer.err and "lists all" not in answer.err


@pytest.mark.parametrize("verb", ["tune", "check", "augment"])
def test_a_loose_word_is_answered_by_its_own_verb(ask: Ask, verb: str) -> None:
    answer = ask(verb, "fashion-mnist-mini", "more")
    assert answer == Answer(
        2,
        "",
        f"pellucid: more means nothing here. `pellucid {verb} --help` lists the options of {verb}, "
        "`pellucid train --help` the settings.\n",
    )
