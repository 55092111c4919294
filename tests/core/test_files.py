"""Writing is whole or not at all, whatever fails and whenever."""

import errno
import json
import os
from pathlib import Path
from typing import IO

import pytest

from pellucid.core import files
from pellucid.core.errors import WriteError


def test_write_replaces_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    files.write_text(path, "one")
    files.write_text(path, "two €")
    assert path.read_bytes() == "two €".encode()
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_file_is_readable_by_others(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        files.write_text(tmp_path / "a", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["mkstemp", "fdopen", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
def test_failure_at_any_call_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(files.tempfile if name == "mkstemp" else files.os, name, fail)
        with pytest.raises(WriteError) as caught:
            files.write_text(path, "new")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_failure_of_the_writer_keeps_the_old_file(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a", "old")

    def half(file: IO[bytes]) -> None:
        file.write(b"ne")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        files.write_atomic(tmp_path / "a", half)
    assert (tmp_path / "a").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_messages_say_what_to_do() -> None:
    full = files.cannot_write(Path("x"), OSError(errno.ENOSPC, ""))
    assert full == ("Cannot write x: the disk is full. Nothing was changed; free some space or write somewhere else.")
    assert "permission denied" in files.cannot_write(Path("x"), OSError(errno.EACCES, ""))


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a", {"x": float("nan")})
    assert not (tmp_path / "a").exists()


def test_log_lines_survive_a_cut_last_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert files.read_lines(path) == []
    for number in range(3):
        files.append_line(path, json.dumps({"n": number}))
    path.write_text(path.read_text()[:-4])
    assert files.read_lines(path) == [{"n": 0}, {"n": 1}]


def test_flushing_reaches_the_disk_and_says_what_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(files.os, "fsync", synced.append)
    files.flush_to_disk(tmp_path / "absent")
    assert synced == []
    files.append_line(tmp_path / "log", "{}")
    files.flush_to_disk(tmp_path / "log")
    assert len(synced) == 1

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(WriteError, match="the disk is full"):
        files.flush_to_disk(tmp_path / "log")
