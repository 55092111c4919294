"""The reader of CIFAR-10's binary format, on files written here byte by byte."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.data.known import KNOWN
from pellucid.data.known.cifar import read_batch

CIFAR = replace(KNOWN["cifar10"], counts={"train": 10, "test": 2})
IMAGES = np.random.default_rng(0).integers(256, size=(12, 32, 32, 3), dtype=np.uint8)
LABELS = np.array([6, 9, 9, 4, 1, 1, 2, 7, 8, 3, 4, 0], dtype=np.uint8)


def batch(images: np.ndarray, labels: np.ndarray) -> bytes:
    """The format as its page words it: one label byte, 1,024 red, 1,024 green, 1,024 blue, row by row."""
    records = [
        bytes([label]) + b"".join(image[:, :, channel].tobytes() for channel in range(3))
        for image, label in zip(images, labels, strict=True)
    ]
    return b"".join(records)


def write_set(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(5):
        rows = slice(2 * i, 2 * i + 2)
        (folder / f"data_batch_{i + 1}.bin").write_bytes(batch(IMAGES[rows], LABELS[rows]))
    (folder / "test_batch.bin").write_bytes(batch(IMAGES[10:], LABELS[10:]))
    (folder / "batches.meta.txt").write_text("\n".join(CIFAR.classes) + "\n\n")
    return folder


def test_a_set_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    source = CIFAR.load(write_set(tmp_path))
    assert np.array_equal(source.images, IMAGES) and np.array_equal(source.labels, LABELS)
    assert source.roles.tolist() == ["train"] * 10 + ["test"] * 2
    assert source.classes[source.labels[0]] == "frog"  # label 6
    assert source.images.reshape(12, -1).shape == (12, 3072)


def test_the_folder_inside_the_published_archive_is_found(tmp_path: Path) -> None:
    write_set(tmp_path / "cifar-10-batches-bin")
    assert len(CIFAR.load(tmp_path)) == 12


def test_the_list_of_names_may_be_missing_but_not_different(tmp_path: Path) -> None:
    names = write_set(tmp_path) / "batches.meta.txt"
    names.write_text("cat\ndog\n")
    with pytest.raises(DataError, match=r"batches\.meta\.txt must list airplane, .*, truck; got cat, dog\.$"):
        CIFAR.load(tmp_path)
    names.unlink()
    assert len(CIFAR.load(tmp_path)) == 12


def test_another_number_of_pictures_than_published_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^cifar10: there must be 50000 train pictures, got 10\.$"):
        KNOWN["cifar10"].load(write_set(tmp_path))


def test_a_missing_batch_is_named(tmp_path: Path) -> None:
    (write_set(tmp_path) / "data_batch_3.bin").unlink()
    with pytest.raises(DataError, match=r"has no file data_batch_3\.bin\.$"):
        CIFAR.load(tmp_path)


def test_a_label_outside_the_classes_is_refused(tmp_path: Path) -> None:
    (write_set(tmp_path) / "test_batch.bin").write_bytes(batch(IMAGES[:2], np.array([3, 77])))
    with pytest.raises(DataError, match=r"^cifar10: label 77 of test/1 is outside 0\.\.9 \(10 classes\)\.$"):
        CIFAR.load(tmp_path)


@pytest.mark.parametrize("size", [0, 1, 3072, 3074])
def test_a_cut_batch_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(bytes(size))
    with pytest.raises(DataError, match=rf"must be a whole number of records of 3073 bytes, got {size} bytes\.$"):
        read_batch(path)
