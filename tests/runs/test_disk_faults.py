"""A full disk, a lost permission, a limit on files: said in one line, and nothing that was saved is lost."""

import builtins
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_runs import QUICK, Tiny, arrays, everything, flags, outcome, temporary_files
from zygote import Zygote

import pellucid
from pellucid.core import files
from pellucid.core.errors import WriteError
from pellucid.models import classify
from pellucid.runs.run import Run
from pellucid.training import checkpoint

SHORT = {**QUICK, "image_size": "auto", "model": "tiny", "save_seconds": 0}


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(classify.MODELS, "tiny", Tiny)


class FullDisk:
    """Lets the first `n` operations through which put something on the disk; later ones fail."""

    def __init__(self, n: int, error: int = errno.ENOSPC) -> None:
        self.left, self.error = n, error

    def guard(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.left == 0:
                raise OSError(self.error, os.strerror(self.error))
            self.left -= 1
            return function(*args, **kwargs)

        return call

    def __enter__(self) -> "FullDisk":
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(files, "open", self.guard(builtins.open), raising=False)  # appending to a log
        self.patch.setattr(files.os, "fsync", self.guard(os.fsync))  # a file, or the folder it is in
        self.patch.setattr(files.os, "replace", self.guard(os.replace))
        return self

    def __exit__(self, *error: object) -> None:
        self.patch.undo()


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The run on a large disk, and the number of operations it takes."""
    folder = tmp_path_factory.mktemp("straight") / "run"
    with pytest.MonkeyPatch.context() as patch, FullDisk(-1) as disk:
        patch.setitem(classify.MODELS, "tiny", Tiny)
        pellucid.train(arrays(), out=folder, progress="quiet", **SHORT)
    return folder, -1 - disk.left


def fill_disk_and_resume(n: int, run: Path, straight: Path, error: int = errno.ENOSPC) -> None:
    with FullDisk(n, error), pytest.raises(WriteError) as refused:
        pellucid.train(arrays(), out=run, progress="quiet", **SHORT)
    reason = {errno.ENOSPC: "the disk is full", errno.EACCES: "permission denied"}[error]
    assert str(refused.value).startswith(f"Cannot write {run}")
    assert reason in str(refused.value) and "\n" not in str(refused.value)
    assert not temporary_files(run.parent)
    if (run / "config.toml").exists():
        assert checkpoint.load(run / "last")[1] == []  # no checkpoint is damaged
        pellucid.train(arrays(), resume=run, progress="quiet")
    else:
        assert not run.exists()  # nothing is left of a run that never began
        pellucid.train(arrays(), out=run, progress="quiet", **SHORT)
    assert outcome(run) == outcome(straight)


@pytest.mark.parametrize("part", range(8))
def test_disk_full_at_any_write(straight: tuple[Path, int], tmp_path: Path, part: int) -> None:
    folder, count = straight
    assert count > 40
    fill_disk_and_resume(part * count // 8 + part % 3, tmp_path / "run", folder)


@pytest.mark.slow
def test_disk_full_at_every_write(straight: tuple[Path, int], tmp_path: Path) -> None:
    folder, count = straight
    for n in range(count):
        fill_disk_and_resume(n, tmp_path / str(n), folder)


def test_permission_lost_on_the_way(straight: tuple[Path, int], tmp_path: Path) -> None:
    fill_disk_and_resume(20, tmp_path / "run", straight[0], errno.EACCES)


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as process:
        yield process


def test_a_file_that_may_not_grow_keeps_the_checkpoint_before(zygote: Zygote, photos: Path, tmp_path: Path) -> None:
    """A real limit of the system: the first saves fit, the ones with moments of the optimiser do not."""
    settings = {**QUICK, "model": "tiny", "save_seconds": 0}
    assert zygote.run(["train", photos, "--out", "whole", "--quiet", *flags(settings)], tmp_path).code == 0
    limit = 22_000
    assert checkpoint.generations(tmp_path / "whole" / "last")[0].stat().st_size > limit
    done = zygote.run(["train", photos, "--out", "run", "--quiet", *flags(settings)], tmp_path, largest_file=limit)
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "the file would be too large. Nothing was changed; raise the file-size limit" in done.err
    assert not temporary_files(tmp_path)
    assert [path.name for path in (tmp_path / "run" / "last").iterdir()] == ["step-00000000.safetensors"]
    assert zygote.run(["train", "--resume", "run", "--quiet"], tmp_path).code == 0
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


def test_evaluating_and_reporting_on_a_full_disk(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    before = everything(folder)
    for ask in (lambda: Run(folder).evaluate(), lambda: Run(folder).report()):
        with (
            FullDisk(0),
            pytest.raises(WriteError, match=r"the disk is full\. .*free some space or write somewhere else"),
        ):
            ask()
        assert everything(folder) == before


def test_a_folder_for_drawings_that_is_a_file(finished: Path, photos: Path, tmp_path: Path, zygote: Zygote) -> None:
    (tmp_path / "file").write_text("x")
    done = zygote.run(["predict", finished, photos / "red" / "0.png", "--save", "file"], tmp_path)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("pellucid: Cannot write file/0000-0.png: a part of the path is a file")
    assert (tmp_path / "file").read_text() == "x"
