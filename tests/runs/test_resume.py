"""What resuming refuses, what it puts up with, and that the result is the straight run's."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_runs import QUICK, Tiny, arrays, everything, outcome, temporary_files

import pellucid
from pellucid.core.errors import (
    ConfigError,
    DataError,
    DeviceError,
    Interrupted,
    RunError,
    Terminated,
    WeightsError,
)
from pellucid.core.files import append_line, read_json
from pellucid.models import classify
from pellucid.models.weights import read_weights, write_weights
from pellucid.runs.run import Run
from pellucid.training import checkpoint, loop

SHORT = {**QUICK, "model": "tiny", "epochs": 3, "save_seconds": 0}


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(classify.MODELS, "tiny", Tiny)


class Enough(BaseException):
    """Ends a run in this process as a kill would: nothing is saved any more."""


def stop_after(data: object, folder: Path, step: int, monkeypatch: pytest.MonkeyPatch, **settings: object) -> Path:
    """A run that was killed right after it saved that step."""
    save = checkpoint.save

    def save_and_stop(where: Path, at: int, state: dict[str, object]) -> Path:
        path = save(where, at, state)
        if at == step:
            raise Enough
        return path

    with monkeypatch.context() as patch:
        patch.setattr(loop.checkpoint, "save", save_and_stop)
        with pytest.raises(Enough):
            pellucid.train(data, out=folder, progress="quiet", **{**SHORT, **settings})
    return folder


@pytest.fixture
def stopped(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that stands in the middle of its second epoch."""
    return stop_after(photos, tmp_path / "run", 3, monkeypatch)


@pytest.fixture(scope="module")
def straight(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("straight") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(classify.MODELS, "tiny", Tiny)
        pellucid.train(photos, out=folder, progress="quiet", **SHORT)
    return folder


def resume(folder: Path, data: object = None, **settings: object) -> Run:
    return pellucid.train(data, resume=folder, progress="quiet", **settings)


def test_equals_the_straight_run(stopped: Path, straight: Path) -> None:
    resume(stopped)
    assert outcome(stopped) == outcome(straight)


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ema": 0.9, "schedule": "plateau", "plateau_patience": 0},
        {"average": "swa", "average_from": 0.3, "l1": 1e-3, "decoupled": True, "snapshots": 2},
        {"average": "polyak", "dropout": 0.2, "drop_connect": 0.2, "channel_dropout": 0.1, "schedule": "restarts"},
    ],
    ids=["plain", "ema", "swa", "polyak"],
)
def test_equals_the_straight_run_with_every_optimiser(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimiser: str, more: dict[str, object]
) -> None:
    """Image weights lie channels-last, files row by row: moments must come back in the order of their weights."""
    pellucid.train(photos, out="straight", progress="quiet", **{**SHORT, "optimiser": optimiser, **more})
    resume(stop_after(photos, tmp_path / "run", 3, monkeypatch, optimiser=optimiser, **more))
    assert outcome(tmp_path / "run") == outcome(Path("straight"))


