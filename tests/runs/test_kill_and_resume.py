"""Signals and kills at random moments in real processes; the resumed run equals the straight one to the bit."""

import os
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_runs import QUICK, flags, make_scenes, outcome, temporary_files
from zygote import SIGNAL_CODES, Child, Done, Zygote

from pellucid.training import checkpoint

STEPS = 40
LONG = {**QUICK, "model": "tiny", "epochs": 8, "batch": 4, "save_seconds": 0}  # 40 steps, each of them saved


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as process:
        yield process


@pytest.fixture(scope="module")
def straight(zygote: Zygote, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing disturbs."""
    cwd = tmp_path_factory.mktemp("straight")
    assert zygote.run(train(photos, LONG), cwd) == Done(0, "", "")
    assert checkpoint.generations(cwd / "run" / "last")[0].name == f"step-{STEPS:08d}.safetensors"
    return cwd / "run"


def train(data: Path, settings: dict[str, object]) -> list[str | Path]:
    return ["train", data, "--out", "run", "--quiet", *flags(settings)]


def newest_step(run: Path) -> int:
    """Of the newest save; -1 when there is none."""
    found = checkpoint.generations(run / "last") if (run / "config.toml").exists() else []
    return int(found[0].name[5:13]) if found else -1


def disturb(child: Child, run: Path, number: signal.Signals, step: int, after: float = 0.0) -> Done:
    """Send the signal once that step is saved, and a moment has passed; -1 is at once."""
    end = time.monotonic() + 60
    while newest_step(run) < step and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(after)
    child.send(number)
    return child.wait()


def resume(zygote: Zygote, cwd: Path) -> Done:
    return zygote.run(["train", "--resume", "run", "--quiet"], cwd)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [0, 11])
def test_stopping_saves_and_resuming_equals_the_straight_run(
    zygote: Zygote, photos: Path, straight: Path, tmp_path: Path, number: signal.Signals, step: int
) -> None:
    done = disturb(zygote.start(train(photos, LONG), tmp_path), tmp_path / "run", number, step)
    assert done.code == SIGNAL_CODES[number], done.err
    name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
    how = rf"( at step (\d+) of {STEPS}; everything|; what was trained) is saved"  # the second before the first step
    said = re.fullmatch(rf"pellucid: Stopped by {name}{how}\. Go on with: pellucid train --resume run\n", done.err)
    assert said, done.err
    assert newest_step(tmp_path / "run") == int(said[2] or 0)
    assert done.out == ""
    assert not temporary_files(tmp_path)
    assert resume(zygote, tmp_path) == Done(0, "", "")
    assert outcome(tmp_path / "run") == outcome(straight)


@pytest.mark.parametrize("step", [0, 7, 22, 39])
def test_killed_at_any_moment_and_resumed(
    zygote: Zygote, photos: Path, straight: Path, tmp_path: Path, step: int
) -> None:
    done = disturb(zygote.start(train(photos, LONG), tmp_path), tmp_path / "run", signal.SIGKILL, step)
    assert done.code in (-9, 0)  # 0: it was done already
    assert resume(zygote, tmp_path).code == 0
    assert outcome(tmp_path / "run") == outcome(straight)
    assert not temporary_files(tmp_path)  # what the kill left half-written is gone


def test_killed_again_and_again(zygote: Zygote, photos: Path, straight: Path, tmp_path: Path) -> None:
    """Every attempt gets a little further, since every step is saved; the sum is still the straight run."""
    run = tmp_path / "run"
    disturb(zygote.start(train(photos, LONG), tmp_path), run, signal.SIGKILL, 3)
    for _ in range(3):
        before = newest_step(run)
        disturb(zygote.start(["train", "--resume", "run", "--quiet"], tmp_path), run, signal.SIGKILL, before + 2)
        assert newest_step(run) >= min(before + 2, STEPS)
    assert resume(zygote, tmp_path).code == 0
    assert outcome(run) == outcome(straight)


def test_at_most_the_steps_since_the_last_save_are_lost(zygote: Zygote, photos: Path, tmp_path: Path) -> None:
    """Saved every step, a killed run resumes at the step it had reached, give or take the one under way."""
    run = tmp_path / "run"
    disturb(zygote.start(train(photos, LONG), tmp_path), run, signal.SIGKILL, 9)
    logged = sum('"kind": "step"' in line for line in (run / "metrics.jsonl").read_text().splitlines())
    reached = newest_step(run)
    assert reached >= 9
    assert logged - reached <= 1
    done = zygote.run(["train", "--resume", "run"], tmp_path)
    assert done.err.startswith(f"Resuming run at step {reached} of {STEPS}.")


def test_killed_before_the_config_is_written_the_name_is_free(zygote: Zygote, photos: Path, tmp_path: Path) -> None:
    child = zygote.start(train(photos, LONG), tmp_path)
    child.wait_for(tmp_path / "run")  # made just before its first file
    child.send(signal.SIGKILL)
    child.wait()
    if (tmp_path / "run" / "config.toml").exists():  # it was quicker: then it can be resumed
        assert resume(zygote, tmp_path).code == 0
    else:
        assert zygote.run(train(photos, LONG), tmp_path).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_before_the_run_begins_nothing_is_left(zygote: Zygote, tmp_path: Path, number: signal.Signals) -> None:
    data = tmp_path / "data.csv"
    os.mkfifo(data)  # whoever reads it waits
    child = zygote.start(train(data, LONG), tmp_path)
    time.sleep(0.3)
    child.send(number)
    done = child.wait()
    assert (done.code, done.out) == (SIGNAL_CODES[number], "")
    assert done.err.splitlines() == [f"pellucid: stopped by {'Ctrl-C' if number == signal.SIGINT else 'SIGTERM'}."]
    assert not (tmp_path / "run").exists()


def test_segmentation_resumes_too(zygote: Zygote, tmp_path: Path) -> None:
    scenes = make_scenes(tmp_path / "scenes")
    settings = {"epochs": 2, "batch": 4, "image_size": 16, "threads": 1, "save_seconds": 0, "ema": 0.9}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert zygote.run(train(scenes, settings), tmp_path / "a").code == 0
    child = zygote.start(train(scenes, settings), tmp_path / "b")
    disturb(child, tmp_path / "b" / "run", signal.SIGKILL, 2)
    assert resume(zygote, tmp_path / "b").code == 0
    assert outcome(tmp_path / "b" / "run") == outcome(tmp_path / "a" / "run")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_twenty_kills_and_stops_at_random_moments(
    zygote: Zygote, photos: Path, straight: Path, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    for name, number in (("kill", signal.SIGKILL), ("stop", chance.choice(list(SIGNAL_CODES)))):
        cwd = tmp_path / name
        cwd.mkdir()
        child = zygote.start(train(photos, LONG), cwd)
        done = disturb(child, cwd / "run", number, chance.randrange(-1, STEPS), chance.uniform(0, 0.02))
        begun, ended = (cwd / "run" / "config.toml").exists(), (cwd / "run" / "report.html").exists()
        assert done.code == {signal.SIGKILL: -9, **SIGNAL_CODES}[number] or (ended and done.code == 0), done
        assert resume(zygote, cwd).code == 0 if begun else zygote.run(train(photos, LONG), cwd).code == 0
        assert outcome(cwd / "run") == outcome(straight)
        assert not temporary_files(cwd)
