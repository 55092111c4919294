"""Fetch the files of a named data set from its publisher. Happens only when a user asks for it."""

import hashlib
import http.client
import os
import tarfile
import tempfile
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from pellucid.core.errors import DataError, WriteError
from pellucid.core.files import cannot_write, write_atomic, write_bytes
from pellucid.core.progress import Advance, Progress, Quiet
from pellucid.data.known.record import Known, Remote, cache_folder

TIMEOUT_S = 30.0  # without a single byte
CHUNK = 1 << 18
MAX_MEMBER_BYTES = 1 << 28  # CIFAR-100's largest has 154 MB


def fetch(known: Known, folder: Path | None = None, progress: Progress | None = None) -> Path:
    """Fetch, check, and only then put the files in place.

    Args:
        folder: where to put them; None is the cache, where `load` looks.

    Returns:
        The folder.

    Raises:
        DataError: there is nothing to fetch, the network does not give it, or the content is not what was
            published; nothing is left behind.
        WriteError: the folder cannot be written.
    """
    if known.package and not known.remotes:
        raise DataError(f"{known.name} comes with a package and is not fetched. {known.how_to_get}")
    if not known.remotes:
        raise DataError(f"{known.name} needs no files: there is nothing to fetch.")
    folder = folder or cache_folder(known.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as name:
            staging = Path(name)
            for remote in known.remotes:
                _fetch_file(known, remote, staging / remote.name, progress or Quiet())
                if remote.members:
                    _unpack(staging / remote.name, remote.members)
                    (staging / remote.name).unlink()
            _verify(known, staging)
            for file in staging.iterdir():
                os.replace(file, folder / file.name)
    except OSError as error:
        raise WriteError(cannot_write(folder, error)) from error
    return folder


def _verify(known: Known, staging: Path) -> None:
    try:
        known.load(staging)
    except DataError as error:
        reason = str(error).replace(f"{staging}{os.sep}", "")
        raise DataError(f"What was fetched for {known.name} was thrown away: {reason}") from error


def _fetch_file(known: Known, remote: Remote, path: Path, progress: Progress) -> None:
    request = urllib.request.Request(remote.url, headers={"User-Agent": "pellucid"})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except (OSError, http.client.HTTPException) as error:
        raise DataError(_unreachable(known, remote, error)) from error
    with response:
        if urlsplit(response.url).scheme != urlsplit(remote.url).scheme:
            raise DataError(f"{remote.url} leads to {response.url}, which is another protocol: not fetched.")
        with progress.bar(remote.name, response.length or 0) as advance:
            chunks = _chunks(known, remote, response, advance)
            write_atomic(path, lambda file: _copy(chunks, file))
    with path.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if remote.md5 and md5 != remote.md5:
        raise DataError(f"{remote.url} gave a file with MD5 {md5}, published is {remote.md5}: thrown away.")


def _chunks(known: Known, remote: Remote, response: Any, advance: Advance) -> Iterator[bytes]:
    """The body, piece by piece; whatever the network does wrong becomes a DataError."""
    total, done = response.length or 0, 0
    while True:
        if max(total, done) > remote.max_bytes:
            raise DataError(f"{remote.url} gives more than the {remote.max_bytes} bytes allowed: not fetched.")
        try:
            chunk = response.read(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise DataError(_unreachable(known, remote, error)) from error
        if not chunk:
            break
        done += len(chunk)
        advance(done, f"{done / 1e6:.1f} MB")
        yield chunk
    if done < total:
        raise DataError(_unreachable(known, remote, f"it ended after {done} of {total} bytes"))


def _copy(chunks: Iterator[bytes], file: IO[bytes]) -> None:
    for chunk in chunks:
        file.write(chunk)


def _unpack(archive: Path, members: tuple[str, ...]) -> None:
    """Take the named files out of a gzipped tar archive, and lay them beside it without their folders."""
    missing = set(members)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                inside = tar.extractfile(member) if member.isfile() and member.name in missing else None
                if inside is None:
                    continue
                if member.size > MAX_MEMBER_BYTES:
                    raise DataError(f"{archive.name}: {member.name} has {member.size} bytes: not unpacked.")
                write_bytes(archive.parent / Path(member.name).name, inside.read())
                missing.discard(member.name)
                if not missing:
                    return
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise DataError(f"{archive.name} cannot be unpacked: {error}.") from error
    raise DataError(f"{archive.name} has no {', '.join(sorted(missing))}.")


def _unreachable(known: Known, remote: Remote, reason: object) -> str:
    return f"Cannot fetch {remote.url}: {reason}. Check the connection. {known.how_to_get}"