def test_from_the_very_first_save(
    photos: Path, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that took no step yet can be gone on with."""
    folder = stop_after(photos, tmp_path / "run", 1, monkeypatch)
    for path in (folder / "last").iterdir():
        if path.name != "step-00000000.safetensors":
            path.unlink()
    resume(folder)
    assert outcome(folder) == outcome(straight)


def test_steps_since_the_last_save_are_taken_again_and_logged_once(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved at the end of the first epoch only, killed in the third; half a line was being written."""
    settings = {**SHORT, "save_seconds": 1e9}
    pellucid.train(photos, out="straight", progress="quiet", **settings)

    def append_and_stop(path: Path, line: str) -> None:
        append_line(path, line)
        if '"kind": "step"' in line and '"step": 5,' in line:
            with open(path, "a") as file:
                file.write('{"kind": "epo')
            raise Enough

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(loop, "append_line", append_and_stop)
        with pytest.raises(Enough):
            pellucid.train(photos, out=run, progress="quiet", **settings)
    assert checkpoint.generations(run / "last")[0].name == "step-00000004.safetensors"
    resume(run)
    assert outcome(run) == outcome(Path("straight"))


def test_with_the_settings_it_has(stopped: Path, straight: Path) -> None:
    resume(stopped, config=stopped / "config.toml", epochs=3, model="tiny")
    assert outcome(stopped) == outcome(straight)


def test_settings_stay(stopped: Path, tmp_path: Path) -> None:
    before = everything(stopped)
    with pytest.raises(ConfigError) as refused:
        resume(stopped, epochs=5, lr=0.1)
    assert str(refused.value).startswith(
        f"Resuming {stopped} cannot change its settings (lr 0.00025 -> 0.1; epochs 3 -> 5)"
    )
    other = tmp_path / "other.toml"
    other.write_text("[train]\nseed = 7\n")
    with pytest.raises(ConfigError, match=r"cannot change its settings \(seed 0 -> 7\).*or train anew"):
        resume(stopped, config=other)
    with pytest.raises(ConfigError, match=r"Unknown setting 'epoch'\. Did you mean 'epochs'"):
        resume(stopped, epoch=3)
    for beside in ({"out": "elsewhere"}, {"overwrite": True}, {"task": "classify"}):
        name = next(iter(beside))
        with pytest.raises(ConfigError, match=f"--resume goes on with a run as it was begun, and takes no --{name}"):
            resume(stopped, **beside)
    assert everything(stopped) == before


def test_an_edited_config_is_noticed(stopped: Path) -> None:
    """The checkpoint remembers the settings it was made with."""
    config = stopped / "config.toml"
    config.write_text(config.read_text().replace("momentum = 0.9", "momentum = 0.5"))
    with pytest.raises(ConfigError, match=r"cannot change its settings \(momentum 0.9 -> 0.5\)"):
        resume(stopped)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    stopped: Path, straight: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest, older = checkpoint.generations(stopped / "last")
    content = bytearray(newest.read_bytes())
    content[-3] ^= 1
    newest.write_bytes(content)
    pellucid.train(resume=stopped, progress="lines")
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith(f"Using the checkpoint before: {newest} is damaged")
    assert said[1] == f"Resuming {stopped} at step {int(older.name[5:13])} of 6."
    assert outcome(stopped) == outcome(straight)


def test_without_an_intact_checkpoint(stopped: Path) -> None:
    for path in checkpoint.generations(stopped / "last"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WeightsError, match="No intact checkpoint in .*: .* is no intact safetensors file"):
        resume(stopped)
    for path in checkpoint.generations(stopped / "last"):
        path.unlink()
    with pytest.raises(WeightsError, match="No checkpoint in .*Train again with --overwrite"):
        resume(stopped)


def test_a_checkpoint_of_another_run(
    stopped: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same settings, other data: refused before anything is computed."""
    other = stop_after(shutil.copytree(photos, tmp_path / "other"), tmp_path / "run2", 3, monkeypatch, seed=3)
    shutil.rmtree(stopped / "last")
    shutil.copytree(other / "last", stopped / "last")
    with pytest.raises(ConfigError, match=r"cannot change its settings \(seed 3 -> 0\)"):
        resume(stopped)


def test_a_checkpoint_whose_weights_do_not_fit(stopped: Path) -> None:
    path = checkpoint.generations(stopped / "last")[0]
    stored = read_weights(path)
    tensors = {name: value[:1] if name.endswith("head.bias") else value for name, value in stored.tensors.items()}
    write_weights(path, tensors, stored.about)
    with pytest.raises(WeightsError, match=r"The checkpoint in .*last belongs to another run .*size mismatch"):
        resume(stopped)
    write_weights(path, stored.tensors, {"state": {"dict": [["model", {"dict": []}]]}})
    with pytest.raises(WeightsError, match="does not say which run it belongs to"):
        resume(stopped)


def repaint(path: Path) -> None:
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: (root / "red" / "0.png").unlink(), r"0 records are new, 1 are gone"),
        (lambda root: shutil.copy(root / "red" / "0.png", root / "red" / "99.png"), r"1 records are new, 0 are gone"),
        (lambda root: (root / "red" / "0.png").rename(root / "red" / "zero.png"), r"1 records are new, 1 are gone"),
        (
            lambda root: [repaint(path) for path in (root / "red").iterdir()],
            r"they have other pixels, labels or classes",
        ),
        (
            lambda root: shutil.rmtree(root),
            r"cannot be read: .*photos does not exist.* Wherever it is now, give it as DATA",
        ),
    ],
    ids=["removed", "added", "renamed", "repainted", "gone"],
)
def test_changed_data_is_noticed(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object], said: str
) -> None:
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    folder = stop_after(data, tmp_path / "run", 3, monkeypatch)
    change(data)
    before = everything(folder)
    with pytest.raises(DataError, match=said):
        resume(folder)
    assert everything(folder) == before


def test_moved_data_is_the_same_data(
    photos: Path, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named anew, it must be what it was; then the result is the straight run's, name of the data included."""
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    folder = stop_after(data, tmp_path / "run", 3, monkeypatch)
    data.rename(tmp_path / "archive")
    resume(folder, tmp_path / "archive")
    after, expected = outcome(folder), outcome(straight)
    for both in (after, expected):  # which says where the data was
        del both["config.toml"]
    assert after == expected


def test_arrays_must_be_passed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"image_size": "auto"}
    pellucid.train(arrays(), out="straight", progress="quiet", **{**SHORT, **settings})
    folder = stop_after(arrays(), tmp_path / "run", 3, monkeypatch, **settings)
    with pytest.raises(RunError, match="was trained on arrays in memory, which are not stored. Pass the data again"):
        resume(folder)
    with pytest.raises(DataError, match="other pixels, labels or classes"):
        resume(folder, arrays(seed=1))
    resume(folder, arrays())
    assert outcome(folder) == outcome(Path("straight"))


def test_finished_runs_stay_as_they_are(finished: Path, run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    resume(folder)
    assert everything(folder) == everything(finished)


def test_a_missing_report_and_examples_are_made_up_for(finished: Path, run_copy: Callable[[str], Path]) -> None:
    """Stopped between training and the report."""
    folder = run_copy("run")
    (folder / "report.html").unlink()
    shutil.rmtree(folder / "examples")
    resume(folder)
    after = everything(folder)
    expected = everything(finished)
    assert after.keys() == expected.keys()
    assert all(after[name] == expected[name] for name in expected if name not in ("report.html", "timing.jsonl"))
    assert not [verdict for verdict in Run(folder).verify() if verdict.status != "pass"]


@pytest.mark.parametrize(("stop", "code", "name"), [(KeyboardInterrupt, 130, "Ctrl-C"), (Terminated, 143, "SIGTERM")])
@pytest.mark.parametrize("moment", ["train.announce", "setup.finish.write_examples", "setup.finish.write_report"])
def test_stopped_before_or_after_training(
    photos: Path,
    straight: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    stop: type[BaseException],
    code: int,
    name: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(f"pellucid.runs.{moment}", raiser(stop))
        with pytest.raises(Interrupted) as stopped:
            pellucid.train(photos, out="run", progress="quiet", **SHORT)
    assert stopped.value.exit_code == code
    assert str(stopped.value) == (
        f"Stopped by {name}; what was trained is saved. Go on with: pellucid train --resume run"
    )
    resume(Path("run"))
    assert outcome(Path("run")) == outcome(straight)
    assert Path("run/report.html").exists()


@pytest.mark.parametrize("moment", ["write_split", "checkpoint.save", "files.write_config"])
def test_stopped_while_the_folder_is_made(photos: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setattr(f"pellucid.runs.train.{moment}", raiser(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        pellucid.train(photos, out="run", progress="quiet", **SHORT)
    assert list(Path().iterdir()) == []


def raiser(error: type[BaseException]) -> Callable[..., None]:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    return fail


def test_openings_of_the_test_split_are_not_forgotten(stopped: Path) -> None:
    """Evaluated while it stood still, a run remembers that when it is finished."""
    Run(stopped).evaluate()
    Run(stopped).evaluate()
    assert [v["rule"] for v in read_json(stopped / "doctor.json")].count("test-opened-again") == 1
    resume(stopped)
    assert [v["rule"] for v in read_json(stopped / "doctor.json")].count("test-opened-again") == 1


def test_a_device_that_is_not_here(stopped: Path) -> None:
    """The advice must not be one that resuming refuses."""
    config = stopped / "config.toml"
    config.write_text(config.read_text().replace('device = "cpu"', 'device = "cuda:77"'))
    for path in checkpoint.generations(stopped / "last"):
        stored = read_weights(path)
        about = json.dumps(stored.about).replace('["device", "cpu"]', '["device", "cuda:77"]')
        write_weights(path, stored.tensors, json.loads(about))
    with pytest.raises(DeviceError) as refused:
        resume(stopped)
    assert str(refused.value) == (
        f"{stopped} was trained on cuda:77, which is not here, and goes on only there, since another device gives "
        f"other bits. Train anew with --config {config} --device auto."
    )


def test_other_versions_are_told(
    stopped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pellucid.runs.stored.folder.versions", lambda: {"pellucid": "9.9"})
    pellucid.train(resume=stopped, progress="lines")
    assert f"Versions changed since the run began (pellucid {pellucid.__version__} -> 9.9)" in capsys.readouterr().err


def test_half_written_files_of_a_kill_are_removed(stopped: Path) -> None:
    for place in (stopped, stopped / "last"):
        (place / ".x.safetensors.abc123.tmp").write_bytes(b"half")
    resume(stopped)
    assert not temporary_files(stopped)


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(
        RunError, match=r"gone is no run folder: it does not exist\. Train one with: pellucid train DATA"
    ):
        resume(Path("gone"))
    with pytest.raises(RunError, match=r"is no run folder: it has no config\.toml"):
        resume(tmp_path)
    (tmp_path / "config.toml").write_text("[tool]\nx = 1\n")
    with pytest.raises(ConfigError, match=r"config\.toml has no \[run\] table with task and data"):
        resume(tmp_path)
