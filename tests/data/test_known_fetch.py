"""Fetching, from a server on this machine that serves what the test made."""

import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from pellucid.core.errors import DataError, WriteError
from pellucid.core.progress import Advance, Quiet
from pellucid.data.known import KNOWN
from pellucid.data.known.fetch import fetch
from pellucid.data.known.record import Known, Remote, cache_folder, content_digest

RNG = np.random.default_rng(0)
CLASSES = KNOWN["cifar10"].classes


class Files(BaseHTTPRequestHandler):
    """Serves `content`; adds `extra` to the length it promises, and leads `/moved` to `target`."""

    content: dict[str, bytes]
    extra = 0
    target = ""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", self.target)
            self.end_headers()
            return
        body = self.content.get(self.path[1:])
        self.send_response(404 if body is None else 200)
        body = body or b""
        self.send_header("Content-Length", str(len(body) + self.extra))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@contextmanager
def serve(content: dict[str, bytes], extra: int = 0, target: str = "") -> Iterator[str]:
    handler = type("Handler", (Files,), {"content": content, "extra": extra, "target": target})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def idx_files() -> dict[str, bytes]:
    """The four files of a set of 3 + 2 pictures."""
    files = {}
    for stem, n in (("train", 3), ("t10k", 2)):
        for what, array in (
            ("images-idx3", RNG.integers(256, size=(n, 28, 28), dtype=np.uint8)),
            ("labels-idx1", np.arange(n, dtype=np.uint8)),
        ):
            header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            files[f"{stem}-{what}-ubyte.gz"] = gzip.compress(header + array.tobytes())
    return files


def idx_set(address: str, files: dict[str, bytes], max_bytes: int = 100_000, digest: str = "") -> Known:
    mnist = KNOWN["mnist"]
    return replace(
        mnist,
        card=replace(mnist.card, digest=digest),
        counts={"train": 3, "test": 2},
        remotes=tuple(Remote(f"{address}/{name}", max_bytes) for name in files),
    )


