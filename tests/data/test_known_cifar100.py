"""CIFAR-100's binary format, on files written here byte by byte: two labels a record, the second one counts."""

import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.data.known import KNOWN
from pellucid.data.known.cifar import CIFAR100, FINE_CLASSES, read_batch
from pellucid.data.known.fetch import _unpack

CIFAR = replace(KNOWN["cifar100"], counts={"train": 4, "test": 2})
IMAGES = np.random.default_rng(1).integers(256, size=(6, 32, 32, 3), dtype=np.uint8)
COARSE = (11, 15, 4, 14, 1, 0)
FINE = (19, 29, 0, 11, 1, 99)


def records(rows: range) -> bytes:
    """As the format's page words it: a coarse label, a fine label, then 1,024 red, 1,024 green, 1,024 blue."""
    parts = []
    for row in rows:
        planes = b"".join(IMAGES[row, :, :, channel].tobytes() for channel in range(3))
        parts.append(bytes([COARSE[row], FINE[row]]) + planes)
    return b"".join(parts)


def write_set(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.bin").write_bytes(records(range(4)))
    (folder / "test.bin").write_bytes(records(range(4, 6)))
    (folder / "fine_label_names.txt").write_text("\n".join(CIFAR.classes) + "\n")
    return folder


def test_a_set_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    source = CIFAR.load(write_set(tmp_path / "cifar-100-binary").parent)
    assert np.array_equal(source.images, IMAGES) and source.labels is not None
    assert source.labels.tolist() == list(FINE)
    assert [source.classes[label] for label in source.labels[[0, 1, 5]]] == ["cattle", "dinosaur", "worm"]
    assert source.roles is not None and source.roles.tolist() == ["train"] * 4 + ["test"] * 2


def test_there_are_a_hundred_classes_in_the_order_of_the_alphabet() -> None:
    assert len(set(FINE_CLASSES)) == 100 and list(FINE_CLASSES) == sorted(FINE_CLASSES)
    assert [FINE_CLASSES.index(name) for name in ("apple", "bowl", "lobster", "seal", "worm")] == [0, 10, 45, 72, 99]


def test_the_published_counts_are_wanted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^cifar100: there must be 50000 train pictures, got 4\.$"):
        KNOWN["cifar100"].load(write_set(tmp_path))


def test_a_list_of_other_names_is_refused_in_one_short_line(tmp_path: Path) -> None:
    (write_set(tmp_path) / "fine_label_names.txt").write_text("cat\ndog\n")
    with pytest.raises(
        DataError, match=r"must list apple, .*, beaver, \.\.\., woman, worm; got cat, dog\.$"
    ) as refused:
        CIFAR.load(tmp_path)
    assert len(str(refused.value)) < 300


def test_files_of_the_other_set_are_refused(tmp_path: Path) -> None:
    """Records of CIFAR-10 are a byte shorter, so their number of bytes does not fit."""
    (tmp_path / "train.bin").write_bytes(bytes(3 * 3073))
    with pytest.raises(DataError, match=r"must be a whole number of records of 3074 bytes, got 9219 bytes\.$"):
        read_batch(tmp_path / "train.bin", n_labels=2)


def test_the_files_come_out_of_an_archive_laid_out_as_the_published_one(tmp_path: Path) -> None:
    write_set(tmp_path / "made")
    with tarfile.open(tmp_path / "archive.tar.gz", "w:gz") as tar:
        for member in (*CIFAR100.members, "cifar-100-binary/coarse_label_names.txt"):
            file = tmp_path / "made" / Path(member).name
            content = file.read_bytes() if file.exists() else b"fish\n"
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))
    _unpack(tmp_path / "archive.tar.gz", CIFAR.remotes[0].members)
    assert len(CIFAR.load(tmp_path)) == 6
    assert not (tmp_path / "coarse_label_names.txt").exists()
