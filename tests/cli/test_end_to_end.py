"""From a folder of pictures to a model one can trust, as a user types it, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import flags

import pellucid

SETTINGS = flags({"epochs": 1, "batch": 8, "image_size": 16, "threads": 1, "val_fraction": 0.2})


def pellucid_command(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "pellucid.cli.main", *map(str, words)]
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=100, env=dict(os.environ), check=False)


def test_two_commands(photos: Path, tmp_path: Path) -> None:
    trained = pellucid_command("train", photos, *SETTINGS, cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout == ""
    run = "runs/photos-convnet"
    lines = trained.stderr.splitlines()
    assert lines[0] == "photos: 3 classes, 21 train / 6 val / 3 test, 16x16 px, RGB."
    assert lines[1].startswith("convnet: ")
    assert lines[-2:] == [f"Run folder: {run}", f"Report: {run}/report.html"]
    page = (tmp_path / run / "report.html").read_text()
    assert "<!doctype html>" in page.lower()
    measured = pellucid_command("evaluate", run, "--json", cwd=tmp_path)
    assert measured.returncode == 0, measured.stderr
    assert json.loads(measured.stdout)["pictures"] == 3
    assert (tmp_path / run / "test_openings.jsonl").exists()


@pytest.mark.slow
def test_every_verb_in_a_process_of_its_own(photos: Path, scenes: Path, tmp_path: Path) -> None:
    for data, first in ((photos, photos / "red" / "0.png"), (scenes, scenes / "images" / "0.png")):
        run = f"runs/{data.name}"
        for words in (
            ["train", data, "--out", run, *SETTINGS],
            ["evaluate", run],
            ["predict", run, first, "--save", "out"],
            ["verify", run],
            ["report", run],
            ["runs"],
            ["models"],
            ["datasets"],
            ["summary", run],
        ):
            done = pellucid_command(*words, cwd=tmp_path)
            assert done.returncode == 0, (words, done.stderr)
            assert done.stdout or words[0] == "train"
    assert pellucid_command("--version", cwd=tmp_path).stdout == f"pellucid {pellucid.__version__}\n"


def test_the_package_is_a_command(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "pellucid", "--version"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, f"pellucid {pellucid.__version__}\n"), done.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """`pellucid datasets | head -0`."""
    read, write = os.pipe()
    os.close(read)
    argv = [sys.executable, "-m", "pellucid", "datasets"]
    done = subprocess.run(argv, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")