def tar(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, goal in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, goal
            archive.addfile(member)
    return out.getvalue()


def cifar_files() -> dict[str, bytes]:
    names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    files = {name: bytes([i]) + RNG.bytes(3072) for i, name in enumerate(names)}
    files["batches.meta.txt"] = "\n".join(CLASSES).encode()
    return {f"cifar-10-batches-bin/{name}": content for name, content in files.items()}


def cifar_set(address: str, md5: str = "") -> Known:
    cifar = KNOWN["cifar10"]
    remote = replace(cifar.remotes[0], url=f"{address}/cifar.tar.gz", md5=md5)
    return replace(cifar, counts={"train": 5, "test": 1}, remotes=(remote,))


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


def test_files_are_fetched_to_the_cache_and_found_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    files = idx_files()
    with serve(files) as address:
        known = idx_set(address, files)
        assert fetch(known) == cache_folder("mnist")
    assert left_in(cache_folder("mnist")) == sorted(files)
    source = known.load()
    assert len(source) == 5 and source.labels.tolist() == [0, 1, 2, 0, 1]
    digest = content_digest(source)
    with serve(files) as address:  # once more, over what is there, with the digest known
        fetch(idx_set(address, files, digest=digest))


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    class Recorder(Quiet):
        @contextmanager
        def bar(self, label: str, total: int) -> Iterator[Advance]:
            yield lambda done, note="": seen.append((label, done, total))

    files = idx_files()
    with serve(files) as address:
        fetch(idx_set(address, files), tmp_path, Recorder())
    assert seen == [(name, len(content), len(content)) for name, content in files.items()]


def test_only_the_named_members_are_unpacked(tmp_path: Path) -> None:
    archive = tar({"../evil.txt": b"x", "cifar-10-batches-bin/readme.html": b"x", **cifar_files()})
    with serve({"cifar.tar.gz": archive}) as address:
        known = cifar_set(address, hashlib.md5(archive).hexdigest())
        fetch(known, tmp_path / "here")
    assert left_in(tmp_path) == sorted(["here", *(name.split("/")[1] for name in cifar_files())])
    assert known.load(tmp_path / "here").labels.tolist() == [0, 1, 2, 3, 4, 5]


def test_content_that_is_not_the_published_one_is_thrown_away(tmp_path: Path) -> None:
    files = idx_files()
    with serve(files) as address:
        with pytest.raises(
            DataError, match=r"^What was fetched for mnist was thrown away: mnist: these are not the pub"
        ):
            fetch(idx_set(address, files, digest="0" * 64), tmp_path)
        files["t10k-labels-idx1-ubyte.gz"] = files["train-labels-idx1-ubyte.gz"]
        with pytest.raises(DataError, match=r"thrown away: .*2 test images but 3 test labels\.$"):
            fetch(idx_set(address, files), tmp_path)
    assert left_in(tmp_path) == []


def test_a_failed_fetch_leaves_what_was_there(tmp_path: Path) -> None:
    files = idx_files()
    with serve(files) as address:
        fetch(idx_set(address, files), tmp_path)
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        with pytest.raises(DataError):
            fetch(idx_set(address, {**files, "missing.gz": b""}), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_missing_file_and_a_silent_machine_are_one_line_each(tmp_path: Path) -> None:
    with (
        serve({}) as address,
        pytest.raises(DataError, match=r"^Cannot fetch http.*/x\.gz: HTTP Error 404: .*Check the"),
    ):
        fetch(idx_set(address, {"x.gz": b""}), tmp_path)
    with pytest.raises(
        DataError, match=r"^Cannot fetch .*refused.*\. Check the connection\. Run `pellucid datasets"
    ) as got:
        fetch(idx_set(address, {"x.gz": b""}), tmp_path)  # the server is gone
    assert "\n" not in str(got.value) and left_in(tmp_path) == []


@pytest.mark.parametrize("extra", [1, 1000])
def test_a_transfer_that_breaks_off_is_refused(tmp_path: Path, extra: int) -> None:
    files = idx_files()
    with serve(files, extra) as address, pytest.raises(DataError, match=r"it ended after \d+ of \d+ bytes\. Check"):
        fetch(idx_set(address, files), tmp_path)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("promised", [True, False])
def test_more_than_the_cap_is_refused(tmp_path: Path, promised: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not promised:  # a server that says nothing about the length, and then sends too much
        send = Files.send_header
        monkeypatch.setattr(
            Files, "send_header", lambda self, key, value: None if key == "Content-Length" else send(self, key, value)
        )
    refused = pytest.raises(DataError, match=r"x\.gz gives more than the 4999 bytes allowed: not fetched\.$")
    with serve({"x.gz": bytes(5000)}) as address, refused:
        fetch(idx_set(address, {"x.gz": b""}, max_bytes=4999), tmp_path)
    assert left_in(tmp_path) == []


def test_a_wrong_published_sum_is_refused(tmp_path: Path) -> None:
    archive = tar(cifar_files())
    refused = pytest.raises(DataError, match=rf"a file with MD5 {hashlib.md5(archive).hexdigest()}, published is 0000")
    with serve({"cifar.tar.gz": archive}) as address, refused:
        fetch(cifar_set(address, "0" * 32), tmp_path)
    assert left_in(tmp_path) == []


def test_an_archive_that_lacks_a_member_links_one_or_is_none_is_refused(tmp_path: Path) -> None:
    files = cifar_files()
    lacking = {name: content for name, content in files.items() if not name.endswith("test_batch.bin")}
    archives = [tar(lacking), tar(lacking, {"cifar-10-batches-bin/test_batch.bin": "/etc/passwd"})]
    for archive in archives:
        refused = pytest.raises(DataError, match=r"^cifar\.tar\.gz has no cifar-10-batches-bin/test_batch\.bin\.$")
        with serve({"cifar.tar.gz": archive}) as address, refused:
            fetch(cifar_set(address), tmp_path)
    for archive in (b"no archive", tar(files)[:2000]):
        refused = pytest.raises(DataError, match=r"^cifar\.tar\.gz cannot be unpacked: .*\.$")
        with serve({"cifar.tar.gz": archive}) as address, refused:
            fetch(cifar_set(address), tmp_path)
    assert left_in(tmp_path) == []


def test_a_redirect_is_followed_but_not_to_another_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Response(io.BytesIO):
        url = "http://127.0.0.1/plain"  # where an https address led

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Response(b"1"))
    message = (
        r"^https://127\.0\.0\.1/x\.gz leads to http://127\.0\.0\.1/plain, which is another protocol: not fetched\.$"
    )
    with pytest.raises(DataError, match=message):
        fetch(idx_set("https://127.0.0.1", {"x.gz": b""}), tmp_path)
    monkeypatch.undo()
    monkeypatch.setenv("no_proxy", "*")
    with serve({"x.gz": b"no IDX"}, target="/x.gz") as address, pytest.raises(DataError, match="thrown away"):
        fetch(idx_set(address, {"moved": b""}), tmp_path)
    assert left_in(tmp_path) == []


def test_a_place_that_cannot_be_written_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(WriteError, match=r"^Cannot write .*file/below: a part of the path is a file\."):
        fetch(idx_set("http://127.0.0.1:9", {"x.gz": b""}), tmp_path / "file" / "below")
