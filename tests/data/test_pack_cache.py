"""Where packs lie: disks that are full, read only or shared, and processes that are killed."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import WriteError
from pellucid.data.canvas import place
from pellucid.data.images import read_image
from pellucid.data.pack import Pack, cache, decode, make_pack
from pellucid.data.pack import file as pack_file
from pellucid.data.source import Source

WHITE = (255, 255, 255)
SIZE = (12, 14)


def photos(folder: Path) -> list[Path]:
    """Nine small pictures of many shapes."""
    folder.mkdir()
    for k in range(9):
        pixels = np.random.default_rng(k).integers(0, 256, (10 + 3 * k, 30 - 2 * k, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{k}.png")
    return sorted(folder.iterdir())


def source_of(paths: list[Path]) -> Source:
    return Source("photos", paths, [path.name for path in paths], ("a", "b", "c"), labels=np.arange(9) % 3)


def pack_it(source: Source, cache: Path) -> Pack:
    return make_pack(source, SIZE, 3, "crop", WHITE, cache=cache)


def test_a_cache_that_cannot_be_written_leaves_the_pack_in_memory(tmp_path):
    (tmp_path / "file").write_text("")
    source = source_of(photos(tmp_path / "photos"))
    pack = pack_it(source, tmp_path / "file" / "packs")
    assert pack.path is None
    assert pack.note == (
        f"{tmp_path / 'file' / 'packs'} cannot be written, so the pack is not kept; "
        "name another folder in PELLUCID_CACHE."
    )
    assert np.array_equal(pack.images, pack_it(source, tmp_path / "packs").images)


def test_the_cache_folder(tmp_path, monkeypatch):
    assert cache.cache_folder("x") == Path("x")
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    assert cache.cache_folder(None) == tmp_path / "packs"
    monkeypatch.delenv("PELLUCID_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_folder(None) == tmp_path / ".cache" / "pellucid" / "packs"


def full_disk(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("function", ["posix_fallocate", "pwrite"])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, function, monkeypatch):
    source = source_of(photos(tmp_path / "photos"))
    monkeypatch.setattr(os, function, full_disk)
    with pytest.raises(WriteError, match=r"the disk is full\. Nothing was changed; free some space"):
        pack_it(source, tmp_path / "packs")
    assert not list((tmp_path / "packs").iterdir())


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    source = source_of(photos(tmp_path / "photos"))
    with monkeypatch.context() as patch:
        patch.setattr(decode, "read_image", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pack_it(source, tmp_path / "packs")
    assert not list((tmp_path / "packs").iterdir())
    assert len(pack_it(source, tmp_path / "packs")) == 9


def test_a_kill_leaves_no_pack_that_looks_complete(tmp_path):
    paths = photos(tmp_path / "photos")
    script = f"""
import os, signal
import numpy as np
from pathlib import Path
from pellucid.data.pack import decode, make_pack
from pellucid.data.source import Source
def killed(path, *_):
    if path.name == "6.png":
        os.kill(os.getpid(), signal.SIGKILL)
    return np.zeros((9, 9, 3), np.uint8)
decode.read_image, decode.BLOCK = killed, 1
paths = sorted(Path({str(tmp_path / "photos")!r}).iterdir())
source = Source("photos", paths, [path.name for path in paths], ("a", "b", "c"), labels=np.arange(9) % 3)
make_pack(source, {SIZE}, 3, "crop", {WHITE}, cache=Path({str(tmp_path / "packs")!r}))
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert ended.returncode == -9, ended.stderr
    left = list((tmp_path / "packs").iterdir())
    assert [path.suffix for path in left] == [".tmp"]
    pack = pack_it(source_of(paths), tmp_path / "packs")
    assert np.array_equal(pack.images[0], place(read_image(paths[0]), SIZE, "crop", WHITE).image)
    assert cache.prune(tmp_path / "packs", now=left[0].stat().st_mtime + 25 * 3600) == left


@pytest.mark.parametrize("damage", ["cut", "garbage", "foreign", "empty"])
def test_a_damaged_pack_is_made_anew(tmp_path, damage):
    source = source_of(photos(tmp_path / "photos"))
    pack = pack_it(source, tmp_path / "packs")
    expected, content = np.array(pack.images), pack.path.read_bytes()
    damaged = {
        "cut": content[:-100],
        "garbage": content[:-200] + b"x" * 184 + content[-16:],
        "foreign": content[:-8] + b"SOMEWHAT",
        "empty": b"",
    }[damage]
    pack.path.unlink()
    pack.path.write_bytes(damaged)
    assert pack_file.open_arrays(pack.path) is None
    assert np.array_equal(pack_it(source, tmp_path / "packs").images, expected)


def test_packing_at_the_same_time_is_harmless(tmp_path):
    source = source_of(photos(tmp_path / "photos"))
    packs: list[Pack] = []
    threads = [threading.Thread(target=lambda: packs.append(pack_it(source, tmp_path / "packs"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(packs) == 4
    assert all(np.array_equal(pack.images, packs[0].images) for pack in packs)
    assert list((tmp_path / "packs").iterdir()) == [packs[0].path]


def test_old_packs_go_when_the_folder_grows_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CAP_BYTES", 350)
    now = 10_000_000.0
    for name, days in (("old", 30), ("older", 40), ("kept", 20), ("recent", 2), ("new", 0)):
        path = tmp_path / f"{name}.pack"
        path.write_bytes(bytes(100))
        os.utime(path, (now - days * 86400, now - days * 86400))
    (tmp_path / "notes.txt").write_text("not ours")
    assert [path.stem for path in cache.prune(tmp_path, now)] == ["older", "old"]
    assert cache.prune(tmp_path, now) == []
    (tmp_path / "more.pack").write_bytes(bytes(10_000))
    os.utime(tmp_path / "more.pack", (now, now))
    assert [path.stem for path in cache.prune(tmp_path, now)] == ["kept"]  # the others were used this week
    assert {path.name for path in tmp_path.iterdir()} == {"recent.pack", "new.pack", "more.pack", "notes.txt"}


def test_using_a_pack_keeps_it_young(tmp_path):
    source = source_of(photos(tmp_path / "photos"))
    path = pack_it(source, tmp_path / "packs").path
    os.utime(path, (0, 0))
    pack_it(source, tmp_path / "packs")
    assert path.stat().st_mtime > 1e9
