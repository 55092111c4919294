"""The IDX reader, on files written here byte by byte."""

import gzip
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.data.known import KNOWN
from pellucid.data.known.idx import read_idx

IMAGES = np.random.default_rng(0).integers(256, size=(5, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 0, 9, 1, 1], dtype=np.uint8)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_set(folder: Path, dot: bool = False, packed: bool = True) -> Path:
    """Three training pictures and two for testing, named as the set at hand names its files."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, rows in (("train", slice(0, 3)), ("t10k", slice(3, 5))):
        for what, array in (("images-idx3", IMAGES[rows]), ("labels-idx1", LABELS[rows])):
            name = f"{stem}-{what}-ubyte".replace("-idx", ".idx" if dot else "-idx")
            content = gzip.compress(idx(array)) if packed else idx(array)
            (folder / (name + ".gz" * packed)).write_bytes(content)
    return folder


@pytest.mark.parametrize("dot", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_a_set_is_read_back_as_it_was_written(tmp_path: Path, dot: bool, packed: bool) -> None:
    known = replace(KNOWN["mnist"], counts={"train": 3, "test": 2})
    source = known.load(write_set(tmp_path, dot, packed))
    assert np.array_equal(source.images, IMAGES) and np.array_equal(source.labels, LABELS)
    assert source.roles.tolist() == ["train"] * 3 + ["test"] * 2
    assert source.names == ["train/0", "train/1", "train/2", "test/0", "test/1"]
    assert source.classes == tuple("0123456789") and source.labels.dtype == np.int64


def test_a_set_is_found_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    write_set(tmp_path / "datasets" / "mnist")
    assert len(replace(KNOWN["mnist"], counts={"train": 3, "test": 2}).load()) == 5


def test_another_number_of_pictures_than_published_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^mnist: there must be 60000 train pictures, got 3\.$"):
        KNOWN["mnist"].load(write_set(tmp_path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (write_set(tmp_path) / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"has no file t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte\.gz\.$"):
        KNOWN["mnist"].load(tmp_path)


def test_images_and_labels_must_be_as_many(tmp_path: Path) -> None:
    (write_set(tmp_path) / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    with pytest.raises(DataError, match=r": 3 train images but 5 train labels\.$"):
        KNOWN["mnist"].load(tmp_path)


def test_a_label_outside_the_classes_is_refused(tmp_path: Path) -> None:
    (write_set(tmp_path) / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS[:3] + 7)))
    with pytest.raises(DataError, match=r"^mnist: label 10 of train/0 is outside 0\.\.9 \(10 classes\)\.$"):
        KNOWN["mnist"].load(tmp_path)


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    for stem, n in (("train", 3), ("t10k", 2)):
        (write_set(tmp_path) / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES[:n, :14])))
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES[:3, :14])))
    with pytest.raises(DataError, match=r"^mnist: pictures must be 28x28x1, got 14x28x1\.$"):
        KNOWN["mnist"].load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"must begin with 00000803, got nothing\.$"),
        (b"\x89PNG\r\n\x1a\n", r"must begin with 00000803, got 89504e47\.$"),
        (idx(LABELS), r"is no IDX file of unsigned bytes in 3 dimensions: .*, got 00000801\.$"),
        (b"\0\0\x0d\x03" + idx(IMAGES)[4:], r"must begin with 00000803, got 00000d03\.$"),  # 0d is float
        (idx(IMAGES)[:10], r"ends inside its header, after 10 bytes\.$"),
        (idx(IMAGES)[:-1], r"promises 3920 bytes of shape \(5, 28, 28\), it holds only 3919\.$"),
        (idx(IMAGES) + b"\0", r"promises 3920 bytes of shape \(5, 28, 28\), it holds more\.$"),
        (b"\0\0\x08\x03" + b"\xff" * 12, r"its header promises 79228\d+ bytes; 1073741824 are allowed\.$"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_file_is_refused_with_the_reason(tmp_path: Path, content: bytes, message: str, packed: bool) -> None:
    path = tmp_path / ("broken.gz" if packed else "broken")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError, match=message):
        read_idx(path, n_dimensions=3)


@pytest.mark.parametrize(
    "content", [b"not gzip at all", gzip.compress(idx(IMAGES))[:-2000], gzip.compress(idx(IMAGES))[:50] + b"\0" * 3000]
)
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.gz cannot be read: .*\.$"):
        read_idx(path, n_dimensions=3)


def test_an_empty_array_is_an_array(tmp_path: Path) -> None:
    path = tmp_path / "none"
    path.write_bytes(idx(np.zeros((0, 28, 28), dtype=np.uint8)))
    assert read_idx(path, n_dimensions=3).shape == (0, 28, 28)
