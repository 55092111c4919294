"""A search in several processes, and after signals and kills."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_runs import flags
from small_searches import FAST, SPACE, facts
from zygote import Zygote

from pellucid.runs.searching.study import Study
from pellucid.runs.searching.tune import tune


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as process:
        yield process


def command(photos: Path, *more: str) -> list[str | Path]:
    fixed = flags(FAST)
    return ["tune", photos, "--out", "s", "--trials", "8", "--space", SPACE, "--quiet", *fixed, *more]


def wait_for_trials(folder: Path, n: int, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if len(list((folder / "trials").glob("*/metrics.jsonl"))) >= n:
            return
        time.sleep(0.005)
    raise AssertionError(f"{folder} never had {n} trials")


@pytest.mark.parametrize("n", [3, pytest.param(1, marks=pytest.mark.slow), pytest.param(6, marks=pytest.mark.slow)])
def test_killed_with_no_warning_and_resumed(zygote: Zygote, found: Study, photos: Path, tmp_path: Path, n: int) -> None:
    child = zygote.start(command(photos), tmp_path)
    wait_for_trials(tmp_path / "s", n)
    child.send(signal.SIGKILL)
    assert child.wait().code in (-9, 0)
    done = zygote.run(["tune", "--resume", "s", "--quiet"], tmp_path)
    assert (done.code, done.err) == (0, "")
    assert facts(Study(tmp_path / "s")) == facts(found)
    assert (tmp_path / "s" / "report.html").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_stopped_by_a_signal_and_resumed(
    zygote: Zygote, found: Study, photos: Path, tmp_path: Path, number: signal.Signals
) -> None:
    child = zygote.start(command(photos), tmp_path)
    wait_for_trials(tmp_path / "s", 2)
    child.send(number)
    done = child.wait()
    assert done.code == 128 + number, done.err
    assert "trials are kept. Go on with: pellucid tune --resume s" in done.err
    assert zygote.run(["tune", "--resume", "s", "--quiet"], tmp_path).code == 0
    assert facts(Study(tmp_path / "s")) == facts(found)


@pytest.mark.slow
def test_two_jobs_and_a_helper_share_one_search(zygote: Zygote, photos: Path, tmp_path: Path) -> None:
    argv = [word if word != "tpe" else "random" for word in command(photos, "--sampler", "random", "--jobs", "2")]
    child = zygote.start(argv, tmp_path)
    child.wait_for(tmp_path / "s" / "config.toml")
    helper = zygote.start(["tune", "--resume", "s", "--quiet"], tmp_path)
    for each in (child, helper):
        done = each.wait()
        assert (done.code, done.err) == (0, "")
    study = Study(tmp_path / "s")
    assert [sum(one.stage == stage for one in study.trials) for stage in ("coarse", "fine", "repeat")] == [4, 2, 2]
    straight = tune(photos, space=SPACE, out=tmp_path / "t", trials=8, sampler="random", progress="quiet", **FAST)
    coarse = [
        [(t.settings, repr(t.value)) for t in s.trials if t.stage == "coarse" and t.state == "done"]
        for s in (study, straight)
    ]
    assert any(each in coarse[1] for each in coarse[0])  # the same draws, whoever trained them
    assert os.listdir(tmp_path / "s" / "best")


@pytest.mark.slow
def test_a_database(photos: Path, tmp_path: Path, found: Study) -> None:
    where = f"sqlite:///{tmp_path}/search.db"
    study = tune(photos, space=SPACE, out=tmp_path / "s", trials=8, storage=where, progress="quiet", **FAST)
    assert facts(study) == facts(found)
    assert not (study.folder / "journal.log").exists()
